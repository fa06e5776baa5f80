//! The command line.

use clap::Parser;
use config::args::{AwsArgs, ProcessArgs};
use config::fault::EXIT_CODES;
use config::names::ShardId;
use config::process::Tool;
use config::settings::{Asked, ENDPOINT_URL, ERRORS, PROFILE, REGION, STREAM, TIMEOUT};
use jiff::ZonedDateTime;

use crate::position::Position;

const WHERE: &str = "Where to read";
const ENDING: &str = "When to end";
const SHOWING: &str = "What to print";

const EXAMPLES: &str = "\
Examples:
  kpeek sensor-readings --table                        what the console's Data Viewer shows, for all shards
  kpeek sensor-readings --from latest --follow         what arrives from now on
  kpeek sensor-readings --from '10m ago' --count 5     five records of the last ten minutes
  kpeek sensor-readings --raw | jq .temperature_celsius
  kpeek sensor-readings | kput --input envelope copy   copies a stream, byte for byte
  kpeek --doc connection.json --table                  the stream of a connection document";

/// Looks into the shards of a Kinesis stream
#[derive(Parser, Clone, Debug)]
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

    /// Where to begin: trim-horizon, latest, at:TIME, at-seq:N or after-seq:N [default: trim-horizon]
    ///
    /// TIME is RFC 3339, `10m ago`, `today 09:00` or `2024-01-15 10:00` in local time, with or without `at:`.
    #[arg(long, value_name = "POSITION", value_parser = position, help_heading = WHERE)]
    pub(crate) from: Option<Position>,
    /// Read only this shard, e.g. 2 or shardId-000000000002; may be repeated
    #[arg(long, value_name = "SHARD", help_heading = WHERE)]
    pub(crate) shard: Vec<ShardId>,
    /// Take the stream from the connection document FILE; `-` is stdin
    #[arg(long, value_name = "FILE", help_heading = WHERE)]
    pub(crate) doc: Option<String>,

    /// Go on reading what arrives, until Ctrl-C
    #[arg(long, short, help_heading = ENDING)]
    pub(crate) follow: bool,
    /// End after this many records
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = ENDING)]
    pub(crate) count: Option<u64>,

    /// Print payloads only, one a line
    #[arg(long, group = "form", help_heading = SHOWING)]
    pub(crate) raw: bool,
    /// Print a table for people, as wide as the terminal (or COLUMNS)
    #[arg(long, group = "form", help_heading = SHOWING)]
    pub(crate) table: bool,

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
        vec![
            Asked::new(STREAM, self.stream.as_deref()),
            Asked::new(PROFILE, self.aws.profile.as_deref()),
            Asked::new(REGION, self.aws.region.as_deref()),
            Asked::new(ENDPOINT_URL, self.aws.endpoint_url.as_deref()),
            Asked::new(TIMEOUT, self.aws.timeout.map(config::duration::show).as_deref()),
            Asked::new(ERRORS, None),
        ]
    }
}

fn position(text: &str) -> Result<Position, String> {
    Position::parse(text, &ZonedDateTime::now())
}
