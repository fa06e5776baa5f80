//! `validate`: asks Databricks to try the credential until every check passes or the reason is final.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use config::member;
use config::settings::Settings;
use config::{Document, Fault, Outcome, Output, duration};
use serde_json::Value;
use tokio::time::Instant;

use crate::credential;
use crate::failure::Failure;
use crate::name::CredentialName;
use crate::refusal::{Reason, Refusal};
use crate::show::missing;
use crate::verdict::{Check, Ended, Operation, Outlook, Verdict, read, repair};
use crate::workspace::Workspace;

/// How long a role that lets everybody in may be an old trust policy that is still seen. IAM is known to take up to 30
/// seconds.
const TOO_OPEN: Duration = Duration::from_secs(30);

/// Asks Databricks to try the credential until it works or the reason is final.
#[derive(Args, Clone, Debug, Default)]
pub struct Validate {
    /// The credential [default: the document's, then KINBRICKS_CREDENTIAL]
    pub credential: Option<String>,
    /// Ask once and do not wait for IAM
    #[arg(long)]
    pub once: bool,
    /// Be content when a check was skipped
    #[arg(long)]
    pub allow_skip: bool,
}

/// What came out of asking.
struct Asked {
    checks: Vec<Check>,
    attempts: u32,
    waited: Duration,
}

/// Runs the stage: the document leaves with the member `validation`, also when a check failed.
///
/// # Errors
/// When Databricks could not be asked.
pub async fn run<W: Write>(
    args: &Validate,
    settings: &Settings,
    workspace: &Workspace,
    mut document: Document,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let name = credential::named(settings, args.credential.as_deref(), &document)?;
    let doing = format!("validate credential `{name}`");
    let fault = |failure| workspace.fault(&doing, failure);
    let info = workspace.find(&name).await.map_err(fault)?.ok_or_else(|| missing(&name))?;
    let credential = credential::member(&info, &name, workspace.login().host())?;
    let hopeless = hopeless(&document, &credential)?;
    let asked = ask(args.once || hopeless.is_some(), workspace, &name).await.map_err(fault)?;
    workspace.notes.clear();
    let verdict = Verdict::of(&asked.checks);
    tell(workspace, &asked, &credential);
    if verdict == Verdict::Fail
        && let Some(why) = hopeless
    {
        workspace.notes.say(format!("waiting cannot help: {why}"));
    }
    document.set(&member::Validation {
        verdict: verdict.word().to_owned(),
        attempts: asked.attempts,
        waited_ms: u64::try_from(asked.waited.as_millis()).unwrap_or(u64::MAX),
        checks: asked.checks.iter().map(Check::to_json).collect(),
    })?;
    output.document(&document)?;
    Ok(match verdict {
        Verdict::Pass => Outcome::Done,
        Verdict::Unproven if args.allow_skip && !asked.checks.is_empty() => Outcome::Done,
        Verdict::Unproven | Verdict::Fail => Outcome::Incomplete,
    })
}

/// Asks, and asks again while IAM may still be spreading what was written.
async fn ask(once: bool, workspace: &Workspace, name: &CredentialName) -> Result<Asked, Failure> {
    let started = Instant::now();
    let mut attempts = 0;
    let mut known: Option<Asked> = None;
    loop {
        attempts += 1;
        let checks = match (workspace.validate(name).await, known) {
            (Ok(validated), _) => read(&validated.results),
            (Err(Failure::Refused(refusal)), _) => match check_in_refusal(&refusal) {
                Some(check) => vec![check],
                None => return Err(Failure::Refused(refusal)),
            },
            // Time ran out in the middle of a question: the last answer is worth more than that.
            (Err(_), Some(known)) if Instant::now() >= workspace.deadline() => return Ok(known),
            (Err(failure), _) => return Err(failure),
        };
        let waited = started.elapsed();
        let goes_on = match Outlook::of(&checks) {
            Outlook::Final => false,
            Outlook::TooOpen => waited < TOO_OPEN,
            Outlook::Spreading => true,
        };
        let pause = workspace.pace().pause(attempts);
        let asked = Asked { checks, attempts, waited };
        if once || !goes_on || Instant::now() + pause >= workspace.deadline() {
            return Ok(asked);
        }
        progress(workspace, &asked);
        known = Some(asked);
        tokio::time::sleep(pause).await;
    }
}

/// A role that cannot be used also shows as an error: with the code of a denied caller but the status of a bad
/// request, or with a code of its own.
fn check_in_refusal(refusal: &Refusal) -> Option<Check> {
    let code = refusal.code.as_deref().unwrap_or_default();
    let operation = if code.contains("NON_SELF_ASSUMING") {
        Operation::SelfAssumeRole
    } else if refusal.status == 400 && refusal.reason() == Reason::Denied {
        Operation::AssumeRole
    } else {
        return None;
    };
    Some(Check { operation, ended: Ended::Fail, message: Some(refusal.describe()) })
}

fn progress(workspace: &Workspace, asked: &Asked) {
    let failing: Vec<&str> = asked
        .checks
        .iter()
        .filter(|check| check.ended == Ended::Fail)
        .map(|check| check.operation.name())
        .collect();
    let failing = failing.join(", ");
    workspace.notes.progress(format!("waiting for IAM, {} so far: {failing}", duration::show(asked.waited)));
    if asked.attempts == 1 && !workspace.notes.is_terminal() {
        workspace.notes.say(format!("{failing} not passed yet; waiting for IAM"));
    }
}

/// Names every check, and what to do about those that did not pass.
fn tell(workspace: &Workspace, asked: &Asked, credential: &member::Credential) {
    let notes = &workspace.notes;
    for check in &asked.checks {
        let name = check.operation.name();
        let message = check.message.as_deref().map(|message| format!(": {}", message.trim_end_matches('.')));
        let message = message.unwrap_or_default();
        match check.ended {
            Ended::Pass => notes.say(format!("{name} passed")),
            Ended::Skip => notes.say(format!("{name} was skipped, so it is not proved{message}")),
            Ended::Fail => {
                notes.say(format!("{name} failed{message}"));
                notes.say(format!("{name}: {}", check.operation.advice(credential)));
            }
        }
    }
    if asked.checks.is_empty() {
        notes.warn("Databricks answered without any check, so nothing is proved");
    }
    let verdict = match Verdict::of(&asked.checks) {
        Verdict::Pass => "is valid",
        Verdict::Fail => "is not valid",
        Verdict::Unproven => "is not proved to be valid",
    };
    let (attempts, waited) = (asked.attempts, duration::show(asked.waited));
    let asks =
        if attempts == 1 { "one attempt".to_owned() } else { format!("{attempts} attempts in {waited}") };
    notes.say(format!("credential `{}` {verdict} ({asks})", credential.name));
}

/// Why waiting cannot help, where the document tells.
fn hopeless(document: &Document, credential: &member::Credential) -> Result<Option<String>, Fault> {
    if let Some(live) = document.get::<member::Role>()?
        && live.arn != credential.role_arn
    {
        return Ok(Some(format!(
            "the credential names {}, the document's role is {}; run: dbx-cred ensure {} --role-arn {}",
            credential.role_arn, live.arn, credential.name, live.arn
        )));
    }
    let repair = repair(&credential.name, credential.role_arn.name());
    if let Some(trust) = document.get::<member::Trust>()? {
        return Ok((trust.verdict == "drift" && !trust.changed)
            .then(|| format!("the trust policy was found to differ and was not written; run: {repair}")));
    }
    let policies = document.get::<member::Policies>()?.unwrap_or_default();
    let trusted: Vec<&str> = policies.trust.as_ref().map(external_ids).unwrap_or_default();
    let other = !trusted.is_empty() && !trusted.contains(&credential.external_id.as_str());
    Ok(other.then(|| {
        format!(
            "the role was made to trust external ID {}, not {}; run: {repair}",
            trusted.join(", "),
            credential.external_id
        )
    }))
}

/// Every value that a trust policy compares the external ID with.
fn external_ids(policy: &Value) -> Vec<&str> {
    match policy {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                if name.eq_ignore_ascii_case("sts:ExternalId") { texts(value) } else { external_ids(value) }
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(external_ids).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// IAM writes one value as a string and several as an array.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use config::{Document, member};
    use reqwest::StatusCode;

    use super::{check_in_refusal, hopeless};
    use crate::refusal::Refusal;

    fn check(members: &str, expected: Option<&str>) {
        let credential: member::Credential = serde_json::from_str(
            r#"{"name":"c","role_arn":"arn:aws:iam::123456789012:role/r","external_id":"the-id",
                "unity_catalog_iam_arn":"arn:aws:iam::414351767826:role/unity"}"#,
        )
        .unwrap();
        let why = hopeless(&Document::parse(members).unwrap(), &credential).unwrap();
        match expected {
            None => assert_eq!(why, None, "{members}"),
            Some(part) => assert!(why.as_deref().is_some_and(|why| why.contains(part)), "{members}: {why:?}"),
        }
    }

    #[test]
    fn the_document_tells_when_waiting_cannot_help() {
        let trust = |ids: &str| {
            format!(
                r#"{{"policies":{{"trust":{{"Statement":[{{"Condition":{{"StringEquals":{{"STS:ExternalId":{ids}}}}}}}]}}}}}}"#
            )
        };
        check("{}", None);
        check(
            &trust("\"0000\""),
            Some("trust external ID 0000, not the-id; run: dbx-cred show c | trust-sync r"),
        );
        check(&trust("[\"0000\",\"the-id\"]"), None);
        check(r#"{"policies":{"trust":{"Statement":[]}}}"#, None);
        check(
            r#"{"role":{"name":"x","arn":"arn:aws:iam::123456789012:role/x"}}"#,
            Some("--role-arn arn:aws:iam::123456789012:role/x"),
        );
        check(r#"{"trust":{"verdict":"drift","changed":false}}"#, Some("was not written"));
        check(r#"{"trust":{"verdict":"in-sync","changed":true}}"#, None);
    }

    #[test]
    fn an_unusable_role_is_told_apart_from_a_denied_caller() {
        let seen = |status: u16, code: &str| {
            let body = format!(r#"{{"error_code":"{code}","message":"m"}}"#);
            let refusal = Refusal::read(StatusCode::from_u16(status).unwrap(), body.as_bytes());
            check_in_refusal(&refusal).map(|check| check.operation.name().to_owned())
        };
        assert_eq!(seen(403, "PERMISSION_DENIED"), None);
        assert_eq!(seen(400, "PERMISSION_DENIED").as_deref(), Some("ASSUME_ROLE"));
        let dotted = "INVALID_PARAMETER_VALUE.UC_IAM_ROLE_NON_SELF_ASSUMING";
        assert_eq!(seen(400, dotted).as_deref(), Some("SELF_ASSUME_ROLE"));
        assert_eq!(seen(404, "CREDENTIAL_DOES_NOT_EXIST"), None);
    }
}
