//! Databricks' side: the credential as it is there, and its own validation, both as `dbx-cred` tells them.

use config::member::Validation;
use serde::Deserialize;

use super::connection::Connection;
use super::finding::{Gap, Seen};
use super::neighbour::{Ended, Neighbour, Ran};

/// The only purpose that is of use here.
const SERVICE: &str = "SERVICE";

/// A credential as Databricks describes it. What a caller may not see is missing.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct LiveCredential {
    pub(crate) name: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) unity_catalog_iam_arn: Option<String>,
    host: Option<String>,
    purpose: Option<String>,
}

impl LiveCredential {
    /// Why its external ID is of no use to the trust policy of `role`, if so.
    pub(crate) fn unusable(&self, role: &str) -> Option<String> {
        if let Some(purpose) = self.purpose.as_deref().filter(|purpose| *purpose != SERVICE) {
            return Some(format!("the credential is for {purpose}, not for {SERVICE}"));
        }
        let other = self.role_arn.as_deref().filter(|other| *other != role)?;
        Some(format!("the credential is for role `{other}`, so its external ID is not for this one"))
    }
}

/// What Databricks tells of the document's credential.
pub(crate) enum Told {
    /// The document has none, so nobody was asked.
    Nothing,
    /// This is it.
    Credential(LiveCredential),
    /// There is none of that name, or the caller may not see it.
    Gone(String),
    /// Databricks could not be asked.
    Unseen { why: String, hint: Option<String> },
}

#[derive(Deserialize)]
struct Shown {
    credential: LiveCredential,
}

#[derive(Deserialize)]
struct Validated {
    validation: Validation,
}

/// Asks for the credential called `name`.
pub(crate) async fn ask(neighbour: &Neighbour, name: &str) -> Told {
    let shown = match run(neighbour, &["show", name]).await {
        Ok(ran) => ran,
        Err(told) => return told,
    };
    if shown.code == Some(0) {
        return match serde_json::from_slice::<Shown>(&shown.stdout) {
            Ok(shown) => Told::Credential(shown.credential),
            Err(error) => Told::Unseen {
                why: format!("what dbx-cred show printed cannot be read: {error}"),
                hint: None,
            },
        };
    }
    // Refused for want of a login, or for want of a credential? Whoever may list them is logged in.
    match run(neighbour, &["list"]).await {
        Ok(listed) if listed.code == Some(0) && !lists(&listed.stdout, name) => {
            Told::Gone(complaint(&shown).0)
        }
        _ => {
            let (why, hint) = complaint(&shown);
            Told::Unseen { why, hint }
        }
    }
}

async fn run(neighbour: &Neighbour, args: &[&str]) -> Result<Ran, Told> {
    match neighbour.run(args).await {
        Ok(Ended::Ran(ran)) => Ok(ran),
        Ok(Ended::Absent) => Err(Told::Unseen {
            why: "dbx-cred is not installed".to_owned(),
            hint: Some(
                "install it beside aws-check: cargo install --locked --path crates/dbx-cred".to_owned(),
            ),
        }),
        Err(fault) => Err(Told::Unseen { why: fault.sentence(), hint: fault.hint().map(str::to_owned) }),
    }
}

fn lists(stdout: &[u8], name: &str) -> bool {
    let lines = stdout.split(|byte| *byte == b'\n');
    let mut listed = lines.filter_map(|line| serde_json::from_slice::<LiveCredential>(line).ok());
    listed.any(|credential| credential.name.as_deref() == Some(name))
}

fn complaint(ran: &Ran) -> (String, Option<String>) {
    match &ran.complaint {
        Some(complaint) => (complaint.sentence(), complaint.hint()),
        None => {
            let code = ran.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
            (format!("dbx-cred ended with {code} and gave no reason"), None)
        }
    }
}

/// The credential's link.
pub(crate) fn credential(connection: &Connection, told: &Told) -> Result<Seen<()>, Gap> {
    let Some(known) = &connection.credential else {
        return Err(Gap::broken("the document names no credential", connection.make_credential()));
    };
    let name = &known.name;
    let live = match told {
        Told::Credential(live) => live,
        Told::Gone(sentence) => {
            return Err(Gap::broken(sentence.as_str(), connection.make_credential()));
        }
        Told::Nothing => return Err(super::unseen("nobody was asked")),
        Told::Unseen { why, hint } => {
            return Err(Gap::Unseen { why: why.clone(), hint: hint.clone() });
        }
    };
    if let Some(purpose) = live.purpose.as_deref().filter(|purpose| *purpose != SERVICE) {
        let ensure = format!("dbx-cred ensure {name}-service");
        return Err(Gap::broken(
            format!(
                "the credential `{name}` is for {purpose}, not for {SERVICE}, and cannot be made into one"
            ),
            connection.pipeline(&[&ensure, "trust-sync"]),
        ));
    }
    let role = connection.role_arn().map(ToString::to_string);
    if let (Some(live), Some(role)) = (&live.role_arn, &role)
        && live != role
    {
        return Err(Gap::broken(
            format!("the credential `{name}` is for role `{live}`, not for `{role}`"),
            connection.make_credential(),
        ));
    }
    let mut warnings = Vec::new();
    if live.external_id.as_deref().is_some_and(|id| id != known.external_id.as_str()) {
        warnings.push(
            "its external ID is another one than the document knows: dbx-cred show updates that".to_owned(),
        );
    }
    if let (Some(live), Some(known)) = (&live.host, &known.host)
        && live != known
    {
        warnings.push(format!("this is workspace {live}, the document is of {known}"));
    }
    Ok(Seen { value: (), sentence: format!("Databricks has `{name}`, for this role"), warnings })
}

/// The last link: Databricks' own checks.
pub(crate) async fn validation(
    connection: &Connection,
    neighbour: &Neighbour,
    live: &LiveCredential,
    all_holds: bool,
) -> Result<Seen<()>, Gap> {
    let known = connection.credential.as_ref().map(|credential| credential.name.as_str());
    let name = live.name.as_deref().or(known).unwrap_or_default();
    let ran = match run(neighbour, &["validate", name, "--once"]).await {
        Ok(ran) => ran,
        Err(Told::Unseen { why, hint }) => return Err(Gap::Unseen { why, hint }),
        Err(Told::Nothing | Told::Credential(_) | Told::Gone(_)) => {
            return Err(super::unseen("nobody was asked"));
        }
    };
    let Ok(Validated { validation }) = serde_json::from_slice(&ran.stdout) else {
        let (why, hint) = complaint(&ran);
        return Err(Gap::Unseen { why, hint });
    };
    let text = |check: &serde_json::Value, member: &str| {
        check.get(member).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    let failed = validation.checks.iter().find(|check| text(check, "result") == "FAIL");
    if let Some(check) = failed {
        let message = text(check, "message");
        let mut sentence = format!(
            "Databricks' check {} fails: {}",
            text(check, "operation"),
            message.trim_end_matches('.')
        );
        if all_holds {
            sentence.push_str("; every policy looks right, so IAM may still be spreading it");
        }
        return Err(Gap::broken(sentence, connection.pipeline(&["dbx-cred validate"])));
    }
    if validation.verdict != "pass" {
        return Err(super::unseen("Databricks skipped a check, so it is not proved"));
    }
    Ok(Seen::ok(format!("Databricks' {} checks pass", validation.checks.len())))
}
