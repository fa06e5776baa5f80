//! A record as Kinesis stores it, and one item of it as `kpeek` shows it.

use config::names::ShardId;

use crate::lineage::Shard;
use crate::shard::Progress;

/// A stored record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its place in the shard.
    pub(crate) sequence_number: String,
    /// When it arrived, in milliseconds since 1970.
    pub(crate) arrived_ms: Option<i64>,
    /// Its partition key; a stream that distributes records by itself has records without one.
    pub(crate) partition_key: Option<String>,
    /// What was put.
    pub(crate) data: Vec<u8>,
}

/// One answer to a read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// The records, in the order of the shard.
    pub(crate) records: Vec<Record>,
    /// What the answer says of the shard.
    pub(crate) progress: Progress,
    /// The shards that this one became, when it is closed and the service says so.
    pub(crate) children: Vec<Shard>,
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
    /// What was put.
    pub(crate) payload: &'a [u8],
}
