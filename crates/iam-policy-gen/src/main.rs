//! Writes the two IAM policies that Databricks needs, and tells what is wrong with one. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    config::process::run(|args, world| iam_policy_gen::start(&args, &world))
}
