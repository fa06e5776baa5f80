//! `cargo xtask lint` and `cargo xtask ci`: what `.ci/run` runs, the cheapest first.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::{build, test, tidy};

/// Everything that CI runs.
pub(crate) fn run() -> Result<()> {
    lint()?;
    step("tests", || test::run(&[]))?;
    step("demo", || cargo(&["run", "--quiet", "--package", "xtask", "--", "demo"]))
}

/// Every check that runs no test, each with its name and the time it took.
pub(crate) fn lint() -> Result<()> {
    step("tidy", tidy::run)?;
    step("format", || cargo(&["fmt", "--all", "--check"]))?;
    step("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    step("documentation", || {
        let mut command = build::cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
        let done = command.env("RUSTDOCFLAGS", "-D warnings").status().context("failed to run cargo")?;
        ensure!(done.success(), "the documentation has warnings");
        Ok(())
    })
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let done = build::cargo(arguments).status().context("failed to run cargo")?;
    ensure!(done.success(), "`cargo {}` failed", arguments.join(" "));
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a task runner talks to the person who started it")]
fn step(name: &str, run: impl FnOnce() -> Result<()>) -> Result<()> {
    eprintln!("== {name}");
    let started = Instant::now();
    run().with_context(|| format!("step `{name}`"))?;
    eprintln!("== {name}: {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}
