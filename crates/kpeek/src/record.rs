//! A record as Kinesis stores it, and one item of it as `kpeek` shows it.

use aggregate::Tags;
use config::names::ShardId;

/// A stored record, borrowed from the answer it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// Its place in the shard.
    pub(crate) sequence_number: &'a str,
    /// When it arrived, in milliseconds since 1970.
    pub(crate) arrived_ms: Option<i64>,
    /// Its partition key; a stream that distributes records by itself has records without one.
    pub(crate) partition_key: Option<&'a str>,
    /// What was put.
    pub(crate) data: &'a [u8],
}

/// What is shown: a record, or one of the records that were packed into it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    /// The shard it is in.
    pub(crate) shard: &'a ShardId,
    /// The stored record's place in the shard.
    pub(crate) sequence_number: &'a str,
    /// Its place in the stored record.
    pub(crate) sub: u64,
    /// When it arrived, in milliseconds since 1970.
    pub(crate) arrived_ms: Option<i64>,
    /// Its partition key.
    pub(crate) partition_key: Option<&'a str>,
    /// The hash key that overrides the partition key's, where a record is packed into another or holds such records.
    pub(crate) explicit_hash_key: Option<&'a str>,
    /// What its producer noted, where a record is packed into another.
    pub(crate) tags: Tags<'a>,
    /// What was put.
    pub(crate) payload: &'a [u8],
}
