//! Which shards are to be read, decided from a listing and what was asked for.

use std::collections::BTreeSet;
use std::time::Instant;

use config::Fault;
use config::fault::ErrorFormat;
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
    /// How faults are told.
    pub(crate) errors: ErrorFormat,
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
        self.check_named(shards, [], stream)?;
        let mut lineage = Lineage::default();
        let mut chosen = Vec::new();
        for shard in shards {
            if self.wants(shard) && !self.has_no_news(shard) {
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

    /// Goes on from where an earlier run ended: its shards, what they have become since, and those that it did not read.
    ///
    /// # Errors
    /// A refused fault when a named shard is neither there nor in the checkpoint.
    pub(crate) fn resume(&self, shards: &[Shard], saved: &Saved, stream: &str) -> Result<Resumed, Fault> {
        self.check_named(shards, saved.shards.keys(), stream)?;
        let listed: BTreeSet<&ShardId> = shards.iter().map(|shard| &shard.id).collect();
        let kin = kin(shards, &listed, saved);
        let mut resumed = Resumed { lineage: Lineage::default(), roots: BTreeSet::new(), lost: Vec::new() };
        for (id, mark) in &saved.shards {
            if *mark == Mark::Over {
                resumed.lineage.end(id);
            } else if !listed.contains(id) {
                resumed.lost.push(id.clone());
                resumed.lineage.end(id);
            }
        }
        for shard in shards.iter().filter(|shard| self.wants(shard)) {
            let is_stranger = !kin.knows(&shard.id);
            if is_stranger && self.has_no_news(shard) {
                continue;
            }
            resumed.lineage.add(shard);
            if is_stranger {
                resumed.roots.insert(shard.id.clone());
            }
        }
        Ok(resumed)
    }

    fn check_named<'a>(
        &self,
        shards: &'a [Shard],
        saved: impl IntoIterator<Item = &'a ShardId>,
        stream: &str,
    ) -> Result<(), Fault> {
        let known: BTreeSet<&ShardId> = shards.iter().map(|shard| &shard.id).chain(saved).collect();
        match self.named.iter().find(|named| !known.contains(named)) {
            None => Ok(()),
            Some(named) => Err(Fault::refused(format!("there is no shard `{named}` in stream `{stream}`"))
                .with_hint(format!("the stream has {}", ids(shards)))),
        }
    }

    /// Nothing arrives in a closed shard any more. An emulator may list it all the same.
    fn has_no_news(&self, shard: &Shard) -> bool {
        self.origin == Position::Latest && self.named.is_empty() && shard.closed
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

/// What a run has to read that goes on from an earlier one.
#[derive(Clone, Debug)]
pub(crate) struct Resumed {
    /// The shards to read.
    pub(crate) lineage: Lineage,
    /// Those that have nothing to do with what the earlier run read: they begin at the origin.
    pub(crate) roots: BTreeSet<ShardId>,
    /// Those that are gone although they were not read to their end.
    pub(crate) lost: Vec<ShardId>,
}

/// The shards of a checkpoint and all that descends from them.
fn kin(shards: &[Shard], listed: &BTreeSet<&ShardId>, saved: &Saved) -> Lineage {
    let mut kin = Lineage::default();
    for id in saved.shards.keys() {
        kin.end(id);
    }
    // Once shards of the checkpoint are trimmed, their children may be too; whose parents nobody knows any more may
    // descend from them, and must not be read from the latest record on.
    if saved.shards.keys().any(|id| !listed.contains(id)) {
        let is_orphan = |shard: &&Shard| {
            shard.parents.iter().any(|parent| !listed.contains(parent) && !kin.knows(parent))
        };
        let orphans: Vec<&Shard> = shards.iter().filter(is_orphan).collect();
        for orphan in orphans {
            kin.add(orphan);
        }
    }
    kin.add_descendants(shards);
    kin
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
    use config::fault::ErrorFormat;
    use config::names::ShardId;
    use jiff::Timestamp;

    use super::{Plan, Until};
    use crate::checkpoint::{Mark, Place, Saved};
    use crate::lineage::{Lineage, Shard};
    use crate::position::Position;
    use crate::read::Listing;

    fn id(number: usize) -> ShardId {
        number.to_string().parse().unwrap()
    }

    fn begun(mut lineage: Lineage) -> Vec<ShardId> {
        lineage.begin().into_iter().map(|ready| ready.id).collect()
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
            errors: ErrorFormat::Text,
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
        assert_eq!(begun(plan.choose(&shards(), "s").unwrap()), [id(1), id(2)]);
    }

    #[test]
    fn the_whole_stream_begins_with_its_oldest_shard() {
        assert_eq!(begun(plan(Position::TrimHorizon, &[]).choose(&shards(), "s").unwrap()), [id(0)]);
    }

    #[test]
    fn a_sequence_number_needs_its_shard() {
        let at = || Position::AtSequence("42".to_owned());
        let fault = plan(at(), &[]).choose(&shards(), "s").unwrap_err();
        assert_eq!(fault.kind(), Kind::Usage);
        assert!(fault.hint().unwrap().contains("--shard"), "{fault:?}");
        assert_eq!(begun(plan(at(), &[1]).choose(&shards(), "s").unwrap()), [id(1)]);
    }

    #[test]
    fn an_unknown_shard_is_refused_and_the_known_ones_are_named() {
        let fault = plan(Position::TrimHorizon, &[1, 9]).choose(&shards(), "s").unwrap_err();
        assert_eq!(fault.message(), "there is no shard `shardId-000000000009` in stream `s`");
        assert!(fault.hint().unwrap().contains("shardId-000000000002"));
    }

    fn saved(origin: Position, shards: &[(usize, Mark)]) -> Saved {
        Saved { origin, shards: shards.iter().map(|(number, mark)| (id(*number), mark.clone())).collect() }
    }

    fn at(number: &str) -> Mark {
        Mark::At(Place { position: Position::AfterSequence(number.to_owned()), sub: None })
    }

    /// Shard 0 was split into 1 and 2; 3 has nothing to do with them; 5 was made from a shard that is trimmed.
    fn family() -> Vec<Shard> {
        let shard = |number, parents: &[usize], closed| Shard {
            id: id(number),
            parents: parents.iter().map(|parent| id(*parent)).collect(),
            hashes: None,
            closed,
        };
        [shards(), vec![shard(3, &[], false), shard(5, &[4], false)]].concat()
    }

    #[test]
    fn shards_that_a_checkpoint_does_not_list_begin_at_the_origin() {
        let saved = saved(Position::TrimHorizon, &[(0, Mark::Over), (2, at("7"))]);
        let resumed = plan(Position::TrimHorizon, &[]).resume(&family(), &saved, "s").unwrap();
        assert_eq!(begun(resumed.lineage), [id(1), id(2), id(3), id(5)]);
        assert_eq!(resumed.roots, [id(3), id(5)].into());
        assert!(resumed.lost.is_empty());
    }

    #[test]
    fn who_may_descend_from_a_trimmed_shard_of_a_checkpoint_is_no_stranger() {
        for mark in [Mark::Over, at("7")] {
            let saved = saved(Position::Latest, &[(9, mark.clone()), (0, Mark::Over)]);
            let resumed = plan(Position::Latest, &[]).resume(&family(), &saved, "s").unwrap();
            assert_eq!(resumed.roots, [id(3)].into());
            assert_eq!(resumed.lost.is_empty(), mark == Mark::Over);
        }
    }

    #[test]
    fn a_named_shard_has_to_be_there_when_a_run_goes_on_too() {
        let saved = saved(Position::TrimHorizon, &[(0, at("7")), (8, Mark::Over)]);
        let fault = plan(Position::TrimHorizon, &[77]).resume(&family(), &saved, "s").unwrap_err();
        assert_eq!(fault.message(), "there is no shard `shardId-000000000077` in stream `s`");
        let resumed = plan(Position::TrimHorizon, &[3, 8]).resume(&family(), &saved, "s").unwrap();
        assert_eq!(begun(resumed.lineage), [id(3)]);
    }
}
