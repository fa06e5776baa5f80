//! What a comparison found: verdicts, and the codes and sentences of its reasons.

use std::fmt;

use serde::{Serialize, Serializer};

/// The outcome of a comparison. Ordered: the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictKind {
    /// Nothing differs but what IAM itself changes on the way: the order and the brackets of lists, account ids.
    InSync,
    /// Written differently, meaning the same.
    Cosmetic,
    /// The meaning differs.
    Drift,
}

/// The outcome of a comparison with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The worst that any reason says.
    pub verdict: VerdictKind,
    /// What differs. Foreign statements are listed too, though they do not count.
    pub reasons: Vec<Reason>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Which kind of difference, for programs.
    pub code: Code,
    /// What it is, for people.
    pub sentence: String,
    /// Where it is: a JSON pointer into `document`, empty for the whole of it.
    pub pointer: String,
    /// Which of the two documents `pointer` points into.
    pub document: Side,
}

/// One of the two documents of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// What is in force.
    Live,
    /// What should be.
    Wanted,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $kind:ident $text:literal)+) => {
        /// Kinds of difference.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in output.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What a difference of this kind makes of the verdict.
            pub fn verdict(self) -> VerdictKind {
                match self { $(Self::$name => VerdictKind::$kind),+ }
            }
        }
    };
}

codes! {
    /// A statement that is not ours. It stays, and does not count.
    ForeignStatement InSync "foreign-statement"
    /// Statements have other names.
    Sid Cosmetic "sid"
    /// The document has another `Id`.
    Id Cosmetic "id"
    /// The document has another `Version`, which makes no difference to its statements.
    Version Cosmetic "version"
    /// Statements stand in another order.
    Order Cosmetic "order"
    /// Statements are merged, split, repeated or spelled in another way.
    Layout Cosmetic "layout"
    /// The role may assume itself, but the policy says so in the other form.
    SelfAssumeForm Cosmetic "self-assume-form"
    /// The versions differ, and with them what `${…}` means.
    Variables Drift "variables"
    /// A principal was deleted: its unique id stands where its ARN was. A namesake made later is not it.
    DeadPrincipal Drift "dead-principal"
    /// Unity Catalog's role is not trusted at all.
    MissingUnityCatalog Drift "missing-unity-catalog"
    /// Another role of Unity Catalog is trusted than the one that will call.
    UnityCatalogRole Drift "unity-catalog-role"
    /// The role may not assume itself.
    MissingSelfAssume Drift "missing-self-assume"
    /// No external ID is asked for.
    MissingExternalId Drift "missing-external-id"
    /// The placeholder was never replaced.
    PlaceholderExternalId Drift "placeholder-external-id"
    /// Another external ID is asked for.
    ExternalId Drift "external-id"
    /// The external ID is compared in a way that lets others pass or none.
    ExternalIdOperator Drift "external-id-operator"
    /// Some other statement lets callers in that send a wrong external ID.
    ExternalIdNotEnforced Drift "external-id-not-enforced"
    /// A statement refuses what is wanted.
    Denied Drift "denied"
    /// More is allowed than wanted.
    Wider Drift "wider"
    /// Less is allowed than wanted.
    Narrower Drift "narrower"
}

impl Reason {
    /// A difference at a place of the live document.
    pub(super) fn live(code: Code, sentence: String, pointer: String) -> Self {
        Self { code, sentence, pointer, document: Side::Live }
    }
}

impl Comparison {
    /// A comparison that found these.
    pub(super) fn of(reasons: Vec<Reason>) -> Self {
        let verdict = reasons.iter().map(|reason| reason.code.verdict()).max().unwrap_or(VerdictKind::InSync);
        Self { verdict, reasons }
    }

    /// The same comparison for somebody who wants no foreign statements: any of them is drift.
    #[must_use]
    pub fn exclusive(mut self) -> Self {
        if self.has(Code::ForeignStatement) {
            self.verdict = VerdictKind::Drift;
        }
        self
    }

    /// Whether a reason of this kind was found.
    pub fn has(&self, code: Code) -> bool {
        self.reasons.iter().any(|reason| reason.code == code)
    }
}

impl VerdictKind {
    /// The word in output: `in-sync`, `cosmetic` or `drift`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in-sync",
            Self::Cosmetic => "cosmetic",
            Self::Drift => "drift",
        }
    }
}

impl fmt::Display for VerdictKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
