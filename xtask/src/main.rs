//! The project's own tasks: `cargo xtask COMMAND`.
//!
//! Light on purpose: no SDK and no product crate, so that it builds in seconds. Heavy work is a process it starts.

mod bench;
mod build;
mod ci;
mod demo;
mod sandbox;
mod test;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;

const HELP: &str = "\
cargo xtask demo                  the whole guide, end to end, on the local sandbox
cargo xtask sandbox               serve the sandbox, print `export …` lines, run until Ctrl-C
cargo xtask sandbox -- COMMAND …  run COMMAND inside the sandbox, with the tools on its PATH
cargo xtask test [FILTER]         every test: units, binaries, whole pipelines, README examples
cargo xtask bench put|peek        what a million records cost, beside a floor and what people use today
cargo xtask tidy                  the house rules that no compiler checks
cargo xtask lint                  tidy, format, clippy and the documentation, with warnings denied
cargo xtask ci                    lint, test and demo, as CI runs them
";

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to the person who started it"
)]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done: Result<()> = match words.as_slice() {
        ["demo", rest @ ..] => demo::run(rest),
        ["demo-steps"] => demo::steps(),
        ["sandbox", rest @ ..] => sandbox::run(rest),
        ["test", rest @ ..] => test::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["tidy"] => tidy::run(),
        ["lint"] => ci::lint(),
        ["ci"] => ci::run(),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
