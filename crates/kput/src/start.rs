//! From the command line to a run: what the flags mean together, and what does not go together.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::Duration;

use config::args::ProcessArgs;
use config::aws::Aws;
use config::member::Stream;
use config::settings::{Asked, STREAM};
use config::{Fault, Outcome, Outlet, Tool, World};

use crate::args::{Args, ReceiptForm};
use crate::dead_letter::DeadLetters;
use crate::dry_run;
use crate::input::{self, Form, HashSource, KeySource, OnMissingKey, Origin, Source};
use crate::journal::Journal;
use crate::limits::{REQUEST_BYTES, REQUEST_RECORDS};
use crate::plan::{Order, Rules};
use crate::put::Put;
use crate::rate::PutRate;
use crate::run::{Options, Run};
use crate::tally::show_records;
use crate::target::Target;

/// How long a record is tried, unless `--give-up-after` or `--timeout` says otherwise.
const GIVE_UP_AFTER: Duration = Duration::from_mins(1);

/// Bytes of a request of aggregates at most.
const AGGREGATES_BYTES: usize = 1024 * 1024;

/// How long a new stream may take until it is active, unless `--timeout` says otherwise.
const CREATION: Duration = Duration::from_mins(5);

impl Tool for Args {
    const NAME: &'static str = "kput";
    const HANDLES_INTERRUPT: bool = true;

    fn process(&self) -> &ProcessArgs {
        &self.process
    }

    fn asked(&self) -> Vec<Asked> {
        self.aws.asked(Some(Asked::new(STREAM, self.stream.as_deref())))
    }
}

/// Puts what the command line says.
///
/// # Errors
/// A fault whose kind says who has to act.
pub async fn start(args: Args, world: World) -> Result<Outcome, Fault> {
    let key = key_source(&args)?;
    check(&args, &key)?;
    let stdin_used = uses_stdin(&args);
    if stdin_used && world.stdin_is_terminal {
        return Err(Fault::usage("no records are given, and stdin is a terminal").with_hint(
            "add --data TEXT or --file FILE, or pipe records in: kput sensor-readings < readings.ndjson",
        ));
    }
    let document = member(&args, &world, stdin_used)?;
    let named = document.as_ref().map(|stream| ("stream", stream.name.as_str()));
    let target: Target =
        world.settings.require_beside_records(&STREAM, args.stream.as_deref(), named, "kstream ensure")?;
    // The document speaks about its own stream only.
    let document = document.filter(|stream| stream.name == target.name);
    let stream = target.arn.as_ref().map_or_else(|| target.name.to_string(), ToString::to_string);
    let region =
        target.arn.as_ref().or(document.as_ref().map(|stream| &stream.arn)).map(|arn| arn.region().clone());
    let dead_letters = args.dead_letter.as_deref().map(DeadLetters::open).transpose()?;
    let timeout = world.settings.timeout(args.aws.timeout, GIVE_UP_AFTER)?;
    let record_bytes = document
        .and_then(|stream| stream.max_record_size_kib)
        .and_then(|kib| usize::try_from(kib).ok())
        .map(|kib| kib * 1024);

    let reading = input::Options {
        form: args.input,
        hash: hash_source(&args),
        key,
        on_missing: args.on_missing_key,
        skip_blank: args.skip_blank,
        csv_values: args.csv_values.unwrap_or_default(),
    };
    // Reading begins while the settings and credentials of AWS are still being loaded.
    let input = input::spawn(source(&args), reading)?;
    let aws = Aws::load(&world, &args.aws, region.as_ref()).await?;
    if let Some(arn) = &target.arn
        && *arn.region() != aws.region
    {
        return Err(Fault::usage(format!(
            "the stream is in region {}, but {} is asked for",
            arn.region(),
            aws.region
        ))
        .with_cause(format!("it came from {}", aws.region_origin))
        .with_hint(format!("leave --region out, or write --region {}", arn.region())));
    }
    let put = Put::new(aws, target, timeout.min(args.give_up_after.unwrap_or(timeout)));
    let aggregate_bytes = args.aggregate_max_bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let aggregate_bytes = args.aggregate.then(|| aggregate_bytes.unwrap_or(aggregate::DEFAULT_MAX_BYTES));
    if args.dry_run {
        let options = dry_run::Options { aggregate_bytes, record_bytes };
        let mut output = world.output(args.doc.pretty);
        return dry_run::report(&put, input, options, &world.interrupt, &mut output).await;
    }
    let patience = world.settings.timeout(args.aws.timeout, CREATION)?;
    if args.create && put.ensure_stream(&world.interrupt, patience).await? {
        world.notes.say(format!("created stream `{}`", put.target().name));
    }
    let journal = args.journal.as_deref().map(|path| Journal::open(path, &stream)).transpose()?;
    if let Some(known) = journal.as_ref().map(Journal::known).filter(|known| *known > 0) {
        world.notes.say(format!("the journal knows {}, going on behind them", show_records(known)));
    }
    let options = Options {
        aggregate_bytes,
        journal,
        rules: rules(&args, timeout),
        in_flight: usize::from(args.in_flight),
        record_bytes,
        dead_letters,
        receipts: args.receipts == ReceiptForm::Ndjson,
        // Receipts on a terminal show how it goes, and a line that is written anew all the time would cut into them.
        progress: world.notes.is_terminal()
            && !(args.receipts == ReceiptForm::Ndjson && io::stdout().is_terminal()),
        stats: args.stats,
    };
    Run::new(put, options, Outlet::stdout(), world.notes, world.interrupt).to_end(input).await
}

fn uses_stdin(args: &Args) -> bool {
    args.data.is_empty() && (args.file.is_empty() || args.file.iter().any(|file| file == Path::new("-")))
}

/// The document's stream. Only `--doc` brings one: stdin carries records.
fn member(args: &Args, world: &World, stdin_used: bool) -> Result<Option<Stream>, Fault> {
    match args.doc.doc.as_deref() {
        None => Ok(None),
        Some("-") if stdin_used => Err(Fault::usage("stdin carries the records, so --doc - cannot read it")
            .with_hint("write --doc FILE, or give the records with --data or --file")),
        Some(_) => world.document(&args.doc)?.get::<Stream>(),
    }
}

fn source(args: &Args) -> Source {
    if !args.data.is_empty() {
        return Source::Texts(args.data.clone());
    }
    let stdin = || Origin::Stdin(Box::new(io::stdin()));
    if args.file.is_empty() {
        return Source::Streams(vec![stdin()]);
    }
    let origin = |file: &std::path::PathBuf| {
        if file == Path::new("-") { stdin() } else { Origin::File(file.clone()) }
    };
    Source::Streams(args.file.iter().map(origin).collect())
}

fn key_source(args: &Args) -> Result<KeySource, Fault> {
    if let Some(key) = &args.key {
        let characters = key.chars().count();
        if characters == 0 || characters > crate::limits::KEY_CHARACTERS {
            return Err(Fault::usage(format!(
                "the key given with --key has {characters} characters, allowed are 1 to {}",
                crate::limits::KEY_CHARACTERS
            ))
            .with_hint("--key-random gives each record a key of its own"));
        }
        return Ok(KeySource::Literal(key.clone()));
    }
    Ok(if let Some(path) = &args.key_field {
        KeySource::Field(path.clone())
    } else if let Some(template) = &args.key_template {
        KeySource::Template(template.clone())
    } else if args.no_key {
        KeySource::Absent
    } else if args.input == Form::Envelope && !args.key_random {
        KeySource::Envelope
    } else {
        KeySource::Random
    })
}

fn hash_source(args: &Args) -> Option<HashSource> {
    let literal = args.hash_key.map(HashSource::Literal);
    literal.or_else(|| args.hash_key_field.clone().map(HashSource::Field))
}

/// Refuses flags that cannot be honoured together.
fn check(args: &Args, key: &KeySource) -> Result<(), Fault> {
    let looks_for_key = matches!(key, KeySource::Field(_) | KeySource::Template(_) | KeySource::Envelope)
        || args.hash_key_field.is_some();
    if args.on_missing_key.is_some() && !looks_for_key {
        return Err(Fault::usage(
            "--on-missing-key says what to do without a key, but no record's key can be missing",
        )
        .with_hint("add --key-field PATH, or leave it out"));
    }
    if args.ordered && matches!(key, KeySource::Random | KeySource::Absent) {
        return Err(Fault::usage(
            "--ordered keeps the order of records of the same key, but every record gets another key",
        )
        .with_hint("add --key-field PATH or --key TEXT"));
    }
    if args.ordered && args.on_missing_key == Some(OnMissingKey::Random) {
        return Err(Fault::usage("--ordered cannot keep the order of records that get random keys")
            .with_hint("write --on-missing-key skip or fail"));
    }
    if args.csv_values.is_some() && args.input != Form::Csv {
        return Err(
            Fault::usage("--csv-values is about CSV input").with_hint("add --input csv, or leave it out")
        );
    }
    if args.skip_blank && !matches!(args.input, Form::Lines | Form::Envelope) {
        return Err(Fault::usage("--skip-blank is about lines").with_hint("leave it out"));
    }
    if args.doc.pretty && !args.dry_run {
        return Err(Fault::usage("receipts are lines, --pretty cannot indent them").with_hint("leave it out"));
    }
    if args.create && args.stream.as_deref().is_some_and(|stream| stream.starts_with("arn:")) {
        return Err(Fault::usage("--create makes a stream by its name, not by an ARN")
            .with_hint("write the stream's name, or leave --create out"));
    }
    let records = args.rate.iter().filter(|rate| matches!(rate, PutRate::Records(_))).count();
    if records > 1 || args.rate.len() - records > 1 {
        return Err(Fault::usage("--rate is given twice for the same unit")
            .with_hint("write it at most once as 500/s and once as 1MiB/s"));
    }
    let stdins = args.file.iter().filter(|file| *file == Path::new("-")).count();
    if stdins > 1 {
        return Err(Fault::usage("stdin can be read only once").with_hint("write --file - at most once"));
    }
    Ok(())
}

fn rules(args: &Args, timeout: Duration) -> Rules {
    let records = args.rate.iter().find_map(|rate| match rate {
        PutRate::Records(rate) => Some(*rate),
        PutRate::Bytes(_) => None,
    });
    let bytes = args.rate.iter().find_map(|rate| match rate {
        PutRate::Bytes(rate) => Some(*rate),
        PutRate::Records(_) => None,
    });
    Rules {
        batch_records: REQUEST_RECORDS,
        // Aggregates fill any request; one of a MiB is as good, and several of them are under way sooner.
        batch_bytes: if args.aggregate { AGGREGATES_BYTES } else { REQUEST_BYTES },
        linger: args.linger,
        max_attempts: args.max_attempts,
        give_up_after: args.give_up_after.unwrap_or(timeout),
        order: match (args.ordered, args.aggregate) {
            (false, _) => Order::None,
            (true, false) => Order::ByKey,
            (true, true) => Order::ByShard,
        },
        records_per_second: records,
        bytes_per_second: bytes,
    }
}
