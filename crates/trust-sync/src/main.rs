//! Makes a role's live trust policy what its Databricks credential asks for. Everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    config::process::run_async(trust_sync::start)
}
