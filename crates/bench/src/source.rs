//! A stream of canned pages: 10,000 readings each, with sequence numbers that go up.

use std::sync::Arc;

use base64::Engine;

use crate::http::Answer;
use crate::readings::reading;

/// Records a page: the most GetRecords returns (Kinesis API model).
const PAGE: u64 = 10_000;

/// Digits of a sequence number that count, at its end.
const COUNTING_DIGITS: usize = 12;

/// The source.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    records: u64,
    shards: u32,
    page: Arc<Page>,
}

/// A page, and where the counting digits of each record's sequence number stand.
#[derive(Debug)]
struct Page {
    records: Vec<u8>,
    /// Behind each record, so that a shorter last page can be cut.
    ends: Vec<usize>,
    digits: Vec<usize>,
}

impl Page {
    fn new() -> Self {
        let mut page = Self { records: Vec::new(), ends: Vec::new(), digits: Vec::new() };
        for index in 0..PAGE {
            if index > 0 {
                page.records.push(b',');
            }
            page.records
                .extend_from_slice(br#"{"SequenceNumber":"49650000000000000000000000000000000000000000"#);
            page.digits.push(page.records.len());
            let data = base64::engine::general_purpose::STANDARD.encode(reading(index));
            let key = index * 7919 % 1000;
            let rest = format!(
                r#"000000000000","ApproximateArrivalTimestamp":1.705312800123E9,"Data":"{data}","PartitionKey":"sensor_{key:03}"}}"#
            );
            page.records.extend_from_slice(rest.as_bytes());
            page.ends.push(page.records.len());
        }
        page
    }
}

impl Source {
    pub(crate) fn new(records: u64, shards: u32) -> Self {
        Self { records, shards: shards.max(1), page: Arc::new(Page::new()) }
    }

    fn get_records(&self, body: &[u8], answer: &mut Vec<u8>) {
        let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| value.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        // The iterator is `SHARD/FROM`.
        let (shard, from) = text("ShardIterator").split_once('/').unwrap_or(("0", "0"));
        let from: u64 = from.parse().unwrap_or(0);
        let limit = value.get("Limit").and_then(serde_json::Value::as_u64).unwrap_or(PAGE);
        let count = self.records.saturating_sub(from).min(PAGE).min(limit);
        answer.extend_from_slice(br#"{"Records":["#);
        let start = answer.len();
        if let Some(end) =
            count.checked_sub(1).and_then(|last| self.page.ends.get(usize::try_from(last).ok()?))
        {
            answer.extend_from_slice(self.page.records.get(..*end).unwrap_or_default());
        }
        for (index, place) in (from..from + count).zip(&self.page.digits) {
            let digits = format!("{index:0COUNTING_DIGITS$}");
            if let Some(target) = answer.get_mut(start + place..start + place + COUNTING_DIGITS) {
                target.copy_from_slice(digits.as_bytes());
            }
        }
        let next = from + count;
        let behind = u8::from(next < self.records);
        let tail = format!(r#"],"NextShardIterator":"{shard}/{next}","MillisBehindLatest":{behind}000}}"#);
        answer.extend_from_slice(tail.replace(":0000", ":0").as_bytes());
    }
}

impl Answer for Source {
    fn answer(&self, operation: &str, body: &[u8], answer: &mut Vec<u8>) {
        match operation {
            "GetRecords" => self.get_records(body, answer),
            "GetShardIterator" => {
                let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
                let shard = value.get("ShardId").and_then(serde_json::Value::as_str).unwrap_or_default();
                let shard = shard.trim_start_matches("shardId-").trim_start_matches('0');
                let shard = if shard.is_empty() { "0" } else { shard };
                answer.extend_from_slice(format!(r#"{{"ShardIterator":"{shard}/0"}}"#).as_bytes());
            }
            other => crate::sink::Sink::new(self.shards).answer(other, body, answer),
        }
    }
}
