//! `cargo xtask test`: every test there is.

use anyhow::{Context, Result, ensure};

use crate::build;

/// Runs every test, or those whose name contains the filter.
pub(crate) fn run(filter: &[&str]) -> Result<()> {
    // The pipeline tests run the real binaries; build them first, so that a build error looks like one.
    build::tools()?;
    let mut arguments = vec!["test", "--workspace", "--no-fail-fast"];
    arguments.extend(filter);
    let passed = build::cargo(&arguments)
        .env("PATH", build::path_with_tools()?)
        .status()
        .context("failed to run cargo")?;
    ensure!(passed.success(), "some tests failed");
    Ok(())
}
