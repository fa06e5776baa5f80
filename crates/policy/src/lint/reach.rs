//! Statements that change nothing, because another one of the same document says more.

use super::{Code, Finding};
use crate::Document;
use crate::normal::{self, Atom};
use crate::statement::{Effect, Statement};

pub(super) fn check(statement: &Statement<'_>, document: &Document) -> Option<Finding> {
    let partition = normal::partition(&[document]);
    let atoms = normal::atoms(statement, partition);
    if atoms.is_empty() {
        return None;
    }
    let by = |effect: Effect, other: &Statement<'_>| {
        other.index() != statement.index()
            && other.effect() == effect
            && covers(&normal::atoms(other, partition), &atoms)
    };
    if statement.effect() == Effect::Allow
        && let Some(refusal) = document.statements().find(|other| by(Effect::Deny, other))
    {
        let message = format!("never grants anything: {} refuses all of it", name(&refusal));
        return Some(Finding::new(Code::Unreachable, statement.pointer(), message, "remove one of the two"));
    }
    // Of two that say the same, the first is the one to keep.
    let other = document.statements().find(|other| {
        by(statement.effect(), other)
            && (other.index() < statement.index() || !covers(&atoms, &normal::atoms(other, partition)))
    })?;
    let message = format!("adds nothing: {} says the same or more", name(&other));
    Some(Finding::new(Code::Redundant, statement.pointer(), message, "remove it"))
}

/// Whether the atoms of one statement reach as far as those of another, whatever the effects.
fn covers(wide: &[Atom], narrow: &[Atom]) -> bool {
    narrow
        .iter()
        .all(|atom| wide.iter().any(|other| Atom { effect: atom.effect, ..other.clone() }.covers(atom)))
}

fn name(statement: &Statement<'_>) -> String {
    statement
        .sid()
        .map_or_else(|| format!("statement {}", statement.index()), |sid| format!("statement `{sid}`"))
}
