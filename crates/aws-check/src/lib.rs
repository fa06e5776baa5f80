//! Says who you are on AWS, where the credentials came from, in which region you are, and what you can reach.
//!
//! stdin: the connection document. stdout: the document with its member `identity` set:
//! `{"account":…,"arn":…,"partition":…,"region":…,"root":…,"region_from":…,"credentials":{"source":"environment"|"login"|"sso"|
//! "process"|"web-identity"|"role"|"files"|"container"|"machine"|"unknown","profile":…,"expires_at":…}}`, and with `--doctor` its
//! member `doctor`: `{"verdict":"healthy"|"broken"|"unproven","link":…,"sentence":…,"fix":…,"links":[…]}`. What a person wants to
//! know is on stderr. Nothing is changed on AWS.

mod args;
mod doctor;
mod identity;
mod reach;
mod source;

use std::io::Write;

use config::aws::Aws;
use config::member::Identity;
use config::output::OutError;
use config::{Document, Fault, Member, Outcome, Output, World, duration};

pub use args::Args;
use source::Source;

/// Runs the tool with clients made from its arguments.
///
/// # Errors
/// As [`run`]; a usage fault when no region is known.
pub async fn start(args: Args, world: World) -> Result<Outcome, Fault> {
    let document = world.document_off_thread(&args.doc).await?;
    let mut region = None;
    if args.doctor {
        doctor::refuse_empty(&document)?;
        region = doctor::region(&document)?;
    }
    let aws = source::resolved(Aws::load(&world, &args.aws, region.as_ref()).await?).await;
    let mut output = world.output(args.doc.pretty);
    run(&args, document, &aws, &world, &mut output).await
}

/// Looks at the credentials, asks who they belong to, tries each service once, and prints the document.
///
/// # Errors
/// A refused fault that says how to sign in when there are no usable credentials, a transient one when STS cannot be
/// reached, a pipe fault when the document cannot be printed.
pub async fn run<W: Write>(
    args: &Args,
    mut document: Document,
    aws: &Aws,
    world: &World,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let identity = identity::ask(aws).await?;
    let source = source::of(aws).await;
    set_identity(&mut document, &identity, aws, &source)?;
    let outcome = if args.doctor {
        doctor::run(args, &mut document, &identity, aws, world).await?
    } else {
        introduce(args, &identity, &source, aws, world).await
    };
    match output.document(&document) {
        // Nothing was changed anywhere, so a reader that left early has what it wanted.
        Ok(()) | Err(OutError::Closed) => Ok(outcome),
        Err(error @ OutError::Failed(_)) => Err(error.into()),
    }
}

/// Sets the member `identity`, with what only this tool tells beside what others read of it.
fn set_identity(
    document: &mut Document,
    identity: &Identity,
    aws: &Aws,
    source: &Source,
) -> Result<(), Fault> {
    let failed = |error| Fault::pipe("failed to write the member `identity`").with_cause(error);
    let mut member = serde_json::to_value(identity).map_err(failed)?;
    member["region_from"] = aws.region_origin.as_str().into();
    member["credentials"] = serde_json::to_value(source.wire()).map_err(failed)?;
    document.set_value(Identity::NAME, member);
    Ok(())
}

/// Says who the caller is, and what answers.
async fn introduce(args: &Args, identity: &Identity, source: &Source, aws: &Aws, world: &World) -> Outcome {
    let notes = &world.notes;
    notes.say(format!("you are {} in account {}", identity.arn, identity.account));
    notes.say(format!("the credentials come from {source}"));
    notes.say(format!("the region is {}, from {}", aws.region, aws.region_origin));
    if identity.root && !args.allow_root {
        notes.warn("you are the root user, who may do everything; for daily work use a role or an IAM user");
    }
    if args.no_reach {
        return Outcome::Done;
    }
    let mut outcome = Outcome::Done;
    for tried in reach::all(aws).await {
        let took = duration::show(tried.took);
        match &tried.problem {
            None => notes.say(format!("{} answers in {took}", tried.service)),
            Some(problem) if tried.answered => {
                notes.say(format!(
                    "{} answers in {took}, but refuses {}: {problem}",
                    tried.service, tried.operation
                ));
            }
            Some(problem) => {
                outcome = Outcome::Incomplete;
                notes.warn(format!("{} cannot be reached: {problem}", tried.service));
            }
        }
    }
    outcome
}
