//! Writes the two IAM policies that Databricks needs to read a Kinesis stream, and tells what is wrong with one. Pure: no
//! network, no credentials, the same bytes for the same input.
//!
//! | command | stdin | stdout |
//! |---|---|---|
//! | `trust`, `permissions` | the connection document, or nothing | the document with `policies.trust` or `policies.permissions`; without one the bare policy |
//! | `lint` | – | one line a finding: `{"policy":…,"code":…,"severity":…,"pointer":…,"message":…,"hint":…}` |
//! | `diff` | – | `{"verdict":"in-sync"\|"cosmetic"\|"drift","reasons":[{"code":…,"sentence":…,"pointer":…,"document":…}]}` |
//! | `eval` | – | `{"decision":"allow"\|"implicit-deny"\|"explicit-deny","statement":{"index":…,"sid":…,"pointer":…},"why":…}` |
//! | `explain` | – | one line a statement: `{"policy":…,"statement":…,"sid":…,"sentence":…}` |
//!
//! The last four read policies from files; `-` is stdin. A connection document may stand in for a policy.

mod args;
mod cloudformation;
mod condition_key;
mod diff;
mod eval;
mod explain;
mod hcl;
mod lint;
mod owner;
mod permissions;
mod print;
mod sentence;
mod source;
mod stop;
mod terraform;
mod trust;

use std::io::{self, Read, Write};

use config::settings::Settings;
use config::{Document, Fault, Notes, Outcome, Output, World};

pub use args::Args;
use args::{Command, Format};
use stop::Stop;

/// Runs the tool on the process's streams.
///
/// # Errors
/// As [`run`].
pub fn start(args: &Args, world: &World) -> Result<Outcome, Fault> {
    let document = match &args.command {
        Command::Trust(_) | Command::Permissions(_) => world.document(&args.doc)?,
        Command::Lint(_) | Command::Diff(_) | Command::Eval(_) | Command::Explain(_) => Document::default(),
    };
    let mut output = world.output(args.doc.pretty);
    run(args, document, &world.settings, &world.notes, &mut io::stdin(), &mut output)
}

/// Does what `args` ask for.
///
/// # Errors
/// A usage fault when something is missing or contradicts something else, a pipe fault when stdin is no policy or stdout
/// cannot be written.
pub fn run<W: Write>(
    args: &Args,
    document: Document,
    settings: &Settings,
    notes: &Notes,
    stdin: &mut dyn Read,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    match obey(&args.command, document, settings, notes, stdin, output) {
        Ok(outcome) => Ok(outcome),
        Err(stop) => stop.end(),
    }
}

fn obey<W: Write>(
    command: &Command,
    document: Document,
    settings: &Settings,
    notes: &Notes,
    stdin: &mut dyn Read,
    output: &mut Output<W>,
) -> Result<Outcome, Stop> {
    match command {
        Command::Trust(trust) => {
            let written = trust::write(trust, &document, settings, notes)?;
            let text = match print::language(&trust.print) {
                Format::Json => None,
                Format::Terraform => Some(terraform::trust(&written, &document, settings)?),
                Format::Cloudformation => Some(cloudformation::trust(&written)?),
            };
            print::policy(&trust.print, Some("trust"), written.document, text, document, output)?;
        }
        Command::Permissions(permissions) => {
            let written = permissions::write(permissions, &document, settings, notes)?;
            let text = match print::language(&permissions.print) {
                Format::Json => None,
                Format::Terraform => Some(terraform::permissions(&written)),
                Format::Cloudformation => Some(cloudformation::permissions(&written)?),
            };
            let name = written.is_for_role.then_some("permissions");
            print::policy(&permissions.print, name, written.document, text, document, output)?;
        }
        Command::Lint(lint) => return lint::run(lint, stdin, output),
        Command::Diff(diff) => return diff::run(diff, stdin, output),
        Command::Eval(eval) => return eval::run(eval, stdin, output),
        Command::Explain(explain) => return explain::run(explain, stdin, output),
    }
    Ok(Outcome::Done)
}
