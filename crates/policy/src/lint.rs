//! What is wrong with a policy document, before IAM or an attacker says so.
//!
//! A finding never stops anybody: [`Severity::Error`] means that IAM will refuse the document, or that a part of it can never
//! have the effect it is written for.
//!
//! ```
//! use policy::Document;
//! use policy::lint::{self, Code, Kind};
//!
//! let policy = Document::parse(
//!     r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kinesis:SubscribeToShard",
//!         "Resource":"arn:aws:kinesis:eu-central-1:123456789012:stream/orders"}}"#,
//! )?;
//! let findings = lint::lint(&policy, Kind::Identity);
//! // The action is one on a consumer, so on the stream it grants nothing.
//! assert_eq!(findings[0].code, Code::ActionResourceMismatch);
//! assert_eq!(findings[0].pointer, "/Statement/Action");
//! # Ok::<(), policy::ParseError>(())
//! ```

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
    /// A policy on a resource, such as a stream that another account reads.
    Resource {
        /// The resource's account, when it is known.
        account: Option<&'a str>,
    },
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
    for (statement, idle) in std::iter::zip(document.statements(), reach::check(document)) {
        findings.extend(grammar::statement(&statement, kind));
        findings.extend(condition::check(&statement));
        findings.extend(principal::check(&statement, kind));
        match kind {
            Kind::Trust { .. } => {}
            Kind::Identity | Kind::Resource { .. } => findings.extend(access::check(&statement)),
        }
        findings.extend(idle);
    }
    findings
}

impl Kind<'_> {
    /// What a document looks like: only trust policies and policies on resources name principals, and only the latter name
    /// resources beside them.
    pub fn guess(document: &Document) -> Self {
        let names_principals = document
            .statements()
            .any(|statement| statement.principals().is_some() || statement.not_principals().is_some());
        let names_resources = document
            .statements()
            .any(|statement| statement.resources().is_some() || statement.not_resources().is_some());
        match (names_principals, names_resources) {
            (true, false) => Self::Trust { account: None },
            (true, true) => Self::Resource { account: None },
            (false, _) => Self::Identity,
        }
    }
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
