//! How a document is written, as far as IAM keeps it: lists lose their order and single values their brackets on the way
//! through IAM, so that neither counts.

use std::collections::BTreeSet;

use crate::normal::{self, Who};
use crate::statement::{Condition, Statement};

/// A statement as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Layout {
    sid: Option<String>,
    members: BTreeSet<String>,
    who: Vec<Who>,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<(String, String, Vec<String>)>,
    unknown: String,
}

/// How two lists of statements with one meaning differ in writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// Only in the order of the statements.
    Order,
    /// Only in their names.
    Sid,
    /// In how they are merged, split, repeated or spelled.
    Layout,
}

impl Layout {
    pub(super) fn of(statement: &Statement<'_>, partition: &str) -> Self {
        let named = statement.principals().or_else(|| statement.not_principals()).unwrap_or_default();
        let atoms = normal::atoms(statement, partition);
        Self {
            sid: statement.sid().map(str::to_owned),
            members: statement.members().keys().filter(|name| *name != "Sid").cloned().collect(),
            who: sorted(named.iter().map(|name| normal::who(name, partition))),
            actions: sorted(
                statement
                    .actions()
                    .or_else(|| statement.not_actions())
                    .into_iter()
                    .flatten()
                    .map(str::to_owned),
            ),
            resources: sorted(
                statement
                    .resources()
                    .or_else(|| statement.not_resources())
                    .into_iter()
                    .flatten()
                    .map(str::to_owned),
            ),
            conditions: sorted(statement.conditions().iter().map(written)),
            unknown: atoms.first().map(|atom| format!("{:?}", atom.unknown)).unwrap_or_default(),
        }
    }
}

/// How `live` and `wanted` differ; `None` when they do not.
pub(super) fn difference(live: &[Layout], wanted: &[Layout]) -> Option<Difference> {
    if live == wanted {
        return None;
    }
    if sorted(live.iter().cloned()) == sorted(wanted.iter().cloned()) {
        return Some(Difference::Order);
    }
    let nameless =
        |layouts: &[Layout]| sorted(layouts.iter().map(|layout| Layout { sid: None, ..layout.clone() }));
    Some(if nameless(live) == nameless(wanted) { Difference::Sid } else { Difference::Layout })
}

fn written(condition: &Condition<'_>) -> (String, String, Vec<String>) {
    let values = sorted(condition.values.iter().map(ToString::to_string));
    (condition.operator.to_owned(), condition.key.to_owned(), values)
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<_> = items.collect();
    items.sort();
    items
}
