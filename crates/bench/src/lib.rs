//! Measures `kput` and `kpeek` against endpoints of their own process that only count and acknowledge, or hand out
//! canned pages: neither is the bottleneck. Beside them run a floor, a naive loop over the SDK, and boto3 where it is.
//!
//! Every figure is a whole process: its own CPU seconds, wall time and peak memory. Compare figures of one run only.

mod floor;
mod http;
mod measure;
mod naive;
mod peek;
mod put;
mod python;
mod readings;
mod sink;
mod source;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures the Kinesis tools
#[derive(Parser, Debug)]
#[command(name = "kinbricks-bench", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// kput against a sink, beside a floor, a naive loop and boto3
    Put(Load),
    /// kpeek against canned pages, beside a floor, a naive loop and boto3
    Peek(Load),
    /// Print sensor readings of about 110 bytes, one a line
    Readings {
        /// How many
        records: u64,
    },
    /// Serve PutRecords: count and acknowledge; print the port
    Sink {
        /// How many shards ListShards shows
        #[arg(long, default_value_t = 8)]
        shards: u32,
    },
    /// Serve GetRecords from canned pages; print the port
    Source {
        /// How many records a shard holds
        #[arg(long)]
        records: u64,
        /// How many shards
        #[arg(long, default_value_t = 1)]
        shards: u32,
    },
    /// Replay prepared PutRecords requests
    FloorPut(Client),
    /// Read pages, parse the JSON and decode base64, nothing else
    FloorPeek(Client),
    /// The loop that people write over the SDK
    NaivePut(Client),
    /// The loop that people write over the SDK
    NaivePeek(Client),
    /// Run a command and print what it cost as one JSON line on stderr
    Measure {
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
}

/// How much to measure.
#[derive(clap::Args, Debug)]
struct Load {
    /// How many records
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// Only the contenders whose name contains this
    #[arg(long)]
    only: Option<String>,
}

/// A client of an endpoint.
#[derive(clap::Args, Debug)]
struct Client {
    /// The endpoint's port on loopback
    #[arg(long)]
    port: u16,
    /// How many records, for the floor of putting
    #[arg(long, default_value_t = 0)]
    records: u64,
}

/// Runs the benchmark that the arguments name.
#[expect(clippy::print_stderr, reason = "a benchmark talks to the person who started it")]
pub fn main() -> ExitCode {
    match run(&Args::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kinbricks-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Put(load) => put::run(load.records, load.only.as_deref()),
        Command::Peek(load) => peek::run(load.records, load.only.as_deref()),
        Command::Readings { records } => readings::print(*records),
        Command::Sink { shards } => http::serve(&sink::Sink::new(*shards)),
        Command::Source { records, shards } => http::serve(&source::Source::new(*records, *shards)),
        Command::FloorPut(client) => floor::put(client.port, client.records),
        Command::FloorPeek(client) => floor::peek(client.port),
        Command::NaivePut(client) => naive::put(client.port),
        Command::NaivePeek(client) => naive::peek(client.port),
        Command::Measure { command } => measure::and_tell(command),
    }
}
