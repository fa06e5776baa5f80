//! `--doctor`: walks the chain from the caller's identity to Databricks' own validation, and stops at the first link that is
//! broken, with one sentence and the command that repairs it.
//!
//! | link | holds when |
//! |---|---|
//! | `identity` | the credentials are for the role's account and partition, the region is the stream's |
//! | `stream` | it exists, is the one of the document, and can be read |
//! | `role` | it exists and is the one of the document |
//! | `trust` | Databricks gets in with the external ID and not without, and the role's trust policy admits the role itself |
//! | `permissions` | everything that Databricks does with this stream is allowed, and assuming itself |
//! | `credential` | Databricks knows it, as a service credential for this role |
//! | `validation` | Databricks' own checks pass |
//!
//! The last two are asked through `dbx-cred`, a program of its own. What cannot be looked at is said, and the walk goes on.
//! Nothing is changed anywhere.

mod caller;
mod connection;
mod databricks;
mod finding;
mod neighbour;
mod permissions;
mod report;
mod role;
mod stream;
mod trust;

use std::time::Duration;

use config::aws::Aws;
use config::member::Identity;
use config::names::Region;
use config::{Document, Fault, Outcome, World};
use live_role::{Iam, Patience};

use crate::Args;
use connection::Connection;
use databricks::Told;
use finding::{Gap, Link, Stop, Walk};
use neighbour::Neighbour;

/// How long to wait for IAM to show a role whole. A doctor looks at what is there, so not for long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The region of the document's stream, where the doctor has to look.
pub(crate) fn region(document: &Document) -> Result<Option<Region>, Fault> {
    let stream = document.get::<config::member::Stream>()?;
    Ok(stream.map(|stream| stream.arn.region().clone()))
}

/// Refuses a document that says nothing of any link.
///
/// # Errors
/// A usage fault that names what to give.
pub(crate) fn refuse_empty(document: &Document) -> Result<(), Fault> {
    if ["stream", "role", "credential"].iter().any(|member| document.value(member).is_some()) {
        return Ok(());
    }
    Err(Fault::usage(
        "there is nothing to examine: the connection document has no `stream`, `role` or `credential`",
    )
    .with_hint(
        "aws-check --doctor < connection.json, with what the pipe that ends in `dbx-cred validate` printed",
    ))
}

/// Walks the chain, says of each link how it is, and sets the document's member `doctor`.
///
/// # Errors
/// When a member of the document cannot be used, or the user asked to stop.
pub(crate) async fn run(
    args: &Args,
    document: &mut Document,
    identity: &Identity,
    aws: &Aws,
    world: &World,
) -> Result<Outcome, Fault> {
    let connection = Connection::read(document, &args.doc, &world.settings)?;
    let examination = Examination {
        neighbour: Neighbour::new(args, document),
        iam: Iam::new(aws.clone(), world, Patience::new(PATIENCE)),
        connection,
        identity,
        aws,
    };
    let mut walk = Walk::new(world.notes.clone());
    match examination.walk(&mut walk).await {
        Ok(()) | Err(Stop::Broken) => {}
        Err(Stop::Fault(fault)) => return Err(fault),
    }
    let diagnosis = walk.end();
    let outcome = diagnosis.outcome();
    document.set(&diagnosis)?;
    Ok(outcome)
}

/// Everything that the links are looked at with.
struct Examination<'a> {
    connection: Connection,
    neighbour: Neighbour,
    iam: Iam,
    identity: &'a Identity,
    aws: &'a Aws,
}

impl Examination<'_> {
    async fn walk(&self, walk: &mut Walk) -> Result<(), Stop> {
        walk.record(Link::Identity, caller::check(&self.connection, self.identity, self.aws))?;
        let stream = walk.record(Link::Stream, stream::check(&self.connection, self.aws).await)?;
        let role = walk.record(Link::Role, role::check(&self.connection, &self.iam).await)?;
        // Databricks is asked before its turn: its present external ID is what the trust policy has to ask for.
        let told = self.told().await;
        let trust = match &role {
            Some(role) => trust::check(&self.connection, &told, role),
            None => Err(unseen("it takes the role, which could not be read")),
        };
        walk.record(Link::Trust, trust)?;
        let permissions = match (&role, &stream) {
            (Some(role), Some(stream)) => permissions::check(&self.connection, &self.iam, role, stream).await,
            _ => Err(unseen("it takes the role and the stream, which could not both be read")),
        };
        walk.record(Link::Permissions, permissions)?;
        walk.record(Link::Credential, databricks::credential(&self.connection, &told))?;
        let validation = match &told {
            Told::Credential(credential) => {
                let all_holds = walk.all_holds();
                databricks::validation(&self.connection, &self.neighbour, credential, all_holds).await
            }
            Told::Nothing | Told::Gone(_) | Told::Unseen { .. } => {
                Err(unseen("it takes the credential, which could not be read"))
            }
        };
        walk.record(Link::Validation, validation)?;
        Ok(())
    }

    async fn told(&self) -> Told {
        match &self.connection.credential {
            Some(credential) => databricks::ask(&self.neighbour, &credential.name).await,
            None => Told::Nothing,
        }
    }
}

/// A link that hangs on another one which could not be looked at.
fn unseen(why: &str) -> Gap {
    Gap::Unseen { why: why.to_owned(), hint: None }
}
