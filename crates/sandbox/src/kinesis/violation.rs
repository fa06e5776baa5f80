//! The constraints that a request breaks, gathered into the one `ValidationException` that lists them all.

use std::ops::RangeInclusive;

use crate::error::ServiceError;

use super::error::validation;
use super::rule::TextRule;

/// The constraints that a request breaks, so far.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<String>);

impl Violations {
    /// Checks a text that was read by other means.
    pub(super) fn text(&mut self, path: &str, value: &str, rule: &TextRule) {
        for constraint in rule.broken_by(value) {
            self.add(path, &format!("'{value}'"), &constraint);
        }
    }

    /// Checks an integer that was read by other means.
    pub(super) fn integer(&mut self, path: &str, value: i64, range: RangeInclusive<i64>) {
        let (least, most) = range.into_inner();
        if value < least {
            let constraint = format!("Member must have value greater than or equal to {least}");
            self.add(path, &format!("'{value}'"), &constraint);
        }
        if value > most {
            let constraint = format!("Member must have value less than or equal to {most}");
            self.add(path, &format!("'{value}'"), &constraint);
        }
    }

    pub(super) fn missing(&mut self, path: &str) {
        self.add(path, "null", "Member must not be null");
    }

    /// `shown` is how the value appears in the message: quoted, `null`, or empty for what is too long to show.
    pub(super) fn add(&mut self, path: &str, shown: &str, constraint: &str) {
        let space = if shown.is_empty() { "" } else { " " };
        self.0.push(format!("Value{space}{shown} at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// Takes over what a part of the request breaks.
    pub(super) fn absorb(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// # Errors
    /// `ValidationException` when anything was found.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        match self.0.len() {
            0 => Ok(()),
            1 => Err(validation(format!("1 validation error detected: {}", self.0.concat()))),
            count => Err(validation(format!("{count} validation errors detected: {}", self.0.join("; ")))),
        }
    }
}
