//! Statements that change nothing, because another one of the same document says more.

use super::{Code, Finding};
use crate::Document;
use crate::normal::{self, Atom};
use crate::statement::{Effect, Statement};

/// For each statement what makes it idle, if anything does.
pub(super) fn check(document: &Document) -> Vec<Option<Finding>> {
    let partition = normal::partition(&[document]);
    let all: Vec<_> = document
        .statements()
        .map(|statement| Taken { statement, atoms: normal::atoms(&statement, partition) })
        .collect();
    all.iter().map(|taken| taken.idle(&all)).collect()
}

/// A statement, taken apart.
struct Taken<'a> {
    statement: Statement<'a>,
    atoms: Vec<Atom>,
}

impl Taken<'_> {
    fn idle(&self, all: &[Self]) -> Option<Finding> {
        if self.atoms.is_empty() {
            return None;
        }
        let by = |effect: Effect| {
            all.iter().filter(move |other| {
                other.statement.index() != self.statement.index()
                    && other.statement.effect() == effect
                    && other.covers(self)
            })
        };
        let at = self.statement.pointer();
        if self.statement.effect() == Effect::Allow
            && let Some(refusal) = by(Effect::Deny).next()
        {
            let message = format!("never grants anything: {} refuses all of it", refusal.name());
            return Some(Finding::new(Code::Unreachable, at, message, "remove one of the two"));
        }
        // Of two that say the same, the first is the one to keep.
        let other = by(self.statement.effect())
            .find(|other| other.statement.index() < self.statement.index() || !self.covers(other))?;
        let message = format!("adds nothing: {} says the same or more", other.name());
        Some(Finding::new(Code::Redundant, at, message, "remove it"))
    }

    /// Whether this reaches as far as the other, whatever the effects.
    fn covers(&self, other: &Self) -> bool {
        other.atoms.iter().all(|atom| self.atoms.iter().any(|wide| wide.reaches(atom)))
    }

    fn name(&self) -> String {
        self.statement.sid().map_or_else(
            || format!("statement {}", self.statement.index()),
            |sid| format!("statement `{sid}`"),
        )
    }
}
