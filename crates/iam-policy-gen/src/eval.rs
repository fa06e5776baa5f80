//! `eval`: may this principal do this, by this policy?

use std::io::{Read, Write};

use config::{Fault, Outcome, Output};
use policy::evaluate::{self, Decision, Principal, Request, StatementRef};
use serde::Serialize;

use crate::args::{Eval, Kind};
use crate::condition_key;
use crate::source;
use crate::stop::Stop;

/// Who asks an identity policy when nobody says: whoever it is attached to. No account has this id.
const HOLDER: &str = "arn:aws:iam::000000000000:role/holder-of-this-policy";

/// The result.
#[derive(Serialize)]
struct Answer<'a> {
    decision: Decision,
    statement: Option<Place<'a>>,
    why: &'a str,
}

/// The statement that decided.
#[derive(Serialize)]
struct Place<'a> {
    index: usize,
    sid: Option<&'a str>,
    pointer: &'a str,
}

impl<'a> From<&'a StatementRef> for Place<'a> {
    fn from(statement: &'a StatementRef) -> Self {
        Self { index: statement.index, sid: statement.sid.as_deref(), pointer: &statement.pointer }
    }
}

/// Prints the decision; with `--check` incomplete unless it is to allow.
pub(crate) fn run<W: Write>(
    args: &Eval,
    stdin: &mut dyn Read,
    output: &mut Output<W>,
) -> Result<Outcome, Stop> {
    let found = source::policy(&args.policy, args.kind, stdin)?;
    let principal = match (&args.principal, found.kind) {
        (Some(text), _) => text.as_str(),
        (None, Kind::Identity) => HOLDER,
        (None, Kind::Trust | Kind::Resource) => {
            return Err(Fault::usage("this policy is about who asks, and nobody is named").with_hint(
                "add --principal ARN, such as --principal arn:aws:iam::123456789012:role/databricks-kinesis-role",
            )
            .into());
        }
    };
    let principal = Principal::from_arn(principal).map_err(|error| {
        Fault::usage(error.to_string()).with_hint(
            "--principal takes the ARN of a role, a session or a user, an account id, or a service",
        )
    })?;
    if !args.action.contains(':') {
        return Err(Fault::usage(format!("`{}` is no action", args.action))
            .with_hint("write one like kinesis:GetRecords or sts:AssumeRole")
            .into());
    }
    let context = condition_key::context(&args.context);
    let request =
        Request { principal: &principal, action: &args.action, resource: &args.resource, context: &context };
    let verdict = match found.kind {
        Kind::Trust | Kind::Resource => evaluate::trust(&found.document, &request),
        Kind::Identity => evaluate::identity(&[&found.document], None, &request),
    };
    // Where nothing is said no statement decided; which one came nearest is in `why`.
    let decided = verdict.statement.as_ref().filter(|_| verdict.decision != Decision::ImplicitDeny);
    let statement = decided.map(Place::from);
    output.document(&Answer { decision: verdict.decision, statement, why: &verdict.why })?;
    let holds = !args.check || verdict.decision == Decision::Allow;
    Ok(if holds { Outcome::Done } else { Outcome::Incomplete })
}
