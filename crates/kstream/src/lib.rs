//! Creates, shows, prices and deletes a Kinesis stream.
//!
//! | command | stdin | stdout |
//! |---|---|---|
//! | `ensure`, `show`, `wait`, `delete` | the connection document | the document with its member `stream` set, or gone after `delete` |
//! | `list` | – | one line a stream: `{"name":…,"arn":…,"status":…,"mode":…,"created_at":…}` |
//! | `cost` | the connection document | one object with the prices that apply, in US dollars |

mod args;
mod cost;
mod delete;
mod ensure;
mod list;
mod live;
mod plan;
mod wait;

use std::io::Write;

use aws_sdk_kinesis::Client;
use config::aws::Aws;
use config::member::Stream;
use config::names::{Region, StreamArn, StreamRef};
use config::settings::STREAM;
use config::{Document, Fault, OutError, Outcome, Output, World};

pub use args::Args;
use args::Command;

/// What every command needs.
struct Session<'a> {
    client: &'a Client,
    aws: &'a Aws,
    world: &'a World,
    /// The ARN that the document gives for the stream, unless the command line names one.
    documented: Option<&'a StreamArn>,
}

/// Runs the tool with clients made from its arguments.
///
/// # Errors
/// As [`run`]; a usage fault when no region is known.
pub async fn start(args: Args, world: World) -> Result<Outcome, Fault> {
    let document = match args.command {
        Command::List => Document::default(),
        _ => world.document_off_thread(&args.doc).await?,
    };
    let aws = Aws::load(&world, &args.aws, region_of(&args, &document)?.as_ref()).await?;
    let client = Client::new(&aws.sdk);
    let mut output = world.output(args.doc.pretty);
    run(&args, document, &client, &aws, &world, &mut output).await
}

/// Does what `args` ask for and prints the result.
///
/// # Errors
/// A usage fault when no stream is named or a setting is missing, a refused or transient one when AWS says no, a pipe
/// fault when the result cannot be printed.
pub async fn run<W: Write>(
    args: &Args,
    mut document: Document,
    client: &Client,
    aws: &Aws,
    world: &World,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let member: Option<Stream> = if args.command.stream().is_none() { document.get()? } else { None };
    let documented = member.as_ref().map(|stream| &stream.arn);
    let session = Session { client, aws, world, documented };
    let stream = || stream_of(&args.command, &document, world);
    let mut outcome = Outcome::Done;
    match &args.command {
        Command::List => return list::run(&session, output).await,
        Command::Cost(cost) => {
            let stream = session.describe(&stream()?).await?;
            return read_only(output.document(&cost::bill(&stream, cost, session.aws.region.as_str())));
        }
        Command::Ensure(wanted) => {
            let stream = stream()?;
            let ensured = ensure::run(&session, &stream, wanted, args.aws.timeout).await?;
            if let Some(stream) = &ensured.stream {
                document.set(stream)?;
            }
            outcome = ensured.outcome;
        }
        Command::Show(_) => {
            let stream = session.describe(&stream()?).await?;
            document.set(&stream)?;
        }
        Command::Wait(wait) => {
            let stream = stream()?;
            let limit = world.settings.timeout(args.aws.timeout, wait::LIMIT)?;
            if wait.gone {
                wait::until_gone(&session, &stream, limit).await?;
                document.remove::<Stream>();
            } else {
                document.set(&wait::until_active(&session, &stream, limit).await?)?;
            }
        }
        Command::Delete(delete) => {
            let stream = stream()?;
            delete::run(&session, &stream, delete, args.aws.timeout).await?;
            document.remove::<Stream>();
        }
    }
    let written = output.document(&document);
    match &args.command {
        Command::Show(_) | Command::Wait(_) => read_only(written),
        Command::Ensure(_) | Command::Delete(_) | Command::List | Command::Cost(_) => {
            written?;
            Ok(outcome)
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

/// The stream to act on: the argument, else the document's, else the settings'.
///
/// The document's ARN is taken only for its region (see [`region_of`]): the name is the cheaper endpoint, and the only
/// one that every operation knows.
fn stream_of(command: &Command, document: &Document, world: &World) -> Result<StreamRef, Fault> {
    let member: Option<Stream> = document.get()?;
    let named = command.stream();
    let name = member.as_ref().map(|stream| ("stream", stream.name.as_str()));
    if matches!(command, Command::Delete(_)) {
        return world.settings.require_to_delete(&STREAM, named, name);
    }
    world.settings.require(&STREAM, named, name, "kstream ensure STREAM")
}

/// The region of the stream that is acted on, when its ARN tells.
fn region_of(args: &Args, document: &Document) -> Result<Option<Region>, Fault> {
    match args.command.stream() {
        Some(named) if named.starts_with("arn:") => {
            let stream: StreamRef = named.parse().map_err(|error| Fault::usage(format!("{error}")))?;
            Ok(stream.arn().map(|arn| arn.region().clone()))
        }
        // Another stream than the document's may live in another region.
        Some(_) => Ok(None),
        None => Ok(document.get::<Stream>()?.map(|stream| stream.arn.region().clone())),
    }
}
