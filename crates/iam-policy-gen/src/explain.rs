//! `explain`: a plain sentence for each statement.

use std::io::{Read, Write};

use config::{Outcome, Output};
use serde::Serialize;

use crate::args::Explain;
use crate::stop::Stop;
use crate::{sentence, source};

/// A line of output.
#[derive(Serialize)]
struct Line<'a> {
    policy: &'a str,
    statement: usize,
    sid: Option<&'a str>,
    sentence: String,
}

/// Prints one line a statement.
pub(crate) fn run<W: Write>(
    args: &Explain,
    stdin: &mut dyn Read,
    output: &mut Output<W>,
) -> Result<Outcome, Stop> {
    for found in source::policies(&args.policy, None, stdin)? {
        for statement in found.document.statements() {
            output.line(&Line {
                policy: &found.name,
                statement: statement.index(),
                sid: statement.sid(),
                sentence: sentence::of(&statement),
            })?;
        }
    }
    output.flush()?;
    Ok(Outcome::Done)
}
