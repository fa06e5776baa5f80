//! What a whole process costs: CPU seconds, wall time, peak memory, as the system accounts for it.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::json;

/// The cost of one process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) cpu_seconds: f64,
    pub(crate) wall_seconds: f64,
    pub(crate) peak_mib: f64,
}

/// Runs `command` and prints what it cost. In a process of its own, whose only child is the one that is measured.
#[expect(clippy::print_stderr, reason = "the figures are for the benchmark that started this")]
pub(crate) fn and_tell(command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("no command")?;
    let started = Instant::now();
    let ended = Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("failed to start `{program}`"))?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    ensure!(ended.success(), "`{program}` ended with {ended}");
    eprintln!(
        "{}",
        json!({"cpu_seconds": cpu_seconds(&usage), "wall_seconds": wall_seconds, "peak_kib": usage.max_rss()})
    );
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a run fit into 53 bits")]
fn cpu_seconds(usage: &Usage) -> f64 {
    (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6
}

/// Measures `command`, fed from `input`, its output thrown away, with keys that are none.
pub(crate) fn of(command: &[String], input: Option<&std::path::Path>, port: u16) -> Result<Cost> {
    let stdin = match input {
        Some(path) => Stdio::from(std::fs::File::open(path)?),
        None => Stdio::null(),
    };
    let output = Command::new(std::env::current_exe()?)
        .args(["measure", "--"])
        .args(command)
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_DEFAULT_REGION", "eu-central-1")
        .env("AWS_ENDPOINT_URL_KINESIS", format!("http://127.0.0.1:{port}"))
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{}` failed: {said}", command.join(" "));
    let line = said.lines().last().context("no figures")?;
    let figures: serde_json::Value =
        serde_json::from_str(line).with_context(|| format!("no figures in `{line}`"))?;
    let figure = |name: &str| {
        figures.get(name).and_then(serde_json::Value::as_f64).with_context(|| format!("no {name}"))
    };
    Ok(Cost {
        cpu_seconds: figure("cpu_seconds")?,
        wall_seconds: figure("wall_seconds")?,
        peak_mib: figure("peak_kib")? / 1024.0,
    })
}

/// The table's head.
#[expect(clippy::print_stdout, reason = "the table is the result")]
pub(crate) fn print_head(records: u64) {
    println!("{records} records, whole processes; compare within this run only");
    println!("{:<28} {:>12} {:>10} {:>12} {:>9}", "", "CPU s per M", "wall s", "records/s", "peak MiB");
}

/// One row.
#[expect(clippy::print_stdout, reason = "the table is the result")]
#[expect(clippy::cast_precision_loss, reason = "a count of records fits into 53 bits")]
pub(crate) fn print_row(name: &str, records: u64, cost: Cost) {
    let records = records as f64;
    println!(
        "{name:<28} {:>12.2} {:>10.2} {:>12.0} {:>9.1}",
        cost.cpu_seconds / records * 1e6,
        cost.wall_seconds,
        records / cost.wall_seconds,
        cost.peak_mib
    );
}

/// An endpoint in a process of its own, ended with this value.
pub(crate) struct Endpoint {
    child: std::process::Child,
    /// Its port on loopback.
    pub(crate) port: u16,
}

impl Endpoint {
    /// Starts this program again as an endpoint.
    pub(crate) fn start(arguments: &[String]) -> Result<Self> {
        use std::io::BufRead;
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("the endpoint has no stdout")?;
        let mut line = String::new();
        std::io::BufReader::new(stdout).read_line(&mut line)?;
        Ok(Self { port: line.trim().parse().context("the endpoint gave no port")?, child })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
