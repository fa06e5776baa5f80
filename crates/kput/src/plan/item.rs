//! What the planner moves around: a record, or several packed into one, and what became of it.

use std::time::Instant;

use bytes::Bytes;

use crate::record::Record;

/// One entry of a request.
#[derive(Clone, Debug)]
pub struct Item {
    /// What is sent.
    pub record: Record,
    /// The records packed into it, when it is an aggregate; empty otherwise.
    pub parts: Vec<Record>,
    /// When it was admitted.
    pub admitted: Instant,
    /// How often it was sent.
    pub attempts: u32,
}

impl Item {
    /// A record on its own.
    pub fn new(record: Record, admitted: Instant) -> Self {
        Self { record, parts: Vec::new(), admitted, attempts: 0 }
    }
}

/// A text of an answer, without a copy of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(Bytes);

impl Text {
    /// `part`, which lies inside `whole`.
    pub fn part_of(whole: &Bytes, part: &str) -> Self {
        Self(whole.slice_ref(part.as_bytes()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // It was made of a `str`.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

/// What the service said about one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored.
    Acked {
        /// The shard it went to.
        shard: Text,
        /// Its place in the shard.
        sequence: Text,
    },
    /// It is not stored.
    Failed(Failure),
}

/// Why an entry was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The service's code.
    pub code: String,
    /// The service's words.
    pub message: String,
    /// Whether its shard takes no more at the moment.
    pub throttled: bool,
    /// Whether sending it again cannot help.
    pub last: bool,
}

/// An entry that the planner is done with.
#[derive(Debug)]
pub enum Ended {
    /// Stored.
    Acked {
        /// What was sent.
        item: Item,
        /// The shard it went to.
        shard: Text,
        /// Its place in the shard.
        sequence: Text,
    },
    /// Not stored, and not tried again.
    GivenUp {
        /// What was sent.
        item: Item,
        /// The last reason.
        failure: Failure,
    },
}
