//! Which role a policy is for: its name, account and partition, from the flags, the document and the settings.

use config::member::{Credential, Identity, Role};
use config::names::{Partition, RoleArn, RoleName, RoleRef, StreamArn};
use config::settings::{ROLE, Settings};
use config::{Document, Fault};

use crate::args::Owner;

/// The role of the guide, for when nobody names one.
const GUIDES_ROLE: &str = "databricks-kinesis-role";

/// The ARN of the role, predicted from its name when it does not exist yet; `near` is the stream it is for, if known, and
/// `partition` the one that was asked for.
///
/// # Errors
/// A usage fault when its account is not known, or two flags contradict each other.
pub(crate) fn role(
    owner: &Owner,
    document: &Document,
    settings: &Settings,
    near: Option<&StreamArn>,
    partition: Option<Partition>,
) -> Result<RoleArn, Fault> {
    let role = match &owner.role {
        Some(role) => role.clone(),
        None => named(document, settings)?,
    };
    let arn = match role {
        RoleRef::Arn(arn) => arn,
        RoleRef::Name(name) => {
            // Roles live in the account of who makes them, which need not be the stream's.
            let identity: Option<Identity> = document.get()?;
            let account = owner.account.clone();
            let account = account.or(identity.as_ref().map(|identity| identity.account.clone()));
            let account = account.or(near.map(|stream| stream.account().clone()));
            let partition = partition.or(near.map(|stream| stream.arn().partition()));
            let partition = partition.or(identity.map(|identity| identity.partition));
            let account = account.ok_or_else(|| no_account(&name))?;
            RoleArn::predict(&partition.unwrap_or_else(Partition::aws), &account, &name)
        }
    };
    match owner.account.as_ref().filter(|account| *account != arn.account()) {
        Some(account) => Err(Fault::usage(format!("--account {account} contradicts the role `{arn}`"))
            .with_hint("leave --account out, or name the role by its name alone")),
        None => Ok(arn),
    }
}

/// The role that the document, else the settings name, else the guide's.
fn named(document: &Document, settings: &Settings) -> Result<RoleRef, Fault> {
    if let Some(role) = document.get::<Role>()? {
        return Ok(RoleRef::Arn(role.arn));
    }
    if let Some(credential) = document.get::<Credential>()? {
        return Ok(RoleRef::Arn(credential.role_arn));
    }
    let chosen = settings.choose(&ROLE, None, None).map(|chosen| chosen.parse()).transpose()?;
    match chosen {
        Some(role) => Ok(role),
        None => GUIDES_ROLE.parse().map_err(|error| Fault::usage(format!("{error}"))),
    }
}

fn no_account(role: &RoleName) -> Fault {
    Fault::usage(format!("the account of role `{role}` is not known")).with_hint(
        "add --account 123456789012, name the role by its ARN with --role, or pipe in what `aws-check` or `kstream ensure` prints",
    )
}
