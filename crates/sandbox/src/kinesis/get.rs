//! `GetRecords`: one page of a shard, and how far behind its tip that page leaves the reader.

use serde::{Deserialize, Serialize};

use crate::error::ServiceError;

use super::error::dry_run;
use super::iterator::{Position, rate_exceeded, shard_of};
use super::rule::{ITERATOR, STREAM_ARN};
use super::sequence::SequenceNumber;
use super::shard::{Record, Shard, ShardId};
use super::stream::Stream;
use super::violation::Violations;
use super::wire::{ChildShard, RecordEntry};
use super::{Engine, Request, wire};

/// The most records of one call, and how many it returns unless told otherwise (API reference).
const LARGEST_PAGE: i64 = 10_000;
/// The most payload of one call, in bytes (API reference).
const LARGEST_PAGE_BYTES: usize = 10 * 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ask {
    shard_iterator: Option<String>,
    limit: Option<i64>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    dry_run: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    records: Vec<RecordEntry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_shard_iterator: Option<String>,
    millis_behind_latest: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    child_shards: Option<&'a [ChildShard]>,
}

/// A stretch of a shard, copied out so that it can be written without holding the lock.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) records: Vec<Record>,
    /// Any number of the shard, for the numbers of its records.
    pub(super) start: SequenceNumber,
    /// The index that the next page begins at.
    pub(super) next: u64,
    /// The age of the next unread record; 0 when there is none.
    pub(super) behind_ms: u64,
    /// The children, once a closed shard is read to its end.
    pub(super) end: Option<Vec<ChildShard>>,
}

impl Page {
    /// Reads from index `from` on. At least one record comes, however large it is.
    pub(super) fn read(
        stream: &Stream,
        shard: &Shard,
        from: u64,
        limit: usize,
        byte_limit: usize,
        now_ms: u64,
    ) -> Self {
        let mut records = Vec::new();
        let mut bytes = 0;
        let mut waiting = shard.records_from(from).peekable();
        while let Some(record) = waiting.next_if(|record| {
            records.len() < limit && (records.is_empty() || bytes + record.size() <= byte_limit)
        }) {
            bytes += record.size();
            records.push(record.clone());
        }
        // A record that waits makes the reader late, even by less than a millisecond.
        let behind_ms = waiting.peek().map_or(0, |record| now_ms.saturating_sub(record.arrived_ms).max(1));
        let next = match waiting.peek() {
            Some(record) => record.index,
            None => shard.tip().max(from),
        };
        let drained = behind_ms == 0 && !shard.is_open();
        let end = drained.then(|| {
            shard.children.iter().filter_map(|id| stream.shard(*id)).map(ChildShard::from).collect()
        });
        Self { records, start: shard.starting_number(), next, behind_ms, end }
    }

    pub(super) fn bytes(&self) -> usize {
        self.records.iter().map(Record::size).sum()
    }

    pub(super) fn entries(&self) -> Vec<RecordEntry<'_>> {
        self.records.iter().map(|record| RecordEntry::new(record, self.start)).collect()
    }
}

impl Ask {
    /// The iterator, once every member keeps to the API's model.
    fn check(&self) -> Result<&str, ServiceError> {
        let mut violations = Violations::default();
        match self.shard_iterator.as_deref() {
            None => violations.missing("shardIterator"),
            Some(iterator) => violations.text("shardIterator", iterator, &ITERATOR),
        }
        if let Some(limit) = self.limit {
            violations.integer("limit", limit, 1..=LARGEST_PAGE);
        }
        if let Some(arn) = &self.stream_arn {
            violations.text("streamARN", arn, &STREAM_ARN);
        }
        violations.check()?;
        Ok(self.shard_iterator.as_deref().unwrap_or_default())
    }
}

impl Engine {
    pub(super) fn get_records(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let ask: Ask = wire::read(request.body)?;
        let position = self.open_iterator(ask.check()?)?;
        self.check_iterator_stream(&position, ask.stream_arn.as_deref())?;

        let (page, generation) = self.read_page(&position, &ask, request.now_ms)?;
        let next = page.end.is_none().then(|| {
            let position = Position { next: page.next, issued_ms: request.now_ms, generation, ..position };
            self.shared.seal.close(&position)
        });
        wire::body(&Answer {
            records: page.entries(),
            next_shard_iterator: next,
            millis_behind_latest: page.behind_ms,
            child_shards: page.end.as_deref().filter(|children| !children.is_empty()),
        })
    }

    /// The page at an iterator, and the generation of iterators that its next one belongs to.
    fn read_page(&self, position: &Position, ask: &Ask, now_ms: u64) -> Result<(Page, u32), ServiceError> {
        let options = self.options();
        let mut guard = self.store();
        let store = &mut *guard;
        let generation = store.faults.iterator_generation();
        self.check_iterator_age(position, generation, now_ms)?;
        let stream =
            shard_of(store.streams.get(&position.stream, now_ms), position, &options.account, now_ms)?;
        stream.must_serve()?;
        let id = ShardId(position.shard);
        let missing = stream.no_such_shard(&id.to_string());
        let Some(shard) = stream.shard_mut(id) else { return Err(missing) };
        if options.enforce_limits && !shard.limiter.read(&options.rates, now_ms) {
            return Err(rate_exceeded(id, &position.stream, &options.account));
        }
        if ask.dry_run == Some(true) {
            return Err(dry_run());
        }
        let asked = usize::try_from(ask.limit.unwrap_or(LARGEST_PAGE)).unwrap_or(0);
        let limit = if store.faults.empty_page() { 0 } else { asked };
        let Some(shard) = stream.shard(id) else { return Err(missing) };
        let mut page = Page::read(stream, shard, position.next, limit, LARGEST_PAGE_BYTES, now_ms);
        if store.faults.hides_children() {
            page.end = page.end.map(|_| Vec::new());
        }
        if let Some(shard) = stream.shard_mut(id) {
            shard.limiter.booked(page.bytes());
        }
        Ok((page, generation))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const MIB: usize = 1024 * 1024;

    fn stream(sizes: &[usize]) -> Stream {
        let mut stream = Stream::new("orders", "arn".into(), "123456789012", 1, 1_000, 1_000);
        stream.open_uniformly(1);
        stream.settle(1_000);
        for size in sizes {
            let data = Bytes::from(vec![0; *size]);
            stream.route(0).unwrap().push(None, data, false, 2_000);
        }
        stream
    }

    fn page(stream: &Stream, from: u64, limit: usize, now_ms: u64) -> Page {
        Page::read(stream, stream.shard(ShardId(0)).unwrap(), from, limit, LARGEST_PAGE_BYTES, now_ms)
    }

    #[test]
    fn a_page_stops_at_10_mib_but_holds_at_least_one_record() {
        let stream = stream(&[4 * MIB, 6 * MIB, 1, 11 * MIB, 1]);
        assert_eq!(page(&stream, 0, 100, 2_000).records.len(), 2);
        assert_eq!(page(&stream, 3, 100, 2_000).records.len(), 1);
        assert_eq!(page(&stream, 4, 100, 2_000).records.len(), 1);
    }

    #[test]
    fn a_reader_is_behind_by_the_age_of_the_next_record_and_at_the_tip_by_nothing() {
        let stream = stream(&[1, 1, 1]);
        assert_eq!(page(&stream, 0, 2, 2_750).behind_ms, 750);
        assert_eq!(page(&stream, 0, 2, 2_000).behind_ms, 1, "a record waits, so it is not 0");
        assert_eq!(page(&stream, 0, 3, 2_750).behind_ms, 0);
        assert_eq!(page(&stream, 0, 3, 2_750).next, 4);
    }

    #[test]
    fn only_a_closed_shard_read_to_its_end_ends() {
        let mut stream = stream(&[1, 1]);
        assert!(page(&stream, 0, 10, 2_000).end.is_none());
        stream.close_shard(ShardId(0), 3_000);
        assert!(page(&stream, 0, 1, 3_000).end.is_none());
        assert!(page(&stream, 0, 2, 3_000).end.is_some());
    }
}
