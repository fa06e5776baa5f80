//! Looks into the shards of a Kinesis stream.
//!
//! | form | what it prints |
//! |---|---|
//! | (default) | a line a record: `{"stream":…,"shard_id":…,"sequence_number":…,"sub":0,"arrived_at":…,"partition_key":…,"json"\|"text"\|"bytes":…}` |
//! | `--raw` | payloads, each followed by `--delimiter` |
//! | `--table` | columns for people |
//! | `--csv` | `shard_id,sequence_number,sub,arrived_at,partition_key,encoding,payload`, or the `--fields` in place of the last two |
//! | `--format` | a line a record, as the template says |
//! | `--stats`, `--plot` | one report at the end, with `--json` as one object |
//!
//! `json` is the payload itself, byte for byte; `text` is any other UTF-8, JSON with line breaks included; `bytes` is
//! base64. So `kpeek … | kput --input envelope` puts exactly what was read. `sub` is the place of a record inside the one it
//! was packed into; such a record may have more members at the end: `explicit_hash_key`, and
//! `tags`, a list of `{"key":…,"value":…}` (a tag may lack a value).
//! A pack that is left whole has an `explicit_hash_key` too: that of its first record, so that a copy lands in its shard.
//!
//! `--checkpoint` keeps one object: `{"kinbricks_checkpoint":1,"stream":…,"origin":…,"shards":[…]}`, each shard with
//! `shard_id` and either `position` (as `--from` takes it, with `sub` when it lies inside a record) or `"over":true`.
//!
//! Who does what: `plan` chooses shards, `lineage` orders them, `shard` decides the next request of one, `peek` runs them
//! all; only `read`, `consumer` and `fanout` call the SDK. `answer` takes apart what came, `sink` chooses and counts, `form` writes,
//! [`config::Outlet`] hands it to stdout.

mod answer;
mod args;
mod bars;
mod body;
mod cell;
mod checkpoint;
mod choice;
mod clock;
mod consumer;
mod csv;
mod decode;
mod envelope;
mod fanout;
mod fields;
mod form;
mod lineage;
mod merge;
mod moment;
mod pace;
mod path;
mod payload;
mod peek;
mod plan;
mod plot;
mod position;
mod read;
mod record;
mod shard;
mod sink;
mod stamp;
mod stats;
mod status;
mod table;
mod tally;
mod template;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal};

use aws_sdk_kinesis::Client;
use clap::ValueEnum;
use config::args::DocArgs;
use config::aws::Aws;
use config::fault::ErrorFormat;
use config::member::Stream;
use config::names::{Region, StreamRef};
use config::settings::{ERRORS, STREAM};
use config::{Document, Fault, Kind, Outcome, World};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use args::Args;
pub use config::Outlet;

use crate::checkpoint::{Checkpoint, Mark, Saved};
use crate::choice::Choice;
use crate::consumer::Consumer;
use crate::csv::Csv;
use crate::decode::Decode;
use crate::envelope::Envelope;
use crate::form::Form;
use crate::lineage::Shard;
use crate::merge::Merge;
use crate::peek::{Peek, Source, Start};
use crate::plan::{Plan, Resumed, Until};
use crate::plot::Plot;
use crate::position::Position;
use crate::read::{Distribution, Listing, Reader};
use crate::sink::Sink;
use crate::stats::Stats;
use crate::table::Table;

/// Columns of a table when nobody says how wide the terminal is.
const COLUMNS: usize = 100;

/// The widest table or drawing, whatever `COLUMNS` says.
const MOST_COLUMNS: usize = 1000;

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
    run(&args, &stream, &client, &aws, &world, Outlet::stdout()).await
}

/// Reads `stream` as `args` say and writes what it holds to `outlet`.
///
/// # Errors
/// A refused fault when the stream or a named shard is not there or may not be read, a transient one when it could not be
/// reached, a pipe fault when `outlet` cannot be written. A reader who left is no error.
pub async fn run(
    args: &Args,
    stream: &StreamRef,
    client: &Client,
    aws: &Aws,
    world: &World,
    outlet: Outlet,
) -> Result<Outcome, Fault> {
    let until = match (args.until, args.follow || args.duration.is_some()) {
        (Some(until), _) => until,
        (None, true) => Until::Stopped,
        (None, false) => Until::CaughtUp,
    };
    let checkpoint = args.checkpoint.as_deref().map(|path| Checkpoint::new(path, stream.name()));
    let saved = checkpoint.as_ref().map(Checkpoint::load).transpose()?.flatten();
    let asked = || args.from.clone().unwrap_or(Position::TrimHorizon);
    let mut plan = Plan {
        origin: saved.as_ref().map_or_else(asked, |saved| saved.origin.of_strangers()),
        named: args.shard.clone(),
        hash: args.key.as_deref().map(choice::hash_of_key),
        until,
        deadline: args.duration.map(|duration| peek::now() + duration),
        began: Timestamp::now(),
        errors: errors_of(args, world),
    };
    let body_timeout = world.settings.timeout(args.aws.timeout, read::BODY_TIMEOUT)?;
    let reader = Reader::new(client, aws, stream, body_timeout);
    let mut sink = sink_of(args, stream, until, world);
    let listing = if saved.is_some() { Listing::All } else { plan.listing() };
    let shards = tokio::select! {
        shards = look(&reader, listing, &mut plan, world) => shards?,
        () = world.interrupt.asked() => return Ok(Outcome::Interrupted),
    };
    for shard in &shards {
        if let Some(range) = shard.hashes {
            sink.expect(&shard.id, range);
        }
    }
    let start = start_at(&plan, &shards, saved, checkpoint, stream, world)?;
    let consumer = match &args.consumer {
        Some(name) => Some(Consumer::begin(client, aws, world, stream, name).await?),
        None => None,
    };
    let source = Source { reader: &reader, fan_out: consumer.as_ref().map(|consumer| &consumer.fan_out) };
    let mut peek = Peek::new(&plan, world, source, start, sink, outlet);
    let read = peek.read().await;
    // However reading ended, the consumer goes, before anybody waits for a reader of stdout who pauses.
    let ended = match &consumer {
        Some(consumer) => consumer.end(world).await,
        None => Ok(()),
    };
    // The run's own failure is the one to tell.
    let outcome = peek.end(read).await;
    outcome.and_then(|outcome| ended.map(|()| outcome))
}

/// How faults are told: what was typed, else the settings.
fn errors_of(args: &Args, world: &World) -> ErrorFormat {
    let chosen = || world.settings.choose(&ERRORS, None, None);
    let typed = args.process.errors;
    typed.or_else(|| ErrorFormat::from_str(&chosen()?.value, false).ok()).unwrap_or_default()
}

/// Lists the shards, and finds out where the records of a wanted key are.
async fn look(
    reader: &Reader,
    listing: Listing,
    plan: &mut Plan,
    world: &World,
) -> Result<Vec<Shard>, Fault> {
    let shards = reader.shards(listing).await?;
    if plan.hash.is_some() {
        let doubt = match reader.distribution().await {
            Ok(Distribution::ByKey) => return Ok(shards),
            Ok(Distribution::ByService) => "the stream distributes records by itself".to_owned(),
            Err(fault) if fault.kind() == Kind::Transient => return Err(fault),
            // Who may read the records must not miss any because he may not ask this.
            Err(fault) => fault.sentence(),
        };
        world.notes.warn(format!("--key reads all shards: {doubt}"));
        plan.hash = None;
    }
    Ok(shards)
}

/// The shards to begin with: of the checkpoint when there is one, else as the plan chooses.
fn start_at(
    plan: &Plan,
    shards: &[Shard],
    saved: Option<Saved>,
    checkpoint: Option<Checkpoint>,
    stream: &StreamRef,
    world: &World,
) -> Result<Start, Fault> {
    let Some(saved) = saved else {
        let lineage = plan.choose(shards, stream.name().as_str())?;
        return Ok(Start {
            roots: shards.iter().map(|shard| shard.id.clone()).collect(),
            lineage,
            places: BTreeMap::new(),
            over: BTreeSet::new(),
            is_resumed: false,
            checkpoint,
        });
    };
    let Resumed { lineage, roots, lost } = plan.resume(shards, &saved, stream.name().as_str())?;
    for shard in &lost {
        world.notes.warn(format!(
            "shard {shard} is older than the stream's retention: what was not read of it is lost"
        ));
    }
    let (mut places, mut over) = (BTreeMap::new(), BTreeSet::new());
    for (shard, mark) in saved.shards {
        match mark {
            // Of a lost shard there is nothing to go on with, and once is enough to say so.
            Mark::At(_) if lost.contains(&shard) => drop(over.insert(shard)),
            Mark::At(place) => drop(places.insert(shard, place)),
            Mark::Over => drop(over.insert(shard)),
        }
    }
    Ok(Start { lineage, roots, places, over, is_resumed: true, checkpoint })
}

fn sink_of(args: &Args, stream: &StreamRef, until: Until, world: &World) -> Sink {
    let mut sink = Sink::new(form_of(args, stream, world));
    sink.deaggregate = !args.no_deaggregate;
    sink.decode = args.decode.unwrap_or_else(|| sink.form.usual_decode());
    sink.choice = Choice::new(args.key.clone(), args.pattern.clone(), args.condition.clone());
    if args.decode.is_none() && sink.decode == Decode::None {
        // People look for what a payload says, however it is stored.
        sink.choice.decode = Decode::Auto;
    }
    if !args.csv {
        sink.fields.clone_from(&args.fields);
    }
    sink.left = args.count;
    sink.merge = args.merge.map(Merge::new);
    if let Until::Arrived(time) = until {
        sink.end_at(time);
    }
    sink
}

fn form_of(args: &Args, stream: &StreamRef, world: &World) -> Form {
    let stream = stream.name();
    if args.raw {
        Form::Raw(args.delimiter.clone().unwrap_or_default().0)
    } else if args.table {
        Form::Table(Table::new(columns(world), TimeZone::system()))
    } else if args.csv {
        Form::Csv(Csv::new(args.fields.clone()))
    } else if let Some(template) = &args.format {
        Form::Template(stream.clone(), template.clone())
    } else if args.stats {
        Form::Stats(Box::new(Stats::new(stream, args.json, columns(world))))
    } else if let Some(field) = &args.plot {
        Form::Plot(Box::new(Plot::new(stream, field.clone(), args.json, columns(world))))
    } else {
        Form::Envelope(Envelope::new(stream))
    }
}

/// The terminal's width; where there is no terminal, what `COLUMNS` says.
fn columns(world: &World) -> usize {
    let terminal = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    let said = || world.env().get("COLUMNS").and_then(|columns| columns.parse().ok());
    let known = terminal.map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
    known.or_else(said).unwrap_or(COLUMNS).min(MOST_COLUMNS)
}

/// The stream to read and the region it is known to be in: the argument, else the document's, else the settings'.
fn stream_of(
    named: Option<&str>,
    document: &Document,
    world: &World,
) -> Result<(StreamRef, Option<Region>), Fault> {
    let member: Option<Stream> = document.get()?;
    let name = member.as_ref().map(|stream| ("stream", stream.name.as_str()));
    let stream: StreamRef = world.settings.require_beside_records(&STREAM, named, name, "kstream ensure")?;
    let region = match (stream.arn(), named, member) {
        (Some(arn), _, _) => Some(arn.region().clone()),
        // Another stream than the document's may live in another region.
        (None, None, Some(member)) => Some(member.arn.region().clone()),
        (None, _, _) => None,
    };
    Ok((stream, region))
}
