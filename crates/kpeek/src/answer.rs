//! The answer to a read, taken apart without copying what it holds.
//!
//! The SDK makes four allocations a record and decodes base64 byte by byte; on a long stream that is most of the work. So
//! the body is kept as it came, and records are borrowed from it one after the other.

mod glance;

use std::borrow::Cow;

use aws_sdk_kinesis::types::SubscribeToShardEvent;
use aws_smithy_types::DateTime;
use base64_simd::STANDARD;
use config::Fault;
use config::names::ShardId;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::lineage::{HashRange, Shard};
use crate::read::child;
use crate::record::Record;
use crate::shard::Progress;

/// A parsed answer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    records: Vec<Entry<'a>>,
    next: Option<String>,
    behind_ms: i64,
    /// How far the answer reaches, where it says so itself: an event does, also when it is empty.
    reached: Option<String>,
    /// The shards that this one became, when it is closed and the service says so.
    pub(crate) children: Vec<Shard>,
}

/// GetRecords' output on the wire (Kinesis API, awsJson1.1).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output<'a> {
    // Both are always sent. What lacks them is somebody else's answer, and does not say that the shard is closed.
    #[serde(borrow)]
    records: Vec<Entry<'a>>,
    millis_behind_latest: i64,
    next_shard_iterator: Option<String>,
    child_shards: Option<Vec<Child>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    #[serde(borrow)]
    sequence_number: Cow<'a, str>,
    /// Seconds since 1970, with a fraction.
    approximate_arrival_timestamp: Option<f64>,
    #[serde(borrow)]
    data: Data<'a>,
    #[serde(borrow)]
    partition_key: Option<Text<'a>>,
}

/// A text that is borrowed where it has no escapes: inside an `Option`, serde borrows a plain `Cow` never.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The payload: base64 in an answer to a read, decoded already in an event.
#[derive(Debug)]
enum Data<'a> {
    Base64(Cow<'a, [u8]>),
    Bytes(&'a [u8]),
}

impl<'de: 'a, 'a> Deserialize<'de> for Data<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|text| {
            Self::Base64(match text.0 {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            })
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Child {
    shard_id: ShardId,
    parent_shards: Vec<ShardId>,
    hash_key_range: Option<Range>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    starting_hash_key: String,
    ending_hash_key: String,
}

impl<'a> Answer<'a> {
    /// Takes a body apart.
    ///
    /// # Errors
    /// A transient fault when the body is not what GetRecords answers, as when a proxy cut it off or answered itself.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        if let Some((records, rest)) = glance::records(body)
            && let Ok(output) = serde_json::from_slice::<Output<'_>>(&rest)
            && output.records.is_empty()
        {
            return Ok(Self::of_output(records, output));
        }
        let mut output: Output<'_> = serde_json::from_slice(body)
            .map_err(|error| Fault::transient("the service's answer cannot be read").with_cause(error))?;
        Ok(Self::of_output(std::mem::take(&mut output.records), output))
    }

    fn of_output(records: Vec<Entry<'a>>, output: Output<'_>) -> Self {
        let children = output.child_shards.unwrap_or_default().into_iter().map(|child| Shard {
            id: child.shard_id,
            parents: child.parent_shards,
            hashes: child.hash_key_range.and_then(|range| {
                let (start, end) =
                    (range.starting_hash_key.parse().ok()?, range.ending_hash_key.parse().ok()?);
                Some(HashRange { start, end })
            }),
            closed: false,
        });
        Self {
            records,
            next: output.next_shard_iterator,
            behind_ms: output.millis_behind_latest,
            reached: None,
            children: children.collect(),
        }
    }

    /// Takes an event of a subscription in the shape of an answer. It goes on for as long as it says where.
    ///
    /// # Errors
    /// A refused fault when a child's id cannot be used.
    pub(crate) fn of_event(event: &'a SubscribeToShardEvent) -> Result<Self, Fault> {
        let records = event.records().iter().map(|record| Entry {
            sequence_number: record.sequence_number().into(),
            approximate_arrival_timestamp: record.approximate_arrival_timestamp().map(DateTime::as_secs_f64),
            data: Data::Bytes(record.data().as_ref()),
            partition_key: record.partition_key().map(|key| Text(key.into())),
        });
        let reached = Some(event.continuation_sequence_number()).filter(|number| !number.is_empty());
        Ok(Self {
            records: records.collect(),
            next: reached.map(str::to_owned),
            behind_ms: event.millis_behind_latest(),
            reached: reached.map(str::to_owned),
            children: event.child_shards().iter().map(child).collect::<Result<_, _>>()?,
        })
    }

    /// Hands out the records in the order of the shard, until `visit` says stop. `decoded` is memory for their data.
    ///
    /// # Errors
    /// A transient fault when data is no base64. Then not one record was handed out.
    pub(crate) fn each(
        &self,
        decoded: &mut Vec<u8>,
        mut visit: impl FnMut(&Record<'_>) -> bool,
    ) -> Result<(), Fault> {
        let ends = self.decode(decoded)?;
        let mut start = 0;
        for (entry, end) in self.records.iter().zip(ends) {
            let data = match &entry.data {
                Data::Bytes(bytes) => bytes,
                Data::Base64(_) => decoded.get(start..end).unwrap_or_default(),
            };
            start = end;
            let record = Record {
                sequence_number: &entry.sequence_number,
                arrived_ms: entry.arrived_ms(),
                partition_key: entry.partition_key.as_ref().map(|key| key.0.as_ref()),
                data,
            };
            if !visit(&record) {
                break;
            }
        }
        Ok(())
    }

    /// Decodes the data of all records. Returns where each one ends.
    fn decode(&self, decoded: &mut Vec<u8>) -> Result<Vec<usize>, Fault> {
        decoded.clear();
        let mut ends = Vec::with_capacity(self.records.len());
        for entry in &self.records {
            if let Data::Base64(text) = &entry.data {
                STANDARD.decode_append(text, decoded).map_err(|error| {
                    Fault::transient(format!("the data of record {} cannot be read", entry.sequence_number))
                        .with_cause(error)
                })?;
            }
            ends.push(decoded.len());
        }
        Ok(ends)
    }

    /// The sequence number of the record at this place in the answer.
    pub(crate) fn sequence_number(&self, index: usize) -> Option<String> {
        self.records.get(index).map(|entry| entry.sequence_number.clone().into_owned())
    }

    /// What the answer says of the shard.
    pub(crate) fn progress(&self) -> Progress {
        let last = self.records.last();
        Progress {
            records: self.records.len(),
            last: self
                .reached
                .clone()
                .or_else(|| last.map(|entry| entry.sequence_number.clone().into_owned())),
            last_arrived: last
                .and_then(Entry::arrived_ms)
                .and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            bytes: self.records.iter().map(|entry| entry.data.size()).sum(),
            next: self.next.clone(),
            behind_ms: self.behind_ms,
        }
    }
}

impl Data<'_> {
    /// About as many bytes as there are.
    fn size(&self) -> usize {
        match self {
            Self::Base64(text) => text.len() / 4 * 3,
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

impl Entry<'_> {
    /// To the nearest millisecond: the wire's binary fraction often lies just below one.
    fn arrived_ms(&self) -> Option<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer there is")]
        self.approximate_arrival_timestamp.map(|seconds| (seconds * 1000.0).round() as i64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Answer, Data, Entry, Output, glance};
    use crate::lineage::HashRange;

    const BODY: &str = r#"{"Records":[
        {"SequenceNumber":"49","ApproximateArrivalTimestamp":1.705312800123E9,"Data":"e30=","PartitionKey":"sensor_01"},
        {"SequenceNumber":"50","Data":"\/w==","PartitionKey":"a\"b","EncryptionType":"KMS"},
        {"SequenceNumber":"51","ApproximateArrivalTimestamp":1705312801,"Data":""}],
        "MillisBehindLatest":7,"NextShardIterator":"n","ChildShards":null,"Novelty":{}}"#;

    #[test]
    fn records_are_handed_out_in_order() {
        let answer = Answer::parse(BODY.as_bytes()).unwrap();
        let mut seen = Vec::new();
        answer
            .each(&mut Vec::new(), |record| {
                let key = record.partition_key.map(str::to_owned);
                seen.push((record.sequence_number.to_owned(), record.arrived_ms, key, record.data.to_vec()));
                true
            })
            .unwrap();
        let wanted = [
            ("49".to_owned(), Some(1_705_312_800_123), Some("sensor_01".to_owned()), b"{}".to_vec()),
            ("50".to_owned(), None, Some("a\"b".to_owned()), b"\xff".to_vec()),
            ("51".to_owned(), Some(1_705_312_801_000), None, Vec::new()),
        ];
        assert_eq!(seen, wanted);
        let progress = answer.progress();
        assert_eq!(
            (progress.last.as_deref(), progress.next.as_deref(), progress.behind_ms),
            (Some("51"), Some("n"), 7)
        );
    }

    #[test]
    fn what_the_service_sends_day_by_day_is_read_at_a_glance() {
        let record = r#"{"SequenceNumber":"49","ApproximateArrivalTimestamp":1.705312800123E9,"Data":"e30=","PartitionKey":"k","EncryptionType":"NONE"}"#;
        for body in [
            format!(r#"{{"MillisBehindLatest":0,"NextShardIterator":"n","Records":[{record},{record}]}}"#),
            format!(r#"{{"ChildShards":[],"Records":[{record}],"MillisBehindLatest":0}}"#),
            r#"{"Records":[],"MillisBehindLatest":0}"#.to_owned(),
        ] {
            let (records, _) = glance::records(body.as_bytes()).unwrap();
            assert_eq!(Answer::parse(body.as_bytes()).unwrap().records.len(), records.len());
        }
        for body in [
            r#"{"Records":[ ]}"#,
            r#"{"Records":[{"SequenceNumber":"49","Data":"e30=","New":1}]}"#,
            r#"{"Records":[{"SequenceNumber":"49","Data":"e3\/="}]}"#,
            r#"{"Records":[{"SequenceNumber":"49","Data":"","ApproximateArrivalTimestamp":.5}]}"#,
            r#"{"Records":[{"SequenceNumber":"49"}]}"#,
            r#"{"Records":[{"SequenceNumber":"49","Data":""}"#,
            r#"{"Records":[{"SequenceNumber":"49","Data":""},]}"#,
        ] {
            assert!(glance::records(body.as_bytes()).is_none(), "{body}");
        }
        // One that is deeper down is not the answer's own.
        let inside = r#"{"New":{"Records":[{"SequenceNumber":"1","Data":""}]},"Records":[{"SequenceNumber":"2","Data":""}],"MillisBehindLatest":0}"#;
        assert_eq!(Answer::parse(inside.as_bytes()).unwrap().sequence_number(0).as_deref(), Some("2"));
    }

    /// A record as text that shows all of it.
    fn shown(entry: &Entry<'_>) -> String {
        let Data::Base64(data) = &entry.data else { panic!("{entry:?}") };
        let key = entry.partition_key.as_ref().map(|key| &key.0);
        format!("{} {:?} {data:?} {key:?}", entry.sequence_number, entry.arrived_ms())
    }

    proptest! {
        /// Whatever is read at a glance is what serde_json reads.
        #[test]
        fn a_glance_sees_what_is_there(
            records in prop::collection::vec(
                ("[0-9]{1,4}|\\PC{0,3}", prop::option::of(0_i64..4_000_000_000_000), "[A-Za-z0-9+/=]{0,8}", prop::option::of("[a-z]{1,4}|[\"\\\\{}\\[\\],:é]{0,3}"), any::<bool>()),
                0..5,
            ),
            cut in 0_usize..60,
        ) {
            let records: Vec<_> = records
                .iter()
                .map(|(sequence, arrived, data, key, first)| {
                    let mut record = json!({});
                    if *first {
                        record["Data"] = json!(data);
                    }
                    record["SequenceNumber"] = json!(sequence);
                    record["Data"] = json!(data);
                    if let Some(arrived) = arrived {
                        let seconds = format!("{}.{:03}", arrived / 1000, arrived % 1000);
                        record["ApproximateArrivalTimestamp"] = serde_json::from_str(&seconds).unwrap();
                    }
                    if let Some(key) = key {
                        record["PartitionKey"] = json!(key);
                    }
                    record
                })
                .collect();
            let text = json!({"Records": records, "MillisBehindLatest": 7}).to_string();
            let output: Output<'_> = serde_json::from_str(&text).unwrap();
            let expected: Vec<String> = output.records.iter().map(shown).collect();
            let answer = Answer::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(answer.records.iter().map(shown).collect::<Vec<_>>(), expected.clone());
            if let Some((records, _)) = glance::records(text.as_bytes()) {
                prop_assert_eq!(records.iter().map(shown).collect::<Vec<_>>(), expected);
            }
            prop_assert!(Answer::parse(text.as_bytes().get(..text.len() - 1 - cut.min(text.len() - 1)).unwrap()).is_err());
        }
    }

    #[test]
    fn a_closed_shard_names_its_children() {
        let body = r#"{"Records":[],"MillisBehindLatest":0,"ChildShards":[{"ShardId":"shardId-000000000002","ParentShards":["shardId-000000000000","shardId-000000000001"],"HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"340282366920938463463374607431768211455"}}]}"#;
        let answer = Answer::parse(body.as_bytes()).unwrap();
        assert_eq!(answer.children[0].parents.len(), 2);
        assert_eq!(answer.children[0].hashes, Some(HashRange { start: 0, end: u128::MAX }));
        assert_eq!(answer.progress().next, None);
    }

    #[test]
    fn an_answer_that_was_cut_off_is_worth_another_try() {
        for end in [0, 1, 30, BODY.len() - 1] {
            let fault = Answer::parse(&BODY.as_bytes()[..end]).unwrap_err();
            assert_eq!(fault.kind(), config::Kind::Transient);
        }
    }

    #[test]
    fn what_is_no_answer_to_a_read_does_not_end_a_shard() {
        for body in [
            "{}",
            r#"{"message":"captive portal"}"#,
            r#"{"Records":[]}"#,
            r#"{"MillisBehindLatest":0}"#,
            "[]",
            "null",
        ] {
            assert_eq!(Answer::parse(body.as_bytes()).unwrap_err().kind(), config::Kind::Transient, "{body}");
        }
    }

    #[test]
    fn no_record_is_handed_out_when_one_cannot_be_decoded() {
        let body = r#"{"Records":[{"SequenceNumber":"1","Data":"e30="},{"SequenceNumber":"2","Data":"?"}],"MillisBehindLatest":0}"#;
        let answer = Answer::parse(body.as_bytes()).unwrap();
        let mut seen = 0;
        let visited = answer.each(&mut Vec::new(), |_| {
            seen += 1;
            true
        });
        assert_eq!((visited.unwrap_err().kind(), seen), (config::Kind::Transient, 0));
    }

    #[test]
    fn arrival_times_are_rounded_not_cut() {
        for millis in [1_705_312_800_123_i64, 1_705_312_800_999, 1_705_312_800_001, 1_705_312_801_000] {
            let (seconds, fraction) = (millis / 1000, millis % 1000);
            let body = format!(
                r#"{{"Records":[{{"SequenceNumber":"1","Data":"","ApproximateArrivalTimestamp":{seconds}.{fraction:03}}}],"MillisBehindLatest":0}}"#
            );
            let answer = Answer::parse(body.as_bytes()).unwrap();
            assert_eq!(answer.progress().last_arrived.unwrap().as_millisecond(), millis);
        }
    }
}
