//! Do two policies mean the same? And if not, what differs and why it matters.
//!
//! Three verdicts: [`InSync`](VerdictKind::InSync) when they differ in nothing but what IAM itself rewrites,
//! [`Cosmetic`](VerdictKind::Cosmetic) when they are written differently and mean the same, [`Drift`](VerdictKind::Drift) when the
//! meaning differs. In doubt it is drift: no difference in what is allowed is ever called equal.
//!
//! ```
//! use policy::Document;
//! use policy::compare::{self, Code, VerdictKind};
//!
//! let live = Document::parse(r#"{"Statement":{"Effect":"Allow","Action":"kinesis:Get*","Resource":"*"}}"#)?;
//! let wanted = Document::parse(r#"{"Statement":{"Effect":"Allow","Action":["kinesis:GetRecords"],"Resource":"*"}}"#)?;
//! let comparison = compare::identity_policies(&live, &wanted);
//! assert_eq!(comparison.verdict, VerdictKind::Drift);
//! assert!(comparison.has(Code::Wider));
//! # Ok::<(), policy::ParseError>(())
//! ```

mod external_id;
mod layout;
mod meaning;

mod reason;
mod trust;

pub use reason::{Code, Comparison, Reason, Side, VerdictKind};
pub use trust::trust_policies;

use crate::{Document, normal};
use layout::{Difference, Layout};
use meaning::Placed;

/// Compares two identity policies, such as the live and the wanted version of a managed policy.
pub fn identity_policies(live: &Document, wanted: &Document) -> Comparison {
    documents(live, wanted)
}

/// Compares two policies of any kind, taking every statement as one that should be there.
pub fn documents(live: &Document, wanted: &Document) -> Comparison {
    let partition = normal::partition(&[live, wanted]);
    let (mine, theirs) = (placed(live, partition), placed(wanted, partition));
    let mut reasons = meaning::reasons(&meaning::beyond(&mine, &theirs), Side::Live);
    reasons.extend(meaning::reasons(&meaning::beyond(&theirs, &mine), Side::Wanted));
    let variables = [live, wanted].iter().any(|document| has_variables(&document.to_string()));
    reasons.extend(version(live, wanted, variables));
    if member(live, "Id") != member(wanted, "Id") {
        reasons.push(Reason::live(Code::Id, "the policies have different `Id`s".to_owned(), String::new()));
    }
    if reasons.is_empty() || reasons.iter().all(|reason| reason.code.verdict() != VerdictKind::Drift) {
        let layouts = |document: &Document| -> Vec<_> {
            document.statements().map(|statement| Layout::of(&statement, partition)).collect()
        };
        reasons.extend(written(&layouts(live), &layouts(wanted)));
    }
    reasons.extend(unknown_members(live, wanted));
    Comparison::of(reasons)
}

/// A document without a version is one of this.
const OLDEST_VERSION: &str = "2008-10-17";

fn placed(document: &Document, partition: &str) -> Vec<Placed> {
    let statements = document.statements();
    statements
        .flat_map(|statement| {
            let atoms = normal::atoms(&statement, partition).into_iter();
            atoms.map(move |atom| Placed::new(atom, &statement))
        })
        .collect()
}

/// Another version is one of writing only, unless there are variables: they are plain text in the old one.
fn version(live: &Document, wanted: &Document, variables: bool) -> Option<Reason> {
    if live.version() == wanted.version() {
        return None;
    }
    let shown =
        |document: &Document| document.version().map_or("none".to_owned(), |version| format!("`{version}`"));
    let effective = |document: &Document| document.version().unwrap_or(OLDEST_VERSION).to_owned();
    let code =
        if variables && effective(live) != effective(wanted) { Code::Variables } else { Code::Version };
    let sentence = format!("the live policy has version {}, the wanted one {}", shown(live), shown(wanted));
    Some(Reason::live(code, sentence, "/Version".to_owned()))
}

fn has_variables(text: &str) -> bool {
    text.contains("${")
}

fn written(live: &[Layout], wanted: &[Layout]) -> Option<Reason> {
    let (code, sentence) = match layout::difference(live, wanted)? {
        Difference::Order => (Code::Order, "the statements stand in another order"),
        Difference::Sid => (Code::Sid, "the statements have other Sids"),
        Difference::Layout => (Code::Layout, "the statements are divided or spelled in another way"),
    };
    Some(Reason::live(code, sentence.to_owned(), "/Statement".to_owned()))
}

/// What a member we do not know means cannot be told, so a difference in it may be one in meaning.
fn unknown_members(live: &Document, wanted: &Document) -> Option<Reason> {
    let unknown = |document: &Document| -> Vec<(String, String)> {
        let members = document.as_value().as_object().into_iter().flatten();
        let mut unknown: Vec<_> = members
            .filter(|(name, _)| !crate::shape::DOCUMENT_MEMBERS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect();
        unknown.sort();
        unknown
    };
    (unknown(live) != unknown(wanted)).then(|| {
        Reason::live(
            Code::Wider,
            "the policies differ in members that IAM does not know".to_owned(),
            String::new(),
        )
    })
}

fn member<'a>(document: &'a Document, name: &str) -> Option<&'a str> {
    document.as_value().get(name).and_then(serde_json::Value::as_str)
}
