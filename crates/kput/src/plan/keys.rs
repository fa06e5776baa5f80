//! The partition keys that came lately, with what is known of each, so that it is found out once and not for every record.
//!
//! Most streams have far fewer keys than records. To find a key here costs a tenth of its MD5, and what is found says
//! also to which shard it goes and where it stands in the aggregate that is being packed for that shard.

use aggregate::KeyPlace;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

use super::shards::{ShardMap, hash_of};

/// Keys that are remembered: what a table of 4096 places holds before it grows. When there are more, all are forgotten.
const KEYS: usize = 3584;

/// Longer keys are not remembered.
const KEY_BYTES: usize = 40;

/// What is known of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    key: [u8; KEY_BYTES],
    length: usize,
    /// Its hash key.
    pub(super) hash: u128,
    /// The position of its shard, when one is known to take it.
    pub(super) shard: Option<usize>,
    /// Where it stood when it was packed last.
    pub(super) packed: Option<Packed>,
}

/// A key in a bundle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    /// The bundle's number.
    pub(super) bundle: u64,
    /// Where the key is in it.
    pub(super) place: KeyPlace,
}

impl Known {
    fn of(key: &[u8], map: &ShardMap) -> Self {
        let hash = hash_of(key);
        let mut known =
            Self { key: [0; KEY_BYTES], length: key.len(), hash, shard: map.position(hash), packed: None };
        known.key.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        known
    }

    fn key(&self) -> &[u8] {
        self.key.get(..self.length).unwrap_or_default()
    }
}

/// The keys that came lately.
#[derive(Debug, Default)]
pub(super) struct KeyBook {
    known: HashTable<Known>,
    hasher: DefaultHashBuilder,
}

impl KeyBook {
    /// What is known of `key` among the shards of `map`, which are the same in every call. None for a key that is not
    /// remembered.
    pub(super) fn look_up(&mut self, key: &[u8], map: &ShardMap) -> Option<&mut Known> {
        if key.is_empty() || key.len() > KEY_BYTES {
            return None;
        }
        let hash = self.hasher.hash_one(key);
        if self.known.len() >= KEYS && self.known.find(hash, |known| known.key() == key).is_none() {
            self.known.clear();
        }
        let entry =
            self.known.entry(hash, |known| known.key() == key, |known| self.hasher.hash_one(known.key()));
        Some(match entry {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Known::of(key, map)).into_mut(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{KEY_BYTES, KEYS, KeyBook};
    use crate::plan::{Shard, ShardMap, hash_of};

    #[test]
    fn says_what_a_look_up_would_whatever_came_before() {
        let half = u128::MAX / 2;
        let shard = |first, last| Shard { id: String::new(), first, last };
        let map = ShardMap::new(vec![shard(0, half), shard(half + 1, u128::MAX - u128::MAX / 8)]);
        let mut book = KeyBook::default();
        for round in 0..2 {
            for number in 0..20_000 {
                let key = format!("{number:0width$}", width = 1 + number % (KEY_BYTES + 3));
                let known = book.look_up(key.as_bytes(), &map).map(|known| (known.hash, known.shard));
                let hash = hash_of(key.as_bytes());
                let expected = (key.len() <= KEY_BYTES).then(|| (hash, map.position(hash)));
                assert_eq!(known, expected, "{key} in round {round}");
                assert!(book.known.len() <= KEYS);
            }
        }
        assert!(book.look_up(b"", &map).is_none());
        assert!(book.known.allocation_size() < 1 << 20);
    }
}
