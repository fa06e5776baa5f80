//! Set-ups that are broken on purpose, each in a sandbox of its own.
//!
//! For each: `trust-sync --explain` predicts, the sandbox's Databricks validates, the keys that Databricks hands out are tried,
//! and `aws-check --doctor` names the broken link. The four must agree. Then the repair that the doctor names is run, and
//! everything must be green, or the doctor says why no command can repair it.

mod cases;
mod compare;
mod policies;
mod verdict;
mod world;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = cases::all().into_iter().map(|case| {
        Trial::test(case.name, move || {
            compare::check(&case).map_err(|error| Failed::from(format!("{error:#}")))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
