//! How long a policy may be, and which characters it may hold.

use serde_json::Value;

use super::{Code, Finding, Kind};
use crate::Document;
use crate::pointer;

/// Longest trust policy in an account that has not asked for more, in characters without white space (IAM quotas page).
pub const TRUST_POLICY_QUOTA_CHARS: usize = 2048;
/// Longest managed policy, in characters without white space (IAM quotas page).
pub const MANAGED_POLICY_QUOTA_CHARS: usize = 6144;
/// Longest policy text that the IAM API takes, in characters (service model of IAM, `policyDocumentType`).
pub const WIRE_LIMIT_CHARS: usize = 131_072;

/// The highest character that the IAM API takes, ÿ (service model of IAM, `policyDocumentType`).
const HIGHEST_CHAR: char = '\u{ff}';

/// The length that counts against a quota: white space does not.
pub fn counted_chars(document: &Document) -> usize {
    document.to_string().chars().filter(|letter| !letter.is_whitespace()).count()
}

pub(super) fn check(document: &Document, kind: Kind<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let size = counted_chars(document);
    let (quota, what) = match kind {
        Kind::Trust { .. } => (TRUST_POLICY_QUOTA_CHARS, "trust policy"),
        Kind::Identity => (MANAGED_POLICY_QUOTA_CHARS, "managed policy"),
        // Each service has its own.
        Kind::Resource { .. } => (WIRE_LIMIT_CHARS, "policy on a resource"),
    };
    if document.to_string().chars().count() > WIRE_LIMIT_CHARS {
        let message = format!("the policy is {size} characters long; the IAM API takes {WIRE_LIMIT_CHARS}");
        findings.push(Finding::new(Code::TooLong, "", message, "divide it into several policies"));
    } else if size > quota {
        let message =
            format!("the policy is {size} characters long without white space; a {what} may have {quota}");
        let hint = match kind {
            Kind::Trust { .. } => "shorten it, or ask AWS for a higher quota on the length of trust policies",
            Kind::Identity | Kind::Resource { .. } => "divide it into several policies",
        };
        findings.push(Finding::new(Code::OverQuota, "", message, hint));
    }
    characters(document.as_value(), "", &mut findings);
    findings
}

fn characters(value: &Value, at: &str, findings: &mut Vec<Finding>) {
    match value {
        Value::String(text) => findings.extend(character(text, at)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                characters(item, &pointer::join(at, index), findings);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let at = pointer::join(at, name);
                findings.extend(character(name, &at));
                characters(member, &at, findings);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn character(text: &str, at: &str) -> Option<Finding> {
    let refused = text.chars().find(|&letter| letter > HIGHEST_CHAR || letter.is_control())?;
    let message = format!(
        "`{}` (U+{:04X}) is not a character that IAM takes",
        refused.escape_default(),
        u32::from(refused)
    );
    let hint = "use plain letters; quotes and dashes copied from a web page are often others than they look";
    Some(Finding::new(Code::ForbiddenCharacter, at, message, hint))
}
