//! Runs every `pipelines/CASE/script` inside a sandbox of its own and compares what it printed with `output.txt`.
//!
//! `SNAPSHOTS=overwrite cargo xtask test pipelines` writes the outputs anew; read the difference before you commit it.
//! A first line `# sandbox: OPTIONS` in a script is handed to the sandbox.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use kinbricks_tests::{root, run};
use libtest_mimic::{Arguments, Failed, Trial};
use regex::Regex;
use snapbox::assert::Assert;
use snapbox::{Data, Redactions};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(_) => ExitCode::FAILURE,
    }
}

fn trials() -> Result<Vec<Trial>> {
    let mut trials = Vec::new();
    for entry in fs::read_dir(root().join("tests/pipelines")).context("failed to list the cases")? {
        let folder = entry?.path();
        if folder.is_dir() {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            trials.push(Trial::test(name, move || {
                case(&folder).map_err(|error| Failed::from(format!("{error:#}")))
            }));
        }
    }
    trials.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(trials)
}

fn case(folder: &Path) -> Result<()> {
    let script = fs::read_to_string(folder.join("script")).context("the case has no `script`")?;
    let options = script.lines().next().and_then(|line| line.strip_prefix("# sandbox: ")).unwrap_or_default();
    let options: Vec<&str> = options.split_whitespace().collect();
    let scratch = tempfile::tempdir()?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        fs::copy(entry.path(), scratch.path().join(entry.file_name()))?;
    }
    let output = run(&script, scratch.path(), &options)?;
    let mut said = String::from_utf8(output.stdout).context("the output is not UTF-8")?;
    ensure!(output.stderr.is_empty(), "the sandbox said: {}", String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        writeln!(said, "[exit code {}]", output.status.code().unwrap_or(-1))?;
    }
    said = said.replace(&scratch.path().display().to_string(), "[FOLDER]");
    said = said.split_inclusive('\n').filter(|line| !is_of_a_wait(line)).collect();
    let expected = Data::read_from(&folder.join("output.txt"), None);
    let assert = Assert::new().action_env("SNAPSHOTS").redact_with(redactions()?);
    assert.try_eq(Some(&"output"), Data::text(said), expected).map_err(|error| anyhow::anyhow!("{error}"))
}

/// Whether a tool says here that it waits for IAM. Whether it has to is chance: IAM may be done before it is asked. For the
/// same reason an output has `([..])` where a tool may say that it asked once, or how often.
fn is_of_a_wait(line: &str) -> bool {
    let parts = ["for IAM to know every principal", "not passed yet; waiting for IAM", " so far, "];
    parts.iter().any(|part| line.contains(part))
}

/// What differs from run to run, and what it is.
fn redactions() -> Result<Redactions> {
    let mut redactions = Redactions::new();
    let patterns = [
        ("[SEQUENCE]", r#""sequence_number":"(?<redacted>\d{10,})""#),
        ("[TIME]", r"(?<redacted>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z)"),
        ("[TOOK]", r"(?<redacted>\b\d+(\.\d)?m?s\b)"),
        ("[CLOCK]", r"(?<redacted>\b\d\d:\d\d:\d\d\.\d{3}\b)"),
        ("[COUNT]", r"\((?<redacted>\w+) attempts? in "),
        ("[PORT]", r"127\.0\.0\.1:(?<redacted>\d+)"),
        ("[UUID]", r"(?<redacted>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"),
        ("[ROLEID]", r"(?<redacted>\bAROA[A-Z0-9]{17}\b)"),
        ("[MS]", r#""waited_ms":(?<redacted>\d+)"#),
    ];
    for (placeholder, pattern) in patterns {
        redactions.insert(placeholder, Regex::new(pattern)?)?;
    }
    Ok(redactions)
}
