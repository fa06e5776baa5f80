//! Differences in meaning: which atoms one document has beyond the other, and how to say so.

use std::collections::{BTreeMap, BTreeSet};

use super::reason::{Code, Reason, Side};
use crate::normal::{Atom, What, Who};
use crate::statement::Effect;

/// An atom, and the statement it came from.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) atom: Atom,
    pub(super) pointer: String,
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
    let mut groups: BTreeMap<(&str, Atom), Vec<&What>> = BTreeMap::new();
    for placed in surplus {
        let key = Atom { action: What::Unsaid, ..placed.atom.clone() };
        groups.entry((&placed.pointer, key)).or_default().push(&placed.atom.action);
    }
    groups
        .into_iter()
        .map(|((pointer, atom), actions)| Reason {
            code: match (side, atom.effect) {
                (Side::Live, Effect::Allow) | (Side::Wanted, Effect::Deny) => Code::Wider,
                (Side::Live, Effect::Deny) | (Side::Wanted, Effect::Allow) => Code::Narrower,
            },
            sentence: sentence(&atom, &actions, side),
            pointer: pointer.to_owned(),
            document: side,
        })
        .collect()
}

fn sentence(atom: &Atom, actions: &[&What], side: Side) -> String {
    let verb = match (side, atom.effect) {
        (Side::Live, Effect::Allow) => "the live policy allows",
        (Side::Live, Effect::Deny) => "the live policy denies",
        (Side::Wanted, Effect::Allow) => "the live policy does not allow",
        (Side::Wanted, Effect::Deny) => "the live policy does not deny",
    };
    let actions: Vec<_> = actions.iter().map(|action| what(action)).collect();
    let resource = match &atom.resource {
        What::Unsaid => String::new(),
        resource => format!(" on {}", what(resource)),
    };
    let tail = match side {
        Side::Live => ", which is not wanted",
        Side::Wanted => ", which is wanted",
    };
    format!("{verb} {}{resource}{}{}{tail}", actions.join(", "), who(&atom.who), guards(atom))
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

fn guards(atom: &Atom) -> String {
    if atom.guards.is_empty() {
        return String::new();
    }
    let guards: Vec<_> = atom
        .guards
        .iter()
        .map(|guard| {
            let values: Vec<_> = guard.values.iter().map(|value| format!("`{value}`")).collect();
            format!("`{}` {} {}", guard.key, guard.operator, values.join(" or "))
        })
        .collect();
    format!(" where {}", guards.join(" and "))
}
