//! `ensure`: look, compare, change only what differs.

use std::io::Write;

use clap::Args;
use config::member;
use config::names::{AccountId, Partition, RoleArn, RoleName};
use config::settings::{ROLE, Setting, Settings};
use config::{Document, Fault, Outcome, Output};

use crate::cache::Cache;
use crate::credential;
use crate::failure::Failure;
use crate::name::CredentialName;
use crate::refusal::Reason;
use crate::verdict::repair;
use crate::wire::{Create, Info, MetastoreSummary, RoleInput, SERVICE, Update};
use crate::workspace::Workspace;

/// Creates the credential, or makes it name the right role.
#[derive(Args, Clone, Debug, Default)]
pub struct Ensure {
    /// The credential [default: the document's, then KINBRICKS_CREDENTIAL]
    pub credential: Option<String>,
    /// The role that Databricks will assume [default: role.arn of the document]
    #[arg(long, value_name = "ARN", conflicts_with = "role")]
    pub role_arn: Option<String>,
    /// The role's name, where it does not exist yet: the account comes from identity or stream of the document
    #[arg(long, value_name = "NAME")]
    pub role: Option<String>,
    /// A comment that people see in Databricks; empty removes it
    #[arg(long, value_name = "TEXT")]
    pub comment: Option<String>,
    /// Change the role also while something depends on the credential
    #[arg(long)]
    pub force: bool,
}

/// The role's name as `ensure` takes it; elsewhere it is a positional argument.
const ROLE_FLAG: Setting = Setting { flag: "--role", ..ROLE };

const METASTORE: &str = "/api/2.1/unity-catalog/metastore_summary";

/// What was done.
enum Done {
    Created,
    Updated,
    Unchanged,
}

/// Runs the stage.
///
/// # Errors
/// When the credential is not as wanted in the end.
pub async fn run<W: Write>(
    args: &Ensure,
    settings: &Settings,
    workspace: &Workspace,
    mut document: Document,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let name = credential::named(settings, args.credential.as_deref(), &document)?;
    let role = wanted_role(args, settings, &document, &name)?;
    let (done, info) = ensure(args, settings, workspace, &name, &role).await?;
    let member = credential::member(&info, &name, workspace.login().host())?;
    let notes = &workspace.notes;
    let external_id = &member.external_id;
    if !matches!(done, Done::Unchanged) {
        warn_of_region(workspace, &document).await?;
    }
    match done {
        Done::Created => {
            notes.say(format!("created credential `{name}` for {role}, external ID {external_id}"));
        }
        Done::Updated => {
            notes.say(format!("updated credential `{name}` for {role}, external ID {external_id}"));
        }
        Done::Unchanged => notes.say(format!("unchanged credential `{name}`")),
    }
    document.set(&member)?;
    output.document(&document)?;
    Ok(Outcome::Done)
}

async fn ensure(
    args: &Ensure,
    settings: &Settings,
    workspace: &Workspace,
    name: &CredentialName,
    role: &RoleArn,
) -> Result<(Done, Info), Fault> {
    if let Some(info) = look(workspace, name).await? {
        return adjust(args, settings, workspace, name, role, info).await;
    }
    let create = Create {
        name: name.as_str(),
        purpose: SERVICE,
        aws_iam_role: RoleInput { role_arn: role.as_str() },
        comment: args.comment.as_deref().filter(|comment| !comment.is_empty()),
        skip_validation: true,
    };
    let doing = format!("create credential `{name}`");
    let mut attempt = 0;
    loop {
        attempt += 1;
        match workspace.create(&create).await {
            Ok(info) => return Ok((Done::Created, info)),
            // Somebody else was faster, or an answer of ours got lost: what is there decides.
            Err(failure) if failure.reason() == Some(Reason::Exists) => match look(workspace, name).await? {
                Some(info) => return adjust(args, settings, workspace, name, role, info).await,
                None => return Err(taken_but_hidden(workspace.fault(&doing, failure))),
            },
            // Nobody knows whether it was created. Looking tells.
            Err(failure @ Failure::Lost(_)) => {
                if let Some(info) = look(workspace, name).await? {
                    let (done, info) = adjust(args, settings, workspace, name, role, info).await?;
                    let done = if matches!(done, Done::Unchanged) { Done::Created } else { done };
                    return Ok((done, info));
                }
                let pause = workspace.pace().pause(attempt);
                if tokio::time::Instant::now() + pause >= workspace.deadline() {
                    return Err(workspace.fault(&doing, failure));
                }
                tokio::time::sleep(pause).await;
            }
            Err(failure) => {
                let denied = failure.reason() == Some(Reason::Denied);
                let fault = workspace.fault(&doing, failure);
                return Err(if denied { may_not_create(fault) } else { fault });
            }
        }
    }
}

/// A pipeline reads a stream of its own region; a metastore serves the workspaces of one region. Best effort: who may not
/// see the metastore is not told.
async fn warn_of_region(workspace: &Workspace, document: &Document) -> Result<(), Fault> {
    let Some(stream) = document.get::<member::Stream>()? else { return Ok(()) };
    let summary: Result<MetastoreSummary, Failure> = workspace.get(METASTORE, &[]).await;
    if let Ok(MetastoreSummary { region: Some(region) }) = summary
        && region != stream.arn.region().as_str()
    {
        workspace.notes.warn(format!(
            "the stream is in {}, the workspace in {region}: Databricks reads Kinesis in its own region; run: kstream ensure {} --region {region}",
            stream.arn.region(),
            stream.name
        ));
    }
    Ok(())
}

async fn look(workspace: &Workspace, name: &CredentialName) -> Result<Option<Info>, Fault> {
    workspace
        .find(name)
        .await
        .map_err(|failure| workspace.fault(&format!("look for credential `{name}`"), failure))
}

/// Changes what differs in a credential that is there.
async fn adjust(
    args: &Ensure,
    settings: &Settings,
    workspace: &Workspace,
    name: &CredentialName,
    role: &RoleArn,
    info: Info,
) -> Result<(Done, Info), Fault> {
    let now = credential::member(&info, name, workspace.login().host())?;
    let other_role = now.role_arn != *role;
    let comment =
        args.comment.as_deref().filter(|wanted| *wanted != info.comment.as_deref().unwrap_or_default());
    if !other_role && comment.is_none() {
        return Ok((Done::Unchanged, info));
    }
    let update = Update {
        aws_iam_role: other_role.then(|| RoleInput { role_arn: role.as_str() }),
        comment,
        force: args.force,
        skip_validation: true,
        ..Update::default()
    };
    let changed = workspace.update(name, &update).await.map_err(|failure| {
        let in_use = failure.reason() == Some(Reason::InUse);
        let fault = workspace.fault(&format!("update credential `{name}`"), failure);
        if in_use {
            fault.with_hint("add --force to point what uses it to the other role too")
        } else {
            fault
        }
    })?;
    if other_role {
        if let Some(cache) = Cache::of(settings.env(), workspace.login(), name) {
            cache.forget();
        }
        let notes = &workspace.notes;
        notes.say(format!("credential `{name}` named role {} before", now.role_arn));
        if changed.aws_iam_role.as_ref().and_then(|role| role.external_id.as_deref())
            != Some(now.external_id.as_str())
        {
            let repair = repair(name.as_str(), role.name());
            notes.warn(format!("its external ID is another one now; run: {repair}"));
        }
    }
    Ok((Done::Updated, changed))
}

/// The role that the credential shall name: typed, else the document's, else predicted, else the one it named before.
fn wanted_role(
    args: &Ensure,
    settings: &Settings,
    document: &Document,
    name: &CredentialName,
) -> Result<RoleArn, Fault> {
    if let Some(arn) = &args.role_arn {
        return arn.parse().map_err(|error| Fault::usage(format!("{error}")));
    }
    if args.role.is_none() {
        if let Some(role) = document.get::<member::Role>()? {
            return Ok(role.arn);
        }
        if let Some(known) = document.get::<member::Credential>()?
            && known.name == name.as_str()
        {
            return Ok(known.role_arn);
        }
    }
    let Some(chosen) = settings.choose(&ROLE_FLAG, args.role.as_deref(), None) else {
        return Err(Fault::usage("no role is given for the credential").with_hint(
            "name it as --role-arn arn:aws:iam::123456789012:role/databricks-kinesis-role, or pipe in what `iam-role ensure ROLE` prints",
        ));
    };
    let role: RoleName = chosen.parse()?;
    let (partition, account) = account(document)?.ok_or_else(|| {
        Fault::usage(format!("the account of role `{role}` is not known")).with_hint(
            "pipe in what `aws-check` or `kstream ensure STREAM` prints, or give the whole --role-arn",
        )
    })?;
    Ok(RoleArn::predict(&partition, &account, &role))
}

/// The account that the document is about.
fn account(document: &Document) -> Result<Option<(Partition, AccountId)>, Fault> {
    if let Some(identity) = document.get::<member::Identity>()? {
        return Ok(Some((identity.partition, identity.account)));
    }
    let stream = document.get::<member::Stream>()?;
    Ok(stream.map(|stream| (stream.arn.arn().partition(), stream.arn.account().clone())))
}

fn may_not_create(fault: Fault) -> Fault {
    fault.with_hint(
        "ask a metastore admin to run in Databricks: GRANT CREATE SERVICE CREDENTIAL ON METASTORE TO `you@example.com`",
    )
}

fn taken_but_hidden(fault: Fault) -> Fault {
    fault.with_hint("the name is taken by a credential that you may not see: choose another one")
}

#[cfg(test)]
mod tests {
    use config::Document;
    use config::env::Env;
    use config::settings::Settings;

    use super::{Ensure, wanted_role};

    const STREAM: &str =
        r#""stream":{"name":"s","arn":"arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/s"}"#;
    const IDENTITY: &str =
        r#""identity":{"account":"210987654321","arn":"arn:aws:iam::210987654321:root","partition":"aws"}"#;
    const KNOWN: &str = r#""credential":{"name":"c","role_arn":"arn:aws:iam::123456789012:role/k","external_id":"id","unity_catalog_iam_arn":"arn:aws:iam::414351767826:role/u"}"#;
    const ROLE: &str = r#""role":{"name":"r","arn":"arn:aws:iam::123456789012:role/team/r"}"#;

    fn check(args: &Ensure, env: &[(&str, &str)], members: &[&str], expected: &str) {
        let settings = Settings::load(&env.iter().copied().collect::<Env>(), None).unwrap();
        let document = Document::parse(&format!("{{{}}}", members.join(","))).unwrap();
        let shown = match wanted_role(args, &settings, &document, &"c".parse().unwrap()) {
            Ok(arn) => arn.to_string(),
            Err(fault) => format!("{}: {}", fault.kind().code(), fault.message()),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_role_is_typed_or_piped_or_predicted() {
        let typed = Ensure { role_arn: Some("arn:aws:iam::123456789012:role/x".into()), ..Ensure::default() };
        check(&typed, &[], &[ROLE], "arn:aws:iam::123456789012:role/x");
        let none = Ensure::default();
        check(&none, &[], &[STREAM, ROLE], "arn:aws:iam::123456789012:role/team/r");
        let named = Ensure { role: Some("n".into()), ..Ensure::default() };
        check(&named, &[], &[STREAM, ROLE], "arn:aws-us-gov:iam::123456789012:role/n");
        check(&named, &[], &[STREAM, IDENTITY], "arn:aws:iam::210987654321:role/n");
        check(&none, &[("KINBRICKS_ROLE", "e")], &[IDENTITY], "arn:aws:iam::210987654321:role/e");
        check(&none, &[("KINBRICKS_ROLE", "e")], &[KNOWN, IDENTITY], "arn:aws:iam::123456789012:role/k");
        let other = KNOWN.replace("\"name\":\"c\"", "\"name\":\"d\"");
        check(&none, &[], &[&other], "2: no role is given for the credential");
        check(&named, &[], &[], "2: the account of role `n` is not known");
        check(&none, &[], &[STREAM], "2: no role is given for the credential");
        let bad = Ensure { role_arn: Some("r".into()), ..Ensure::default() };
        check(
            &bad,
            &[],
            &[],
            "2: `r` is not a role ARN: write one like arn:aws:iam::123456789012:role/databricks-kinesis-role",
        );
    }
}
