//! Which shard a key goes to.

use md5::{Digest, Md5};

use crate::record::{KeyAt, Record, random_key};

/// A shard that takes records: its id and its range of hash keys, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The shard's id.
    pub id: String,
    /// The first hash key.
    pub first: u128,
    /// The last hash key.
    pub last: u128,
}

/// The open shards of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardMap {
    shards: Vec<Shard>,
}

impl ShardMap {
    /// A map of `shards`, in any order.
    pub fn new(mut shards: Vec<Shard>) -> Self {
        shards.sort_by_key(|shard| shard.first);
        Self { shards }
    }

    /// The shards, by hash key.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }

    /// The position of the shard that takes `hash`.
    pub fn position(&self, hash: u128) -> Option<usize> {
        let behind = self.shards.partition_point(|shard| shard.first <= hash);
        let position = behind.checked_sub(1)?;
        self.shards.get(position).filter(|shard| hash <= shard.last).map(|_| position)
    }

    /// Whether the shard called `id` takes `hash`; None when there is no such shard.
    pub fn takes(&self, id: &[u8], hash: u128) -> Option<bool> {
        self.by_id(id).map(|shard| shard.first <= hash && hash <= shard.last)
    }

    /// The shard called `id`.
    pub fn by_id(&self, id: &[u8]) -> Option<&Shard> {
        self.shards.iter().find(|shard| shard.id.as_bytes() == id)
    }
}

/// The hash key of a partition key: its MD5 as a big-endian number.
pub fn hash_of(key: &[u8]) -> u128 {
    u128::from_be_bytes(Md5::digest(key).into())
}

/// The hash key that decides a record's shard; None when the service decides alone.
pub fn record_hash(record: &Record) -> Option<u128> {
    match (record.hash(), record.key()) {
        (Some(hash), _) => Some(hash.0),
        (None, KeyAt::Span { .. }) => Some(hash_of(record.key_bytes())),
        (None, KeyAt::Random(number)) => Some(hash_of(random_key(number).as_bytes())),
        (None, KeyAt::Absent) => None,
    }
}

/// Keys whose hashes are remembered, as a power of two: sensors, users and the like come again and again.
const CACHED_KEYS_BITS: u32 = 12;

/// Bytes of a key that is remembered; a UUID has 36.
const CACHED_KEY_BYTES: usize = 40;

/// A key and its hash.
#[derive(Clone, Copy, Debug)]
struct Known {
    key: [u8; CACHED_KEY_BYTES],
    /// Bytes of the key; 0 when there is none.
    length: usize,
    hash: u128,
}

impl Known {
    const NOTHING: Self = Self { key: [0; CACHED_KEY_BYTES], length: 0, hash: 0 };

    fn is(&self, key: &[u8]) -> bool {
        self.key.get(..self.length) == Some(key)
    }
}

/// Remembers the hashes of recent keys; an MD5 costs more than everything else that is done for a record.
#[derive(Debug, Default)]
pub(super) struct HashCache {
    /// Two keys share a pair, the one that came last is first.
    pairs: Vec<[Known; 2]>,
}

impl HashCache {
    /// As [`record_hash`].
    pub(super) fn of(&mut self, record: &Record) -> Option<u128> {
        let key = record.key_bytes();
        if record.hash().is_some() || key.is_empty() || key.len() > CACHED_KEY_BYTES {
            return record_hash(record);
        }
        if self.pairs.is_empty() {
            self.pairs.resize(1 << (CACHED_KEYS_BITS - 1), [Known::NOTHING; 2]);
        }
        let pair = self.pairs.get_mut(scatter(key, CACHED_KEYS_BITS - 1))?;
        if !pair[0].is(key) {
            pair.swap(0, 1);
        }
        let [first, _] = pair;
        if !first.is(key) {
            first.hash = hash_of(key);
            first.length = key.len();
            first.key.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
        }
        Some(first.hash)
    }
}

/// A number of so many `bits` that differs for most keys. Whoever makes keys on purpose for which it does not gains
/// nothing: they are slow.
fn scatter(key: &[u8], bits: u32) -> usize {
    let word = |bytes: Option<&[u8; 8]>| {
        bytes.map_or_else(
            || key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
            |bytes| u64::from_le_bytes(*bytes),
        )
    };
    let (start, end) = (word(key.first_chunk()), word(key.last_chunk()));
    // The golden ratio's fraction in 64 bits: an odd number without pattern.
    let mixed = (start.rotate_left(29) ^ end ^ key.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    // Only the highest bits depend on all of the key.
    usize::try_from(mixed >> (u64::BITS - bits)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{CACHED_KEY_BYTES, HashCache, Shard, ShardMap, hash_of, record_hash, scatter};
    use crate::record::tests::keyed;

    #[test]
    fn a_key_is_hashed_as_the_service_does() {
        // `aws kinesis put-record` with this key lands in the shard that holds this number.
        assert_eq!(hash_of(b"sensor_01"), 0x79b8_da41_b67f_8f66_2e72_a609_2db3_b3df);
    }

    #[test]
    fn finds_the_shard_by_range() {
        let shard = |id: &str, first, last| Shard { id: id.to_owned(), first, last };
        let map = ShardMap::new(vec![shard("b", 10, 19), shard("a", 0, 9), shard("d", 30, u128::MAX)]);
        let at = |hash| map.position(hash).map(|position| map.shards()[position].id.clone());
        assert_eq!(at(0).as_deref(), Some("a"));
        assert_eq!(at(9).as_deref(), Some("a"));
        assert_eq!(at(10).as_deref(), Some("b"));
        assert_eq!(at(25), None);
        assert_eq!(at(u128::MAX).as_deref(), Some("d"));
        assert_eq!(ShardMap::default().position(1), None);
    }

    #[test]
    fn keys_that_differ_in_any_place_are_scattered() {
        for place in 0..9 {
            let key = |digit| {
                let mut key = *b"sensor_00";
                key[place] = digit;
                scatter(&key, 12)
            };
            let places: BTreeSet<usize> = (b'0'..=b'9').chain(b'a'..=b'z').map(key).collect();
            assert!(places.len() > 30, "{place}: {}", places.len());
        }
    }

    #[test]
    fn the_cache_says_what_the_hash_is_whatever_came_before() {
        let mut cache = HashCache::default();
        for round in 0..2 {
            for number in 0..20_000 {
                let key = format!("{number:0width$}", width = 1 + number % (CACHED_KEY_BYTES + 3));
                let record = keyed(0, &key, 1);
                assert_eq!(cache.of(&record), record_hash(&record), "{key} in round {round}");
            }
        }
    }
}
