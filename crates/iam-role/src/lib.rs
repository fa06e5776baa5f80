//! Creates, shows and deletes the IAM role that Databricks assumes, with its managed policy.
//!
//! | command | stdin | stdout |
//! |---|---|---|
//! | `ensure` | the connection document with `policies` | the document with its member `role` set |
//! | `show` | the connection document | the document with `role`, which also shows the trust policy, every policy and the boundary |
//! | `delete` | the connection document | the document without `role` |
//!
//! `"role":{"name":…,"arn":…,"id":…,"policy_arn":…,"policy_version":…}`
//!
//! `ensure` looks, compares by meaning and changes only what differs. The trust policy of a role that exists is not
//! touched: after `trust-sync` it is better than the placeholder that comes down the pipe.

mod args;
mod delete;
mod ensure;
mod managed;
mod show;
mod tag;
mod wanted;

use std::io::Write;

use config::aws::Aws;
use config::member::{Policies, Role};
use config::names::RoleRef;
use config::settings::ROLE;
use config::{Document, Fault, OutError, Outcome, Output, World};
use live_role::patience::SPREAD_LIMIT;
use live_role::{Iam, Patience};

pub use args::Args;
use args::Command;

/// Runs the tool with a client made from its arguments.
///
/// # Errors
/// As [`run`]; a usage fault when no region is known.
pub async fn start(args: Args, world: World) -> Result<Outcome, Fault> {
    let document = world.document_off_thread(&args.doc).await?;
    let aws = Aws::load(&world, &args.aws, live_role::account::region(&document)?.as_ref()).await?;
    let patience = Patience::new(world.settings.timeout(args.aws.timeout, SPREAD_LIMIT)?);
    let iam = Iam::new(aws, &world, patience);
    let mut output = world.output(args.doc.pretty);
    run(&args, document, &iam, &world, &mut output).await
}

/// Does what `args` ask for and prints the document.
///
/// # Errors
/// A usage fault when no role or policy is named, a refused or transient one when AWS says no, a pipe fault when the
/// result cannot be printed.
pub async fn run<W: Write>(
    args: &Args,
    mut document: Document,
    iam: &Iam,
    world: &World,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let role = role(args, &document, world)?;
    let mut outcome = Outcome::Done;
    match &args.command {
        Command::Ensure(ensure) => {
            let ensured = ensure::run(iam, &role, ensure, &document).await?;
            if let Some(role) = &ensured.role {
                document.set(role)?;
            }
            outcome = ensured.outcome;
        }
        Command::Show(_) => {
            let shown = show::run(iam, &role, document.get()?.as_ref()).await?;
            document.set_value("role", shown);
        }
        Command::Delete(delete) => {
            delete::run(iam, &role, delete, document.get()?.as_ref()).await?;
            document.remove::<Role>();
        }
    }
    match (output.document(&document), &args.command) {
        // Nothing was changed, so a reader that closed the pipe has what it wanted.
        (Err(OutError::Closed), Command::Show(_)) => Ok(outcome),
        (printed, _) => Ok(printed.map(|()| outcome)?),
    }
}

/// The role to act on: the argument, else the document's role, else the one that its permissions are for, else the
/// settings'.
fn role(args: &Args, document: &Document, world: &World) -> Result<RoleRef, Fault> {
    let member: Option<Role> = document.get()?;
    let named = member.map(|role| role.arn.to_string());
    let policies = document.get::<Policies>()?.and_then(|policies| policies.permissions);
    let permissions = policies.and_then(|value| policy::Document::from_value(value).ok());
    let intended = || permissions.as_ref().and_then(wanted::self_assumed).map(|arn| arn.to_string());
    let named = named.map(|arn| ("role", arn)).or_else(|| intended().map(|arn| ("policies", arn)));
    let named = named.as_ref().map(|(member, arn)| (*member, arn.as_str()));
    if matches!(args.command, Command::Delete(_)) {
        return world.settings.require_to_delete(&ROLE, args.command.role(), named);
    }
    world.settings.require(&ROLE, args.command.role(), named, "iam-role ensure ROLE")
}
