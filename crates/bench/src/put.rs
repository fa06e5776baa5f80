//! `cargo xtask bench put`.

use std::fs::File;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::measure::{self, Endpoint};
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
    row("kput --aggregate", &|_| kput(&["--aggregate"]))?;
    row("naive SDK loop", &|port| ours("naive-put", port))?;
    if python::has_boto3() {
        row("boto3", &|_| ["python3", "-c", python::PUT].map(str::to_owned).to_vec())?;
    }
    Ok(())
}
