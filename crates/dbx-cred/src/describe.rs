//! `auth describe`: which login won, why, and whether Databricks accepts it.

use std::io::Write;

use clap::{Args, Subcommand};
use config::{Fault, Outcome, Output};
use serde::Serialize;

use crate::transport::Repeat;
use crate::wire::{HostMetadata, Me};
use crate::workspace::Workspace;

const ME: &str = "/api/2.0/preview/scim/v2/Me";
const HOST_METADATA: &str = "/.well-known/databricks-config";

/// What to tell about the login.
#[derive(Subcommand, Clone, Debug)]
pub enum Auth {
    /// Show the workspace, the login that won and every setting behind it, secrets masked
    Describe(Describe),
}

/// How to describe it.
#[derive(Args, Clone, Debug, Default)]
pub struct Describe {
    /// Do not ask Databricks whether it accepts the login
    #[arg(long)]
    pub offline: bool,
}

#[derive(Serialize)]
struct Description {
    host: String,
    host_from: String,
    auth_type: &'static str,
    login: String,
    why: String,
    profile: Option<String>,
    /// Who Databricks says the caller is; null when it was not asked or did not accept the login.
    user: Option<String>,
    account_id: Option<String>,
    workspace_id: Option<String>,
    cloud: Option<String>,
    settings: Vec<Setting>,
}

#[derive(Serialize)]
struct Setting {
    #[serde(rename = "setting")]
    name: &'static str,
    value: String,
    from: String,
}

/// Writes the description as one JSON object, also when the login is not accepted.
///
/// # Errors
/// When Databricks does not accept the login, or stdout does not take the description.
pub async fn run<W: Write>(
    args: &Describe,
    workspace: &Workspace,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let login = workspace.login();
    let mut description = Description {
        host: login.host().to_string(),
        host_from: login.host_source().to_string(),
        auth_type: login.method().auth_type(),
        login: login.to_string(),
        why: login.why(),
        profile: login.profile().map(str::to_owned),
        user: None,
        account_id: None,
        workspace_id: login.workspace_id().map(str::to_owned),
        cloud: None,
        settings: login
            .found()
            .map(|(attribute, given)| Setting {
                name: attribute.key,
                value: if attribute.secret { "****".to_owned() } else { given.value().to_owned() },
                from: given.source.to_string(),
            })
            .collect(),
    };
    let mut refused = None;
    if !args.offline {
        match workspace.get::<Me>(ME, &[]).await {
            Ok(me) => description.user = me.user_name,
            Err(failure) => refused = Some(workspace.fault("log in", failure)),
        }
        if refused.is_none() {
            let metadata = host_metadata(workspace).await;
            description.account_id = metadata.account_id;
            description.workspace_id = description.workspace_id.or(metadata.workspace_id);
            description.cloud = metadata.cloud;
        }
    }
    output.document(&description)?;
    refused.map_or(Ok(Outcome::Done), Err)
}

/// What the host tells about itself; nothing where it does not.
async fn host_metadata(workspace: &Workspace) -> HostMetadata {
    let url = workspace.login().host().join(HOST_METADATA);
    let transport = workspace.transport();
    let answer = transport.send(Repeat::Safe, || transport.client().get(&url)).await;
    answer.and_then(|answer| answer.json()).unwrap_or_default()
}
