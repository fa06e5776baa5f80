//! Creates, validates, proves and uses a Databricks service credential.
//!
//! # Line formats
//! `ensure`, `show`, `delete`, `validate`, `prove`, `grant` and `bind` are stages: the connection document comes in on stdin
//! and leaves on stdout. So is `pipeline --out`. Their members:
//!
//! ```json
//! {"credential": {"name": "…", "id": "…", "role_arn": "…", "external_id": "…", "unity_catalog_iam_arn": "…", "host": "…"},
//!  "validation": {"verdict": "pass", "attempts": 3, "waited_ms": 2100, "checks": [{"operation": "ASSUME_ROLE", "result": "PASS"}]},
//!  "proof": {"verdict": "pass", "caller": "arn:aws:sts::…", "steps": [{"step": "read-record", "must": "work", "result": "PASS"}],
//!            "record": {"shard_id": "…", "sequence_number": "…", "partition_key": "…", "size_bytes": 119}},
//!  "grants": [{"principal": "data-engineers", "privileges": ["ACCESS"]}],
//!  "pipeline": {"files": ["…"], "table": "sensor_readings", "columns": [{"name": "sensor_id", "type": "STRING"}]}}
//! ```
//!
//! A `verdict` is `pass`, `fail`, or `unproven` where something could not be tried. `delete` takes all but
//! `pipeline` out again.
//!
//! `list` writes one JSON object a line, with the members of `credential` and what else Databricks tells. `auth describe`
//! writes one object. `token` prints temporary AWS keys and reads no stdin, so that it can be a `credential_process`
//! of any AWS tool. `pipeline` without `--out` prints SQL or Python.
//!
//! # How it works
//! [`auth`] decides who logs in, and fetches tokens. [`transport`] is the only module that talks HTTP to Databricks,
//! [`workspace`] the only one that knows its calls. [`verdict`], [`refusal`], [`pace`] and all of [`pipeline`] but its last
//! step are pure. [`prove`] alone talks to AWS, with Databricks' keys.

pub mod auth;
pub mod bind;
pub mod cache;
pub mod credential;
pub mod delete;
pub mod describe;
pub mod ensure;
pub mod failure;
pub mod grant;
pub mod host;
pub mod keys;
pub mod name;
pub mod pace;
pub mod pipeline;
pub mod prove;
pub mod refusal;
pub mod show;
pub mod token;
pub mod transport;
pub mod validate;
pub mod verdict;
pub mod wire;
pub mod workspace;

use clap::{Parser, Subcommand};
use config::args::{DbxArgs, DocArgs, ProcessArgs};
use config::fault::EXIT_CODES;
use config::process::{Tool, World};
use config::settings::{Asked, CREDENTIAL, DBX_HOST, DBX_PROFILE, ROLE, TIMEOUT};
use config::{Document, Fault, Outcome};

use workspace::Workspace;

const EXAMPLES: &str = "\
Examples:
  dbx-cred ensure kinesis-sensor-credential \\
      --role-arn arn:aws:iam::123456789012:role/databricks-kinesis-role
  iam-role show databricks-kinesis-role | dbx-cred ensure \\
      kinesis-sensor-credential | trust-sync | dbx-cred validate
  dbx-cred list
  dbx-cred token kinesis-sensor-credential --format env
  dbx-cred prove --receipt receipts.ndjson < connection.json
  dbx-cred delete kinesis-sensor-credential --yes";

/// Creates, validates and uses a Databricks service credential
#[derive(Parser, Clone, Debug)]
#[command(name = "dbx-cred", version, about, before_help = EXAMPLES, after_help = EXIT_CODES, arg_required_else_help = false)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// The process contract.
    #[command(flatten)]
    pub process: ProcessArgs,
    /// How to reach Databricks.
    #[command(flatten)]
    pub dbx: DbxArgs,
    /// The connection document.
    #[command(flatten)]
    pub doc: DocArgs,
}

/// What to do.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Create the credential, or make it name the right role
    #[command(before_help = examples::ENSURE)]
    Ensure(ensure::Ensure),
    /// Show one credential
    #[command(before_help = examples::SHOW)]
    Show(show::Show),
    /// List the service credentials of the metastore, one a line
    #[command(before_help = examples::LIST)]
    List(show::List),
    /// Ask Databricks to try the credential until it works or the reason is final
    #[command(before_help = examples::VALIDATE)]
    Validate(validate::Validate),
    /// Print temporary AWS keys of the credential's role
    #[command(before_help = examples::TOKEN)]
    Token(token::Token),
    /// Read a record as Databricks will, and show what the same keys cannot do
    #[command(before_help = examples::PROVE)]
    Prove(prove::Prove),
    /// Write what reads the stream in Databricks: SQL, Python, or an asset bundle
    #[command(before_help = examples::PIPELINE)]
    Pipeline(pipeline::Pipeline),
    /// Let users, groups or service principals use the credential
    #[command(before_help = examples::GRANT)]
    Grant(grant::Granting),
    /// Restrict the credential to some workspaces
    #[command(before_help = examples::BIND)]
    Bind(bind::Bind),
    /// Tell about the login
    #[command(subcommand, before_help = examples::AUTH)]
    Auth(describe::Auth),
    /// Delete the credential
    #[command(before_help = examples::DELETE)]
    Delete(delete::Delete),
}

/// The examples of each command's help; a test parses them.
mod examples {
    pub(super) const ENSURE: &str = "\
Examples:
  dbx-cred ensure kinesis-sensor-credential --role-arn arn:aws:iam::123456789012:role/databricks-kinesis-role
  iam-role show databricks-kinesis-role | dbx-cred ensure kinesis-sensor-credential";
    pub(super) const SHOW: &str = "\
Examples:
  dbx-cred show kinesis-sensor-credential --pretty";
    pub(super) const LIST: &str = "\
Examples:
  dbx-cred list
  dbx-cred list --include-unbound";
    pub(super) const VALIDATE: &str = "\
Examples:
  dbx-cred validate < connection.json
  dbx-cred validate kinesis-sensor-credential --once";
    pub(super) const TOKEN: &str = "\
Examples:
  dbx-cred token kinesis-sensor-credential --format env
  dbx-cred token kinesis-sensor-credential --no-cache";
    pub(super) const PROVE: &str = "\
Examples:
  dbx-cred prove --receipt receipts.ndjson < connection.json";
    pub(super) const PIPELINE: &str = "\
Examples:
  dbx-cred pipeline < connection.json
  kpeek sensor-readings --count 100 | dbx-cred pipeline --infer --doc connection.json
  dbx-cred pipeline --out bundle --catalog sensor_pipeline --schema bronze < connection.json";
    pub(super) const GRANT: &str = "\
Examples:
  dbx-cred grant kinesis-sensor-credential --to data-engineers
  dbx-cred grant kinesis-sensor-credential --to data-engineers --revoke";
    pub(super) const BIND: &str = "\
Examples:
  dbx-cred bind kinesis-sensor-credential
  dbx-cred bind kinesis-sensor-credential --open";
    pub(super) const AUTH: &str = "\
Examples:
  dbx-cred auth describe --pretty
  dbx-cred auth describe --offline";
    pub(super) const DELETE: &str = "\
Examples:
  dbx-cred delete kinesis-sensor-credential --yes
  dbx-cred delete --yes < connection.json";
}

impl Tool for Args {
    const NAME: &'static str = "dbx-cred";

    fn process(&self) -> &ProcessArgs {
        &self.process
    }

    fn asked(&self) -> Vec<Asked> {
        let (credential, role) = match &self.command {
            Command::Ensure(args) => (args.credential.as_deref(), args.role.as_deref()),
            Command::Show(args) => (args.credential.as_deref(), None),
            Command::Validate(args) => (args.credential.as_deref(), None),
            Command::Token(args) => (args.credential.as_deref(), None),
            Command::Delete(args) => (args.credential.as_deref(), None),
            Command::Prove(args) => (args.credential.as_deref(), None),
            Command::Pipeline(args) => (args.credential.as_deref(), None),
            Command::Grant(args) => (args.credential.as_deref(), None),
            Command::Bind(args) => (args.credential.as_deref(), None),
            Command::List(_) | Command::Auth(_) => (None, None),
        };
        let timeout = self.dbx.timeout.map(config::duration::show);
        vec![
            Asked::new(CREDENTIAL, credential),
            Asked::new(ROLE, role),
            Asked::new(DBX_HOST, self.dbx.dbx_host.as_deref()),
            Asked::new(DBX_PROFILE, self.dbx.dbx_profile.as_deref()),
            Asked::new(TIMEOUT, timeout.as_deref()),
        ]
    }
}

/// Runs the command in the real world.
///
/// # Errors
/// When it could not do what it was asked.
pub async fn start(args: Args, world: World) -> Result<Outcome, Fault> {
    let settings = &world.settings;
    let mut output = world.output(args.doc.pretty);
    match &args.command {
        Command::Ensure(command) => {
            let document = world.document_off_thread(&args.doc).await?;
            let workspace = Workspace::open(&args.dbx, &world)?;
            ensure::run(command, settings, &workspace, document, &mut output).await
        }
        Command::Show(command) => {
            let document = world.document_off_thread(&args.doc).await?;
            let workspace = Workspace::open(&args.dbx, &world)?;
            show::show(command, settings, &workspace, document, &mut output).await
        }
        Command::Validate(command) => {
            let document = world.document_off_thread(&args.doc).await?;
            let workspace = Workspace::open(&args.dbx, &world)?;
            validate::run(command, settings, &workspace, document, &mut output).await
        }
        Command::Delete(command) => {
            let document = world.document_off_thread(&args.doc).await?;
            let workspace = Workspace::open(&args.dbx, &world)?;
            delete::run(command, settings, &workspace, document, &mut output).await
        }
        Command::Prove(command) => {
            let document = world.document_off_thread(&args.doc).await?;
            let workspace = Workspace::open(&args.dbx, &world)?;
            prove::run(command, &world, &workspace, document, &mut output).await
        }
        Command::Pipeline(command) => {
            pipeline::start(command.clone(), args.doc.clone(), world.clone(), &mut output).await
        }
        Command::Grant(command) => {
            let document = world.document_off_thread(&args.doc).await?;
            let workspace = Workspace::open(&args.dbx, &world)?;
            grant::run(command, settings, &workspace, document, &mut output).await
        }
        Command::Bind(command) => {
            let document = world.document_off_thread(&args.doc).await?;
            let workspace = Workspace::open(&args.dbx, &world)?;
            bind::run(command, settings, &workspace, &document, &mut output).await
        }
        Command::Auth(describe::Auth::Describe(command)) => {
            let workspace = Workspace::open(&args.dbx, &world)?;
            describe::run(command, &workspace, &mut output).await
        }
        Command::List(command) => {
            let workspace = Workspace::open(&args.dbx, &world)?;
            show::list(command, &workspace, &mut output).await
        }
        Command::Token(command) => {
            // Its stdin belongs to the tool that runs it as a credential process.
            let document = match args.doc.doc {
                Some(_) => world.document_off_thread(&args.doc).await?,
                None => Document::default(),
            };
            let workspace = Workspace::open(&args.dbx, &world)?;
            token::run(command, settings, &workspace, &document, &mut output).await
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Args;

    #[test]
    fn every_command_has_examples_and_every_example_is_accepted() {
        let command = Args::command();
        for subcommand in command.get_subcommands() {
            let help = subcommand.get_before_help().unwrap_or_else(|| panic!("{}", subcommand.get_name()));
            let help = help.to_string();
            let mut seen = 0;
            for line in help.lines().skip(1) {
                // What stands behind a pipe or a redirection is the shell's.
                let typed = line.split(" | ").find(|part| part.trim().starts_with("dbx-cred")).unwrap();
                let typed = typed.split('<').next().unwrap();
                let args = Args::try_parse_from(typed.split_whitespace()).unwrap();
                assert!(typed.contains(subcommand.get_name()), "{args:?}");
                seen += 1;
            }
            assert!(seen > 0, "{help}");
        }
    }
}
