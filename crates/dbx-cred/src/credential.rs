//! A service credential: checked, as the document holds it, and as people see it.

use config::member;
use config::names::RoleArn;
use config::settings::{CREDENTIAL, Settings};
use config::{Document, Fault};
use jiff::Timestamp;
use serde::Serialize;

use crate::host::Host;
use crate::name::CredentialName;
use crate::wire::{Info, SERVICE};

/// The name that a command is about: the argument, else the document's, else the settings'.
///
/// # Errors
/// A usage fault when there is none or it is no such name.
pub fn named(
    settings: &Settings,
    argument: Option<&str>,
    document: &Document,
) -> Result<CredentialName, Fault> {
    let known = in_document(document)?;
    settings.require(&CREDENTIAL, argument, known.as_deref().map(named_by), "dbx-cred ensure CREDENTIAL")
}

/// The name of the credential to delete: the argument or the document's, never the settings'.
///
/// # Errors
/// As [`named`].
pub fn named_to_delete(
    settings: &Settings,
    argument: Option<&str>,
    document: &Document,
) -> Result<CredentialName, Fault> {
    let known = in_document(document)?;
    settings.require_to_delete(&CREDENTIAL, argument, known.as_deref().map(named_by))
}

fn in_document(document: &Document) -> Result<Option<String>, Fault> {
    Ok(document.get::<member::Credential>()?.map(|credential| credential.name))
}

/// A name with the member that gave it.
fn named_by(name: &str) -> (&'static str, &str) {
    ("credential.name", name)
}

/// The document's member for a credential that Databricks described.
///
/// # Errors
/// A refused fault when the credential is of another kind or lacks what the next stages need.
pub fn member(info: &Info, name: &CredentialName, host: &Host) -> Result<member::Credential, Fault> {
    let purpose = info.purpose.as_deref().unwrap_or(SERVICE);
    if purpose != SERVICE {
        return Err(Fault::refused(format!("the credential `{name}` is for {purpose}, not for {SERVICE}"))
            .with_hint("names are shared by storage and service credentials: choose another one"));
    }
    let Some(role) = &info.aws_iam_role else {
        return Err(Fault::refused(format!("the credential `{name}` names no IAM role"))
            .with_hint("it belongs to another cloud: choose another name"));
    };
    let field = |name: &str, value: &Option<String>| {
        value.clone().ok_or_else(|| {
            Fault::refused(format!("Databricks did not say the {name} of the credential"))
                .with_hint("only its owner and metastore admins see it: ask one of them to run dbx-cred show")
        })
    };
    let checked = |text: String| {
        text.parse::<RoleArn>().map_err(|error| {
            Fault::refused(format!("the credential `{name}` cannot be used")).with_cause(error)
        })
    };
    Ok(member::Credential {
        name: info.name.clone().unwrap_or_else(|| name.to_string()),
        id: info.id.clone(),
        role_arn: checked(field("role", &role.role_arn)?)?,
        external_id: field("external ID", &role.external_id)?.parse().map_err(|error| {
            Fault::refused(format!("the credential `{name}` cannot be used")).with_cause(error)
        })?,
        unity_catalog_iam_arn: checked(field("Unity Catalog role", &role.unity_catalog_iam_arn)?)?,
        host: Some(host.to_string()),
    })
}

/// A credential with everything that Databricks tells, for `show` and `list`. It has the members of the document's
/// `credential`, and more.
#[derive(Debug, Serialize)]
pub struct Details {
    name: Option<String>,
    id: Option<String>,
    role_arn: Option<String>,
    external_id: Option<String>,
    unity_catalog_iam_arn: Option<String>,
    host: String,
    purpose: Option<String>,
    owner: Option<String>,
    comment: Option<String>,
    isolation_mode: Option<String>,
    created_at: Option<String>,
    created_by: Option<String>,
    updated_at: Option<String>,
    updated_by: Option<String>,
}

impl Details {
    /// What Databricks described, at `host`.
    pub fn new(info: Info, host: &Host) -> Self {
        let role = info.aws_iam_role.unwrap_or_default();
        let time =
            |milliseconds: Option<i64>| Some(Timestamp::from_millisecond(milliseconds?).ok()?.to_string());
        Self {
            name: info.name,
            id: info.id,
            role_arn: role.role_arn,
            external_id: role.external_id,
            unity_catalog_iam_arn: role.unity_catalog_iam_arn,
            host: host.to_string(),
            purpose: info.purpose,
            owner: info.owner,
            comment: info.comment,
            isolation_mode: info.isolation_mode,
            created_at: time(info.created_at),
            created_by: info.created_by,
            updated_at: time(info.updated_at),
            updated_by: info.updated_by,
        }
    }
}
