//! The KPL aggregated record format, both ways: many user records inside one Kinesis record.
//!
//! ```text
//! F3 89 9A C2 | protobuf AggregatedRecord | MD5 of the protobuf, 16 bytes
//!
//! AggregatedRecord { 1: repeated string partition_key_table
//!                    2: repeated string explicit_hash_key_table
//!                    3: repeated Record records }
//! Record           { 1: uint64 partition_key_index    2: optional uint64 explicit_hash_key_index
//!                    3: bytes data                    4: repeated Tag tags }
//! Tag              { 1: string key                    2: optional string value }
//! ```
//!
//! The description is `aggregation-format.md` of the Amazon Kinesis Producer Library. Readers that know it: the KCL,
//! Firehose, Lambda with a deaggregation module. Readers that do not see one opaque record.
//!
//! An aggregate goes to one shard. A reader such as the KCL drops the *whole* aggregate when the hash key of any record
//! in it lies outside the shard's range, so a producer packs only records of one shard together.
//!
//! Pure: no network, no clock, no allocation beyond what is returned.
//!
//! ```
//! use aggregate::{Entry, Packer, unpack};
//!
//! let mut packer = Packer::default();
//! packer.add(Entry { partition_key: "sensor_01", data: b"-18.2", ..Entry::default() });
//! packer.add(Entry { partition_key: "sensor_02", data: b"-17.9", explicit_hash_key: Some("7"), ..Entry::default() });
//! let blob = packer.finish();
//! let entries = unpack(&blob).unwrap();
//! assert_eq!(entries[0].data, b"-18.2");
//! assert_eq!(entries[1].partition_key, "sensor_02");
//! ```

mod digest;
mod pack;
mod tags;
mod unpack;
mod wire;

pub use pack::{KeyPlace, OUTER_KEY, Packer, seal};
pub use tags::{Tag, Tags};
pub use unpack::{Broken, looks_aggregated, unpack};

/// The first bytes of every aggregate.
pub const MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

/// Bytes of the MD5 at the end.
pub const DIGEST_BYTES: usize = 16;

/// Bytes of an aggregate beyond which the KPL starts another by default (`AggregationMaxSize`).
pub const DEFAULT_MAX_BYTES: usize = 51_200;

/// One user record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The record's own partition key.
    pub partition_key: &'a str,
    /// The record's own hash key, decimal.
    pub explicit_hash_key: Option<&'a str>,
    /// The payload.
    pub data: &'a [u8],
    /// What its producer noted beside it.
    pub tags: Tags<'a>,
}
