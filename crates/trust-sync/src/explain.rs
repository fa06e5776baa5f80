//! Databricks' three checks, predicted from the live policies without asking Databricks.
//!
//! | check | asked | passes when |
//! |---|---|---|
//! | `ASSUME_ROLE` | Unity Catalog's role, with the external ID | it is let in |
//! | `EXTERNAL_ID_CONDITION` | the same without an external ID, and with a wrong one | both are refused |
//! | `SELF_ASSUME_ROLE` | the role's own session | trust policy *and* permissions allow it |

use config::names::RoleName;
use config::{Document as Connection, Fault, Notes, Outcome};
use jiff::Timestamp;
use live_role::{Grants, LiveRole};
use policy::Document;
use policy::evaluate::{self, Context, Decision, Principal, Request, Source, Verdict};
use policy::trust::TrustSubject;
use serde::Serialize;
use serde_json::Value;

/// An external ID that nobody agreed on.
const WRONG_EXTERNAL_ID: &str = "not-the-external-id-of-anybody";
/// What the sessions are called; a policy may look at it.
const SESSION_NAME: &str = "databricks-unity-catalog";

/// One predicted check, in the names that Databricks' validation uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    operation: &'static str,
    result: Predicted,
    why: String,
    /// The policy that decided: `trust`, `boundary`, or the name of one of the role's policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// JSON pointer to the statement in it that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    /// What to do about a check that will fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Predicted {
    Pass,
    Fail,
    Skip,
}

/// What Databricks will find.
pub(crate) fn predict(
    live: &LiveRole,
    grants: &Grants,
    subject: &TrustSubject,
    now: Timestamp,
) -> Vec<Check> {
    let asked = Asked { live, grants, subject, now };
    let enters = asked.by_unity_catalog(Some(subject.external_id()));
    let is_entered = enters.decision.is_allow();
    vec![
        asked.check("ASSUME_ROLE", is_entered, &enters),
        asked.external_id(is_entered),
        asked.itself(is_entered),
    ]
}

struct Asked<'a> {
    live: &'a LiveRole,
    grants: &'a Grants,
    subject: &'a TrustSubject,
    now: Timestamp,
}

impl Asked<'_> {
    fn external_id(&self, is_entered: bool) -> Check {
        let operation = "EXTERNAL_ID_CONDITION";
        for (given, how) in
            [(None, "without an external ID"), (Some(WRONG_EXTERNAL_ID), "with a wrong external ID")]
        {
            let verdict = self.by_unity_catalog(given);
            if verdict.decision.is_allow() {
                let mut check = self.check(operation, false, &verdict);
                check.why = format!(
                    "Unity Catalog's role is let in {how}, so any customer of Databricks could use it: {}",
                    verdict.why
                );
                return check;
            }
        }
        if is_entered {
            let why = "without the external ID, or with another one, nobody is let in".to_owned();
            Check { operation, result: Predicted::Pass, why, policy: None, pointer: None, fix: None }
        } else {
            skipped(operation, "not to be told while the right external ID is refused too")
        }
    }

    fn itself(&self, is_entered: bool) -> Check {
        let operation = "SELF_ASSUME_ROLE";
        if !is_entered {
            return skipped(operation, "it takes a session of the role, and Databricks gets none");
        }
        let principal = Principal::session(self.live.arn.as_str(), Some(&self.live.id), SESSION_NAME);
        let context = self.context(Some(self.subject.external_id()));
        let documents = self.grants.documents();
        let documents: Vec<&Document> = documents.iter().map(|(_, document)| *document).collect();
        let boundary = self.grants.boundary.as_ref().map(|boundary| &boundary.document);
        let request = self.request(&principal, &context);
        let verdict = evaluate::assume_role(&self.live.trust, &documents, boundary, &request, true);
        self.check(operation, verdict.decision.is_allow(), &verdict)
    }

    /// Unity Catalog's own account is Databricks' affair, so the trust policy decides alone.
    fn by_unity_catalog(&self, external_id: Option<&str>) -> Verdict {
        let principal = Principal::session(self.subject.unity_catalog_arn(), None, SESSION_NAME);
        let context = self.context(external_id);
        evaluate::trust(&self.live.trust, &self.request(&principal, &context))
    }

    fn request<'a>(&'a self, principal: &'a Principal, context: &'a Context) -> Request<'a> {
        Request { principal, action: "sts:AssumeRole", resource: self.live.arn.as_str(), context }
    }

    /// What such a call brings along; where it comes from is not known.
    fn context(&self, external_id: Option<&str>) -> Context {
        let context = Context::new()
            .with("aws:CurrentTime", self.now.to_string())
            .with("aws:EpochTime", self.now.as_second().to_string())
            .with("aws:SecureTransport", "true")
            .with("sts:RoleSessionName", SESSION_NAME);
        match external_id {
            Some(id) => context.with("sts:ExternalId", id),
            None => context,
        }
    }

    fn check(&self, operation: &'static str, passes: bool, verdict: &Verdict) -> Check {
        let statement = verdict.statement.as_ref();
        let pointer = statement.map(|statement| statement.pointer.clone());
        let policy = statement.map(|statement| match statement.source {
            Source::Trust => "trust".to_owned(),
            Source::Boundary => "boundary".to_owned(),
            Source::Identity(position) => {
                let documents = self.grants.documents();
                documents.get(position).map_or_else(String::new, |(name, _)| (*name).to_owned())
            }
        });
        let fix = (!passes).then(|| self.fix(verdict));
        let result = if passes { Predicted::Pass } else { Predicted::Fail };
        Check { operation, result, why: verdict.why.clone(), policy, pointer, fix }
    }

    /// What to type, or where to look, so that the check will pass.
    fn fix(&self, verdict: &Verdict) -> String {
        let role = self.live.name();
        let statement = verdict.statement.as_ref();
        let place = statement.map_or("", |statement| statement.pointer.as_str());
        match (statement.map(|statement| statement.source), verdict.decision) {
            (Some(Source::Boundary), _) => {
                let name = self.grants.boundary.as_ref().map_or("", |boundary| boundary.name());
                format!("let the permissions boundary `{name}` allow sts:AssumeRole on the role too")
            }
            (Some(Source::Identity(position)), Decision::ExplicitDeny) => {
                let documents = self.grants.documents();
                let name = documents.get(position).map_or("", |(name, _)| name);
                format!("take the refusal at `{place}` out of policy `{name}`")
            }
            (Some(Source::Trust), Decision::ExplicitDeny) => {
                format!("a statement that is not ours refuses it: trust-sync {role} --exclusive removes it")
            }
            (Some(Source::Identity(_)), _) => grant(role),
            // Without a statement that came near, the side that is at fault is the one that grants nothing.
            (None, _) if verdict.via.is_some() => grant(role),
            (Some(Source::Trust) | None, _) => format!("run: trust-sync {role}"),
        }
    }
}

fn grant(role: &RoleName) -> String {
    format!(
        "let the role assume itself: … | iam-policy-gen permissions --role {role} | iam-role ensure {role}"
    )
}

fn skipped(operation: &'static str, why: &str) -> Check {
    Check { operation, result: Predicted::Skip, why: why.to_owned(), policy: None, pointer: None, fix: None }
}

/// Done when every check would pass.
pub(crate) fn outcome(prediction: &[Check]) -> Outcome {
    let passes = prediction.iter().all(|check| check.result == Predicted::Pass);
    if passes { Outcome::Done } else { Outcome::Incomplete }
}

pub(crate) fn say(notes: &Notes, prediction: &[Check]) {
    for check in prediction {
        let result = match check.result {
            Predicted::Pass => "will pass",
            Predicted::Fail => "will fail",
            Predicted::Skip => "cannot be tried",
        };
        notes.say(format!("{} {result}: {}", check.operation, check.why));
        if let Some(fix) = &check.fix {
            notes.say(format!("{}: {fix}", check.operation));
        }
    }
}

/// Puts the prediction into the document's member `trust`.
pub(crate) fn add(document: &mut Connection, prediction: &[Check]) -> Result<(), Fault> {
    let prediction = serde_json::to_value(prediction)
        .map_err(|error| Fault::pipe("failed to write the prediction").with_cause(error))?;
    let mut trust = document.value("trust").cloned().unwrap_or_default();
    if let Value::Object(members) = &mut trust {
        members.insert("prediction".to_owned(), prediction);
    }
    document.set_value("trust", trust);
    Ok(())
}
