//! The arguments.

use clap::Parser;
use config::Tool;
use config::args::{AwsArgs, DocArgs, ProcessArgs};
use config::settings::Asked;

const EXAMPLES: &str = "\
Examples:
  aws-check                                   # who am I, what can I reach
  aws-check --profile databricks-course       # the same for a profile
  aws-check --no-reach                        # only who I am: one request
  aws-check | kstream ensure sensor-readings  # the first stage of a pipe
  aws-check --doctor < connection.json        # the broken link, its repair
";

/// Says who you are on AWS, where from, and what you can reach
#[derive(Parser, Clone, Debug)]
#[command(name = "aws-check", version, before_help = EXAMPLES, after_help = config::fault::EXIT_CODES)]
pub struct Args {
    /// Do not try Kinesis and IAM
    #[arg(long)]
    pub(crate) no_reach: bool,
    /// Walk the document's whole chain, up to Databricks' own checks; exit 1 at the first link that is broken
    #[arg(long, conflicts_with = "no_reach")]
    pub(crate) doctor: bool,
    /// Do not warn about the root user
    #[arg(long)]
    pub(crate) allow_root: bool,
    #[command(flatten)]
    pub(crate) doc: DocArgs,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

impl Tool for Args {
    const NAME: &'static str = "aws-check";

    fn process(&self) -> &ProcessArgs {
        &self.process
    }

    fn asked(&self) -> Vec<Asked> {
        self.aws.asked(None)
    }
}
