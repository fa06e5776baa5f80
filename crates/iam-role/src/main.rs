//! Creates, shows and deletes the IAM role and its policy. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    config::process::run_async(iam_role::start)
}
