//! `show` and `list`: what Databricks knows.

use std::io::Write;

use clap::Args;
use config::output::OutError;
use config::settings::Settings;
use config::{Document, Fault, Outcome, Output};

use crate::credential::{self, Details};
use crate::workspace::Workspace;

/// Shows one credential.
#[derive(Args, Clone, Debug, Default)]
pub struct Show {
    /// The credential [default: the document's, then KINBRICKS_CREDENTIAL]
    pub credential: Option<String>,
}

/// Lists the service credentials of the metastore, one a line.
#[derive(Args, Clone, Debug, Default)]
pub struct List {
    /// Also those that are not bound to this workspace
    #[arg(long)]
    pub include_unbound: bool,
}

/// Puts the credential into the document, with everything that Databricks tells about it.
///
/// # Errors
/// When there is no such credential, or it cannot be seen.
pub async fn show<W: Write>(
    args: &Show,
    settings: &Settings,
    workspace: &Workspace,
    mut document: Document,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let name = credential::named(settings, args.credential.as_deref(), &document)?;
    let doing = format!("show credential `{name}`");
    let found = workspace.find(&name).await.map_err(|failure| workspace.fault(&doing, failure))?;
    let info = found.ok_or_else(|| missing(&name))?;
    let details = serde_json::to_value(Details::new(info, workspace.login().host()))
        .map_err(|error| Fault::pipe(format!("failed to {doing}")).with_cause(error))?;
    document.set_value("credential", details);
    read_only(output.document(&document))
}

/// The fault for a credential that is not there.
pub fn missing(name: &crate::name::CredentialName) -> Fault {
    Fault::refused(format!("there is no credential `{name}`"))
        .with_hint(format!("dbx-cred ensure {name} creates it, dbx-cred list shows those that you may see"))
}

/// Writes one line a credential, page by page.
///
/// # Errors
/// When a page cannot be had.
pub async fn list<W: Write>(
    args: &List,
    workspace: &Workspace,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let fault = |failure| workspace.fault("list the service credentials", failure);
    let mut page_token: Option<String> = None;
    loop {
        let page = workspace.list(page_token.as_deref(), args.include_unbound).await.map_err(fault)?;
        for info in page.credentials {
            match output.line(&Details::new(info, workspace.login().host())) {
                Err(OutError::Closed) => return Ok(Outcome::Done),
                written => written?,
            }
        }
        let next = page.next_page_token.filter(|token| !token.is_empty());
        if next.is_some() && next == page_token {
            return Err(Fault::transient("failed to list the service credentials")
                .with_cause("Databricks sent the same page twice")
                .with_hint("run it again; the lines so far are good"));
        }
        page_token = next;
        if page_token.is_none() {
            return read_only(output.flush());
        }
    }
}

/// A reader that closed the pipe has what it wanted: nothing was changed.
fn read_only(written: Result<(), OutError>) -> Result<Outcome, Fault> {
    match written {
        Ok(()) | Err(OutError::Closed) => Ok(Outcome::Done),
        Err(error @ OutError::Failed(_)) => Err(error.into()),
    }
}
