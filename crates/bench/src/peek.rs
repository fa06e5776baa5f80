//! `cargo xtask bench peek`.

use anyhow::{Result, ensure};

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
    Ok(())
}
