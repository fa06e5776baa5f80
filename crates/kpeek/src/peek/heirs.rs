//! What closed shards became, where their last answer does not tell all of it: it may name no children, or a child whose
//! other parent is not known yet. A listing tells.

use config::Fault;
use config::names::ShardId;

use super::reply::{REST, one_line};
use super::schedule::Errand;
use super::{Peek, now};
use crate::lineage::Shard;

/// Listings that are tried for one shard, when the stream is followed and when not.
const LISTINGS: (u32, u32) = (6, 2);

/// A closed shard whose children are looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Awaited {
    /// The children that its last answer named.
    named: Vec<Shard>,
    listings: u32,
}

impl Peek<'_> {
    /// Adds the children of a shard that was read to its end. Says whether more has to be known first.
    pub(super) fn inherit(&mut self, id: &ShardId, children: &[Shard]) -> bool {
        let wanted = children.iter().filter(|child| self.plan.wants(child));
        let lineage = &self.start.lineage;
        let is_known = |parent: &ShardId| parent == id || lineage.knows(parent);
        let is_complete =
            !children.is_empty() && wanted.clone().all(|child| child.parents.iter().all(is_known));
        if is_complete {
            for child in wanted {
                self.start.lineage.add(child);
            }
            self.expect(children);
            return false;
        }
        let awaited = Awaited { named: wanted.cloned().collect(), listings: 0 };
        if self.heirs.is_empty() {
            self.schedule.push(Errand::Listing);
        }
        self.heirs.insert(id.clone(), awaited);
        true
    }

    /// A listing came.
    pub(super) fn listed(&mut self, listed: Result<Vec<Shard>, Fault>) {
        let shards = listed.unwrap_or_else(|fault| {
            self.world.notes.warn(one_line(&fault));
            Vec::new()
        });
        self.start.lineage.add_descendants(shards.iter().filter(|shard| self.plan.wants(shard)));
        self.expect(&shards);
        let most = if self.plan.follows() { LISTINGS.0 } else { LISTINGS.1 };
        let mut waits = 0;
        for (id, mut awaited) in std::mem::take(&mut self.heirs) {
            awaited.listings += 1;
            let is_found = shards.iter().any(|shard| shard.parents.contains(&id));
            if !is_found && awaited.listings < most {
                waits = waits.max(awaited.listings);
                self.heirs.insert(id, awaited);
                continue;
            }
            // A stream that is being deleted closes its shards without children.
            for child in &awaited.named {
                self.start.lineage.add(child);
            }
            self.expect(&awaited.named);
            self.release(&id);
        }
        if !self.heirs.is_empty() {
            self.schedule.wait(now() + REST * waits, Errand::Listing);
        }
    }

    fn expect(&mut self, shards: &[Shard]) {
        for shard in shards.iter().filter(|shard| self.start.lineage.knows(&shard.id)) {
            if let Some(range) = shard.hashes {
                self.sink.expect(&shard.id, range);
            }
        }
    }

    /// Whoever waits for this shard in the order of arrival waits no more.
    pub(super) fn release(&mut self, id: &ShardId) {
        // Its children take its place before anything is let go.
        self.begin();
        if let Some(merge) = &mut self.sink.merge {
            merge.end(id);
        }
    }
}
