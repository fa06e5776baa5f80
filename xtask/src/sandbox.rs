//! `cargo xtask sandbox`: the local AWS and Databricks, served or around one command.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Error, Result};

use crate::build;

/// Builds everything, then becomes the sandbox: its signals and its exit code are the caller's.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let binaries = build::tools()?;
    let error = Command::new(binaries.join("kinbricks-sandbox"))
        .env("PATH", build::path_with_tools()?)
        .args(arguments)
        .exec();
    Err(Error::new(error).context("failed to start the sandbox"))
}
