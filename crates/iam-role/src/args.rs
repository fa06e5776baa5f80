//! The command line.

use clap::{Parser, Subcommand};
use config::args::{AwsArgs, DocArgs, ProcessArgs};
use config::fault::EXIT_CODES;
use config::names::{Arn, PolicyName};
use config::process::Tool;
use config::settings::{Asked, ROLE};

use crate::tag::Tag;

const EXAMPLES: &str = "\
Examples:
  # the guide's order: stream, both policies, then the role with its policy
  kstream ensure sensor-readings | iam-policy-gen trust \\
    | iam-policy-gen permissions | iam-role ensure databricks-kinesis-role
  # policies from files, without a pipe
  iam-role ensure databricks-kinesis-role < /dev/null \\
    --trust trust.json --permissions permissions.json
  # everything that decides what the role may do, its boundary included
  iam-role show databricks-kinesis-role --pretty < /dev/null
  # take it down again
  iam-role delete --yes < connection.json
";

/// Create, show and delete the IAM role that Databricks assumes, with its policy
#[derive(Clone, Debug, Parser)]
#[command(name = "iam-role", version, before_help = EXAMPLES, after_help = EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
    #[command(flatten)]
    pub(crate) doc: DocArgs,
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Create the role and its policy, or bring them up to date; a second run changes nothing
    Ensure(Ensure),
    /// Print the role with everything that decides what it may do
    Show(Show),
    /// Detach and delete the policy, then delete the role
    Delete(Delete),
}

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Ensure {
    /// Name or ARN [default: the document's, else KINBRICKS_ROLE]
    pub(crate) role: Option<String>,
    /// The trust policy to create the role with [default: the document's, as `iam-policy-gen trust` wrote it]
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<String>,
    /// The permissions to attach [default: the document's, as `iam-policy-gen permissions` wrote them]
    #[arg(long, value_name = "FILE")]
    pub(crate) permissions: Option<String>,
    /// Name of the managed policy [default: the role's, with -policy in place of -role]
    #[arg(long, value_name = "NAME")]
    pub(crate) policy_name: Option<PolicyName>,
    /// Permissions boundary to set; one that is there stays when this is not given
    #[arg(long, value_name = "ARN")]
    pub(crate) boundary: Option<Arn>,
    /// A tag to set on the role and a new policy; other tags stay. May be given many times
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    pub(crate) tags: Vec<Tag>,
    /// Change nothing; say what would change and exit 1 if anything would
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Show {
    /// Name or ARN [default: the document's, else KINBRICKS_ROLE]
    pub(crate) role: Option<String>,
}

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Delete {
    /// Name or ARN [default: the document's]
    pub(crate) role: Option<String>,
    /// Name of the managed policy [default: the document's, else the role's with -policy in place of -role]
    #[arg(long, value_name = "NAME")]
    pub(crate) policy_name: Option<PolicyName>,
    /// Delete without asking further
    #[arg(long)]
    pub(crate) yes: bool,
    /// Detach policies too that this tool did not attach; they are not deleted
    #[arg(long)]
    pub(crate) detach_foreign: bool,
}

impl Command {
    /// The role that the command line names.
    pub(crate) fn role(&self) -> Option<&str> {
        match self {
            Self::Ensure(Ensure { role, .. })
            | Self::Show(Show { role })
            | Self::Delete(Delete { role, .. }) => role.as_deref(),
        }
    }
}

impl Tool for Args {
    const NAME: &'static str = "iam-role";
    const HANDLES_INTERRUPT: bool = true;

    fn process(&self) -> &ProcessArgs {
        &self.process
    }

    fn asked(&self) -> Vec<Asked> {
        self.aws.asked(Some(Asked::new(ROLE, self.command.role())))
    }
}
