//! The arguments.

use clap::{Parser, Subcommand};
use config::Tool;
use config::args::{AwsArgs, DocArgs, ProcessArgs};
use config::settings::{Asked, STREAM};

const EXAMPLES: &str = "\
Examples:
  kstream ensure sensor-readings             # on demand, ready to use
  kstream ensure sensor-readings --shards 2  # a provisioned one
  kstream ensure sensor-readings --retention-hours 48 --tag team=sensors
  kstream cost sensor-readings --records-per-second 50 --record-bytes 110
  kstream list
  kstream delete sensor-readings --yes
  kstream ensure sensor-readings | iam-policy-gen trust  # and so on
";

/// Creates, shows, prices and deletes a Kinesis stream
#[derive(Parser, Clone, Debug)]
#[command(name = "kstream", version, before_help = EXAMPLES, after_help = config::fault::EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) doc: DocArgs,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

#[derive(Subcommand, Clone, Debug)]
pub(crate) enum Command {
    /// Create the stream, or change what differs; run again, it changes nothing
    Ensure(Ensure),
    /// Print the stream as it is
    Show(Show),
    /// List every stream of the region, one a line
    List,
    /// Wait until the stream can be used
    Wait(Wait),
    /// Say what the stream costs
    Cost(Cost),
    /// Delete the stream and every record in it
    Delete(Delete),
}

impl Command {
    /// The stream on the command line.
    pub(crate) fn stream(&self) -> Option<&str> {
        match self {
            Self::Ensure(ensure) => ensure.stream.as_deref(),
            Self::Show(show) => show.stream.as_deref(),
            Self::List => None,
            Self::Wait(wait) => wait.stream.as_deref(),
            Self::Cost(cost) => cost.stream.as_deref(),
            Self::Delete(delete) => delete.stream.as_deref(),
        }
    }
}

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Ensure {
    /// Name or ARN [default: the document's, else KINBRICKS_STREAM]
    pub(crate) stream: Option<String>,
    /// Provisioned capacity of N shards [default for a new stream: on-demand]
    #[arg(long, value_name = "N", conflicts_with = "on_demand", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) shards: Option<i32>,
    /// On-demand capacity, also for a stream that is provisioned now
    #[arg(long)]
    pub(crate) on_demand: bool,
    /// Largest record, data and partition key together, 1024 to 10240 [default for a new stream: 1024]
    #[arg(long, value_name = "KIB", value_parser = clap::value_parser!(i32).range(1024..=10240))]
    pub(crate) max_record_size_kib: Option<i32>,
    /// How long records can be read, 24 to 8760; more than 24 costs extra [default for a new stream: 24]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(i32).range(24..=8760))]
    pub(crate) retention_hours: Option<i32>,
    /// A tag to set; other tags stay. May be given many times
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// Change nothing; say what differs and exit 1 if anything does
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Show {
    /// Name or ARN [default: the document's, else KINBRICKS_STREAM]
    pub(crate) stream: Option<String>,
}

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Wait {
    /// Name or ARN [default: the document's, else KINBRICKS_STREAM]
    pub(crate) stream: Option<String>,
    /// Wait until the stream is gone instead
    #[arg(long)]
    pub(crate) gone: bool,
}

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Cost {
    /// Name or ARN [default: the document's, else KINBRICKS_STREAM]
    pub(crate) stream: Option<String>,
    /// Estimate: how many records you will put
    #[arg(long, value_name = "N", requires = "record_bytes")]
    pub(crate) records_per_second: Option<u64>,
    /// Estimate: how large one record is, data and partition key together
    #[arg(long, value_name = "BYTES", requires = "records_per_second", value_parser = clap::value_parser!(u64).range(1..=10_485_760))]
    pub(crate) record_bytes: Option<u64>,
}

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Delete {
    /// Name or ARN [default: the document's]
    pub(crate) stream: Option<String>,
    /// Yes, delete the stream and every record in it
    #[arg(long)]
    pub(crate) yes: bool,
    /// Delete it although fan-out consumers are registered
    #[arg(long)]
    pub(crate) enforce_consumer_deletion: bool,
    /// Return as soon as AWS has accepted, not when the stream is gone
    #[arg(long)]
    pub(crate) no_wait: bool,
}

impl Tool for Args {
    const NAME: &'static str = "kstream";

    fn process(&self) -> &ProcessArgs {
        &self.process
    }

    fn asked(&self) -> Vec<Asked> {
        self.aws.asked(Some(Asked::new(STREAM, self.command.stream())))
    }
}

/// Reads `KEY=VALUE`; AWS allows 128 and 256 characters (Kinesis API model, `TagKey`, `TagValue`).
fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    if key.is_empty() || key.chars().count() > 128 {
        return Err("the key must have 1 to 128 characters".to_owned());
    }
    if value.chars().count() > 256 {
        return Err("the value must have at most 256 characters".to_owned());
    }
    Ok((key.to_owned(), value.to_owned()))
}
