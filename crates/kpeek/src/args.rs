//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use config::args::{AwsArgs, ProcessArgs};
use config::duration;
use config::fault::EXIT_CODES;
use config::names::{ConsumerName, ShardId};
use config::process::Tool;
use config::settings::{Asked, STREAM};
use jiff::ZonedDateTime;
use regex::bytes::Regex;

use crate::choice::Condition;
use crate::decode::Decode;
use crate::moment;
use crate::path::Path;
use crate::plan::Until;
use crate::position::Position;
use crate::template::{Delimiter, Template};

const WHERE: &str = "Where to read";
const ENDING: &str = "When to end";
const CHOOSING: &str = "What to choose";
const SHOWING: &str = "What to print";

const EXAMPLES: &str = "\
Examples:
  kpeek sensor-readings --table                       # the Data Viewer
  kpeek sensor-readings --from latest --follow        # what arrives from now on
  kpeek sensor-readings --from '10m ago' --count 5    # five of ten minutes
  kpeek sensor-readings --raw | jq .temperature_celsius
  kpeek sensor-readings --where '.temperature_celsius > -10' --fields sensor_id
  kpeek sensor-readings --stats                       # hot shards, hot keys
  kpeek sensor-readings --plot temperature_celsius
  kpeek sensor-readings --follow --checkpoint at.json # goes on where it ended
  kpeek sensor-readings | kput --input envelope copy  # byte for byte
  kpeek --doc connection.json --table                 # the document's stream";

/// Looks into the shards of a Kinesis stream
#[derive(Parser, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag; clap's groups keep them apart")]
#[command(
    name = "kpeek",
    version,
    about,
    before_help = EXAMPLES,
    after_help = EXIT_CODES,
)]
pub struct Args {
    /// Name or ARN of the stream [env: KINBRICKS_STREAM]
    pub(crate) stream: Option<String>,
    // Only says what is wrong with a second positional argument.
    #[arg(hide = true, value_name = "ARGUMENT", value_parser = excess)]
    pub(crate) excess: Option<String>,

    /// Where to begin: trim-horizon, latest, at:TIME, at-seq:N or after-seq:N [default: trim-horizon]
    ///
    /// TIME is RFC 3339, `10m ago`, `today 09:00` or `2024-01-15 10:00` in local time, with or without `at:`.
    #[arg(long, value_name = "POSITION", value_parser = position, help_heading = WHERE)]
    pub(crate) from: Option<Position>,
    /// Read only this shard, e.g. 2 or shardId-000000000002; may be repeated
    #[arg(long, value_name = "SHARD", help_heading = WHERE)]
    pub(crate) shard: Vec<ShardId>,
    /// Read only the records with this partition key, in the shards that it hashes to
    ///
    /// A record that was put with an explicit hash key may be in another shard. A stream that distributes records by
    /// itself is read whole.
    #[arg(long, value_name = "TEXT", conflicts_with = "shard", value_parser = key, help_heading = WHERE)]
    pub(crate) key: Option<String>,
    /// Take the stream from the connection document FILE; `-` is stdin
    #[arg(long, value_name = "FILE", help_heading = WHERE)]
    pub(crate) doc: Option<String>,
    /// Read through an enhanced fan-out consumer of this name; one that is registered for it is deregistered at the end
    #[arg(long, value_name = "NAME", help_heading = WHERE)]
    pub(crate) consumer: Option<ConsumerName>,
    /// Go on where the run that wrote FILE ended, and save there how far this one comes; FILE beats --from
    #[arg(long, value_name = "FILE", conflicts_with = "merge", help_heading = WHERE)]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Order the shards by arrival time, holding records back for as long as WINDOW [default window: 5s]
    #[arg(long, value_name = "WINDOW", num_args = 0..=1, default_missing_value = "5s", require_equals = true, value_parser = duration::parse, help_heading = WHERE)]
    pub(crate) merge: Option<Duration>,

    /// Go on reading what arrives, until Ctrl-C
    #[arg(long, short, group = "ending", help_heading = ENDING)]
    pub(crate) follow: bool,
    /// End at this TIME of arrival, which may be in the future, or when caught-up [default: caught-up]
    #[arg(long, value_name = "TIME", group = "ending", value_parser = until, help_heading = ENDING)]
    pub(crate) until: Option<Until>,
    /// Follow for this long, e.g. 30s
    #[arg(long = "for", value_name = "DURATION", group = "ending", value_parser = duration::parse, help_heading = ENDING)]
    pub(crate) duration: Option<Duration>,
    /// End after this many records
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = ENDING)]
    pub(crate) count: Option<u64>,

    /// Show only payloads that this regular expression matches
    #[arg(long = "match", value_name = "REGEX", help_heading = CHOOSING)]
    pub(crate) pattern: Option<Regex>,
    /// Show only JSON payloads for which this jq filter holds, e.g. '.temperature_celsius > -10'
    ///
    /// jq orders values of different types: null, false, true, numbers, texts, lists, objects. A field that is not there is
    /// null, so '.a < 5' holds without it, and '.a > 5' holds for the text "1"; write '(.a | type) == "number" and .a < 5'.
    /// A record on which the filter fails is left out.
    #[arg(long = "where", value_name = "FILTER", value_parser = Condition::parse, help_heading = CHOOSING)]
    pub(crate) condition: Option<Condition>,
    /// Show only these fields of JSON payloads, e.g. sensor_id,location.room
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', conflicts_with = "report", help_heading = CHOOSING)]
    pub(crate) fields: Vec<Path>,

    /// Leave records whole that the Kinesis Producer Library packed into one: a copy then keeps the packs
    #[arg(long, help_heading = SHOWING)]
    pub(crate) no_deaggregate: bool,
    /// Unpack payloads [default: none for envelopes, --raw and --stats, as stored; auto for the others]
    #[arg(long, value_name = "WHAT", value_enum, help_heading = SHOWING)]
    pub(crate) decode: Option<Decode>,
    /// Print payloads only, each followed by --delimiter
    #[arg(long, group = "form", help_heading = SHOWING)]
    pub(crate) raw: bool,
    /// What follows each payload of --raw; knows \n, \t, \0 [default: \n]
    #[arg(long, value_name = "TEXT", requires = "raw", help_heading = SHOWING)]
    pub(crate) delimiter: Option<Delimiter>,
    /// Print a table for people, as wide as the terminal (or COLUMNS)
    #[arg(long, group = "form", help_heading = SHOWING)]
    pub(crate) table: bool,
    /// Print CSV with a header; --fields become columns
    #[arg(long, group = "form", help_heading = SHOWING)]
    pub(crate) csv: bool,
    /// Print a line a record, e.g. '{arrived_at} {partition_key} {.temperature_celsius}'
    #[arg(long, value_name = "TEMPLATE", group = "form", help_heading = SHOWING)]
    pub(crate) format: Option<Template>,
    /// Count instead: shards, keys, sizes and arrivals as bars, hot shards and hot keys by name
    #[arg(long, groups = ["form", "report"], help_heading = SHOWING)]
    pub(crate) stats: bool,
    /// Draw a numeric field of JSON payloads over time
    #[arg(long, value_name = "FIELD", groups = ["form", "report"], help_heading = SHOWING)]
    pub(crate) plot: Option<Path>,
    /// Print the figures of --stats or --plot as one JSON object
    #[arg(long, requires = "report", help_heading = SHOWING)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) process: ProcessArgs,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

impl Tool for Args {
    const NAME: &'static str = "kpeek";
    // What was read already must reach stdout first.
    const HANDLES_INTERRUPT: bool = true;

    fn process(&self) -> &ProcessArgs {
        &self.process
    }

    fn asked(&self) -> Vec<Asked> {
        self.aws.asked(Some(Asked::new(STREAM, self.stream.as_deref())))
    }
}

/// Kinesis has no record with an empty partition key.
fn key(text: &str) -> Result<String, String> {
    if text.is_empty() {
        Err("a partition key has at least one character".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// Takes the argument that is one too many, to say what was meant.
fn excess(text: &str) -> Result<String, String> {
    match duration::parse(text) {
        Ok(_) => Err(format!("a window stands behind an equals sign; write --merge={text}")),
        Err(_) => Err("there is one stream already, and kpeek reads one".to_owned()),
    }
}

fn position(text: &str) -> Result<Position, String> {
    Position::parse(text, &ZonedDateTime::now())
}

fn until(text: &str) -> Result<Until, String> {
    match text {
        "caught-up" => Ok(Until::CaughtUp),
        time => moment::parse(time, &ZonedDateTime::now()).map(Until::Arrived),
    }
}
