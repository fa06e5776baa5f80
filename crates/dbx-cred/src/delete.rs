//! `delete`: takes the credential away, and says so when it is gone already.

use std::io::Write;

use clap::Args;
use config::member;
use config::settings::Settings;
use config::{Document, Fault, Outcome, Output};

use crate::auth::Source;
use crate::cache::Cache;
use crate::credential;
use crate::grant::Held;
use crate::refusal::Reason;
use crate::wire::SERVICE;
use crate::workspace::Workspace;

/// Deletes a credential.
#[derive(Args, Clone, Debug, Default)]
pub struct Delete {
    /// The credential [default: the document's]
    pub credential: Option<String>,
    /// Really delete it
    #[arg(long)]
    pub yes: bool,
    /// Also while something depends on it
    #[arg(long)]
    pub force: bool,
}

/// Runs the stage: the document leaves without the members of the credential.
///
/// # Errors
/// When the credential is still there in the end.
pub async fn run<W: Write>(
    args: &Delete,
    settings: &Settings,
    workspace: &Workspace,
    mut document: Document,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let name = credential::named_to_delete(settings, args.credential.as_deref(), &document)?;
    if !args.yes {
        return Err(Fault::usage(format!("credential `{name}` is deleted only when you say so"))
            .with_hint(format!("dbx-cred delete {name} --yes")));
    }
    check_workspace(workspace, &document)?;
    let doing = format!("delete credential `{name}`");
    let fault = |failure| workspace.fault(&doing, failure);
    match workspace.find(&name).await.map_err(fault)? {
        None => workspace.notes.say(format!("credential `{name}` is gone already")),
        Some(info) => {
            let purpose = info.purpose.as_deref().unwrap_or(SERVICE);
            if purpose != SERVICE {
                return Err(Fault::refused(format!(
                    "the credential `{name}` is for {purpose}, not for {SERVICE}"
                ))
                .with_hint("dbx-cred deletes service credentials only"));
            }
            match workspace.delete(&name, args.force).await {
                Ok(()) => workspace.notes.say(format!("deleted credential `{name}`")),
                Err(failure) if failure.reason() == Some(Reason::Missing) => {
                    workspace.notes.say(format!("credential `{name}` is gone already"));
                }
                Err(failure) => return Err(fault(failure)),
            }
        }
    }
    if let Some(cache) = Cache::of(settings.env(), workspace.login(), &name) {
        cache.forget();
    }
    document.remove::<member::Credential>();
    document.remove::<member::Validation>();
    document.remove::<member::Proof>();
    document.remove::<Held>();
    output.document(&document)?;
    Ok(Outcome::Done)
}

/// A document of another workspace must not delete its namesake in this one. Who types the host means it.
fn check_workspace(workspace: &Workspace, document: &Document) -> Result<(), Fault> {
    let login = workspace.login();
    let there = document.get::<member::Credential>()?.and_then(|credential| credential.host);
    match there {
        Some(there) if there != login.host().as_str() && !matches!(login.host_source(), Source::Flag(_)) => {
            Err(Fault::usage(format!(
                "the document's credential is in {there}, but you are logged in to {}",
                login.host()
            ))
            .with_hint(format!("say which one you mean: --dbx-host {there}, or --dbx-host {}", login.host())))
        }
        _ => Ok(()),
    }
}
