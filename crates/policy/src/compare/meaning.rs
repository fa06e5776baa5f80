//! Differences in meaning: which atoms one document has beyond the other, and how to say so.

use std::collections::{BTreeMap, BTreeSet};

use super::reason::{Code, Reason, Side};
use crate::normal::{Atom, What, Who};
use crate::statement::{Effect, Statement};

/// An atom, and how the statement it came from puts it.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) atom: Atom,
    pub(super) pointer: String,
    /// The action in the spelling of the statement, for people.
    action: String,
    /// The conditions in the spelling of the statement, for people.
    when: String,
}

impl Placed {
    pub(super) fn new(atom: Atom, statement: &Statement<'_>) -> Self {
        let action = match &atom.action {
            What::One(lower) => {
                let written = statement.actions().unwrap_or_default();
                let same = written.into_iter().find(|action| action.eq_ignore_ascii_case(lower));
                format!("`{}`", same.unwrap_or(lower))
            }
            other => what(other),
        };
        Self { pointer: statement.pointer(), action, when: when(statement), atom }
    }

    /// Whether it is about the principal of this name.
    pub(super) fn is_about(&self, principal: &str) -> bool {
        matches!(&self.atom.who, Who::One(_, name) if name == principal)
    }
}

/// Those of `atoms` that none of `others` covers.
pub(super) fn beyond<'a>(atoms: &'a [Placed], others: &[Placed]) -> Vec<&'a Placed> {
    // Most atoms have their equal; only the rest is worth the search for something wider.
    let equals: BTreeSet<_> = others.iter().map(|other| &other.atom).collect();
    atoms
        .iter()
        .filter(|placed| {
            !equals.contains(&placed.atom) && !equals.iter().any(|other| other.covers(&placed.atom))
        })
        .collect()
}

/// One reason for each statement and each set of atoms that differ in the action only.
pub(super) fn reasons(surplus: &[&Placed], side: Side) -> Vec<Reason> {
    let mut groups: BTreeMap<(&str, Atom), Vec<&Placed>> = BTreeMap::new();
    for placed in surplus {
        let key = Atom { action: What::Unsaid, ..placed.atom.clone() };
        groups.entry((&placed.pointer, key)).or_default().push(placed);
    }
    groups
        .into_iter()
        .map(|((pointer, atom), group)| Reason {
            code: match (side, atom.effect) {
                (Side::Live, Effect::Allow) | (Side::Wanted, Effect::Deny) => Code::Wider,
                (Side::Live, Effect::Deny) | (Side::Wanted, Effect::Allow) => Code::Narrower,
            },
            sentence: sentence(&atom, &group, side),
            pointer: pointer.to_owned(),
            document: side,
        })
        .collect()
}

fn sentence(atom: &Atom, group: &[&Placed], side: Side) -> String {
    let verb = match (side, atom.effect) {
        (Side::Live, Effect::Allow) => "the live policy allows",
        (Side::Live, Effect::Deny) => "the live policy denies",
        (Side::Wanted, Effect::Allow) => "the live policy does not allow",
        (Side::Wanted, Effect::Deny) => "the live policy does not deny",
    };
    let actions: Vec<_> = group.iter().map(|placed| placed.action.as_str()).collect();
    let resource = match &atom.resource {
        What::Unsaid => String::new(),
        resource => format!(" on {}", what(resource)),
    };
    let tail = match side {
        Side::Live => ", which is not wanted",
        Side::Wanted => ", which is wanted",
    };
    let when = group.first().map(|placed| placed.when.as_str()).unwrap_or_default();
    format!("{verb} {}{resource}{}{when}{tail}", actions.join(", "), who(&atom.who))
}

fn what(what: &What) -> String {
    match what {
        What::Unsaid => "anything".to_owned(),
        What::One(text) => format!("`{text}`"),
        What::Any(texts) => texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", "),
        What::Not(texts) => {
            let texts: Vec<_> = texts.iter().map(|text| format!("`{text}`")).collect();
            format!("all but {}", texts.join(", "))
        }
    }
}

fn who(who: &Who) -> String {
    match who {
        Who::Bearer => String::new(),
        Who::One(_, name) if name == "*" => " to everyone".to_owned(),
        Who::One(_, name) => format!(" to `{name}`"),
        Who::Not(names) => {
            let names: Vec<_> = names.iter().map(|(_, name)| format!("`{name}`")).collect();
            format!(" to everyone but {}", names.join(", "))
        }
    }
}

fn when(statement: &Statement<'_>) -> String {
    let conditions: Vec<_> = statement
        .conditions()
        .iter()
        .map(|condition| {
            let values: Vec<_> = condition.values.iter().map(|value| format!("`{value}`")).collect();
            let values = if values.is_empty() { "nothing".to_owned() } else { values.join(" or ") };
            format!("`{}` on `{}` finds {values}", condition.operator, condition.key)
        })
        .collect();
    if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) }
}
