//! Which shards are to be read, decided from a listing and what was asked for.

use std::time::Instant;

use config::Fault;
use config::names::ShardId;
use jiff::Timestamp;

use crate::checkpoint::{Mark, Saved};
use crate::lineage::{Lineage, Shard};
use crate::position::Position;
use crate::read::Listing;

/// When a shard has been read far enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// When everything that was there is read.
    CaughtUp,
    /// When everything that arrived up to this time is read.
    Arrived(Timestamp),
    /// Never.
    Stopped,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Where to begin.
    pub(crate) origin: Position,
    /// The only shards to read; all when empty.
    pub(crate) named: Vec<ShardId>,
    /// The hash key that a shard must take to be read.
    pub(crate) hash: Option<u128>,
    /// When to end.
    pub(crate) until: Until,
    /// When to end in any case.
    pub(crate) deadline: Option<Instant>,
    /// When the run began.
    pub(crate) began: Timestamp,
}

impl Plan {
    /// The listing that holds every shard with a record to show, and few others.
    pub(crate) fn listing(&self) -> Listing {
        match &self.origin {
            _ if !self.named.is_empty() => Listing::All,
            Position::Latest => Listing::Open,
            Position::At(time) => Listing::Since(*time),
            Position::TrimHorizon | Position::AtSequence(_) | Position::AfterSequence(_) => Listing::All,
        }
    }

    /// Chooses from a listing.
    ///
    /// # Errors
    /// A refused fault when a named shard is not there; a usage fault when a sequence number is to be looked for in more
    /// than one shard.
    pub(crate) fn choose(&self, shards: &[Shard], stream: &str) -> Result<Lineage, Fault> {
        for named in &self.named {
            if !shards.iter().any(|shard| shard.id == *named) {
                return Err(Fault::refused(format!("there is no shard `{named}` in stream `{stream}`"))
                    .with_hint(format!("the stream has {}", ids(shards))));
            }
        }
        let mut lineage = Lineage::default();
        let mut chosen = Vec::new();
        for shard in shards {
            // An emulator may list closed shards too; nothing arrives in them any more.
            let late = self.origin == Position::Latest && self.named.is_empty() && shard.closed;
            if self.wants(shard) && !late {
                lineage.add(shard);
                chosen.push(&shard.id);
            }
        }
        if self.origin.is_of_one_shard() && chosen.len() != 1 {
            return Err(Fault::usage(format!(
                "`{}` is a place in one shard, not in {}",
                self.origin,
                chosen.len()
            ))
            .with_hint(format!(
                "add --shard with the `shard_id` of that record; the stream has {}",
                ids(shards)
            )));
        }
        Ok(lineage)
    }

    /// Goes on from where an earlier run ended: its shards, and what they have become since.
    ///
    /// Returns the shards to read, and those that are gone although they were not read to their end.
    pub(crate) fn resume(&self, shards: &[Shard], saved: &Saved) -> (Lineage, Vec<ShardId>) {
        let mut lineage = Lineage::default();
        let mut lost = Vec::new();
        for (id, mark) in &saved.shards {
            match (mark, shards.iter().find(|shard| shard.id == *id)) {
                (Mark::At(_), Some(shard)) if self.wants(shard) => lineage.add(shard),
                // It is not asked for this time, and keeps its place.
                (Mark::At(_), Some(_)) => {}
                (Mark::At(_), None) => {
                    lost.push(id.clone());
                    lineage.end(id);
                }
                (Mark::Over, _) => lineage.end(id),
            }
        }
        if self.follows_children() {
            lineage.add_descendants(shards.iter().filter(|shard| self.wants(shard)));
        }
        (lineage, lost)
    }

    /// Whether records to show may be in this shard.
    pub(crate) fn wants(&self, shard: &Shard) -> bool {
        let is_named = self.named.is_empty() || self.named.contains(&shard.id);
        let takes = |hash| shard.hashes.is_none_or(|hashes| hashes.contains(hash));
        is_named && self.hash.is_none_or(takes)
    }

    /// Whether the run goes on when there is nothing new.
    pub(crate) fn follows(&self) -> bool {
        self.until != Until::CaughtUp
    }

    /// Whether the children of a shard that ends are to be read too: not when the shards were named.
    pub(crate) fn follows_children(&self) -> bool {
        self.named.is_empty()
    }
}

/// Shard ids that an error names at most.
const NAMED_IDS: usize = 6;

fn ids(shards: &[Shard]) -> String {
    let named = shards.iter().take(NAMED_IDS).map(|shard| shard.id.as_str()).collect::<Vec<_>>().join(", ");
    match shards.len().checked_sub(NAMED_IDS) {
        None | Some(0) => named,
        Some(more) => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use config::Kind;
    use config::names::ShardId;
    use jiff::Timestamp;

    use super::{Plan, Until};
    use crate::lineage::Shard;
    use crate::position::Position;
    use crate::read::Listing;

    fn id(number: usize) -> ShardId {
        number.to_string().parse().unwrap()
    }

    fn plan(origin: Position, named: &[usize]) -> Plan {
        let named = named.iter().map(|number| id(*number)).collect();
        Plan {
            origin,
            named,
            hash: None,
            until: Until::CaughtUp,
            deadline: None,
            began: Timestamp::UNIX_EPOCH,
        }
    }

    /// Shard 0 was split into 1 and 2.
    fn shards() -> Vec<Shard> {
        let shard = |number, parents: &[usize], closed| Shard {
            id: id(number),
            parents: parents.iter().map(|parent| id(*parent)).collect(),
            hashes: None,
            closed,
        };
        vec![shard(0, &[], true), shard(1, &[0], false), shard(2, &[0], false)]
    }

    #[test]
    fn latest_leaves_closed_shards_alone_even_when_they_are_listed() {
        let plan = plan(Position::Latest, &[]);
        assert_eq!(plan.listing(), Listing::Open);
        assert_eq!(plan.choose(&shards(), "s").unwrap().begin(), [id(1), id(2)]);
    }

    #[test]
    fn the_whole_stream_begins_with_its_oldest_shard() {
        assert_eq!(plan(Position::TrimHorizon, &[]).choose(&shards(), "s").unwrap().begin(), [id(0)]);
    }

    #[test]
    fn a_sequence_number_needs_its_shard() {
        let at = || Position::AtSequence("42".to_owned());
        let fault = plan(at(), &[]).choose(&shards(), "s").unwrap_err();
        assert_eq!(fault.kind(), Kind::Usage);
        assert!(fault.hint().unwrap().contains("--shard"), "{fault:?}");
        assert_eq!(plan(at(), &[1]).choose(&shards(), "s").unwrap().begin(), [id(1)]);
    }

    #[test]
    fn an_unknown_shard_is_refused_and_the_known_ones_are_named() {
        let fault = plan(Position::TrimHorizon, &[1, 9]).choose(&shards(), "s").unwrap_err();
        assert_eq!(fault.message(), "there is no shard `shardId-000000000009` in stream `s`");
        assert!(fault.hint().unwrap().contains("shardId-000000000002"));
    }
}
