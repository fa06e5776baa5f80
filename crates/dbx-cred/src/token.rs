//! `token`: the one command that reveals a secret, because that is what it is for.

use std::io::Write;

use clap::{Args, ValueEnum};
use config::settings::Settings;
use config::{Document, Fault, Outcome, Output};
use jiff::Timestamp;
use serde::Serialize;

use crate::cache::Cache;
use crate::credential;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::name::CredentialName;
use crate::refusal::Reason;
use crate::workspace::Workspace;

/// Prints temporary AWS keys of the credential's role.
#[derive(Args, Clone, Debug, Default)]
pub struct Token {
    /// The credential [default: KINBRICKS_CREDENTIAL, or the document of --doc]
    pub credential: Option<String>,
    /// How to print the keys
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Fetch new keys, and keep none on disk
    #[arg(long)]
    pub no_cache: bool,
}

/// How keys are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// What the AWS CLI and SDKs read from a `credential_process`
    #[default]
    CredentialProcess,
    /// Lines for a shell: eval "$(dbx-cred token … --format env)"
    Env,
    /// One JSON object
    Json,
}

/// Runs the command.
///
/// # Errors
/// When there are no keys, or stdout does not take them.
pub async fn run<W: Write>(
    args: &Token,
    settings: &Settings,
    workspace: &Workspace,
    document: &Document,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let name = credential::named(settings, args.credential.as_deref(), document)?;
    let cache = if args.no_cache { None } else { Cache::of(settings.env(), workspace.login(), &name) };
    let now = Timestamp::now();
    let keys = match cache.as_ref().and_then(|cache| cache.read(now)) {
        Some(keys) => keys,
        None => {
            let keys = fetch(workspace, &name).await?;
            if let Some(cache) = cache {
                cache.write(&keys, now);
            }
            keys
        }
    };
    match args.format {
        Format::CredentialProcess => output.document(&ProcessKeys::new(&keys))?,
        Format::Json => output.document(&JsonKeys::new(&keys))?,
        Format::Env => {
            output.text(&exports(&keys))?;
            output.flush()?;
        }
    }
    Ok(Outcome::Done)
}

/// New keys from Databricks.
///
/// # Errors
/// When Databricks hands out none.
pub async fn fetch(workspace: &Workspace, name: &CredentialName) -> Result<Keys, Fault> {
    let vended = workspace.vend(name).await.map_err(|failure| {
        let role_is_wrong = matches!(&failure, Failure::Refused(refusal) if refusal.status == 400);
        let gone = failure.reason() == Some(Reason::Missing);
        let denied = failure.reason() == Some(Reason::Denied);
        let fault = workspace.fault(&format!("get keys for credential `{name}`"), failure);
        if role_is_wrong {
            fault.with_hint(format!("dbx-cred validate {name} says what is wrong with the role"))
        } else if gone {
            fault.with_hint(format!(
                "dbx-cred ensure {name} creates it, dbx-cred list shows those that you may see"
            ))
        } else if denied {
            fault.with_hint(format!(
                "ask its owner to run: dbx-cred grant {name} --to you@example.com, or in SQL: GRANT ACCESS ON SERVICE CREDENTIAL"
            ))
        } else {
            fault
        }
    })?;
    Keys::read(vended, name)
}

/// The schema of `credential_process` (AWS CLI user guide, "Sourcing credentials with an external process").
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessKeys<'a> {
    /// A number: as a string, SDKs take it for missing.
    version: u8,
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    /// RFC 3339: a number is ignored, and the keys would never be refreshed.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

impl<'a> ProcessKeys<'a> {
    fn new(keys: &'a Keys) -> Self {
        Self {
            version: 1,
            access_key_id: keys.access_key_id.reveal(),
            secret_access_key: keys.secret_access_key.reveal(),
            session_token: keys.session_token.reveal(),
            expiration: keys.expires_at.map(|at| at.to_string()),
        }
    }
}

#[derive(Serialize)]
struct JsonKeys<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    session_token: &'a str,
    expires_at: Option<String>,
}

impl<'a> JsonKeys<'a> {
    fn new(keys: &'a Keys) -> Self {
        Self {
            access_key_id: keys.access_key_id.reveal(),
            secret_access_key: keys.secret_access_key.reveal(),
            session_token: keys.session_token.reveal(),
            expires_at: keys.expires_at.map(|at| at.to_string()),
        }
    }
}

/// `export` lines. A profile that is set would beat the keys in some SDKs, so it is unset.
fn exports(keys: &Keys) -> String {
    let export = |name: &str, value: &str| format!("export {name}='{}'\n", value.replace('\'', r"'\''"));
    let expiration = keys.expires_at.map(|at| export("AWS_CREDENTIAL_EXPIRATION", &at.to_string()));
    [
        "unset AWS_PROFILE\n".to_owned(),
        export("AWS_ACCESS_KEY_ID", keys.access_key_id.reveal()),
        export("AWS_SECRET_ACCESS_KEY", keys.secret_access_key.reveal()),
        export("AWS_SESSION_TOKEN", keys.session_token.reveal()),
        expiration.unwrap_or_default(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use config::Secret;

    use super::{JsonKeys, Keys, ProcessKeys, exports};

    fn keys() -> Keys {
        Keys {
            access_key_id: Secret::new("ASIAEXAMPLE"),
            secret_access_key: Secret::new("wJ'alr"),
            session_token: Secret::new("IQoJb3"),
            expires_at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        }
    }

    #[test]
    fn every_format_says_the_same() {
        assert_eq!(
            serde_json::to_string(&ProcessKeys::new(&keys())).unwrap(),
            r#"{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"wJ'alr","SessionToken":"IQoJb3","Expiration":"2026-01-01T00:00:00Z"}"#
        );
        assert_eq!(
            serde_json::to_string(&JsonKeys::new(&keys())).unwrap(),
            r#"{"access_key_id":"ASIAEXAMPLE","secret_access_key":"wJ'alr","session_token":"IQoJb3","expires_at":"2026-01-01T00:00:00Z"}"#
        );
        assert_eq!(
            exports(&keys()),
            "unset AWS_PROFILE\nexport AWS_ACCESS_KEY_ID='ASIAEXAMPLE'\nexport AWS_SECRET_ACCESS_KEY='wJ'\\''alr'\n\
             export AWS_SESSION_TOKEN='IQoJb3'\nexport AWS_CREDENTIAL_EXPIRATION='2026-01-01T00:00:00Z'\n"
        );
    }

    #[test]
    fn debug_and_display_hide_them() {
        let shown = format!("{:?} {}", keys(), keys());
        assert!(!shown.contains("ASIA") && !shown.contains("alr") && !shown.contains("IQo"), "{shown}");
    }
}
