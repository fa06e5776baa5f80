//! The command line.

use clap::{Parser, Subcommand, ValueEnum};
use config::args::{DocArgs, ProcessArgs};
use config::fault::EXIT_CODES;
use config::names::{AccountId, Arn, ExternalId, RoleArn, RoleRef, StreamArn};
use config::process::Tool;
use config::settings::{Asked, CREDENTIAL, ROLE};

use crate::condition_key::ContextKey;

const EXAMPLES: &str = "\
Examples:
  # the trust policy of the guide, ready to paste
  iam-policy-gen trust --pretty < /dev/null
  # both policies, in the pipeline that creates the role
  kstream ensure sensor-readings | iam-policy-gen trust \\
    | iam-policy-gen permissions | iam-role ensure databricks-kinesis-role
  # the permissions alone, also for fan-out and a key of your own
  iam-policy-gen permissions < /dev/null \\
    --stream arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings
  # as Terraform, with the Databricks credential beside it
  iam-policy-gen trust --format terraform --account 123456789012 < /dev/null
  # what is wrong with a policy, what differs, what it allows, what it says
  iam-policy-gen lint trust.json
  iam-policy-gen diff live.json wanted.json
  iam-policy-gen eval policy.json --action kinesis:PutRecord \\
    --resource arn:aws:kinesis:eu-central-1:123456789012:stream/orders
  iam-policy-gen explain policy.json
";

/// Write the IAM policies that Databricks needs to read a Kinesis stream, and check policies; no network, no credentials
#[derive(Clone, Debug, Parser)]
#[command(name = "iam-policy-gen", version, before_help = EXAMPLES, after_help = EXIT_CODES)]
pub struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) doc: DocArgs,
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Who may assume the role: Databricks with its external ID, and the role itself
    Trust(Trust),
    /// What the role may do: read one stream, and assume itself
    Permissions(Permissions),
    /// Say what is wrong with a policy; exits 1 unless there are only suggestions
    Lint(Lint),
    /// Compare two policies by meaning; exits 1 on drift
    Diff(Diff),
    /// Say whether a policy allows a request, and which statement decides
    Eval(Eval),
    /// Say in a plain sentence what each statement does
    Explain(Explain),
}

/// Whose role, where.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Owner {
    /// The role's name or ARN [default: the document's]
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<RoleRef>,
    /// The role's account [default: that of the role's ARN, of the document's identity, of the stream]
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<AccountId>,
}

/// What is printed.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Form {
    /// Print the bare policy, or the grown document [default: the document when one came in]
    #[arg(long, value_enum)]
    pub(crate) emit: Option<Emit>,
    /// The language of the bare policy [default: json]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// The policy alone, ready to paste
    Policy,
    /// The connection document with the policy in it
    Document,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// IAM's own JSON
    Json,
    /// HCL, with the resources it belongs to
    Terraform,
    /// A template in JSON
    Cloudformation,
}

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Trust {
    #[command(flatten)]
    pub(crate) owner: Owner,
    /// How the role is let assume itself [default: databricks; arn-like in templates, and where the credential came first]
    #[arg(long, value_enum)]
    pub(crate) form: Option<TrustForm>,
    /// The external ID that Databricks sends [default: the document's, else the placeholder 0000]
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<ExternalId>,
    /// The Databricks role that assumes this one [default: the document's, else the partition's]
    #[arg(long, value_name = "ARN")]
    pub(crate) uc_master_arn: Option<RoleArn>,
    /// The partition, as Databricks names it [default: that of the role or stream, else aws]
    #[arg(long, value_enum)]
    pub(crate) partition: Option<Partition>,
    #[command(flatten)]
    pub(crate) print: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrustForm {
    /// Both roles as principals, as Databricks' console shows it; the role itself is left out until it exists
    Databricks,
    /// The account, narrowed down to the role by a condition; right from the start, needs the role's name and account
    ArnLike,
}

impl From<TrustForm> for policy::trust::Form {
    fn from(form: TrustForm) -> Self {
        match form {
            TrustForm::Databricks => Self::Databricks,
            TrustForm::ArnLike => Self::ArnLike,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Partition {
    /// Commercial AWS
    Aws,
    /// GovCloud
    AwsUsGov,
    /// GovCloud, for the Department of Defense
    AwsUsGovDod,
}

impl From<Partition> for policy::trust::DatabricksPartition {
    fn from(partition: Partition) -> Self {
        match partition {
            Partition::Aws => Self::Aws,
            Partition::AwsUsGov => Self::AwsUsGov,
            Partition::AwsUsGovDod => Self::AwsUsGovDod,
        }
    }
}

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Permissions {
    #[command(flatten)]
    pub(crate) owner: Owner,
    /// The stream's ARN [default: the document's]
    #[arg(long, value_name = "ARN")]
    pub(crate) stream: Option<StreamArn>,
    /// How the stream is read [default: polling]
    #[arg(long, value_enum, conflicts_with = "producer")]
    pub(crate) mode: Option<Mode>,
    /// The customer managed KMS key that encrypts the stream [default: the document's]
    #[arg(long, value_name = "ARN")]
    pub(crate) kms_key: Option<Arn>,
    /// The stream is in another account than the role, and has to admit it too
    #[arg(long, conflicts_with = "producer")]
    pub(crate) cross_account: bool,
    /// With --cross-account: which of the policies to write [default: role]
    #[arg(long, value_enum, requires = "cross_account")]
    pub(crate) side: Option<Side>,
    /// The consumer's ARN, for --side consumer
    #[arg(long, value_name = "ARN", required_if_eq("side", "consumer"))]
    pub(crate) consumer: Option<Arn>,
    /// Write for the one who sends records instead: no reading, no role
    #[arg(long, conflicts_with = "role")]
    pub(crate) producer: bool,
    #[command(flatten)]
    pub(crate) print: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// GetRecords in a loop; all readers share a shard's throughput
    Polling,
    /// Enhanced fan-out: a registered consumer with throughput of its own
    Efo,
}

impl From<Mode> for policy::permissions::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Polling => Self::Polling,
            Mode::Efo => Self::Efo,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// To attach to the role, in its account
    Role,
    /// To put on the stream, in the stream's account
    Stream,
    /// To put on a fan-out consumer of the stream, in the stream's account
    Consumer,
}

/// Which kind of policy a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Who may assume a role
    Trust,
    /// What somebody may do
    Identity,
    /// Who may use a resource, such as a stream
    Resource,
}

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Lint {
    /// A policy or a connection document; `-` is stdin
    #[arg(default_value = "-", value_name = "FILE")]
    pub(crate) policy: String,
    /// Which kind of policy it is [default: told by its principals and resources]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// The role's account: without it a foreign account cannot be told from the own one
    #[arg(long, value_name = "ACCOUNT")]
    pub(crate) account: Option<AccountId>,
}

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Diff {
    /// The live policy, or a connection document; `-` is stdin
    #[arg(value_name = "A")]
    pub(crate) live: String,
    /// The wanted policy, or a connection document; `-` is stdin
    #[arg(value_name = "B")]
    pub(crate) wanted: String,
    /// Which policy of a connection document is meant
    #[arg(long, value_enum, default_value = "trust")]
    pub(crate) kind: Kind,
}

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Eval {
    /// A policy or a connection document; `-` is stdin
    #[arg(value_name = "POLICY")]
    pub(crate) policy: String,
    /// Which kind of policy it is [default: told by its principals and resources]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<Kind>,
    /// Who asks; a role's ARN stands for a session of that role [default: nobody in particular, for --kind identity]
    #[arg(long, value_name = "ARN")]
    pub(crate) principal: Option<String>,
    /// What is asked for, such as kinesis:GetRecords
    #[arg(long, value_name = "ACTION", default_value = "sts:AssumeRole")]
    pub(crate) action: String,
    /// The ARN acted on
    #[arg(long, value_name = "ARN", default_value = "*")]
    pub(crate) resource: String,
    /// A condition key of the request; may be given many times, also for one key
    #[arg(long = "context", value_name = "KEY=VALUE")]
    pub(crate) context: Vec<ContextKey>,
    /// Exit 1 unless it is allowed
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Explain {
    /// A policy or a connection document; `-` is stdin
    #[arg(default_value = "-", value_name = "FILE")]
    pub(crate) policy: String,
}

impl Tool for Args {
    const NAME: &'static str = "iam-policy-gen";

    fn process(&self) -> &ProcessArgs {
        &self.process
    }

    fn asked(&self) -> Vec<Asked> {
        let role = match &self.command {
            Command::Trust(Trust { owner, .. }) | Command::Permissions(Permissions { owner, .. }) => {
                owner.role.as_ref().map(ToString::to_string)
            }
            Command::Lint(_) | Command::Diff(_) | Command::Eval(_) | Command::Explain(_) => None,
        };
        vec![Asked::new(ROLE, role.as_deref()), Asked::new(CREDENTIAL, None)]
    }
}
