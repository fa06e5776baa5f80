//! What answers look like: the pieces that more than one operation sends.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use crate::error::ServiceError;

use super::error::{INTERNAL_FAILURE, error, serialization};
use super::hash::HashKeyRange;
use super::sequence::SequenceNumber;
use super::shard::{Record, Shard, ShardId};

/// Reads a request's body, which has to be a JSON object.
pub(super) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ServiceError> {
    // A derived reader would take a list for a structure, member by member.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(serialization("The request must be a JSON object."));
    }
    serde_json::from_slice(body).map_err(|reason| serialization(reason.to_string()))
}

/// Writes an answer's body.
pub(super) fn body<T: Serialize>(answer: &T) -> Result<Vec<u8>, ServiceError> {
    serde_json::to_vec(answer)
        .map_err(|reason| error(INTERNAL_FAILURE, format!("could not write the answer: {reason}")))
}

/// The answer of an operation that has nothing to say: an empty body, as the service sends it.
pub(super) fn nothing() -> Vec<u8> {
    Vec::new()
}

/// A time in milliseconds, which travels as seconds with a fraction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timestamp(pub(super) u64);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(Duration::from_millis(self.0).as_secs_f64())
    }
}

/// A shard, as `ListShards` and `DescribeStream` show it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ShardEntry {
    shard_id: ShardId,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_shard_id: Option<ShardId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adjacent_parent_shard_id: Option<ShardId>,
    hash_key_range: HashKeyRange,
    sequence_number_range: SequenceNumberRange,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SequenceNumberRange {
    starting_sequence_number: SequenceNumber,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_sequence_number: Option<SequenceNumber>,
}

impl From<&Shard> for ShardEntry {
    fn from(shard: &Shard) -> Self {
        Self {
            shard_id: shard.id,
            parent_shard_id: shard.parent,
            adjacent_parent_shard_id: shard.adjacent_parent,
            hash_key_range: shard.range.into(),
            sequence_number_range: SequenceNumberRange {
                starting_sequence_number: shard.starting_number(),
                ending_sequence_number: shard.ending_number(),
            },
        }
    }
}

/// A child, as the last page of a closed shard names it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChildShard {
    shard_id: ShardId,
    parent_shards: Vec<ShardId>,
    hash_key_range: HashKeyRange,
}

impl From<&Shard> for ChildShard {
    fn from(shard: &Shard) -> Self {
        Self {
            shard_id: shard.id,
            parent_shards: shard.parent.into_iter().chain(shard.adjacent_parent).collect(),
            hash_key_range: shard.range.into(),
        }
    }
}

/// A record, as `GetRecords` and `SubscribeToShard` deliver it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordEntry<'a> {
    sequence_number: SequenceNumber,
    approximate_arrival_timestamp: Timestamp,
    data: Blob<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_type: Option<&'static str>,
}

impl<'a> RecordEntry<'a> {
    /// `start` is any number of the record's shard.
    pub(super) fn new(record: &'a Record, start: SequenceNumber) -> Self {
        Self {
            sequence_number: SequenceNumber { index: record.index, arrived_ms: record.arrived_ms, ..start },
            approximate_arrival_timestamp: Timestamp(record.arrived_ms),
            data: Blob(&record.data),
            partition_key: record.partition_key.as_deref(),
            encryption_type: record.encrypted.then_some("KMS"),
        }
    }
}

/// Bytes, which travel as base64.
#[derive(Debug)]
struct Blob<'a>(&'a [u8]);

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_travels_in_seconds_and_keeps_its_milliseconds() {
        assert_eq!(body(&Timestamp(1_800_000_000_123)).unwrap(), b"1800000000.123");
    }

    #[test]
    fn only_an_object_is_a_request() {
        for body in ["", "null", "[]", "[\"orders\"]", "7", "{"] {
            let refused = read::<serde_json::Value>(body.as_bytes()).unwrap_err();
            assert_eq!(refused.code, "SerializationException", "{body}");
        }
        assert!(read::<serde_json::Value>(b" {}").is_ok());
    }
}
