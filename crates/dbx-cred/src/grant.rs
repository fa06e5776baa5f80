//! `grant`: who may use the credential.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, ValueEnum};
use config::settings::Settings;
use config::{Document, Fault, Member, Outcome, Output};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::credential;
use crate::failure::Failure;
use crate::name::CredentialName;
use crate::refusal::Reason;
use crate::transport::Repeat;
use crate::wire::{ChangeGrant, ChangeGrants, Grant, Grants};
use crate::workspace::Workspace;

const PERMISSIONS: &str = "/api/2.1/unity-catalog/permissions/credential";

/// Lets users, groups or service principals use the credential.
#[derive(Args, Clone, Debug, Default)]
pub struct Granting {
    /// The credential [default: the document's, then KINBRICKS_CREDENTIAL]
    pub credential: Option<String>,
    /// A user's email, a group's name or a service principal's application id; may be repeated
    #[arg(long, value_name = "PRINCIPAL", required = true)]
    pub to: Vec<String>,
    /// What they may do; may be repeated
    #[arg(long, value_enum, default_value = "access")]
    pub privilege: Vec<Privilege>,
    /// Take it away instead
    #[arg(long)]
    pub revoke: bool,
}

/// What can be granted on a service credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Privilege {
    /// Use it in pipelines and get keys from it
    Access,
    /// Make connections that use it
    CreateConnection,
    /// Change and delete it, and grant it to others
    Manage,
    /// Everything
    AllPrivileges,
}

impl Privilege {
    fn name(self) -> &'static str {
        match self {
            Self::Access => "ACCESS",
            Self::CreateConnection => "CREATE_CONNECTION",
            Self::Manage => "MANAGE",
            Self::AllPrivileges => "ALL_PRIVILEGES",
        }
    }
}

/// The document's member `grants`: everything that is granted on the credential.
#[derive(Debug, Deserialize, Serialize)]
pub struct Held(Vec<Grant>);

impl Member for Held {
    const NAME: &'static str = "grants";
    const SUPPLIER: &'static str = "dbx-cred grant";
}

/// Runs the stage: the document leaves with all grants in the member `grants`.
///
/// # Errors
/// When the grants are not as wanted in the end.
pub async fn run<W: Write>(
    args: &Granting,
    settings: &Settings,
    workspace: &Workspace,
    mut document: Document,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let name = credential::named(settings, args.credential.as_deref(), &document)?;
    let doing = format!("change who may use credential `{name}`");
    let fault = |failure: Failure| {
        let unknown = failure.reason() == Some(Reason::Missing) && names_a_principal(&failure);
        let fault = workspace.fault(&doing, failure);
        if unknown {
            fault.with_hint("give a user's email, a group's name or a service principal's application id")
        } else {
            fault
        }
    };
    let mut grants = held(workspace, &name).await.map_err(fault)?;
    let changes = changes(args, &grants);
    let (done, preposition) = if args.revoke { ("revoked", "from") } else { ("granted", "to") };
    if changes.is_empty() {
        workspace.notes.say(format!("unchanged grants of credential `{name}`"));
    } else {
        let path = format!("{PERMISSIONS}/{}", name.in_path());
        let said: Vec<String> = changes
            .iter()
            .map(|change| {
                let privileges = [change.add.as_slice(), &change.remove].concat().join(", ");
                format!("{done} {privileges} on credential `{name}` {preposition} `{}`", change.principal)
            })
            .collect();
        workspace.send(Method::PATCH, &path, &ChangeGrants { changes }, Repeat::Safe).await.map_err(fault)?;
        for line in said {
            workspace.notes.say(line);
        }
        grants = held(workspace, &name).await.map_err(fault)?;
    }
    document.set(&Held(grants))?;
    output.document(&document)?;
    Ok(Outcome::Done)
}

/// All grants, page by page.
async fn held(workspace: &Workspace, name: &CredentialName) -> Result<Vec<Grant>, Failure> {
    let path = format!("{PERMISSIONS}/{}", name.in_path());
    let mut grants = Vec::new();
    let mut page_token: Option<String> = None;
    loop {
        let mut query = vec![("max_results", "0")];
        query.extend(page_token.as_deref().map(|token| ("page_token", token)));
        let page: Grants = workspace.get(&path, &query).await?;
        grants.extend(page.privilege_assignments);
        let next = page.next_page_token.filter(|token| !token.is_empty());
        if next.is_none() || next == page_token {
            return Ok(grants);
        }
        page_token = next;
    }
}

/// Only what differs.
fn changes<'a>(args: &'a Granting, grants: &[Grant]) -> Vec<ChangeGrant<'a>> {
    let held: BTreeMap<&str, &[String]> =
        grants.iter().map(|grant| (grant.principal.as_str(), grant.privileges.as_slice())).collect();
    let changes = args.to.iter().filter_map(|principal| {
        let holds = |privilege: &str| {
            held.get(principal.as_str()).is_some_and(|held| held.iter().any(|held| held == privilege))
        };
        let wanted = args.privilege.iter().map(|privilege| privilege.name());
        let (add, remove): (Vec<_>, Vec<_>) = if args.revoke {
            (Vec::new(), wanted.filter(|privilege| holds(privilege)).collect())
        } else {
            // Who holds everything needs nothing more.
            let all = Privilege::AllPrivileges.name();
            (wanted.filter(|privilege| !holds(privilege) && !holds(all)).collect(), Vec::new())
        };
        let differs = !add.is_empty() || !remove.is_empty();
        differs.then_some(ChangeGrant { principal, add, remove })
    });
    changes.collect()
}

fn names_a_principal(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code.as_deref().is_some_and(|code| code.starts_with("PRINCIPAL")))
}

#[cfg(test)]
mod tests {
    use super::{Grant, Granting, Privilege, changes};

    fn check(held: &[(&str, &[&str])], revoke: bool, expected: &str) {
        let args = Granting {
            credential: None,
            to: vec!["ada".into(), "data".into()],
            privilege: vec![Privilege::Access, Privilege::Manage],
            revoke,
        };
        let grants: Vec<Grant> = held
            .iter()
            .map(|(principal, privileges)| Grant {
                principal: (*principal).into(),
                privileges: privileges.iter().map(|privilege| (*privilege).into()).collect(),
            })
            .collect();
        assert_eq!(serde_json::to_string(&changes(&args, &grants)).unwrap(), expected);
    }

    #[test]
    fn only_what_differs_is_sent() {
        let both =
            r#"{"principal":"ada","add":["ACCESS","MANAGE"]},{"principal":"data","add":["ACCESS","MANAGE"]}"#;
        check(&[], false, &format!("[{both}]"));
        let some: &[(&str, &[&str])] = &[("ada", &["ACCESS"]), ("data", &["ALL_PRIVILEGES"])];
        check(some, false, r#"[{"principal":"ada","add":["MANAGE"]}]"#);
        check(some, true, r#"[{"principal":"ada","remove":["ACCESS"]}]"#);
        check(&[("ada", &["ACCESS", "MANAGE"]), ("data", &["MANAGE", "ACCESS"])], false, "[]");
    }
}
