//! `lint`: what is wrong with a policy, one line a finding.

use std::io::{Read, Write};

use config::names::AccountId;
use config::{Outcome, Output};
use policy::lint::{self, Finding, Severity};
use serde::Serialize;

use crate::args::{Kind, Lint};
use crate::source;
use crate::stop::Stop;

/// A line of output.
#[derive(Serialize)]
struct Line<'a> {
    policy: &'a str,
    code: lint::Code,
    severity: Severity,
    pointer: &'a str,
    message: &'a str,
    hint: &'a str,
}

/// Prints every finding; incomplete unless there are only suggestions.
pub(crate) fn run<W: Write>(
    args: &Lint,
    stdin: &mut dyn Read,
    output: &mut Output<W>,
) -> Result<Outcome, Stop> {
    let account = args.account.as_ref().map(AccountId::as_str);
    let mut outcome = Outcome::Done;
    for found in source::policies(&args.policy, args.kind, stdin)? {
        let kind = match found.kind {
            Kind::Trust => lint::Kind::Trust { account },
            Kind::Identity => lint::Kind::Identity,
            Kind::Resource => lint::Kind::Resource { account },
        };
        for finding in lint::lint(&found.document, kind) {
            let Finding { code, severity, pointer, message, hint } = &finding;
            if *severity > Severity::Suggestion {
                outcome = Outcome::Incomplete;
            }
            output.line(&Line {
                policy: &found.name,
                code: *code,
                severity: *severity,
                pointer,
                message,
                hint,
            })?;
        }
    }
    output.flush()?;
    Ok(outcome)
}
