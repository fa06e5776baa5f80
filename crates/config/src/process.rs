//! From `main` to the exit code: arguments, settings, the world a tool runs in, and its end.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Stdout};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, ValueEnum};
use serde::Serialize;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};

use crate::args::{DocArgs, ProcessArgs};
use crate::document::Document;
use crate::env::{self, Env};
use crate::fault::{self, ErrorFormat, Fault, Outcome};
#[cfg(feature = "runtime")]
use crate::interrupt::Interrupt;
use crate::notes::Notes;
use crate::output::Output;
use crate::settings::{Asked, ERRORS, Settings};

/// A command-line tool: its arguments, and what the process contract needs to know of them.
pub trait Tool: Parser {
    /// The name of the binary.
    const NAME: &'static str;
    /// Whether the tool watches [`World::interrupt`] itself. When not, Ctrl-C stops it at its next wait.
    const HANDLES_INTERRUPT: bool = false;

    /// The shared flags.
    fn process(&self) -> &ProcessArgs;

    /// The settings it uses, with what the command line says, for `--explain-config`.
    fn asked(&self) -> Vec<Asked>;
}

/// What a tool runs in. Everything it would otherwise reach for is handed in, so that tests can hand in something else.
#[derive(Clone)]
pub struct World {
    /// Settings: flag, environment, file.
    pub settings: Settings,
    /// Standard error.
    pub notes: Notes,
    /// Whether a person would have to type stdin.
    pub stdin_is_terminal: bool,
    /// Ctrl-C and SIGTERM.
    #[cfg(feature = "runtime")]
    pub interrupt: Interrupt,
}

impl World {
    /// The captured environment.
    pub fn env(&self) -> &Env {
        self.settings.env()
    }

    /// Standard output for results.
    pub fn output(&self, pretty: bool) -> Output<Stdout> {
        Output::new(io::stdout(), pretty)
    }

    /// The connection document, from where `args` says.
    ///
    /// # Errors
    /// As [`Document::read`].
    pub fn document(&self, args: &DocArgs) -> Result<Document, Fault> {
        Document::read(args, &mut io::stdin(), self.stdin_is_terminal)
    }

    /// The same off the runtime's thread, so that Ctrl-C works while a neighbour in the pipe is still busy.
    ///
    /// # Errors
    /// As [`Document::read`].
    #[cfg(feature = "runtime")]
    pub async fn document_off_thread(&self, args: &DocArgs) -> Result<Document, Fault> {
        let (args, world) = (args.clone(), self.clone());
        let reading = tokio::task::spawn_blocking(move || world.document(&args));
        tokio::select! {
            read = reading => {
                read.map_err(|error| Fault::pipe("failed to read the connection document").with_cause(error))?
            }
            () = self.interrupt.asked() => Err(Fault::interrupted("interrupted before anything was done")),
        }
    }
}

/// Runs a tool that needs no async runtime.
pub fn run<T: Tool>(start: impl FnOnce(T, World) -> Result<Outcome, Fault>) -> ExitCode {
    match prepare::<T>() {
        Prepared::Ready(ready) => {
            let world = ready.world(
                #[cfg(feature = "runtime")]
                Interrupt::never(),
            );
            fault::end(T::NAME, ready.format, start(ready.args, world))
        }
        Prepared::Ended(code) => code,
    }
}

/// Runs a tool on one thread.
#[cfg(feature = "runtime")]
pub fn run_async<T, Ended>(start: impl FnOnce(T, World) -> Ended) -> ExitCode
where
    T: Tool,
    Ended: Future<Output = Result<Outcome, Fault>>,
{
    let ready = match prepare::<T>() {
        Prepared::Ready(ready) => ready,
        Prepared::Ended(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let fault = Fault::transient("failed to start the async runtime").with_cause(error);
            return fault::end(T::NAME, ready.format, Err(fault));
        }
    };
    let format = ready.format;
    let ended = runtime.block_on(async {
        let interrupt = Interrupt::watch();
        let world = ready.world(interrupt.clone());
        let work = start(ready.args, world);
        if T::HANDLES_INTERRUPT {
            return work.await;
        }
        tokio::select! {
            ended = work => ended,
            () = interrupt.asked() => Err(Fault::interrupted("interrupted")
                .with_hint("run the same command again: every step looks before it changes anything")),
        }
    });
    // A blocking read of stdin must not hold the process back.
    runtime.shutdown_background();
    fault::end(T::NAME, format, ended)
}

enum Prepared<T> {
    Ready(Box<Ready<T>>),
    Ended(ExitCode),
}

struct Ready<T> {
    args: T,
    settings: Settings,
    format: ErrorFormat,
}

impl<T: Tool> Ready<T> {
    fn world(&self, #[cfg(feature = "runtime")] interrupt: Interrupt) -> World {
        World {
            settings: self.settings.clone(),
            notes: Notes::stderr(T::NAME, self.args.process().quiet),
            stdin_is_terminal: io::stdin().is_terminal(),
            #[cfg(feature = "runtime")]
            interrupt,
        }
    }
}

fn prepare<T: Tool>() -> Prepared<T> {
    let env = Env::of_process();
    let typed: Vec<OsString> = std::env::args_os().collect();
    let args = match T::try_parse_from(&typed) {
        Ok(args) => args,
        Err(error) => return Prepared::Ended(end_of_parse::<T>(&error, early_format(&typed, &env))),
    };
    let early = args.process().errors.unwrap_or_else(|| early_format(&typed, &env));
    let settings = match Settings::load(&env, std::env::current_dir().ok().as_deref()) {
        Ok(settings) => settings,
        Err(fault) => return Prepared::Ended(fault::end(T::NAME, early, Err(fault))),
    };
    let format = match error_format(args.process(), &settings) {
        Ok(format) => format,
        Err(fault) => return Prepared::Ended(fault::end(T::NAME, early, Err(fault))),
    };
    if args.process().verbose {
        trace(T::NAME);
    }
    if args.process().explain_config {
        let typed = args.process().errors.and_then(|format| format.to_possible_value());
        let mut asked = args.asked();
        asked.push(Asked::new(ERRORS, typed.as_ref().map(clap::builder::PossibleValue::get_name)));
        let ended = explain(&settings, &asked, &mut Output::new(io::stdout(), false));
        return Prepared::Ended(fault::end(T::NAME, format, ended));
    }
    Prepared::Ready(Box::new(Ready { args, settings, format }))
}

/// The error format before the arguments could be parsed: what was typed, else the environment.
fn early_format(typed: &[OsString], env: &Env) -> ErrorFormat {
    let texts: Vec<&str> = typed.iter().filter_map(|text| text.to_str()).collect();
    let pair = texts.windows(2).find_map(|pair| match pair {
        ["--errors", value] => Some(*value),
        _ => None,
    });
    let typed = pair.or_else(|| texts.iter().find_map(|text| text.strip_prefix("--errors=")));
    let named = typed.or_else(|| env.get(env::KINBRICKS_ERRORS));
    named.and_then(|name| ErrorFormat::from_str(name, false).ok()).unwrap_or_default()
}

fn error_format(args: &ProcessArgs, settings: &Settings) -> Result<ErrorFormat, Fault> {
    if let Some(format) = args.errors {
        return Ok(format);
    }
    match settings.choose(&ERRORS, None, None) {
        None => Ok(ErrorFormat::default()),
        Some(chosen) => ErrorFormat::from_str(&chosen.value, false).map_err(|_| {
            Fault::usage(format!("`{}` is no error format", chosen.value))
                .with_cause(format!("it came from {}", chosen.origin))
                .with_hint("write text or json")
        }),
    }
}

/// Help and version are results; anything else is a usage error in clap's own words, or as the one JSON line.
fn end_of_parse<T: Tool>(error: &clap::Error, format: ErrorFormat) -> ExitCode {
    let is_result = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !is_result && format == ErrorFormat::Json {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first =
            lines.next().unwrap_or("the arguments cannot be used").trim_start_matches("error: ").to_owned();
        let rest = lines.take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
        let fault =
            rest.fold(Fault::usage(first), Fault::with_cause).with_hint(format!("{} --help", T::NAME));
        return fault::end(T::NAME, format, Err(fault));
    }
    // A reader that closed the pipe early has what it wanted.
    drop(error.print());
    ExitCode::from(if is_result { 0 } else { fault::Kind::Usage.code() })
}

/// `--verbose` shows what our own crates trace. The SDK's own records may hold tokens, so they are never shown.
fn trace(tool: &str) {
    let own = tool.replace('-', "_");
    let shown = [own.as_str(), "config", "policy", "aggregate", "live_role"];
    let targets = Targets::new().with_targets(shown.map(|target| (target, LevelFilter::DEBUG)));
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).without_time().with_filter(targets);
    let subscriber = tracing_subscriber::registry().with(layer);
    // A second subscriber can only come from a test that set one before.
    drop(tracing::subscriber::set_global_default(subscriber));
}

#[derive(Serialize)]
struct Explained<'a> {
    setting: &'a str,
    value: Option<String>,
    from: String,
}

/// `--explain-config`: one line a setting.
fn explain<W: io::Write>(
    settings: &Settings,
    asked: &[Asked],
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    for Asked { setting, flag } in asked {
        let chosen = settings.choose(setting, flag.as_deref(), None);
        let from = match &chosen {
            Some(chosen) => chosen.origin.to_string(),
            None => "not set".to_owned(),
        };
        output.line(&Explained { setting: setting.name, value: chosen.map(|chosen| chosen.value), from })?;
    }
    output.flush()?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{early_format, explain};
    use crate::env::Env;
    use crate::fault::ErrorFormat;
    use crate::output::Output;
    use crate::settings::{Asked, REGION, STREAM, Settings};

    #[test]
    fn the_error_format_is_known_before_the_arguments_are() {
        let format = |typed: &[&str], env: &[(&str, &str)]| {
            let typed: Vec<OsString> = typed.iter().map(Into::into).collect();
            early_format(&typed, &env.iter().copied().collect())
        };
        assert_eq!(format(&["kput", "--errors", "json"], &[]), ErrorFormat::Json);
        assert_eq!(format(&["kput", "--errors=json"], &[]), ErrorFormat::Json);
        assert_eq!(format(&["kput"], &[("KINBRICKS_ERRORS", "json")]), ErrorFormat::Json);
        assert_eq!(format(&["kput", "--errors", "text"], &[("KINBRICKS_ERRORS", "json")]), ErrorFormat::Text);
        assert_eq!(format(&["kput"], &[]), ErrorFormat::Text);
    }

    #[test]
    fn explain_names_the_source_that_won() {
        let env = Env::from_iter([("AWS_REGION", "eu-central-1")]);
        let settings = Settings::load(&env, None).unwrap();
        let mut bytes = Vec::new();
        let asked = [Asked::new(REGION, None), Asked::new(STREAM, None)];
        explain(&settings, &asked, &mut Output::new(&mut bytes, false)).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "{\"setting\":\"region\",\"value\":\"eu-central-1\",\"from\":\"environment variable AWS_REGION\"}\n\
             {\"setting\":\"stream\",\"value\":null,\"from\":\"not set\"}\n"
        );
    }
}
