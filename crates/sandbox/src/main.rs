//! A local AWS and Databricks: Kinesis, IAM, STS and Unity Catalog credentials on loopback.
//! Everything is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use sandbox::cli::{self, Args};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    cli::run(Args::parse()).await
}
