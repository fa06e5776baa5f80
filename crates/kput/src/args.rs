//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Parser, ValueEnum};
use config::args::{AwsArgs, DocArgs, ProcessArgs};
use config::{duration, fault};

use crate::input::{CsvValues, Form, OnMissingKey, Template};
use crate::rate::PutRate;
use crate::record::HashKey;
use crate::scan::Path;

const EXAMPLES: &str = r#"Examples:
  kput sensor-readings --key sensor_01 --data '{"temperature_celsius":-18.2}'
  kput sensor-readings --key-field sensor_id < readings.ndjson
  kput sensor-readings --key-field sensor_id --input csv --file readings.csv.gz
  kput sensor-readings --key-field sensor_id --ordered < readings.ndjson
  kput sensor-readings --journal journal --dead-letter dead < readings.ndjson
  kpeek old-stream | kput new-stream --input envelope
"#;

/// Puts records into a Kinesis stream, every one of them, and says where each one went
///
/// Reads one record a line from stdin unless --data or --file says otherwise. Prints one receipt a record, in input
/// order: {"line":1,"shard_id":"…","sequence_number":"…"}, or {"line":7,"error":{"code":"…","message":"…"}} for
/// a record that was given up, which makes the exit code 1.
#[derive(Clone, Debug, Parser)]
#[command(name = "kput", version, before_help = EXAMPLES, after_help = fault::EXIT_CODES)]
#[command(group(ArgGroup::new("key_source").args(["key", "key_field", "key_template", "key_random", "no_key"])))]
#[command(group(ArgGroup::new("hash_source").args(["hash_key", "hash_key_field"])))]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch on the command line")]
pub struct Args {
    /// Stream name or ARN; an ARN reaches another account's stream [env: KINBRICKS_STREAM]
    pub stream: Option<String>,

    /// Put TEXT as one record; may be given many times. Stdin is not touched
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["file", "input", "skip_blank", "csv_values"])]
    pub data: Vec<String>,
    /// Read FILE; may be given many times, `-` is stdin. gzip and zstd are unpacked [default: -]
    #[arg(long, short, value_name = "FILE")]
    pub file: Vec<PathBuf>,
    /// How the input is cut into records
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    pub input: Form,
    /// Leave empty lines out instead of refusing them
    #[arg(long)]
    pub skip_blank: bool,
    /// How CSV values become JSON [default: infer]
    #[arg(long, value_name = "HOW", value_enum)]
    pub csv_values: Option<CsvValues>,

    /// The same partition key for every record
    #[arg(long, value_name = "TEXT", help_heading = "Keys")]
    pub key: Option<String>,
    /// Key from a field of each JSON record: a dotted path or a JSON pointer
    #[arg(long, value_name = "PATH", help_heading = "Keys")]
    pub key_field: Option<Path>,
    /// Key from several fields, e.g. {sensor_id}/{location}
    #[arg(long, value_name = "TEMPLATE", help_heading = "Keys")]
    pub key_template: Option<Template>,
    /// A random key for each record; this is the default
    #[arg(long, help_heading = "Keys")]
    pub key_random: bool,
    /// No key: for streams that distribute records themselves (RecordDistributionStrategy AUTO)
    #[arg(long, help_heading = "Keys")]
    pub no_key: bool,
    /// Hash key, decimal, that picks the shard instead of the partition key's MD5
    #[arg(long, value_name = "NUMBER", help_heading = "Keys")]
    pub hash_key: Option<HashKey>,
    /// Hash key from a field of each JSON record
    #[arg(long, value_name = "PATH", help_heading = "Keys")]
    pub hash_key_field: Option<Path>,
    /// What to do with a record whose key cannot be found [default: fail; an envelope is sent without]
    #[arg(long, value_name = "WHAT", value_enum, help_heading = "Keys")]
    pub on_missing_key: Option<OnMissingKey>,

    /// Keep the order of the records of each partition key, also when some fail
    ///
    /// PutRecords promises no order, not even inside one request: an entry can fail while a later one is stored. With
    /// --ordered at most one record of a key is on its way at a time, so records of one key cost a round trip
    /// each, while different keys go in parallel. --aggregate lets many records of a key share one trip.
    #[arg(long, help_heading = "Sending")]
    pub ordered: bool,
    /// Pack records of one shard into aggregates, in the KPL's format: cheaper, and a consumer has to unpack them
    ///
    /// The KCL, Firehose and kpeek unpack aggregates; Databricks does not. The summary shows the billed size before and
    /// after. When the stream is resharded meanwhile, records that landed in a shard they do not belong to are sent
    /// again.
    #[arg(long, conflicts_with = "no_key", help_heading = "Sending")]
    pub aggregate: bool,
    /// Bytes of an aggregate at most [default: 51200]
    #[arg(long, value_name = "BYTES", requires = "aggregate", value_parser = clap::value_parser!(u32).range(1024..=1_048_000), help_heading = "Sending")]
    pub aggregate_max_bytes: Option<u32>,
    /// How long a record may wait for others to fill its request
    #[arg(long, value_name = "DURATION", default_value = "100ms", value_parser = duration::parse, help_heading = "Sending")]
    pub linger: Duration,
    /// Requests under way at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Sending")]
    pub in_flight: u16,
    /// Send no faster than this: 500/s or 1MiB/s; may be given once for each
    #[arg(long, value_name = "RATE", help_heading = "Sending")]
    pub rate: Vec<PutRate>,
    /// Send a record at most so often [default: until --give-up-after]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Sending")]
    pub max_attempts: Option<u32>,
    /// Give a record up when it could not be stored for this long since it was first sent [default: --timeout, else 1m]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, help_heading = "Sending")]
    pub give_up_after: Option<Duration>,
    /// Append records that were given up to FILE, as envelopes: kput --input envelope --file FILE sends them again
    ///
    /// All of them but lines above 10 MiB, which no stream takes and which are not kept.
    #[arg(long, value_name = "FILE", help_heading = "Sending")]
    pub dead_letter: Option<PathBuf>,

    /// Note in FILE what is stored: after a crash or Ctrl-C the same command goes on where it stopped
    ///
    /// What it passes over has a receipt with "known" in it.
    #[arg(long, value_name = "FILE", help_heading = "Sending")]
    pub journal: Option<PathBuf>,
    /// Create the stream, on demand, when it does not exist
    #[arg(long, help_heading = "Sending")]
    pub create: bool,
    /// Send nothing: check the permission, size the input, show its cost and its spread over the shards
    #[arg(long, conflicts_with_all = ["create", "journal", "dead_letter", "rate"], help_heading = "Sending")]
    pub dry_run: bool,

    /// Receipts on stdout
    ///
    /// They come in input order, so reading waits when a record is 16,384 behind the newest: a shard that takes
    /// nothing for long holds the others back. With none it does not.
    #[arg(long, value_name = "FORM", value_enum, default_value_t, help_heading = "Telling")]
    pub receipts: ReceiptForm,
    /// The summary on stderr
    #[arg(long, value_name = "FORM", value_enum, default_value_t, help_heading = "Telling")]
    pub stats: StatsForm,

    #[command(flatten)]
    #[expect(missing_docs, reason = "clap shows the flattened arguments' own docs")]
    pub doc: DocArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap shows the flattened arguments' own docs")]
    pub aws: AwsArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap shows the flattened arguments' own docs")]
    pub process: ProcessArgs,
}

/// How receipts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReceiptForm {
    /// One JSON line a record, in input order
    #[default]
    Ndjson,
    /// None; the exit code and the summary still tell of failures
    None,
}

/// How the summary is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum StatsForm {
    /// A sentence
    #[default]
    Text,
    /// One JSON line
    Json,
}
