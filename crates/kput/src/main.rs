//! Puts records into a Kinesis stream. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    config::process::run_async(kput::start)
}
