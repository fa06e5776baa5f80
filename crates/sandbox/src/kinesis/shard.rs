//! One shard: the hash keys it owns, its family, and the records it holds.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::hash::HashRange;
use super::limits::ShardLimiter;
use super::sequence::{LAST_INDEX, SequenceNumber};

/// A shard's number within its stream; written `shardId-000000000007`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ShardId(pub(super) u32);

impl ShardId {
    /// Reads the service's spelling: `shardId-` and exactly twelve digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("shardId-")?;
        let well_formed = digits.len() == 12 && digits.bytes().all(|digit| digit.is_ascii_digit());
        well_formed.then(|| digits.parse().ok().map(Self)).flatten()
    }

    pub(super) fn position(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "shardId-{:012}", self.0)
    }
}

impl Serialize for ShardId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One stored record. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) index: u64,
    pub(super) arrived_ms: u64,
    /// None only for a stream that distributes records itself.
    pub(super) partition_key: Option<Arc<str>>,
    pub(super) data: Bytes,
    pub(super) encrypted: bool,
}

impl Record {
    /// What the record counts against sizes and rates: payload and key.
    pub(super) fn size(&self) -> usize {
        self.data.len() + self.partition_key.as_deref().map_or(0, str::len)
    }
}

/// A shard of a stream.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) id: ShardId,
    pub(super) range: HashRange,
    pub(super) parent: Option<ShardId>,
    pub(super) adjacent_parent: Option<ShardId>,
    pub(super) children: Vec<ShardId>,
    pub(super) created_ms: u64,
    /// When a split or a merge closed it.
    pub(super) closed_ms: Option<u64>,
    pub(super) limiter: ShardLimiter,
    incarnation: u32,
    records: VecDeque<Record>,
    next_index: u64,
    last_arrived_ms: u64,
}

/// Index of a shard's first record; 0 is the shard's own starting number.
pub(super) const FIRST_INDEX: u64 = 1;

impl Shard {
    pub(super) fn new(id: ShardId, range: HashRange, incarnation: u32, created_ms: u64) -> Self {
        Self {
            id,
            range,
            parent: None,
            adjacent_parent: None,
            children: Vec::new(),
            created_ms,
            closed_ms: None,
            limiter: ShardLimiter::default(),
            incarnation,
            records: VecDeque::new(),
            next_index: FIRST_INDEX,
            last_arrived_ms: created_ms,
        }
    }

    /// Stores a record at the tip.
    pub(super) fn push(
        &mut self,
        partition_key: Option<Arc<str>>,
        data: Bytes,
        encrypted: bool,
        now_ms: u64,
    ) -> SequenceNumber {
        let index = self.next_index;
        self.next_index += 1;
        // Arrival times never run backwards in a shard, whatever the system's clock does.
        self.last_arrived_ms = self.last_arrived_ms.max(now_ms);
        let arrived_ms = self.last_arrived_ms;
        self.records.push_back(Record { index, arrived_ms, partition_key, data, encrypted });
        self.number(index, arrived_ms)
    }

    /// The records from index `from` on that are still kept.
    pub(super) fn records_from(&self, from: u64) -> impl Iterator<Item = &Record> {
        let first = self.records.partition_point(|record| record.index < from);
        self.records.range(first..)
    }

    /// The index of the first record that arrived at `timestamp_ms` or later, or of the record to come.
    pub(super) fn index_at(&self, timestamp_ms: u64) -> u64 {
        let first = self.records.partition_point(|record| record.arrived_ms < timestamp_ms);
        self.records.get(first).map_or(self.next_index, |record| record.index)
    }

    /// The index that the next record will get.
    pub(super) fn tip(&self) -> u64 {
        self.next_index
    }

    /// Forgets the records that arrived before `horizon_ms`.
    pub(super) fn trim(&mut self, horizon_ms: u64) {
        let expired = self.records.partition_point(|record| record.arrived_ms < horizon_ms);
        self.records.drain(..expired);
    }

    pub(super) fn is_open(&self) -> bool {
        self.closed_ms.is_none()
    }

    /// Whether it was closed so long ago that none of its records can be left.
    pub(super) fn is_expired(&self, horizon_ms: u64) -> bool {
        self.closed_ms.is_some_and(|closed_ms| closed_ms < horizon_ms)
    }

    pub(super) fn starting_number(&self) -> SequenceNumber {
        self.number(0, self.created_ms)
    }

    pub(super) fn ending_number(&self) -> Option<SequenceNumber> {
        self.closed_ms.map(|closed_ms| self.number(LAST_INDEX, closed_ms))
    }

    /// Whether this very shard, in this life of its stream, can have issued the number.
    pub(super) fn issued(&self, number: &SequenceNumber) -> bool {
        self.comes_from_here(number)
            && (number.index < self.next_index || (number.index == LAST_INDEX && !self.is_open()))
    }

    /// Whether the number was made for this shard in this life of its stream, issued or not.
    pub(super) fn comes_from_here(&self, number: &SequenceNumber) -> bool {
        number.shard == self.id
            && number.incarnation == self.incarnation
            && number.shard_created_ms == self.created_ms
    }

    pub(super) fn number(&self, index: u64, arrived_ms: u64) -> SequenceNumber {
        SequenceNumber {
            shard_created_ms: self.created_ms,
            index,
            arrived_ms,
            incarnation: self.incarnation,
            shard: self.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard() -> Shard {
        Shard::new(ShardId(3), HashRange { start: 0, end: u128::MAX }, 1, 1_000)
    }

    fn push(shard: &mut Shard, at_ms: u64) -> SequenceNumber {
        shard.push(Some("k".into()), Bytes::from_static(b"x"), false, at_ms)
    }

    #[test]
    fn an_id_is_a_word_and_twelve_digits() {
        assert_eq!(ShardId(7).to_string(), "shardId-000000000007");
        assert_eq!(ShardId::parse("shardId-000000000007"), Some(ShardId(7)));
        for text in ["shardId-7", "shard-000000000007", "shardId-00000000000x", "shardId-999999999999", ""] {
            assert_eq!(ShardId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn arrival_times_never_run_backwards() {
        let mut shard = shard();
        let first = push(&mut shard, 5_000);
        let second = push(&mut shard, 4_000);
        assert_eq!(second.arrived_ms, 5_000);
        assert!(first < second);
    }

    #[test]
    fn a_time_finds_the_first_record_at_or_after_it() {
        let mut shard = shard();
        for at_ms in [2_000, 3_000, 3_000, 4_000] {
            push(&mut shard, at_ms);
        }
        assert_eq!(shard.index_at(0), 1);
        assert_eq!(shard.index_at(3_000), 2);
        assert_eq!(shard.index_at(3_001), 4);
        assert_eq!(shard.index_at(4_001), 5);
    }

    #[test]
    fn trimming_keeps_the_numbers_of_what_is_left() {
        let mut shard = shard();
        for at_ms in [2_000, 3_000, 4_000] {
            push(&mut shard, at_ms);
        }
        shard.trim(3_500);
        let left: Vec<u64> = shard.records_from(0).map(|record| record.index).collect();
        assert_eq!(left, [3]);
        assert_eq!(shard.tip(), 4);
    }

    #[test]
    fn a_number_of_another_life_of_the_stream_is_not_this_shards() {
        let mut shard = shard();
        let number = push(&mut shard, 2_000);
        assert!(shard.issued(&number));
        assert!(!shard.issued(&SequenceNumber { incarnation: 2, ..number }));
        assert!(!shard.issued(&SequenceNumber { index: 9, ..number }));
    }
}
