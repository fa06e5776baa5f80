//! `diff`: how two policies differ in meaning.

use std::io::{Read, Write};

use config::{Fault, Outcome, Output};
use policy::compare::{self, Comparison, VerdictKind};
use policy::{Document, trust};

use crate::args::{Diff, Kind};
use crate::source;
use crate::stop::Stop;

/// Prints `{"verdict":…,"reasons":[…]}`; incomplete on drift.
pub(crate) fn run<W: Write>(
    args: &Diff,
    stdin: &mut dyn Read,
    output: &mut Output<W>,
) -> Result<Outcome, Stop> {
    if args.live == "-" && args.wanted == "-" {
        return Err(Fault::usage("both policies are to come from stdin")
            .with_hint("give at least one as a file: … | iam-policy-gen diff - wanted.json")
            .into());
    }
    let kind = args.kind;
    let live = source::policy(&args.live, Some(kind), stdin)?;
    let wanted = source::policy(&args.wanted, Some(kind), stdin)?;
    let comparison = compare(kind, &live.document, &wanted.document);
    output.document(&comparison)?;
    match comparison.verdict {
        VerdictKind::InSync | VerdictKind::Cosmetic => Ok(Outcome::Done),
        VerdictKind::Drift => Ok(Outcome::Incomplete),
    }
}

/// The difference. Where the wanted policy is the one that Databricks needs, its drift is told in the terms of that policy, such
/// as `dead-principal`; whether it is drift does not depend on that.
fn compare(kind: Kind, live: &Document, wanted: &Document) -> Comparison {
    let plain = compare::documents(live, wanted);
    if kind != Kind::Trust || plain.verdict != VerdictKind::Drift {
        return plain;
    }
    let told = trust::recognize(wanted)
        .map(|subject| compare::trust_policies(live, wanted, &subject).exclusive())
        .filter(|told| told.verdict == VerdictKind::Drift);
    told.unwrap_or(plain)
}
