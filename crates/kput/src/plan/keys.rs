//! The partition keys that came lately, with what is known of each, so that it is found out once and not for every record.
//!
//! Most streams have far fewer keys than records. To find a key here costs a tenth of its MD5, and what is found says
//! also to which shard it goes and where it stands in the aggregate that is being packed for that shard.

use aggregate::KeyPlace;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::{BuildHasher, Hash, Hasher};
use std::num::NonZeroU32;

use super::shards::{ShardMap, hash_of};
use crate::record::Record;

/// Keys that are remembered: what a table of 4096 places holds before it grows. When there are more, all are forgotten.
const KEYS: usize = 3584;

/// Longer keys are not remembered.
const KEY_BYTES: usize = 40;

/// A key in words of eight bytes: a few words are hashed and compared in a fraction of the time that their bytes take.
#[derive(Clone, Copy, Debug)]
struct Words {
    /// The first eight bytes, the last eight, which are in part the same in a short key, and what is between them.
    words: [u64; KEY_BYTES / 8],
    /// In bytes.
    length: u8,
}

impl Words {
    /// None for no key and for one that is too long.
    #[inline]
    fn of(key: &[u8]) -> Option<Self> {
        let length = u8::try_from(key.len()).ok().filter(|_| (1..=KEY_BYTES).contains(&key.len()))?;
        let (Some(first), Some(last)) = (key.first_chunk(), key.last_chunk()) else {
            let bytes = key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
            return Some(Self { words: [bytes, 0, 0, 0, 0], length });
        };
        let mut words = [u64::from_le_bytes(*first), u64::from_le_bytes(*last), 0, 0, 0];
        if key.len() > 16 {
            let [_, _, between @ ..] = &mut words;
            let starts = (8..key.len() - 8).step_by(8);
            for (word, bytes) in
                between.iter_mut().zip(starts.filter_map(|start| key.get(start..)?.first_chunk()))
            {
                *word = u64::from_le_bytes(*bytes);
            }
        }
        Some(Self { words, length })
    }
}

impl Hash for Words {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [first, last, between @ ..] = self.words;
        state.write_u64(first);
        state.write_u64(last);
        if self.length > 16 {
            for word in between {
                state.write_u64(word);
            }
        }
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
        // Without an early way out: all of it is in one line.
        let differing =
            self.words.iter().zip(&key.words).fold(0, |differing, (own, other)| differing | (own ^ other));
        differing == 0 && self.length == key.length
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
    /// What is known of a record's key among the shards of `map`, which are the same in every call. None for a key that
    /// is not remembered, and for a record whose shard its own hash key decides.
    pub(super) fn of(&mut self, record: &Record, map: &ShardMap) -> Option<Found<'_>> {
        if record.hash().is_some() { None } else { self.look_up(record.key_bytes(), map) }
    }

    fn look_up(&mut self, key: &[u8], map: &ShardMap) -> Option<Found<'_>> {
        let words = Words::of(key)?;
        let Self { known, hashes, hasher } = self;
        let hash = hasher.hash_one(words);
        let known = match known.find_entry(hash, |known| known.is(&words)) {
            Ok(known) => known.into_mut(),
            Err(absent) => {
                let table = absent.into_table();
                if table.len() >= KEYS {
                    table.clear();
                    hashes.clear();
                }
                let at = u32::try_from(hashes.len()).ok()?;
                let own_hash = hash_of(key);
                let shard = map.position(own_hash).and_then(|position| u32::try_from(position).ok());
                hashes.push(own_hash);
                let Words { words, length } = words;
                let known = Known { words, hash: at, shard, packed: None, length };
                table.insert_unique(hash, known, |known| hasher.hash_one(known.key())).into_mut()
            }
        };
        let hash = hashes.get(known.hash as usize)?;
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
        for length in 1..=KEY_BYTES {
            for at in 0..length {
                for byte in [b'k', b'K'] {
                    let mut key = vec![b'k'; length];
                    key[at] = byte;
                    assert_eq!(
                        *book.look_up(&key, &map).unwrap().hash,
                        hash_of(&key),
                        "{length} bytes, at {at}"
                    );
                }
            }
        }
        assert!(book.known.allocation_size() < 1 << 20);
    }
}
