//! What was called, so that a test can tell whether a second run wrote anything.

use std::collections::VecDeque;

use serde::Serialize;

/// The oldest calls are forgotten beyond this many.
const REMEMBERED_CALLS: usize = 10_000;

/// The calls, oldest first. No body and no header is kept, so no secret is.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Journal(VecDeque<Call>);

/// One call.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) service: &'static str,
    pub(super) operation: &'static str,
    /// The caller's name; null when it did not prove who it is.
    pub(super) caller: Option<String>,
    /// `ok`, the error's code, or `reset`.
    pub(super) outcome: String,
    pub(super) status: u16,
}

impl Journal {
    pub(super) fn note(&mut self, call: Call) {
        if self.0.len() == REMEMBERED_CALLS {
            self.0.pop_front();
        }
        self.0.push_back(call);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
