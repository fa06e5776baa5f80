//! The partition keys that came lately, with what is known of each, so that it is found out once and not for every record.
//!
//! Most streams have far fewer keys than records. To find a key here costs a tenth of its MD5, and what is found says
//! also to which shard it goes and where it stands in the aggregate that is being packed for that shard.

use aggregate::KeyPlace;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZeroU32;

use super::shards::{ShardMap, hash_of};

/// Keys that are remembered: what a table of 4096 places holds before it grows. When there are more, all are forgotten.
const KEYS: usize = 3584;

/// Longer keys are not remembered.
const KEY_BYTES: usize = 40;

/// A key in words of eight bytes: a few words are hashed and compared in a fraction of the time that their bytes take.
#[derive(Clone, Copy, Debug)]
struct Words {
    /// The last one in use holds the key's last eight bytes, some of which may be in the one before too.
    words: [u64; KEY_BYTES / 8],
    /// In bytes.
    length: u8,
}

impl Words {
    /// None for no key and for one that is too long.
    #[inline]
    fn of(key: &[u8]) -> Option<Self> {
        let length = u8::try_from(key.len()).ok().filter(|_| (1..=KEY_BYTES).contains(&key.len()))?;
        let mut words = [0; KEY_BYTES / 8];
        for (word, bytes) in words.iter_mut().zip(key.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        words[(key.len() - 1) / 8] = match key.last_chunk() {
            Some(last) => u64::from_le_bytes(*last),
            None => key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        Some(Self { words, length })
    }

    /// Those that are in use.
    #[inline]
    fn used(&self) -> impl Iterator<Item = &u64> {
        self.words.iter().take(usize::from(self.length).div_ceil(8))
    }
}

impl Hash for Words {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.used().for_each(|word| state.write_u64(*word));
        state.write_u8(self.length);
    }
}

/// What is known of a key: one line of a processor's cache, as to fetch it is most of what a look-up costs.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Known {
    words: [u64; KEY_BYTES / 8],
    /// The position of its hash key among all.
    hash: u32,
    shard: Option<u32>,
    packed: Option<Packed>,
    length: u8,
}

const _: () = assert!(size_of::<Known>() == 64, "it outgrew its line");

impl Known {
    #[inline]
    fn is(&self, key: &Words) -> bool {
        self.length == key.length && key.used().zip(&self.words).all(|(wanted, word)| wanted == word)
    }

    fn key(&self) -> Words {
        Words { words: self.words, length: self.length }
    }
}

/// Where a key stands in a bundle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    /// The bundle's number.
    pub(super) bundle: NonZeroU32,
    /// Where the key is in it.
    pub(super) place: KeyPlace,
}

/// A key that was found.
pub(super) struct Found<'book> {
    /// Its hash key.
    pub(super) hash: &'book u128,
    /// The position of its shard, when one is known to take it.
    pub(super) shard: Option<usize>,
    /// Where it was packed last, to be kept up to date.
    pub(super) packed: &'book mut Option<Packed>,
}

/// The keys that came lately.
#[derive(Debug, Default)]
pub(super) struct KeyBook {
    known: HashTable<Known>,
    hashes: Vec<u128>,
    hasher: DefaultHashBuilder,
}

impl KeyBook {
    /// What is known of `key` among the shards of `map`, which are the same in every call. None for a key that is not
    /// remembered.
    pub(super) fn look_up(&mut self, key: &[u8], map: &ShardMap) -> Option<Found<'_>> {
        let words = Words::of(key)?;
        let hash = self.hasher.hash_one(words);
        if self.known.len() >= KEYS && self.known.find(hash, |known| known.is(&words)).is_none() {
            self.forget();
        }
        let entry =
            self.known.entry(hash, |known| known.is(&words), |known| self.hasher.hash_one(known.key()));
        let known = match entry {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let at = u32::try_from(self.hashes.len()).ok()?;
                let hash = hash_of(key);
                let shard = map.position(hash).and_then(|position| u32::try_from(position).ok());
                self.hashes.push(hash);
                let Words { words, length } = words;
                place.insert(Known { words, hash: at, shard, packed: None, length }).into_mut()
            }
        };
        let hash = self.hashes.get(known.hash as usize)?;
        Some(Found { hash, shard: known.shard.map(|shard| shard as usize), packed: &mut known.packed })
    }

    /// Forgets every key, and with it where it was packed.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.hashes.clear();
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
                let known = book.look_up(key.as_bytes(), &map).map(|known| (*known.hash, known.shard));
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
