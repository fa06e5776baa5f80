//! `bind`: in which workspaces the credential can be used.

use std::io::Write;

use clap::Args;
use config::settings::Settings;
use config::{Document, Fault, Outcome, Output};
use reqwest::Method;

use crate::credential;
use crate::failure::Failure;
use crate::name::CredentialName;
use crate::show::missing;
use crate::transport::Repeat;
use crate::wire::{Assignment, Binding, Bindings, ChangeBindings, ISOLATED, OPEN, Update, read_write};
use crate::workspace::Workspace;

const BINDINGS: &str = "/api/2.1/unity-catalog/bindings/credential";
const ASSIGNMENT: &str = "/api/2.1/unity-catalog/current-metastore-assignment";

/// Restricts the credential to some workspaces of the metastore.
#[derive(Args, Clone, Debug, Default)]
pub struct Bind {
    /// The credential [default: the document's, then KINBRICKS_CREDENTIAL]
    pub credential: Option<String>,
    /// A workspace's number; may be repeated [default: the workspace you are logged in to]
    #[arg(long, value_name = "ID", conflicts_with = "open")]
    pub workspace: Vec<u64>,
    /// Take these workspaces away instead
    #[arg(long, requires = "workspace")]
    pub unbind: bool,
    /// Open it to all workspaces again
    #[arg(long)]
    pub open: bool,
}

/// Runs the stage: the document passes through.
///
/// # Errors
/// When the bindings are not as wanted in the end.
pub async fn run<W: Write>(
    args: &Bind,
    settings: &Settings,
    workspace: &Workspace,
    document: &Document,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let name = credential::named(settings, args.credential.as_deref(), document)?;
    let doing = format!("bind credential `{name}`");
    let fault = |failure| workspace.fault(&doing, failure);
    let info = workspace.find(&name).await.map_err(fault)?.ok_or_else(|| missing(&name))?;
    let isolated = info.isolation_mode.as_deref() == Some(ISOLATED);
    let mut changed = false;
    if !args.open {
        changed = rebind(args, workspace, &name).await.map_err(fault)?;
    }
    // The binding comes first: an isolated credential cannot be reached from a workspace that is not bound.
    let wanted = if args.open { Some(OPEN) } else { (!args.unbind).then_some(ISOLATED) };
    if let Some(mode) = wanted
        && isolated != (mode == ISOLATED)
    {
        let update = Update { isolation_mode: Some(mode), skip_validation: true, ..Update::default() };
        workspace.update(&name, &update).await.map_err(fault)?;
        let said = if mode == ISOLATED { "restricted to its workspaces" } else { "open to all workspaces" };
        workspace.notes.say(format!("updated credential `{name}`: {said}"));
        changed = true;
    }
    if !changed {
        workspace.notes.say(format!("unchanged bindings of credential `{name}`"));
    }
    output.document(document)?;
    Ok(Outcome::Done)
}

/// Adds or removes the bindings that differ; says whether there were any.
async fn rebind(args: &Bind, workspace: &Workspace, name: &CredentialName) -> Result<bool, Failure> {
    let path = format!("{BINDINGS}/{}", name.in_path());
    let bound = bound(workspace, &path).await?;
    let wanted =
        if args.workspace.is_empty() { vec![here(workspace).await?] } else { args.workspace.clone() };
    let differ: Vec<Binding> = wanted
        .into_iter()
        .filter(|id| bound.iter().any(|binding| binding.workspace_id == *id) == args.unbind)
        .map(|workspace_id| Binding { workspace_id, binding_type: read_write() })
        .collect();
    if differ.is_empty() {
        return Ok(false);
    }
    let ids: Vec<String> = differ.iter().map(|binding| binding.workspace_id.to_string()).collect();
    let change = if args.unbind {
        ChangeBindings { remove: differ, ..ChangeBindings::default() }
    } else {
        ChangeBindings { add: differ, ..ChangeBindings::default() }
    };
    workspace.send(Method::PATCH, &path, &change, Repeat::Safe).await?;
    let done = if args.unbind { "unbound from" } else { "bound to" };
    workspace.notes.say(format!("updated credential `{name}`: {done} workspace {}", ids.join(", ")));
    Ok(true)
}

/// All bindings, page by page.
async fn bound(workspace: &Workspace, path: &str) -> Result<Vec<Binding>, Failure> {
    let mut bindings = Vec::new();
    let mut page_token: Option<String> = None;
    loop {
        let query: Vec<_> = page_token.as_deref().map(|token| ("page_token", token)).into_iter().collect();
        let page: Bindings = workspace.get(path, &query).await?;
        bindings.extend(page.bindings);
        let next = page.next_page_token.filter(|token| !token.is_empty());
        if next.is_none() || next == page_token {
            return Ok(bindings);
        }
        page_token = next;
    }
}

/// The number of the workspace that the caller is logged in to.
async fn here(workspace: &Workspace) -> Result<u64, Failure> {
    let assignment: Assignment = workspace.get(ASSIGNMENT, &[]).await?;
    assignment.workspace_id.ok_or_else(|| {
        Failure::Garbled("it does not say which workspace it is; name it with --workspace".to_owned())
    })
}
