//! What the planner moves around: a record, or several packed into one, and what became of it.

use std::borrow::Cow;
use std::time::Instant;

use super::pack::Pack;
use super::shards::record_hash;
use crate::record::Record;

/// One entry of a request.
#[derive(Clone, Debug)]
pub struct Item {
    /// What is sent.
    pub content: Content,
    /// When it was admitted.
    pub admitted: Instant,
    /// When it was sent for the first time.
    pub first_sent: Option<Instant>,
    /// How often it was sent.
    pub attempts: u32,
}

/// What an entry carries.
#[derive(Clone, Debug)]
pub enum Content {
    /// A record on its own.
    Alone(Record),
    /// Several, packed into one.
    Packed(Box<Pack>),
}

impl Item {
    /// A record on its own.
    pub fn new(record: Record, admitted: Instant) -> Self {
        Self { content: Content::Alone(record), admitted, first_sent: None, attempts: 0 }
    }

    /// Several records in one.
    pub fn packed(pack: Pack, admitted: Instant) -> Self {
        Self { content: Content::Packed(Box::new(pack)), admitted, first_sent: None, attempts: 0 }
    }

    /// Position of its first record in the whole input.
    pub fn number(&self) -> u64 {
        match &self.content {
            Content::Alone(record) => record.number(),
            Content::Packed(pack) => pack.number(),
        }
    }

    /// What counts against the service's limits: payload plus key.
    pub fn size(&self) -> usize {
        match &self.content {
            Content::Alone(record) => record.size(),
            Content::Packed(pack) => pack.size(),
        }
    }

    /// The hash key that decides its shard; None when the service decides alone.
    pub fn hash(&self) -> Option<u128> {
        match &self.content {
            Content::Alone(record) => record_hash(record),
            Content::Packed(pack) => Some(pack.hash()),
        }
    }

    /// How many records it carries.
    pub fn count(&self) -> usize {
        match &self.content {
            Content::Alone(_) => 1,
            Content::Packed(pack) => pack.parts().len(),
        }
    }

    /// The pack in it, if it is one.
    pub fn pack_mut(&mut self) -> Option<&mut Pack> {
        match &mut self.content {
            Content::Alone(_) => None,
            Content::Packed(pack) => Some(pack),
        }
    }

    /// The records in it. Those of a pack are unpacked for it.
    pub fn records(&self) -> Cow<'_, [Record]> {
        match &self.content {
            Content::Alone(record) => Cow::Borrowed(std::slice::from_ref(record)),
            Content::Packed(pack) => Cow::Owned(pack.unpack()),
        }
    }
}

/// What all of `items` count against the service's limits.
pub fn bytes_of(items: &[Item]) -> usize {
    items.iter().map(Item::size).sum()
}

/// A piece of an answer's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Behind the last.
    pub end: u32,
}

/// Where an entry is stored, in the words of the answer: JSON strings without their quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The shard it went to.
    pub shard: Span,
    /// Its place in the shard.
    pub sequence: Span,
}

/// What the service said about one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is stored.
    Acked(Place),
    /// It is not stored.
    Failed(Box<Failure>),
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
    Acked(Item, Place),
    /// Not stored, and not tried again, for this last reason.
    GivenUp(Item, Box<Failure>),
}
