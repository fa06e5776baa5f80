//! `cargo xtask bench put|peek`: builds for release, then hands over to the benchmark.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Error, Result, bail, ensure};

use crate::build;

/// Builds the tool and the benchmark and runs it; the rest of the arguments go to it.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let tool = match arguments.first() {
        Some(&"put") => "kput",
        Some(&"peek") => "kpeek",
        _ => bail!("say what to measure: cargo xtask bench put, or peek; --records N, --only NAME"),
    };
    let built = build::cargo(&["build", "--release", "-p", tool, "-p", "kinbricks-bench"]).status();
    ensure!(built.context("failed to run cargo")?.success(), "the build failed");
    let folder = build::binaries()?.with_file_name("release");
    let error = Command::new(folder.join("kinbricks-bench")).args(arguments).exec();
    Err(Error::new(error).context("failed to start the benchmark"))
}
