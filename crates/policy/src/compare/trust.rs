//! Comparing a role's live trust policy with the one that Databricks needs.
//!
//! Only our own statements are compared; foreign ones are listed. At the end the live policy is asked the questions that
//! Databricks' validation asks, so that a foreign statement that spoils the answer is never passed over.

use std::collections::BTreeSet;

use super::external_id;
use super::layout::Layout;
use super::meaning::{self, Placed};
use super::reason::{Code, Comparison, Reason, Side, VerdictKind};
use crate::Document;
use crate::evaluate::{self, Context, Decision, Principal, Request, Verdict};
use crate::normal::{self, Guard, Who};
use crate::statement::{NamedPrincipal, Statement};
use crate::trust::ownership::{self, EXTERNAL_ID, PRINCIPAL_ARN, Role};
use crate::trust::{self, TrustSubject};

/// Compares the live trust policy of a role with the wanted one.
///
/// Statements that are not ours are reported as [`Code::ForeignStatement`] and do not count, unless they keep Unity Catalog out
/// or let it in without its external ID; [`Comparison::exclusive`] makes all of them count. Both forms of the self-assume grant
/// are accepted.
pub fn trust_policies(live: &Document, wanted: &Document, own: &TrustSubject) -> Comparison {
    let mine = Ours::of(live, own);
    let theirs = Ours::of(wanted, own);
    let mut reasons = Vec::new();
    // What one of these reasons explains is not told a second time as wider or narrower.
    let mut explained = BTreeSet::new();
    for (reason, whom) in principals(live, own) {
        explained.insert(whom);
        reasons.push(reason);
    }
    for (reason, whom) in external_id::check(live, own) {
        explained.extend(whom);
        reasons.push(reason);
    }
    for (code, whom, sentence) in absences(own) {
        if theirs.names(whom) && !mine.names(whom) {
            explained.insert(whom);
            reasons.push(Reason::live(code, sentence, String::new()));
        }
    }
    let all_wanted = [theirs.ours.as_slice(), theirs.foreign.as_slice()].concat();
    let all_live = [mine.ours.as_slice(), mine.foreign.as_slice()].concat();
    let is_unexplained = |placed: &&Placed| !explained.iter().any(|whom| placed.is_about(whom));
    let mut wider = meaning::beyond(&mine.ours, &all_wanted);
    wider.retain(is_unexplained);
    reasons.extend(meaning::reasons(&wider, Side::Live));
    let mut narrower = meaning::beyond(&all_wanted, &all_live);
    narrower.retain(is_unexplained);
    reasons.extend(meaning::reasons(&narrower, Side::Wanted));
    reasons.extend(answers(live, &theirs, own, &reasons));
    reasons.extend(super::version(live, wanted, has_variables(live, wanted, own)));
    reasons.extend(form(live, wanted, own));
    if reasons.iter().all(|reason| reason.code.verdict() != VerdictKind::Drift) {
        let form_differs = reasons.iter().any(|reason| reason.code == Code::SelfAssumeForm);
        // The other form brings its own layout with it.
        reasons.extend(super::written(&layouts(live, own), &layouts(wanted, own)).filter(|_| !form_differs));
    }
    reasons.extend(foreign(live, &all_wanted, own));
    Comparison::of(reasons)
}

/// A trust policy taken apart into what is ours and what is not.
struct Ours {
    ours: Vec<Placed>,
    foreign: Vec<Placed>,
}

impl Ours {
    fn of(document: &Document, own: &TrustSubject) -> Self {
        let mut parts = Self { ours: Vec::new(), foreign: Vec::new() };
        for statement in document.statements() {
            let place = |atom| Placed::new(atom, &statement);
            if statement.principals().is_none() {
                parts.foreign.extend(normal::atoms(&statement, own.partition()).into_iter().map(place));
            }
            for (name, role) in ownership::roles(&statement, own) {
                let atoms = atoms(&statement, &name, role, own).into_iter().map(place);
                if role == Role::Foreign { parts.foreign.extend(atoms) } else { parts.ours.extend(atoms) }
            }
        }
        parts
    }

    fn names(&self, principal: &str) -> bool {
        self.ours.iter().any(|placed| placed.is_about(principal))
    }
}

/// The atoms of a statement for one principal. An account narrowed down to the role is the role.
fn atoms(
    statement: &Statement<'_>,
    name: &NamedPrincipal<'_>,
    role: Role,
    own: &TrustSubject,
) -> Vec<normal::Atom> {
    if role != Role::Narrowed {
        return normal::atoms_for(statement, &normal::who(name, own.partition()));
    }
    let mut atoms = normal::atoms_for(statement, &Who::One("AWS".to_owned(), own.role_arn().to_owned()));
    for atom in &mut atoms {
        atom.guards.retain(|guard| !is_own_arn(guard, own));
    }
    atoms
}

/// The condition that narrows an account down to the role.
fn is_own_arn(guard: &Guard, own: &TrustSubject) -> bool {
    guard.key == PRINCIPAL_ARN
        && matches!(guard.operator.as_str(), "ArnLike" | "StringEquals" | "StringLike")
        && guard.values.iter().eq([own.role_arn()])
}

/// Principals that stand where ours should: deleted ones, and other roles of Unity Catalog.
fn principals<'a>(live: &'a Document, own: &TrustSubject) -> Vec<(Reason, &'a str)> {
    let roles = live.statements().flat_map(|statement| ownership::roles(&statement, own));
    roles
        .filter_map(|(name, role)| {
            let value = name.value;
            let (code, sentence) = match role {
                Role::Dead => (
                    Code::DeadPrincipal,
                    format!("`{value}` is the id of a role or user that was deleted; a namesake made since is not trusted"),
                ),
                Role::UnityCatalog if value != own.unity_catalog_arn() => (
                    Code::UnityCatalogRole,
                    format!("trusts `{value}`, but Unity Catalog will call as `{}`", own.unity_catalog_arn()),
                ),
                Role::UnityCatalog | Role::Itself | Role::Narrowed | Role::Foreign => return None,
            };
            Some((Reason::live(code, sentence, name.pointer), value))
        })
        .collect()
}

/// The grants that must not be missing, and what to say when they are.
fn absences(own: &TrustSubject) -> [(Code, &str, String); 2] {
    let (master, role) = (own.unity_catalog_arn(), own.role_arn());
    [
        (Code::MissingUnityCatalog, master, format!("Unity Catalog's role `{master}` is not trusted")),
        (Code::MissingSelfAssume, role, format!("`{role}` may not assume itself, which Databricks demands")),
    ]
}

/// Asks the live policy what Databricks' validation asks.
fn answers(live: &Document, theirs: &Ours, own: &TrustSubject, known: &[Reason]) -> Vec<Reason> {
    let ask = |caller: &str, external_id: Option<&str>| assume(live, own, caller, external_id);
    let mut reasons = Vec::new();
    for caller in [own.unity_catalog_arn(), own.role_arn()] {
        if !theirs.names(caller) {
            continue;
        }
        let verdict = ask(caller, Some(own.external_id()));
        let code = match verdict.decision {
            Decision::ExplicitDeny => Code::Denied,
            // Only if nothing found so far says why.
            Decision::ImplicitDeny
                if known.iter().all(|reason| reason.code.verdict() != VerdictKind::Drift) =>
            {
                Code::Narrower
            }
            Decision::Allow | Decision::ImplicitDeny => continue,
        };
        let pointer = verdict.statement.map(|statement| statement.pointer).unwrap_or_default();
        reasons.push(Reason::live(code, verdict.why, pointer));
    }
    let wrong = [format!("{}x", own.external_id()), format!("x{}", own.external_id())];
    let probes = std::iter::once(None).chain(wrong.iter().map(|id| Some(id.as_str())));
    let let_in =
        probes.map(|id| ask(own.unity_catalog_arn(), id)).find(|verdict| verdict.decision.is_allow());
    if let Some(verdict) = let_in {
        let pointer = verdict.statement.map(|statement| statement.pointer).unwrap_or_default();
        if known.iter().all(|reason| statement_pointer(&reason.pointer) != pointer) {
            let sentence = "lets Unity Catalog in without the right external ID".to_owned();
            reasons.push(Reason::live(Code::ExternalIdNotEnforced, sentence, pointer));
        }
    }
    reasons
}

fn assume(live: &Document, own: &TrustSubject, caller: &str, external_id: Option<&str>) -> Verdict {
    let principal = Principal::session(caller, None, "validation");
    // STS is only spoken over TLS.
    let mut context = Context::new().with("aws:SecureTransport", "true");
    if let Some(id) = external_id {
        context.set(EXTERNAL_ID, [id]);
    }
    let request = Request {
        principal: &principal,
        action: "sts:AssumeRole",
        resource: own.role_arn(),
        context: &context,
    };
    evaluate::trust(live, &request)
}

fn form(live: &Document, wanted: &Document, own: &TrustSubject) -> Option<Reason> {
    let (live, wanted) = (trust::live_form(live, own)?, trust::live_form(wanted, own)?);
    (live != wanted).then(|| {
        let sentence = format!(
            "the role may assume itself by the `{}` form, not the `{}` form",
            live.as_str(),
            wanted.as_str()
        );
        Reason::live(Code::SelfAssumeForm, sentence, String::new())
    })
}

/// Whether a statement that counts has variables: foreign ones keep the version that they were written for.
fn has_variables(live: &Document, wanted: &Document, own: &TrustSubject) -> bool {
    let text = |statement: Statement<'_>| format!("{:?}", statement.members());
    super::has_variables(&wanted.to_string())
        || ours(live, own).any(|statement| super::has_variables(&text(statement)))
}

/// How the statements with something of ours in them are written.
fn layouts(document: &Document, own: &TrustSubject) -> Vec<Layout> {
    ours(document, own).map(|statement| Layout::of(&statement, own.partition())).collect()
}

fn ours<'a>(document: &'a Document, own: &TrustSubject) -> impl Iterator<Item = Statement<'a>> {
    let owned = |statement: &Statement<'_>| {
        ownership::roles(statement, own).iter().any(|(_, role)| *role != Role::Foreign)
    };
    document.statements().filter(owned)
}

fn foreign(live: &Document, wanted: &[Placed], own: &TrustSubject) -> Vec<Reason> {
    trust::foreign(live, own)
        .into_iter()
        .filter(|statement| {
            let atoms = normal::atoms(statement, own.partition());
            atoms.is_empty() || atoms.iter().any(|atom| !wanted.iter().any(|other| other.atom == *atom))
        })
        .map(|statement| {
            let name = statement.sid().map_or_else(
                || format!("statement {}", statement.index()),
                |sid| format!("statement `{sid}`"),
            );
            let dead = statement.principals().unwrap_or_default().iter().any(NamedPrincipal::is_dead);
            let note =
                if dead { "; it names a deleted principal, and IAM may refuse to save it again" } else { "" };
            Reason::live(
                Code::ForeignStatement,
                format!("{name} was not written by these tools{note}"),
                statement.pointer(),
            )
        })
        .collect()
}

/// The part of a pointer that names the statement: `/Statement/0/Principal` lies in `/Statement/0`.
fn statement_pointer(pointer: &str) -> &str {
    let mut ends = pointer.match_indices('/').map(|(at, _)| at).skip(1);
    let numbered = pointer
        .strip_prefix("/Statement/")
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    let end = if numbered { ends.nth(1) } else { ends.next() };
    end.and_then(|end| pointer.get(..end)).unwrap_or(pointer)
}
