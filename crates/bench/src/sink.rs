//! A stream that takes everything: it counts the records of a request and acknowledges each one.

use base64::Engine;
use md5::{Digest, Md5};

use crate::http::Answer;

/// The sink.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    shards: u32,
}

impl Sink {
    pub(crate) fn new(shards: u32) -> Self {
        Self { shards: shards.max(1) }
    }

    fn width(&self) -> u128 {
        u128::MAX / u128::from(self.shards)
    }

    /// The shard that takes a hash: all are of one width, the last takes the rest.
    fn shard_of(&self, hash: u128) -> u32 {
        u32::try_from(hash / self.width()).unwrap_or(u32::MAX).min(self.shards - 1)
    }

    fn put_records(&self, body: &[u8], answer: &mut Vec<u8>) {
        // Every entry has one `"Data":`; a key or a payload in base64 cannot hold it.
        let entries: Vec<usize> = memchr::memmem::find_iter(body, br#""Data":"#).collect();
        answer.extend_from_slice(br#"{"FailedRecordCount":0,"Records":["#);
        for (index, start) in entries.iter().enumerate() {
            let end = entries.get(index + 1).copied().unwrap_or(body.len());
            let shard = self.shard_of(hash_of(body.get(*start..end).unwrap_or_default()));
            if index > 0 {
                answer.push(b',');
            }
            let text = format!(
                r#"{{"SequenceNumber":"49650000000000000000000000000000000000000000000000{index:06}","ShardId":"shardId-{shard:012}"}}"#
            );
            answer.extend_from_slice(text.as_bytes());
        }
        answer.extend_from_slice(b"]}");
    }

    fn list_shards(&self, body: &[u8], answer: &mut Vec<u8>) {
        const PAGE: u32 = 1000;
        let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let from = value.get("NextToken").and_then(|token| token.as_str()?.parse().ok()).unwrap_or(0_u32);
        let to = self.shards.min(from + PAGE);
        let shards: Vec<String> = (from..to).map(|shard| self.shard(shard)).collect();
        let next = if to < self.shards { format!(r#","NextToken":"{to}""#) } else { String::new() };
        answer.extend_from_slice(format!(r#"{{"Shards":[{}]{next}}}"#, shards.join(",")).as_bytes());
    }

    fn shard(&self, shard: u32) -> String {
        let start = self.width() * u128::from(shard);
        let end = if shard + 1 == self.shards { u128::MAX } else { start + self.width() - 1 };
        format!(
            r#"{{"ShardId":"shardId-{shard:012}","HashKeyRange":{{"StartingHashKey":"{start}","EndingHashKey":"{end}"}},"SequenceNumberRange":{{"StartingSequenceNumber":"49650000000000000000000000000000000000000000000000000000"}}}}"#
        )
    }

    fn summary(&self) -> String {
        format!(
            r#"{{"StreamDescriptionSummary":{{"StreamName":"readings","StreamARN":"arn:aws:kinesis:eu-central-1:123456789012:stream/readings","StreamStatus":"ACTIVE","StreamModeDetails":{{"StreamMode":"PROVISIONED"}},"RetentionPeriodHours":24,"StreamCreationTimestamp":1.7e9,"EnhancedMonitoring":[],"OpenShardCount":{},"MaxRecordSizeInKiB":1024}}}}"#,
            self.shards
        )
    }
}

impl Answer for Sink {
    fn answer(&self, operation: &str, body: &[u8], answer: &mut Vec<u8>) {
        match operation {
            "PutRecords" => self.put_records(body, answer),
            "PutRecord" => answer.extend_from_slice(
                br#"{"SequenceNumber":"49650000000000000000000000000000000000000000000000000001","ShardId":"shardId-000000000000"}"#,
            ),
            "ListShards" => self.list_shards(body, answer),
            "DescribeStreamSummary" => answer.extend_from_slice(self.summary().as_bytes()),
            _ => answer.extend_from_slice(b"{}"),
        }
    }
}

/// The hash of one entry: explicit, or of its partition key. `entry` starts at its `"Data":`, so a serialiser that
/// writes the key first is read one entry late; only aggregated records, which name their hash behind the data, need it
/// exact.
fn hash_of(entry: &[u8]) -> u128 {
    if let Some(text) = text_after(entry, br#""ExplicitHashKey":""#) {
        return text.parse().unwrap_or(0);
    }
    let key = text_after(entry, br#""PartitionKey":""#).unwrap_or_default();
    u128::from_be_bytes(Md5::digest(key.as_bytes()).into())
}

fn text_after<'a>(entry: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let start = memchr::memmem::find(entry, name)? + name.len();
    let rest = entry.get(start..)?;
    std::str::from_utf8(rest.get(..memchr::memchr(b'"', rest)?)?).ok()
}

/// A PutRecords body of `records` readings from `first` on, as the SDK writes it.
pub(crate) fn put_records_body(first: u64, records: u64) -> Vec<u8> {
    let entries: Vec<String> = (first..first + records)
        .map(|index| {
            let data = base64::engine::general_purpose::STANDARD.encode(crate::readings::reading(index));
            format!(r#"{{"Data":"{data}","PartitionKey":"sensor_{:03}"}}"#, index * 7919 % 1000)
        })
        .collect();
    format!(r#"{{"Records":[{}],"StreamName":"readings"}}"#, entries.join(",")).into_bytes()
}
