//! The command line of `kinbricks-sandbox`.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::environment;
use crate::guest;
use crate::server::{Options, Ports, Sandbox, StartError};

/// Ran to its end.
const DONE: u8 = 0;
/// A setting cannot be had, such as a port.
const USAGE: u8 = 2;
/// Standard output cannot be written.
const PIPE: u8 = 3;
/// The system refused something it may allow later, such as the handling of signals.
const TRANSIENT: u8 = 5;

const EXAMPLES: &str = "\
Examples:
  kinbricks-sandbox -- aws sts get-caller-identity  # one command inside
  kinbricks-sandbox -- bash                         # a shell inside
  kinbricks-sandbox > sandbox.env &                 # serve until Ctrl-C,
  . ./sandbox.env                                   # use it from here";

/// A local AWS and Databricks on loopback: Kinesis, IAM, STS and Unity Catalog credentials. It starts empty and forgets
/// everything when it ends.
#[derive(Debug, Parser)]
#[command(name = "kinbricks-sandbox", version, before_help = EXAMPLES)]
pub struct Args {
    /// How long IAM's writes take to have an effect, for example `300ms` or `2s`
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "250ms")]
    iam_delay: Duration,

    /// Let reading a new role fail too until the delay has passed
    #[arg(long)]
    hide_new_roles: bool,

    /// How long a stream is `CREATING`, and a change of it takes
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "200ms")]
    create_delay: Duration,

    /// Throttle shards as the service does
    #[arg(long)]
    enforce_limits: bool,

    /// Demand that a role which assumes itself is also permitted to, beside being trusted
    #[arg(long)]
    strict_self_assume: bool,

    /// End sessions after this, however long they were asked for
    #[arg(long, value_name = "TIME", value_parser = duration)]
    session_lifetime: Option<Duration>,

    /// Decides unique ids and the order in which lists are read back
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    seed: u64,

    /// Port of Kinesis [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port_kinesis: u16,

    /// Port of IAM [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port_iam: u16,

    /// Port of STS [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port_sts: u16,

    /// Port of the Databricks workspace [default: a free one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port_databricks: u16,

    /// A command to run inside the sandbox; its exit code is the sandbox's. Without one the sandbox prints how to reach it
    /// and serves until Ctrl-C
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Args {
    fn options(&self) -> Options {
        let mut options = Options::default();
        options.iam.delay = self.iam_delay;
        options.iam.hide_new_roles = self.hide_new_roles;
        options.iam.seed = self.seed;
        options.sts.strict_self_assume = self.strict_self_assume;
        options.sts.session_lifetime = self.session_lifetime;
        options.kinesis.create_delay = self.create_delay;
        options.kinesis.update_delay = self.create_delay;
        options.kinesis.delete_delay = self.create_delay;
        options.kinesis.enforce_limits = self.enforce_limits;
        options.ports = Ports {
            kinesis: self.port_kinesis,
            iam: self.port_iam,
            sts: self.port_sts,
            databricks: self.port_databricks,
        };
        options
    }
}

/// Runs the sandbox to its end and says how it ended.
pub async fn run(args: Args) -> ExitCode {
    let sandbox = match Sandbox::start(args.options()).await {
        Ok(sandbox) => sandbox,
        Err(error) => {
            let hint = match &error {
                StartError::Listen { port: 1.., .. } => "leave the port out to get a free one",
                StartError::Listen { .. } => "check that loopback is up: `ping 127.0.0.1`",
                StartError::Files(_) => "set TMPDIR to a folder that can be written",
            };
            complain(&error, hint);
            return USAGE.into();
        }
    };
    let Some((program, arguments)) = args.command.split_first() else {
        return serve(&sandbox).await;
    };
    match guest::run(program, arguments, &sandbox.environment()).await {
        Ok(code) => code.into(),
        Err(error) => {
            complain(&error, error.hint());
            error.exit_code().into()
        }
    }
}

/// Nobody was told where the sandbox is.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the variables to standard output")]
struct Unheard(#[source] io::Error);

/// Says where the sandbox is, and waits for a signal.
async fn serve(sandbox: &Sandbox) -> ExitCode {
    let stop = match guest::Stop::listen() {
        Ok(stop) => stop,
        Err(error) => {
            complain(&error, "run it again");
            return TRANSIENT.into();
        }
    };
    let lines = environment::shell_lines(&sandbox.environment());
    let mut stdout = io::stdout().lock();
    if let Err(source) = stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()) {
        complain(&Unheard(source), "standard output says where the sandbox is; let something read it");
        return PIPE.into();
    }
    drop(stdout);
    say(&format!(
        "kinbricks-sandbox: account {} is ready on loopback; source the lines above in a shell, end with Ctrl-C\n",
        sandbox.account()
    ));
    stop.wait().await;
    DONE.into()
}

fn complain(error: &dyn Error, hint: &str) {
    let mut text = format!("kinbricks-sandbox: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing into a String cannot fail.
        write!(text, ": {cause}").unwrap_or_default();
        source = cause.source();
    }
    say(&format!("{text}\nhint: {hint}\n"));
}

/// Tells a person. When nobody listens any more, there is nobody to tell that either.
fn say(text: &str) {
    io::stderr().lock().write_all(text.as_bytes()).unwrap_or_default();
}

/// Reads `250ms`, `2s`, `5m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = text.strip_prefix(digits).unwrap_or_default();
    let number: u64 =
        digits.parse().map_err(|_| "write a whole number and a unit, such as `250ms` or `2s`".to_owned())?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" => return Err(format!("which unit? Write `{number}ms` or `{number}s`")),
        other => return Err(format!("`{other}` is not a unit; use ms, s, m or h")),
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(|| "that is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("5m"), Ok(Duration::from_mins(5)));
        for wrong in ["", "2", "s", "2x", "-1s", "1.5s", "99999999999999999999s", "9999999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_follows_two_dashes_is_the_command() {
        let args = Args::parse_from(["kinbricks-sandbox", "--iam-delay", "1s", "--", "aws", "--version"]);
        assert_eq!(args.command, ["aws", "--version"]);
        assert_eq!(args.options().iam.delay, Duration::from_secs(1));
    }
}
