//! Creates, validates and uses a Databricks service credential. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    config::process::run_async(dbx_cred::start)
}
