//! The command line.

use clap::{Parser, ValueEnum};
use config::args::{AwsArgs, DocArgs, ProcessArgs};
use config::fault::EXIT_CODES;
use config::names::{ExternalId, RoleArn};
use config::process::Tool;
use config::settings::{Asked, ROLE};
use policy::trust::Form;

const EXAMPLES: &str = "\
Examples:
  # the guide's last AWS step: the credential's external ID into the policy
  dbx-cred ensure kinesis-sensor-credential < connection.json | trust-sync
  # has anybody changed it? Changes nothing, exits 1 on drift
  trust-sync --check < connection.json
  # what will Databricks say? Its three checks, predicted from the live policies
  trust-sync --explain --pretty < connection.json
  # put back what the last run replaced
  trust-sync --undo < connection.json
  # without a document
  trust-sync databricks-kinesis-role < /dev/null \\
    --external-id 0d26daa6-5e44-4c97-a497-ef015f91254a
";

/// Make the live trust policy of a role what its Databricks credential asks for
#[derive(Clone, Debug, Parser)]
#[command(name = "trust-sync", version, before_help = EXAMPLES, after_help = EXIT_CODES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// Name or ARN [default: the document's, else KINBRICKS_ROLE]
    pub(crate) role: Option<String>,
    /// Change nothing; show the differences and exit 1 on drift
    #[arg(long, conflicts_with_all = ["explain", "undo"])]
    pub(crate) check: bool,
    /// Change nothing; predict Databricks' checks from the live policies and exit 1 if one would fail
    #[arg(long, conflicts_with = "undo")]
    pub(crate) explain: bool,
    /// Put the document's `trust.previous` back, as a former run found it
    #[arg(long, conflicts_with_all = ["form", "exclusive"])]
    pub(crate) undo: bool,
    /// How the role is let assume itself [default: as the live policy does, else databricks]
    #[arg(long, value_enum)]
    pub(crate) form: Option<FormName>,
    /// Remove every statement that is not ours instead of keeping it
    #[arg(long)]
    pub(crate) exclusive: bool,
    /// The external ID that Databricks sends [default: the document's, as `dbx-cred ensure` wrote it]
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<ExternalId>,
    /// The Databricks role that assumes this one [default: the document's, else the one of the role's partition]
    #[arg(long, value_name = "ARN")]
    pub(crate) uc_master_arn: Option<RoleArn>,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
    #[command(flatten)]
    pub(crate) doc: DocArgs,
    #[command(flatten)]
    pub(crate) process: ProcessArgs,
}

/// The two ways to let a role assume itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormName {
    /// Both roles as principals, as Databricks' console shows it
    Databricks,
    /// The account, narrowed down to the role by a condition; survives the role's being made anew
    ArnLike,
}

impl From<FormName> for Form {
    fn from(name: FormName) -> Self {
        match name {
            FormName::Databricks => Self::Databricks,
            FormName::ArnLike => Self::ArnLike,
        }
    }
}

impl Tool for Args {
    const NAME: &'static str = "trust-sync";
    const HANDLES_INTERRUPT: bool = true;

    fn process(&self) -> &ProcessArgs {
        &self.process
    }

    fn asked(&self) -> Vec<Asked> {
        self.aws.asked(Some(Asked::new(ROLE, self.role.as_deref())))
    }
}
