//! `validate-credentials`: three questions, each answered by trying.
//!
//! | check | tried | passes when |
//! |---|---|---|
//! | `ASSUME_ROLE` | master role, with the external id | it works |
//! | `EXTERNAL_ID_CONDITION` | master role, without an external id and with a wrong one | both are refused |
//! | `SELF_ASSUME_ROLE` | the role's own session, with the external id | it works |
//!
//! When the first fails, the third cannot be tried, and two refusals prove nothing about the second: such
//! checks are skipped. A role that lets strangers in fails the second all the same.

use std::time::Duration;

use serde::Serialize;

use super::assume::{Assume, Steps};
use super::credential::Credential;
use crate::sts::Session;

/// The shortest session that STS gives. Nobody uses the keys of a validation.
const SHORTEST_SESSION: Duration = Duration::from_mins(15);

/// `ValidateCredentialResponse` of the REST reference.
#[derive(Debug, Serialize)]
pub(super) struct Validation {
    pub(super) results: [Check; 3],
}

/// One check. The reference knows `result` and `message`; Databricks' own pages also read
/// `configuration_operation`.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) configuration_operation: CheckName,
    pub(super) result: CheckResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum CheckName {
    AssumeRole,
    ExternalIdCondition,
    SelfAssumeRole,
}

#[derive(Debug, Clone, Copy, Serialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum CheckResult {
    Pass,
    Fail,
    Skip,
}

impl Validation {
    /// Tries everything, in order.
    pub(super) fn run(sts: &dyn Assume, credential: &Credential) -> Self {
        let steps = Steps::new(sts, credential, SHORTEST_SESSION);
        let (session, assume_role) = check_assume_role(&steps, credential);
        let external_id = check_external_id(&steps, session.is_some());
        let self_assume = check_self_assume(&steps, session.as_ref());
        Self { results: [assume_role, external_id, self_assume] }
    }

    /// The first check that failed.
    pub(super) fn failure(&self) -> Option<&Check> {
        self.results.iter().find(|check| check.result == CheckResult::Fail)
    }
}

fn check_assume_role(steps: &Steps<'_>, credential: &Credential) -> (Option<Session>, Check) {
    let name = CheckName::AssumeRole;
    match steps.enter() {
        Ok(session) => (Some(session), name.pass()),
        Err(error) => {
            let message = format!(
                "Databricks could not assume the IAM role {} with the external ID of this credential: {}",
                credential.role_arn.as_str(),
                error.message,
            );
            (None, name.fail(message))
        }
    }
}

fn check_external_id(steps: &Steps<'_>, entered: bool) -> Check {
    let name = CheckName::ExternalIdCondition;
    if steps.enter_without_id().is_ok() {
        name.fail(
            "The IAM role can be assumed without an external ID. Add a condition on sts:ExternalId to its trust policy.",
        )
    } else if steps.enter_with_wrong_id().is_ok() {
        name.fail(
            "The IAM role can be assumed with a wrong external ID. Compare sts:ExternalId with StringEquals in its trust policy.",
        )
    } else if entered {
        name.pass()
    } else {
        name.skip("Not proven, because the IAM role cannot be assumed with the right external ID either.")
    }
}

fn check_self_assume(steps: &Steps<'_>, session: Option<&Session>) -> Check {
    let name = CheckName::SelfAssumeRole;
    match session.map(|session| steps.enter_again(session)) {
        None => name.skip("Not tried, because it takes a session of the IAM role."),
        Some(Ok(_)) => name.pass(),
        Some(Err(error)) => name.fail(not_self_assuming(&error.message)),
    }
}

/// What Databricks says about a role that cannot assume itself.
pub(super) fn not_self_assuming(why: &str) -> String {
    format!(
        "The IAM role for this credential was found to be non self-assuming. Its trust policy and its permission \
         policy must both let it assume itself: {why}"
    )
}

impl CheckName {
    fn pass(self) -> Check {
        Check { configuration_operation: self, result: CheckResult::Pass, message: None }
    }

    fn fail(self, message: impl Into<String>) -> Check {
        Check { configuration_operation: self, result: CheckResult::Fail, message: Some(message.into()) }
    }

    fn skip(self, message: impl Into<String>) -> Check {
        Check { configuration_operation: self, result: CheckResult::Skip, message: Some(message.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trust_fake::{TrustFake, credential};
    use super::*;

    fn check(sts: &TrustFake, expected: [CheckResult; 3]) {
        let validation = Validation::run(sts, &credential("the-id"));
        assert_eq!(validation.results.each_ref().map(|check| check.result), expected, "{validation:#?}");
        for check in &validation.results {
            assert_eq!(check.message.is_none(), check.result == CheckResult::Pass, "{check:?}");
        }
    }

    #[test]
    fn the_results_are_what_happened() {
        use CheckResult::{Fail, Pass, Skip};
        check(&TrustFake::trusting("the-id").self_assuming(), [Pass, Pass, Pass]);
        check(&TrustFake::trusting("the-id"), [Pass, Pass, Fail]);
        check(&TrustFake::trusting("0000").self_assuming(), [Fail, Skip, Skip]);
        check(&TrustFake::trusting_anybody().self_assuming(), [Pass, Fail, Pass]);
        check(&TrustFake::trusting_any_id().self_assuming(), [Pass, Fail, Pass]);
        check(&TrustFake::trusting_no_id().self_assuming(), [Fail, Fail, Skip]);
    }

    #[test]
    fn a_role_that_cannot_assume_itself_is_named_as_databricks_names_it() {
        let validation = Validation::run(&TrustFake::trusting("the-id"), &credential("the-id"));
        let failure = validation.failure().expect("the third fails");
        assert_eq!(failure.configuration_operation, CheckName::SelfAssumeRole);
        assert!(failure.message.as_deref().expect("a message").contains("non self-assuming"));
    }

    #[test]
    fn the_wire_has_the_names_that_databricks_uses() {
        let validation = Validation::run(&TrustFake::trusting("0000"), &credential("the-id"));
        let wire = serde_json::to_value(&validation).expect("serializes");
        assert_eq!(wire["results"][0]["configuration_operation"], "ASSUME_ROLE");
        assert_eq!(wire["results"][0]["result"], "FAIL");
        assert_eq!(wire["results"][1]["configuration_operation"], "EXTERNAL_ID_CONDITION");
        assert_eq!(wire["results"][1]["result"], "SKIP");
        assert_eq!(wire["results"][2]["configuration_operation"], "SELF_ASSUME_ROLE");
    }
}
