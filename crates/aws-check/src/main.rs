//! Says who you are on AWS, where from, and what you can reach. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    config::process::run_async(aws_check::start)
}
