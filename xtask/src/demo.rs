//! `cargo xtask demo`: the whole guide, end to end, on the sandbox, with the real binaries through real pipes.
//!
//! Each step is a shell command that a reader can copy. A step that does not end as the guide promises fails the demo.

mod script;
mod step;

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Error, Result, ensure};

use crate::build;
use script::STEPS;

/// What was seen, for the end. Each sentence is checked by a step above.
const SUMMARY: &[&str] = &[
    "a stream, a role with its policy and a service credential were made by eight small programs and three pipes",
    "validation failed while the role trusted the placeholder, and passed after trust-sync",
    "the record was read back with keys that Databricks vends; writing, and leaving the external ID out, was refused",
    "the second run changed nothing; the take-down left nothing, and can be run twice",
];

/// Builds everything, then becomes a sandbox that runs [`steps`]; the sandbox cleans up whatever happens.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    ensure!(arguments.is_empty(), "`cargo xtask demo` takes no arguments");
    let binaries = build::tools()?;
    let own = std::env::current_exe().context("failed to find this program")?;
    let error = Command::new(binaries.join("kinbricks-sandbox"))
        .env("PATH", build::path_with_tools()?)
        // Databricks demands both halves of self-assume: to be trusted and to be permitted.
        .arg("--strict-self-assume")
        .arg("--")
        .arg(own)
        .arg("demo-steps")
        .exec();
    Err(Error::new(error).context("failed to start the sandbox"))
}

/// The steps themselves, inside the sandbox.
#[expect(clippy::print_stdout, reason = "the demo is for a person to read")]
pub(crate) fn steps() -> Result<()> {
    let folder = Scratch::new()?;
    let started = Instant::now();
    println!("The guide, on a local AWS and Databricks. Every command below works on the real ones too.");
    for (index, step) in STEPS.iter().enumerate() {
        step.run(index + 1, STEPS.len(), folder.path())
            .with_context(|| format!("step {}: {}", index + 1, step.title))?;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("\n{} steps in {seconds:.1} s, each one checked:", STEPS.len());
    for said in SUMMARY {
        println!("  - {said}");
    }
    println!("Next: `cargo xtask sandbox` for a sandbox of your own, README.md for the real clouds.");
    Ok(())
}

/// A folder for the demo's files, removed at the end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("kinbricks-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).context("failed to make a folder for the demo's files")?;
        Ok(Self(path))
    }

    fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in the system's own folder for temporary files.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
