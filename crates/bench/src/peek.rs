//! `cargo xtask bench peek`.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::measure::{self, Endpoint};
use crate::python;

/// Measures every way to read the same readings.
pub(crate) fn run(records: u64, only: Option<&str>) -> Result<()> {
    let own = std::env::current_exe()?;
    let kpeek = own.with_file_name("kpeek");
    ensure!(kpeek.is_file(), "there is no kpeek beside this program");
    let (own, kpeek) = (own.display().to_string(), kpeek.display().to_string());
    let kpeek = |more: &[&str]| -> Vec<String> {
        let common = [kpeek.as_str(), "readings", "--quiet"];
        common.iter().chain(more).map(|word| (*word).to_owned()).collect()
    };
    measure::print_head(records);
    let row = |name: &str, shards: u64, command: &dyn Fn(u16) -> Vec<String>| -> Result<()> {
        if only.is_some_and(|only| !name.contains(only)) {
            return Ok(());
        }
        let each = (records / shards).to_string();
        let shards = shards.to_string();
        let source =
            Endpoint::start(&["source", "--records", &each, "--shards", &shards].map(str::to_owned))?;
        let cost = measure::of(&command(source.port), None, source.port)?;
        measure::print_row(name, records, cost);
        Ok(())
    };
    let ours =
        |command: &str, port: u16| [&own, command, "--port", &port.to_string()].map(str::to_owned).to_vec();
    row("floor: parse and decode", 1, &|port| ours("floor-peek", port))?;
    row("kpeek", 1, &|_| kpeek(&[]))?;
    row("kpeek --raw", 1, &|_| kpeek(&["--raw"]))?;
    row("kpeek, 4 shards", 4, &|_| kpeek(&[]))?;
    row("naive SDK loop, raw", 1, &|port| ours("naive-peek", port))?;
    if python::has_boto3() {
        row("boto3, raw", 1, &|_| ["python3", "-c", python::PEEK].map(str::to_owned).to_vec())?;
    }
    for shards in [1, 4] {
        let name = format!("first record, {shards} shard{}", if shards == 1 { "" } else { "s" });
        if only.is_none_or(|only| name.contains(only)) {
            print_line(
                &name,
                &format!("{:.1} ms from start, median of {STARTS}", first_record(&kpeek(&[]), shards)?),
            );
        }
    }
    let name = format!("{IDLE_SHARDS} idle shards, --follow");
    if only.is_none_or(|only| name.contains(only)) {
        print_line(&name, &format!("{:.1} % of a core, after the first {IDLE_SECONDS} s", idle(&kpeek)?));
    }
    Ok(())
}

/// How often the tool is started until its first record is seen.
const STARTS: usize = 15;

/// Records of a shard whose first one is waited for: all of its pages are full.
const FULL_RECORDS: u64 = 100_000;

/// Shards in which nothing happens.
const IDLE_SHARDS: u32 = 1000;

/// How long they are watched, after as long a time to settle.
const IDLE_SECONDS: u32 = 10;

/// Milliseconds from the start of the process to the first byte on its stdout, the median of some starts.
fn first_record(command: &[String], shards: u32) -> Result<f64> {
    let (records, shards) = (FULL_RECORDS.to_string(), shards.to_string());
    let source = Endpoint::start(&["source", "--records", &records, "--shards", &shards].map(str::to_owned))?;
    let (program, arguments) = command.split_first().context("no command")?;
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let started = Instant::now();
        let mut child = Command::new(program)
            .args(arguments)
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "not-a-secret")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ENDPOINT_URL_KINESIS", format!("http://127.0.0.1:{}", source.port))
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("failed to start `{program}`"))?;
        let mut first = [0];
        let read = child.stdout.take().context("no stdout")?.read_exact(&mut first);
        times.push(started.elapsed().as_secs_f64() * 1000.0);
        child.kill()?;
        child.wait()?;
        read.context("not one record came")?;
    }
    times.sort_by(f64::total_cmp);
    times.get(STARTS / 2).copied().context("no start")
}

/// The part of a core, in percent, that watching shards takes in which nothing happens: the costs of a long and a short run
/// differ by what is spent once everything has begun.
fn idle(kpeek: &dyn Fn(&[&str]) -> Vec<String>) -> Result<f64> {
    let shards = IDLE_SHARDS.to_string();
    let source = Endpoint::start(&["source", "--records", "0", "--shards", &shards].map(str::to_owned))?;
    let cost = |seconds: u32| {
        measure::of(&kpeek(&["--for", &format!("{seconds}s")]), None, source.port)
            .map(|cost| cost.cpu_seconds)
    };
    Ok((cost(2 * IDLE_SECONDS)? - cost(IDLE_SECONDS)?) / f64::from(IDLE_SECONDS) * 100.0)
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
fn print_line(name: &str, figure: &str) {
    println!("{name:<28} {figure}");
}
