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

#[cfg(test)]
mod tests {
    use super::{Shard, ShardMap, hash_of};

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
}
