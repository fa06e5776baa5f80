//! `cargo xtask bench put`.

use std::fs::File;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::measure::{self, Cost, Endpoint};
use crate::python;

/// Measures every way to put the same readings.
pub(crate) fn run(records: u64, only: Option<&str>) -> Result<()> {
    let own = std::env::current_exe()?;
    let kput = own.with_file_name("kput");
    ensure!(kput.is_file(), "there is no kput beside this program");
    let input = std::env::temp_dir().join(format!("kinbricks-readings-{}", std::process::id()));
    let written = Command::new(&own)
        .args(["readings", &records.to_string()])
        .stdin(Stdio::null())
        .stdout(File::create(&input)?)
        .status()
        .context("failed to write the readings")?;
    ensure!(written.success(), "failed to write the readings");
    let result = contenders(&own.display().to_string(), &kput.display().to_string(), records, only, &input);
    std::fs::remove_file(&input)?;
    result
}

fn contenders(
    own: &str,
    kput: &str,
    records: u64,
    only: Option<&str>,
    input: &std::path::Path,
) -> Result<()> {
    let kput = |more: &[&str]| -> Vec<String> {
        let common = [kput, "readings", "--quiet", "--key-field", "sensor_id"];
        common.iter().chain(more).map(|word| (*word).to_owned()).collect()
    };
    measure::print_head(records);
    let endpoint = || Endpoint::start(&["sink", "--shards", "8"].map(str::to_owned));
    let row = |name: &str, command: &dyn Fn(u16) -> Vec<String>| -> Result<()> {
        if only.is_some_and(|only| !name.contains(only)) {
            return Ok(());
        }
        let sink = endpoint()?;
        let cost = measure::of(&command(sink.port), Some(input), sink.port)?;
        measure::print_row(name, records, cost);
        Ok(())
    };
    let ours = |command: &str, port: u16| -> Vec<String> {
        [own, command, "--port", &port.to_string(), "--records", &records.to_string()]
            .map(str::to_owned)
            .to_vec()
    };
    row("floor: prepared requests", &|port| ours("floor-put", port))?;
    row("kput", &|_| kput(&[]))?;
    row("kput --receipts none", &|_| kput(&["--receipts", "none"]))?;
    row("kput --ordered", &|_| kput(&["--ordered"]))?;
    row("kput --aggregate", &|_| kput(&["--aggregate"]))?;
    row("kput --aggregate, no receipts", &|_| kput(&["--aggregate", "--receipts", "none"]))?;
    row("naive SDK loop", &|port| ours("naive-put", port))?;
    if python::has_boto3() {
        row("boto3", &|_| ["python3", "-c", python::PUT].map(str::to_owned).to_vec())?;
    }
    if only.is_none_or(|only| "one record".contains(only)) {
        let sink = endpoint()?;
        one_record(&kput(&["--data", &crate::readings::reading(0)]), sink.port)?;
    }
    Ok(())
}

/// How often a single record is put.
const TIMES: usize = 25;

/// What one record costs, from the start of the process to its end.
#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn one_record(command: &[String], port: u16) -> Result<()> {
    let mut costs = (0..TIMES).map(|_| measure::of(command, None, port)).collect::<Result<Vec<_>>>()?;
    let mut median = |of: fn(&Cost) -> f64| {
        costs.sort_by(|one, other| of(one).total_cmp(&of(other)));
        costs.get(TIMES / 2).map_or(0.0, of)
    };
    println!(
        "one record, whole process: {:.1} ms, {:.1} ms CPU, {:.1} MiB (medians of {TIMES})",
        median(|cost| cost.wall_seconds) * 1e3,
        median(|cost| cost.cpu_seconds) * 1e3,
        median(|cost| cost.peak_mib),
    );
    let binary = command.first().context("no command")?;
    #[expect(clippy::cast_precision_loss, reason = "a size fits into 53 bits")]
    let megabytes = std::fs::metadata(binary)?.len() as f64 / 1e6;
    println!("binary, stripped: {megabytes:.1} MB");
    Ok(())
}
