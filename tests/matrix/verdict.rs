//! What is said of a connection, from four sides.

use std::fmt;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Databricks' three checks, as predicted or as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checks {
    /// `P`, `F` or `S` for ASSUME_ROLE, EXTERNAL_ID_CONDITION and SELF_ASSUME_ROLE.
    Made(String),
    /// There was nothing to check; this was said instead.
    Refused(String),
}

impl Checks {
    /// Reads a list of `{"operation":…,"result":…}`.
    pub(crate) fn read(list: &Value) -> Result<Self> {
        let mut letters = String::new();
        for operation in ["ASSUME_ROLE", "EXTERNAL_ID_CONDITION", "SELF_ASSUME_ROLE"] {
            let mut checks = list.as_array().into_iter().flatten();
            let check = checks.find(|check| check["operation"] == operation);
            letters.push(match check.and_then(|check| check["result"].as_str()) {
                Some("PASS") => 'P',
                Some("FAIL") => 'F',
                Some("SKIP") => 'S',
                other => bail!("{operation} is {other:?} in {list}"),
            });
        }
        Ok(Self::Made(letters))
    }
}

impl fmt::Display for Checks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(letters) => formatter.write_str(letters),
            Self::Refused(said) => write!(formatter, "refused: {said}"),
        }
    }
}

/// The doctor's diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) verdict: String,
    pub(crate) link: Option<String>,
    pub(crate) sentence: Option<String>,
    pub(crate) fix: Option<String>,
}

impl Diagnosis {
    /// Reads the member `doctor` of a document.
    pub(crate) fn read(document: &Value) -> Result<Self> {
        let member = &document["doctor"];
        let text = |name: &str| member[name].as_str().map(str::to_owned);
        Ok(Self {
            verdict: text("verdict").with_context(|| format!("no verdict in {document}"))?,
            link: text("link"),
            sentence: text("sentence"),
            fix: text("fix"),
        })
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.verdict == "healthy"
    }
}
