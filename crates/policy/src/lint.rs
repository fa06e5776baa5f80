//! What is wrong with a policy document, before IAM or an attacker says so.
//!
//! A finding never stops anybody: [`Severity::Error`] means that IAM will refuse the document, or that a part of it can never
//! have the effect it is written for.

mod access;
mod code;
mod condition;
mod grammar;
mod principal;
mod reach;
mod resource;
mod size;

use serde::Serialize;

pub use code::{Code, Severity};
pub use size::{MANAGED_POLICY_QUOTA_CHARS, TRUST_POLICY_QUOTA_CHARS, WIRE_LIMIT_CHARS, counted_chars};

use crate::Document;

/// What a document is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// The trust policy of a role.
    Trust {
        /// The role's account, when it is known: without it a foreign account cannot be told from the own one.
        account: Option<&'a str>,
    },
    /// A policy for a role or user.
    Identity,
}

/// Something wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which kind of mistake, for programs.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// JSON pointer to the place.
    pub pointer: String,
    /// What is wrong, for people.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Everything that is wrong with `document`, in the order of the document; without a finding it is as good as this crate can tell.
pub fn lint(document: &Document, kind: Kind<'_>) -> Vec<Finding> {
    let mut findings = grammar::document(document);
    findings.extend(size::check(document, kind));
    for statement in document.statements() {
        findings.extend(grammar::statement(&statement, kind));
        findings.extend(condition::check(&statement));
        match kind {
            Kind::Trust { account } => findings.extend(principal::check(&statement, account)),
            Kind::Identity => findings.extend(access::check(&statement)),
        }
        findings.extend(reach::check(&statement, document));
    }
    findings
}

impl Finding {
    pub(crate) fn new(
        code: Code,
        pointer: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: code.severity(),
            pointer: pointer.into(),
            message: message.into(),
            hint: hint.into(),
        }
    }
}
