//! Measures the Kinesis tools. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    kinbricks_bench::main()
}
