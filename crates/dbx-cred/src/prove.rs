//! `prove`: reads a record the way Databricks will, with the keys that Databricks hands out and no others, and shows
//! what those keys cannot do.
//!
//! The calls go through the AWS SDK rather than through a `kpeek` with other keys: a proof also has to be refused, and
//! has to tell a refusal from a failure by its code.

mod attempt;
mod receipt;
mod step;

use std::io::Write;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use clap::Args;
use config::args::AwsArgs;
use config::aws::Aws;
use config::member::{self, Proof};
use config::names::StreamArn;
use config::process::World;
use config::settings::Settings;
use config::{Document, Fault, Outcome, Output};
use tokio::time::Instant;

use crate::credential;
use crate::keys::Keys;
use crate::show::missing;
use crate::token::fetch;
use crate::workspace::Workspace;
use attempt::Attempts;
use receipt::{Wanted, receipts};
use step::{Ended, Must, Report};

/// How long a fresh permission policy may be unseen. IAM is known to take up to 30 seconds.
const SPREADING: Duration = Duration::from_secs(30);

/// Reads a record as Databricks will, and shows what the same keys cannot do.
#[derive(Args, Clone, Debug, Default)]
pub struct Prove {
    /// The credential [default: the document's, then KINBRICKS_CREDENTIAL]
    pub credential: Option<String>,
    /// The stream [default: stream.arn of the document]
    #[arg(long, value_name = "ARN")]
    pub stream: Option<String>,
    /// Read back the first record of these receipts, which kput printed [default: any record]
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<String>,
    /// The record must hold exactly this
    #[arg(long, value_name = "TEXT")]
    pub data: Option<String>,
}

/// Runs the stage: the document leaves with the member `proof`, also when a step failed.
///
/// # Errors
/// When there are no keys to prove anything with.
pub async fn run<W: Write>(
    args: &Prove,
    world: &World,
    workspace: &Workspace,
    mut document: Document,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let settings: &Settings = &world.settings;
    let name = credential::named(settings, args.credential.as_deref(), &document)?;
    let stream = stream(args, &document)?;
    let wanted =
        Wanted { place: args.receipt.as_deref().map(receipts).transpose()?, data: args.data.clone() };
    let doing = format!("find credential `{name}`");
    let found = workspace.find(&name).await.map_err(|failure| workspace.fault(&doing, failure))?;
    let credential =
        credential::member(&found.ok_or_else(|| missing(&name))?, &name, workspace.login().host())?;
    // Kept keys would prove something about the past.
    let keys = fetch(workspace, &name).await?;

    let attempts = Attempts::new(&with_keys(world, workspace, &stream, keys).await?, stream, credential);
    let spread_by = workspace.deadline().min(Instant::now() + SPREADING);
    let mut report = Report::default();
    let caller = attempts.caller(&mut report).await;
    attempts.find_stream(&mut report, workspace.pace(), spread_by).await;
    let record = attempts.read(&mut report, &wanted, workspace.deadline()).await;
    attempts.cannot_write(&mut report).await;
    attempts.cannot_see_another_stream(&mut report).await;
    attempts.becomes_itself_only_with_the_external_id(&mut report).await;

    tell(workspace, &report);
    let verdict = report.verdict();
    document.set(&Proof { verdict: verdict.to_owned(), caller, steps: report.to_json(), record })?;
    output.document(&document)?;
    Ok(if verdict == "pass" { Outcome::Done } else { Outcome::Incomplete })
}

fn stream(args: &Prove, document: &Document) -> Result<StreamArn, Fault> {
    if let Some(text) = &args.stream {
        return text.parse().map_err(|error| Fault::usage(format!("{error}")));
    }
    document.get::<member::Stream>()?.map(|stream| stream.arn).ok_or_else(|| {
        Fault::usage("no stream is given")
            .with_hint("name it as --stream ARN, or pipe in what `kstream show STREAM` prints")
    })
}

/// The SDK's configuration with these keys and no way to any others.
async fn with_keys(
    world: &World,
    workspace: &Workspace,
    stream: &StreamArn,
    keys: Keys,
) -> Result<Aws, Fault> {
    let left = workspace.deadline().saturating_duration_since(Instant::now());
    let args =
        AwsArgs { timeout: Some(left), region: Some(stream.region().to_string()), ..AwsArgs::default() };
    let mut aws = Aws::load(world, &args, None).await?;
    let keys = Credentials::new(
        keys.access_key_id.reveal(),
        keys.secret_access_key.reveal(),
        Some(keys.session_token.reveal().to_owned()),
        None,
        "databricks",
    );
    aws.sdk = aws.sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build();
    Ok(aws)
}

fn tell(workspace: &Workspace, report: &Report) {
    let notes = &workspace.notes;
    notes.clear();
    for step in report.steps() {
        match &step.ended {
            Ended::Pass => match step.must {
                Must::Work => notes.say(format!("{} works, as it must", step.name)),
                Must::BeRefused => notes.say(format!("{} is refused, as it must be", step.name)),
            },
            Ended::Fail { why, advice } => {
                notes.say(format!("{}: {why}", step.name));
                notes.say(format!("{}: {advice}", step.name));
            }
            Ended::Skip { why } => notes.say(format!("{} could not be tried: {why}", step.name)),
        }
    }
    notes.say(match report.verdict() {
        "pass" => "proved: the keys read the stream, and do nothing else",
        "fail" => "not proved: see above",
        _ => "not proved: not everything could be tried",
    });
}
