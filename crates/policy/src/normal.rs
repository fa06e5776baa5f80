//! The normal form of a document: what it means, without how it is written.
//!
//! A statement is the union of its principals × actions × resources, so it falls apart into atoms that name one of each. Two
//! documents with the same atoms mean the same, however their statements were merged, split, repeated or ordered. What a
//! `Not…` element leaves out cannot be taken apart and stays together.

use std::collections::{BTreeMap, BTreeSet};

use crate::Document;
use crate::arn::{self, Arn};
use crate::operator::{Operator, Quantifier, Test};
use crate::pattern::Pattern;
use crate::shape::STATEMENT_MEMBERS;
use crate::statement::{Condition, Effect, NamedPrincipal, PrincipalKind, Statement};

/// The smallest piece of meaning: one effect for one principal, one action, one resource, under conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Atom {
    pub(crate) effect: Effect,
    pub(crate) who: Who,
    pub(crate) action: What,
    pub(crate) resource: What,
    pub(crate) guards: BTreeSet<Guard>,
    /// Members this crate does not know, in compact JSON: nothing is equal that differs in them.
    pub(crate) unknown: BTreeMap<String, String>,
}

/// Whom an atom is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Identity policies do not say.
    Bearer,
    /// One principal, as kind and name.
    One(String, String),
    /// All but these.
    Not(BTreeSet<(String, String)>),
}

/// What an atom is about: an action or a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// Trust policies do not say which resource.
    Unsaid,
    /// What matches this pattern.
    One(String),
    /// All but what matches these.
    Not(BTreeSet<String>),
    /// What matches any of these, of a statement too large to take apart.
    Any(BTreeSet<String>),
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Guard {
    /// The operator in IAM's spelling, or as written when IAM has no such operator.
    pub(crate) operator: String,
    /// The key in lower case.
    pub(crate) key: String,
    pub(crate) values: BTreeSet<String>,
}

/// A statement of more atoms than this is not taken apart. Policies that IAM saves have a few dozen; without a limit a text of
/// 128 KiB could ask for millions.
const ATOMS_MAX: usize = 1024;

/// The atoms of one statement. `partition` is that of the roots which bare account ids stand for.
pub(crate) fn atoms(statement: &Statement<'_>, partition: &str) -> Vec<Atom> {
    let everyone = match (statement.principals(), statement.not_principals()) {
        (Some(named), _) => named.iter().map(|name| who(name, partition)).collect(),
        (None, Some(named)) => vec![Who::Not(named.iter().map(|name| full_name(name, partition)).collect())],
        (None, None) => vec![Who::Bearer],
    };
    everyone.into_iter().flat_map(|who| atoms_for(statement, &who)).collect()
}

/// The atoms of one statement, as far as they are about `who`.
pub(crate) fn atoms_for(statement: &Statement<'_>, who: &Who) -> Vec<Atom> {
    let lower = |texts: Vec<&str>| texts.into_iter().map(str::to_ascii_lowercase).collect::<Vec<_>>();
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut actions = whats(statement.actions().map(lower), statement.not_actions().map(lower));
    let mut resources = whats(statement.resources().map(owned), statement.not_resources().map(owned));
    let principals = statement.principals().map_or(1, |named| named.len().max(1));
    if actions.len().saturating_mul(resources.len()).saturating_mul(principals) > ATOMS_MAX {
        (actions, resources) = (together(actions), together(resources));
    }
    let guards: BTreeSet<_> = statement.conditions().iter().map(guard).collect();
    let unknown: BTreeMap<_, _> = statement
        .members()
        .iter()
        .filter(|(name, _)| !STATEMENT_MEMBERS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect();
    let mut atoms = Vec::new();
    for action in &actions {
        for resource in &resources {
            atoms.push(Atom {
                effect: statement.effect(),
                who: who.clone(),
                action: action.clone(),
                resource: resource.clone(),
                guards: guards.clone(),
                unknown: unknown.clone(),
            });
        }
    }
    atoms
}

/// A principal in normal form: an account id is its root.
pub(crate) fn who(name: &NamedPrincipal<'_>, partition: &str) -> Who {
    let (kind, value) = full_name(name, partition);
    Who::One(kind, value)
}

/// The partition that the principals of a document are in; `aws` when none says.
pub(crate) fn partition<'a>(documents: &[&'a Document]) -> &'a str {
    documents
        .iter()
        .flat_map(|document| document.statements())
        .flat_map(|statement| {
            statement.principals().or_else(|| statement.not_principals()).unwrap_or_default()
        })
        .find_map(|name| Arn::split(name.value).map(|arn| arn.partition))
        .unwrap_or("aws")
}

/// A condition in normal form.
pub(crate) fn guard(condition: &Condition<'_>) -> Guard {
    let operator = Operator::parse(condition.operator);
    // IAM evaluates the two ARN tests alike, wildcards included.
    let same = operator.map(|operator| match operator.test {
        Test::ArnEquals => Operator { test: Test::ArnLike, ..operator },
        Test::ArnNotEquals => Operator { test: Test::ArnNotLike, ..operator },
        _ => operator,
    });
    let any_case = operator.is_some_and(|operator| matches!(operator.test, Test::Bool | Test::Null));
    Guard {
        operator: same.map_or_else(|| condition.operator.to_owned(), |operator| operator.to_string()),
        key: condition.key.to_ascii_lowercase(),
        values: condition
            .values
            .iter()
            .map(|value| if any_case { value.to_ascii_lowercase() } else { value.to_string() })
            .collect(),
    }
}

impl Atom {
    /// Whether every request that `other` applies to is sure to be one that this applies to. May say no where the answer is
    /// yes, never the reverse.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.effect == other.effect && self.reaches(other)
    }

    /// As `covers`, whatever the effects.
    pub(crate) fn reaches(&self, other: &Self) -> bool {
        self.unknown == other.unknown
            && self.who.covers(&other.who)
            && self.action.covers(&other.action)
            && self.resource.covers(&other.resource)
            && self.guards.iter().all(|guard| other.guards.iter().any(|narrower| guard.covers(narrower)))
    }
}

impl Who {
    fn covers(&self, other: &Self) -> bool {
        let everyone = matches!(self, Self::One(kind, name) if kind == "AWS" && name == "*");
        self == other || (everyone && matches!(other, Self::One(kind, _) if kind == "AWS"))
    }
}

impl What {
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(all), Self::One(_) | Self::Not(_) | Self::Any(_)) if all == "*" => true,
            // What a variable stands for is known only when a request comes.
            (Self::One(wide), Self::One(narrow)) if !wide.contains("${") && !narrow.contains("${") => {
                Pattern::new(wide).covers(&Pattern::new(narrow))
            }
            (Self::Any(wide), Self::Any(narrow)) => narrow.is_subset(wide),
            _ => self == other,
        }
    }
}

impl Guard {
    /// Whether this condition holds wherever `other` does.
    fn covers(&self, other: &Self) -> bool {
        if self.operator != other.operator || self.key != other.key {
            return false;
        }
        match Operator::parse(&self.operator) {
            Some(Operator { test: Test::Null, .. }) | None => self.values == other.values,
            // The value a refusal names is one that it lets not pass: more values, fewer requests.
            Some(operator) if operator.test.is_negated() => self.values.is_subset(&other.values),
            Some(Operator { quantifier: Some(Quantifier::All | Quantifier::Any) | None, .. }) => {
                self.values.is_superset(&other.values)
            }
        }
    }
}

fn whats(only: Option<Vec<String>>, but: Option<Vec<String>>) -> Vec<What> {
    match (only, but) {
        (Some(texts), _) => texts.into_iter().map(What::One).collect(),
        (None, Some(texts)) => vec![What::Not(texts.into_iter().collect())],
        (None, None) => vec![What::Unsaid],
    }
}

/// The same, as one set; nothing where there was nothing.
fn together(parts: Vec<What>) -> Vec<What> {
    let texts: BTreeSet<_> = parts
        .iter()
        .filter_map(|part| match part {
            What::One(text) => Some(text.clone()),
            What::Unsaid | What::Not(_) | What::Any(_) => None,
        })
        .collect();
    if texts.is_empty() { parts } else { vec![What::Any(texts)] }
}

fn full_name(name: &NamedPrincipal<'_>, partition: &str) -> (String, String) {
    let value = if name.kind == PrincipalKind::Aws && arn::is_account(name.value) {
        format!("arn:{partition}:iam::{}:root", name.value)
    } else {
        name.value.to_owned()
    };
    (name.kind.name().to_owned(), value)
}
