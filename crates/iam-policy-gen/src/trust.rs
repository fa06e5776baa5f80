//! `trust`: who may assume the role.

use config::member::{Credential, Identity, Role, Stream};
use config::names::{ExternalId, Partition, RoleArn};
use config::settings::Settings;
use config::{Document as Connection, Fault, Notes};
use policy::Document;
use policy::trust::{self, DatabricksPartition, Form, TrustSubject};

use crate::args::{Format, Trust};
use crate::owner;

/// A trust policy with what the other languages say beside it.
pub(crate) struct Written {
    /// The policy.
    pub(crate) document: Document,
    /// The role it is for, when that is known.
    pub(crate) role: Option<RoleArn>,
    /// Whether the external ID still has to come from Databricks.
    pub(crate) is_placeholder: bool,
}

/// Writes the trust policy.
///
/// # Errors
/// A usage fault when the role's account is not known though the form needs it, when there is no Databricks role for the
/// partition, or when the two roles cannot trust each other.
pub(crate) fn write(
    args: &Trust,
    connection: &Connection,
    settings: &Settings,
    notes: &Notes,
) -> Result<Written, Fault> {
    let credential: Option<Credential> = connection.get()?;
    let external_id = args
        .external_id
        .as_ref()
        .or(credential.as_ref().map(|credential| &credential.external_id))
        .map_or(ExternalId::PLACEHOLDER, ExternalId::as_str);
    let is_placeholder = external_id == ExternalId::PLACEHOLDER;
    let form = form(args, connection)?;
    let role = role(args, form, connection, settings)?;
    let master = unity_catalog_role(args, connection, credential.as_ref(), role.as_ref())?;

    let document = match &role {
        Some(role) => trust::document(form, &subject(role.as_str(), &master, external_id)?),
        // Of the subject only Unity Catalog's role and the external ID are used, so that role may stand for ours.
        None => trust::before_role_exists(&subject(&master, &master, external_id)?),
    };
    if is_placeholder && is_json(args) {
        notes.say("the external ID is the placeholder `0000`: trust-sync replaces it once dbx-cred knows the real one");
    }
    Ok(Written { document, role, is_placeholder })
}

/// The form to write. A role that is made with its final trust policy cannot name itself as a principal: so it is with
/// templates, and where the credential came first.
fn form(args: &Trust, connection: &Connection) -> Result<Form, Fault> {
    let credential_first = connection.get::<Credential>()?.is_some() && connection.get::<Role>()?.is_none();
    Ok(match args.form {
        Some(form) => form.into(),
        None if is_json(args) && !credential_first => Form::Databricks,
        None => Form::ArnLike,
    })
}

fn is_json(args: &Trust) -> bool {
    matches!(args.print.format, None | Some(Format::Json))
}

/// The role to name. The databricks form names it only once it exists: IAM refuses a principal that it does not know.
fn role(
    args: &Trust,
    form: Form,
    connection: &Connection,
    settings: &Settings,
) -> Result<Option<RoleArn>, Fault> {
    let is_known = args.owner.role.is_some() || connection.get::<Role>()?.is_some();
    if form == Form::Databricks && !is_known {
        return Ok(None);
    }
    let stream = connection.get::<Stream>()?.map(|stream| stream.arn);
    let partition =
        args.partition.map(|partition| DatabricksPartition::from(partition).arn_partition().parse());
    let partition = partition.transpose().map_err(|error| Fault::usage(format!("{error}")))?;
    owner::role(&args.owner, connection, settings, stream.as_ref(), partition).map(Some)
}

fn unity_catalog_role(
    args: &Trust,
    connection: &Connection,
    credential: Option<&Credential>,
    role: Option<&RoleArn>,
) -> Result<String, Fault> {
    if let Some(arn) = &args.uc_master_arn {
        return Ok(arn.to_string());
    }
    if let Some(partition) = args.partition {
        return Ok(DatabricksPartition::from(partition).unity_catalog_role().to_owned());
    }
    if let Some(credential) = credential {
        return Ok(credential.unity_catalog_iam_arn.to_string());
    }
    let partition = match role {
        Some(role) => Some(role.partition()),
        None => partition(connection)?,
    };
    let name = partition.as_ref().map_or("aws", |partition| partition.as_str());
    DatabricksPartition::from_name(name).map(|known| known.unity_catalog_role().to_owned()).ok_or_else(|| {
        Fault::usage(format!("Databricks has published no role for partition `{name}`"))
            .with_hint("add --uc-master-arn ARN, as `dbx-cred show` prints it, or see that the stream is in the right partition")
    })
}

/// The partition that the document speaks of.
fn partition(connection: &Connection) -> Result<Option<Partition>, Fault> {
    let identity = connection.get::<Identity>()?.map(|identity| identity.partition);
    let stream = connection.get::<Stream>()?.map(|stream| stream.arn.arn().partition());
    Ok(identity.or(stream))
}

fn subject(role: &str, master: &str, external_id: &str) -> Result<TrustSubject, Fault> {
    TrustSubject::new(role, master, external_id).map_err(|error| {
        Fault::usage(error.to_string())
            .with_hint("both roles must be in one partition: check --role, --partition and --uc-master-arn")
    })
}
