//! What the planner moves around: a record, or several packed into one, and what became of it.

use std::time::Instant;

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

/// What the service said about one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored.
    Acked {
        /// The shard it went to.
        shard: String,
        /// Its place in the shard.
        sequence: String,
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
        shard: String,
        /// Its place in the shard.
        sequence: String,
    },
    /// Not stored, and not tried again.
    GivenUp {
        /// What was sent.
        item: Item,
        /// The last reason.
        failure: Failure,
    },
}
