//! Looks into the shards of a Kinesis stream.
//!
//! | form | one line a record |
//! |---|---|
//! | (default) | `{"stream":…,"shard_id":…,"sequence_number":…,"sub":0,"arrived_at":…,"partition_key":…,"json"\|"text"\|"bytes":…}` |
//! | `--raw` | the payload |
//! | `--table` | columns for people |
//!
//! `json` is the payload itself, byte for byte; `text` is any other UTF-8, JSON with line breaks included; `bytes` is
//! base64. So `kpeek … | kput --input envelope` puts exactly what was read.

mod answer;
mod args;
mod body;
mod cell;
mod choice;
mod csv;
mod decode;
mod envelope;
mod fields;
mod form;
mod lineage;
mod moment;
mod outlet;
mod pace;
mod path;
mod payload;
mod peek;
mod plan;
mod position;
mod read;
mod record;
mod shard;
mod sink;
mod stamp;
mod table;
mod template;

use std::io::{self, IsTerminal, Write};

use aws_sdk_kinesis::Client;
use config::args::DocArgs;
use config::aws::Aws;
use config::member::Stream;
use config::names::{Region, StreamRef};
use config::settings::STREAM;
use config::{Document, Fault, Outcome, World};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use args::Args;

use crate::choice::Choice;
use crate::csv::Csv;
use crate::decode::Decode;
use crate::envelope::Envelope;
use crate::form::Form;
use crate::outlet::Outlet;
use crate::peek::Peek;
use crate::plan::{Plan, Until};
use crate::position::Position;
use crate::read::Reader;
use crate::sink::Sink;
use crate::table::Table;

/// Columns of a table when nobody says how wide the terminal is.
const COLUMNS: usize = 100;

/// Runs the tool with a client made from its arguments.
///
/// # Errors
/// As [`run`]; a usage fault when no region or no stream is known.
pub async fn start(args: Args, world: World) -> Result<Outcome, Fault> {
    let document = match &args.doc {
        Some(file) => world.document(&DocArgs { doc: Some(file.clone()), pretty: false })?,
        None => Document::default(),
    };
    let (stream, region) = stream_of(args.stream.as_deref(), &document, &world)?;
    let aws = Aws::load(&world, &args.aws, region.as_ref()).await?;
    let client = Client::new(&aws.sdk);
    run(&args, &stream, &client, &aws, &world, io::stdout()).await
}

/// Reads `stream` as `args` say and writes what it holds to `output`.
///
/// # Errors
/// A refused fault when the stream or a named shard is not there or may not be read, a transient one when it could not be
/// reached, a pipe fault when `output` cannot be written. A reader of `output` who left is no error.
pub async fn run<W: Write + Send + 'static>(
    args: &Args,
    stream: &StreamRef,
    client: &Client,
    aws: &Aws,
    world: &World,
    output: W,
) -> Result<Outcome, Fault> {
    let until = match (args.until, args.follow || args.duration.is_some()) {
        (Some(until), _) => until,
        (None, true) => Until::Stopped,
        (None, false) => Until::CaughtUp,
    };
    let plan = Plan {
        origin: args.from.clone().unwrap_or(Position::TrimHorizon),
        named: args.shard.clone(),
        hash: args.key.as_deref().map(choice::hash_of_key),
        until,
        deadline: args.duration.map(|duration| peek::now() + duration),
        began: Timestamp::now(),
    };
    let reader = Reader::new(client, aws, stream);
    let sink = sink_of(args, stream, until, world);
    let shards = tokio::select! {
        shards = reader.shards(plan.listing()) => shards?,
        () = world.interrupt.asked() => return Ok(Outcome::Interrupted),
    };
    let lineage = plan.choose(&shards, stream.name().as_str())?;
    Peek::new(&plan, world, lineage, sink, Outlet::new(output)).run(&reader).await
}

fn sink_of(args: &Args, stream: &StreamRef, until: Until, world: &World) -> Sink {
    let mut sink = Sink::new(form_of(args, stream, world));
    let copies = matches!(sink.form, Form::Envelope(_) | Form::Raw(_));
    sink.decode = args.decode.unwrap_or(if copies { Decode::None } else { Decode::Auto });
    sink.choice =
        Choice { key: args.key.clone(), pattern: args.pattern.clone(), condition: args.condition.clone() };
    if !args.csv {
        sink.fields.clone_from(&args.fields);
    }
    sink.left = args.count;
    if let Until::Arrived(time) = until {
        sink.end_at(time);
    }
    sink
}

fn form_of(args: &Args, stream: &StreamRef, world: &World) -> Form {
    if args.raw {
        Form::Raw(args.delimiter.clone().unwrap_or_else(|| b"\n".to_vec()))
    } else if args.table {
        Form::Table(Table::new(columns(world), TimeZone::system()))
    } else if args.csv {
        Form::Csv(Csv::new(args.fields.clone()))
    } else if let Some(template) = &args.format {
        Form::Template(stream.name().clone(), template.clone())
    } else {
        Form::Envelope(Envelope::new(stream.name()))
    }
}

/// The terminal's width; where there is no terminal, what `COLUMNS` says.
fn columns(world: &World) -> usize {
    let terminal = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    let said = || world.env().get("COLUMNS").and_then(|columns| columns.parse().ok());
    terminal.map(|(width, _)| usize::from(width.0)).or_else(said).unwrap_or(COLUMNS)
}

/// The stream to read and the region it is known to be in: the argument, else the document's, else the settings'.
fn stream_of(
    named: Option<&str>,
    document: &Document,
    world: &World,
) -> Result<(StreamRef, Option<Region>), Fault> {
    let member: Option<Stream> = document.get()?;
    let name = member.as_ref().map(|stream| ("stream", stream.name.as_str()));
    let stream: StreamRef = world.settings.require(&STREAM, named, name, "kstream ensure")?;
    let region = match (stream.arn(), named, member) {
        (Some(arn), _, _) => Some(arn.region().clone()),
        // Another stream than the document's may live in another region.
        (None, None, Some(member)) => Some(member.arn.region().clone()),
        (None, _, _) => None,
    };
    Ok((stream, region))
}
