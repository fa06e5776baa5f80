//! What Databricks' checks mean: passed, not yet, or no.

use config::member;
use config::names::RoleName;
use serde_json::{Value, json};

use crate::wire::CheckResult;

/// One of the things that Databricks tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which one.
    pub operation: Operation,
    /// How it ended.
    pub ended: Ended,
    /// What Databricks says about it.
    pub message: Option<String>,
}

/// What is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Databricks assumes the role with the external ID.
    AssumeRole,
    /// Databricks assumes the role without it, and must be refused.
    ExternalIdCondition,
    /// The role assumes itself.
    SelfAssumeRole,
    /// A check that this release does not know, by its name or its place in the list.
    Other(String),
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As it must.
    Pass,
    /// Not as it must.
    Fail,
    /// Not tried, or an answer that this release does not know: nothing is proved.
    Skip,
}

/// All checks together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every check passed.
    Pass,
    /// At least one failed.
    Fail,
    /// None failed, but not all were tried.
    Unproven,
}

/// Whether asking again can change the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// IAM may not have spread the role or its policies yet.
    Spreading,
    /// The role lets in who must stay out. That too may be an old policy that is still seen, but not for long.
    TooOpen,
    /// Databricks has nothing more to say.
    Final,
}

impl Operation {
    /// The name in the document.
    pub fn name(&self) -> &str {
        match self {
            Self::AssumeRole => "ASSUME_ROLE",
            Self::ExternalIdCondition => "EXTERNAL_ID_CONDITION",
            Self::SelfAssumeRole => "SELF_ASSUME_ROLE",
            Self::Other(name) => name,
        }
    }

    /// What to do when it failed.
    pub fn advice(&self, credential: &member::Credential) -> String {
        let role = credential.role_arn.name();
        let repair = repair(&credential.name, role);
        match self {
            Self::AssumeRole => format!(
                "the trust policy must let {} in with external ID {}; run: {repair}",
                credential.unity_catalog_iam_arn, credential.external_id
            ),
            Self::ExternalIdCondition => {
                format!("the trust policy lets callers in without the external ID; run: {repair}")
            }
            Self::SelfAssumeRole => format!(
                "the role must be allowed to assume itself, by its trust policy and by its permissions; run: {repair}, and iam-policy-gen permissions < connection.json | iam-role ensure {role}"
            ),
            Self::Other(_) => {
                format!("compare the role with what it should be; run: {repair} --explain")
            }
        }
    }
}

/// What repairs a role's trust policy, as it is typed: trust-sync needs to know what the credential asks for.
pub fn repair(credential: &str, role: &RoleName) -> String {
    format!("dbx-cred show {credential} | trust-sync {role}")
}

/// Databricks' answer, in order. A check without a name is called by its place.
pub fn read(results: &[CheckResult]) -> Vec<Check> {
    let checks = results.iter().enumerate().map(|(index, result)| {
        let named = result.configuration_operation.as_deref().or(result.operation.as_deref());
        Check {
            operation: match named {
                Some("ASSUME_ROLE") => Operation::AssumeRole,
                Some("EXTERNAL_ID_CONDITION") => Operation::ExternalIdCondition,
                Some("SELF_ASSUME_ROLE") => Operation::SelfAssumeRole,
                Some(other) => Operation::Other(other.to_owned()),
                None => Operation::Other(format!("check {}", index + 1)),
            },
            ended: match result.result.as_deref() {
                Some("PASS") => Ended::Pass,
                Some("FAIL") => Ended::Fail,
                _ => Ended::Skip,
            },
            message: result.message.clone().filter(|message| !message.is_empty()),
        }
    });
    checks.collect()
}

impl Verdict {
    /// The checks taken together. No checks prove nothing.
    pub fn of(checks: &[Check]) -> Self {
        if checks.iter().any(|check| check.ended == Ended::Fail) {
            Self::Fail
        } else if checks.is_empty() || checks.iter().any(|check| check.ended == Ended::Skip) {
            Self::Unproven
        } else {
            Self::Pass
        }
    }

    /// The word in the document.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unproven => "unproven",
        }
    }
}

impl Outlook {
    /// What to expect after these checks.
    ///
    /// A role that cannot be assumed yet is what a fresh trust policy looks like, whatever the wording. A role that
    /// can be assumed by the wrong caller is not: the policy that is seen grants it.
    pub fn of(checks: &[Check]) -> Self {
        let failed = |operation: &Operation| {
            checks.iter().any(|check| check.operation == *operation && check.ended == Ended::Fail)
        };
        match Verdict::of(checks) {
            Verdict::Pass | Verdict::Unproven => Self::Final,
            Verdict::Fail if failed(&Operation::ExternalIdCondition) => Self::TooOpen,
            Verdict::Fail => Self::Spreading,
        }
    }
}

impl Check {
    /// The check in the document.
    pub fn to_json(&self) -> Value {
        let result = match self.ended {
            Ended::Pass => "PASS",
            Ended::Fail => "FAIL",
            Ended::Skip => "SKIP",
        };
        match &self.message {
            None => json!({ "operation": self.operation.name(), "result": result }),
            Some(message) => {
                json!({ "operation": self.operation.name(), "result": result, "message": message })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outlook, Verdict, read};
    use crate::wire::Validated;

    fn check(results: &str, verdict: Verdict, outlook: Outlook) {
        let validated: Validated = serde_json::from_str(results).unwrap();
        let checks = read(&validated.results);
        assert_eq!((Verdict::of(&checks), Outlook::of(&checks)), (verdict, outlook), "{results}");
    }

    #[test]
    fn only_checks_that_all_passed_are_a_pass() {
        check(r#"{"results":[{"result":"PASS"},{"result":"PASS"}]}"#, Verdict::Pass, Outlook::Final);
        check(r#"{"results":[{"result":"PASS"},{"result":"SKIP"}]}"#, Verdict::Unproven, Outlook::Final);
        check(r#"{"results":[{"result":"MAYBE"}]}"#, Verdict::Unproven, Outlook::Final);
        check(r#"{"results":[]}"#, Verdict::Unproven, Outlook::Final);
        check("{}", Verdict::Unproven, Outlook::Final);
    }

    #[test]
    fn a_role_that_is_too_open_is_told_apart_from_one_that_is_not_there_yet() {
        check(
            r#"{"results":[{"configuration_operation":"ASSUME_ROLE","result":"FAIL","message":"m"},
                           {"configuration_operation":"SELF_ASSUME_ROLE","result":"SKIP"}]}"#,
            Verdict::Fail,
            Outlook::Spreading,
        );
        check(
            r#"{"results":[{"configuration_operation":"ASSUME_ROLE","result":"PASS"},
                           {"configuration_operation":"EXTERNAL_ID_CONDITION","result":"FAIL"}]}"#,
            Verdict::Fail,
            Outlook::TooOpen,
        );
        check(r#"{"results":[{"result":"FAIL"}]}"#, Verdict::Fail, Outlook::Spreading);
    }

    #[test]
    fn a_check_without_a_name_is_called_by_its_place() {
        let validated: Validated =
            serde_json::from_str(r#"{"isDir":false,"results":[{"result":"PASS","x":1},{"operation":"NEW","result":"FAIL","message":""}]}"#)
                .unwrap();
        let shown: Vec<String> =
            read(&validated.results).iter().map(|check| check.to_json().to_string()).collect();
        assert_eq!(
            shown,
            [r#"{"operation":"check 1","result":"PASS"}"#, r#"{"operation":"NEW","result":"FAIL"}"#]
        );
    }
}
