//! In which order shards are read: parents before children, across splits and merges.
//!
//! A shard that a split or merge closed is read to its end before its children are begun; otherwise the records of one
//! partition key would appear out of order.

use std::collections::{BTreeMap, BTreeSet};

use config::names::ShardId;

/// The hash keys that a shard takes, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HashRange {
    /// The lowest hash key.
    pub(crate) start: u128,
    /// The highest hash key.
    pub(crate) end: u128,
}

impl HashRange {
    pub(crate) fn contains(self, hash: u128) -> bool {
        (self.start..=self.end).contains(&hash)
    }
}

/// A shard as a listing or its closed parent describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Its id.
    pub(crate) id: ShardId,
    /// The shards it was made from: none, one after a split, two after a merge.
    pub(crate) parents: Vec<ShardId>,
    /// The hash keys it takes, when the service said so.
    pub(crate) hashes: Option<HashRange>,
    /// Whether it takes no more records.
    pub(crate) closed: bool,
}

/// The shards that are to be read, and how far that has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lineage {
    waiting: BTreeMap<ShardId, Vec<ShardId>>,
    reading: BTreeSet<ShardId>,
    over: BTreeSet<ShardId>,
    /// Whether a shard may have become ready since the last look.
    changed: bool,
}

/// A shard whose turn has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Its id.
    pub(crate) id: ShardId,
    /// The shards it was made from.
    pub(crate) parents: Vec<ShardId>,
}

impl Lineage {
    /// Adds a shard that is to be read. One that is known already is not added again.
    pub(crate) fn add(&mut self, shard: &Shard) {
        if !self.knows(&shard.id) {
            self.waiting.insert(shard.id.clone(), shard.parents.clone());
            self.changed = true;
        }
    }

    /// Adds those of `shards` that descend from a known one, at any distance; says whether there was a new one.
    pub(crate) fn add_descendants<'a>(&mut self, shards: impl IntoIterator<Item = &'a Shard>) -> bool {
        let mut strangers: Vec<&Shard> = shards.into_iter().filter(|shard| !self.knows(&shard.id)).collect();
        let mut any = false;
        loop {
            let (kin, rest): (Vec<_>, Vec<_>) = strangers
                .into_iter()
                .partition(|shard| shard.parents.iter().any(|parent| self.knows(parent)));
            if kin.is_empty() {
                return any;
            }
            any = true;
            for shard in kin {
                self.add(shard);
            }
            strangers = rest;
        }
    }

    /// Takes the shards that can be begun now: each of their parents is over, or not to be read at all.
    pub(crate) fn begin(&mut self) -> Vec<Ready> {
        if !std::mem::take(&mut self.changed) {
            return Vec::new();
        }
        let pending = |parent: &ShardId| self.waiting.contains_key(parent) || self.reading.contains(parent);
        let ready: Vec<Ready> = self
            .waiting
            .iter()
            .filter(|(id, parents)| !parents.iter().any(|parent| parent != *id && pending(parent)))
            .map(|(id, parents)| Ready { id: id.clone(), parents: parents.clone() })
            .collect();
        for Ready { id, .. } in &ready {
            self.waiting.remove(id);
            self.reading.insert(id.clone());
        }
        ready
    }

    /// A shard has been read to its end, or given up.
    pub(crate) fn end(&mut self, id: &ShardId) {
        self.waiting.remove(id);
        self.reading.remove(id);
        self.over.insert(id.clone());
        self.changed = true;
    }

    /// Whether the shard is to be read, is being read, or was.
    pub(crate) fn knows(&self, id: &ShardId) -> bool {
        self.waiting.contains_key(id) || self.reading.contains(id) || self.over.contains(id)
    }

    /// How many shards are being read.
    pub(crate) fn reading(&self) -> usize {
        self.reading.len()
    }
}

#[cfg(test)]
mod tests {
    use config::names::ShardId;
    use proptest::prelude::*;

    use super::{Lineage, Shard};

    fn id(number: usize) -> ShardId {
        number.to_string().parse().unwrap()
    }

    fn begun(lineage: &mut Lineage) -> Vec<ShardId> {
        lineage.begin().into_iter().map(|ready| ready.id).collect()
    }

    fn shard(number: usize, parents: &[usize]) -> Shard {
        let parents = parents.iter().map(|parent| id(*parent)).collect();
        Shard { id: id(number), parents, hashes: None, closed: false }
    }

    #[test]
    fn a_merged_shard_waits_for_both_parents() {
        let mut lineage = Lineage::default();
        for shard in [shard(2, &[0, 1]), shard(0, &[]), shard(1, &[])] {
            lineage.add(&shard);
        }
        assert_eq!(begun(&mut lineage), [id(0), id(1)]);
        lineage.end(&id(0));
        assert!(begun(&mut lineage).is_empty());
        lineage.end(&id(1));
        assert_eq!(begun(&mut lineage), [id(2)]);
        lineage.end(&id(2));
        assert_eq!(lineage.reading(), 0);
    }

    #[test]
    fn a_parent_that_is_trimmed_or_not_chosen_holds_nobody_back() {
        let mut lineage = Lineage::default();
        lineage.add(&shard(7, &[3]));
        assert_eq!(begun(&mut lineage), [id(7)]);
    }

    #[test]
    fn a_new_listing_brings_descendants_only() {
        let mut lineage = Lineage::default();
        lineage.add(&shard(2, &[0]));
        begun(&mut lineage);
        lineage.end(&id(2));
        // 0 and 1 were closed before we came; 5 comes from 4, which comes from 2.
        let listing =
            [shard(0, &[]), shard(1, &[]), shard(2, &[0]), shard(5, &[4]), shard(4, &[2]), shard(9, &[1])];
        assert!(lineage.add_descendants(&listing));
        assert_eq!(begun(&mut lineage), [id(4)]);
        assert!(!lineage.knows(&id(9)));
        assert!(!lineage.add_descendants(&listing));
    }

    /// A history of splits and merges: each step closes one or two open shards and opens one or two.
    fn history() -> impl Strategy<Value = Vec<Shard>> {
        (1_usize..6, prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..30)).prop_map(
            |(roots, steps)| {
                let mut shards: Vec<Shard> = (0..roots).map(|root| shard(root, &[])).collect();
                let mut open: Vec<usize> = (0..roots).collect();
                for (merge, index) in steps {
                    let one = open.remove(index.index(open.len()));
                    if merge && !open.is_empty() {
                        let other = open.remove(index.index(open.len()));
                        open.push(shards.len());
                        shards.push(shard(shards.len(), &[one, other]));
                    } else {
                        for _ in 0..2 {
                            open.push(shards.len());
                            shards.push(shard(shards.len(), &[one]));
                        }
                    }
                }
                shards
            },
        )
    }

    proptest! {
        #[test]
        fn every_shard_is_read_once_and_after_its_parents(
            (shards, order) in history().prop_flat_map(|shards| {
                let order = Just((0..shards.len()).collect::<Vec<_>>()).prop_shuffle();
                (Just(shards), order)
            }),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 200),
        ) {
            let mut lineage = Lineage::default();
            for index in &order {
                lineage.add(&shards[*index]);
            }
            let mut reading = begun(&mut lineage);
            let mut read: Vec<ShardId> = Vec::new();
            let mut picks = picks.into_iter();
            while !reading.is_empty() {
                let pick = picks.next().map_or(0, |pick| pick.index(reading.len()));
                let ended = reading.swap_remove(pick);
                lineage.end(&ended);
                read.push(ended);
                for begun in begun(&mut lineage) {
                    let parents = &shards.iter().find(|shard| shard.id == begun).unwrap().parents;
                    prop_assert!(parents.iter().all(|parent| read.contains(parent)), "{begun} was begun too early");
                    reading.push(begun);
                }
            }
            prop_assert_eq!(read.len(), shards.len());
            prop_assert_eq!(lineage.reading(), 0);
        }
    }
}
