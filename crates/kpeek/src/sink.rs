//! What becomes of the records that were read: unpacked, chosen, put in order, counted, written in a form.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use aggregate::{Entry, Tags};
use config::Fault;
use config::names::ShardId;
use jiff::Timestamp;

use crate::answer::Answer;
use crate::choice::{Choice, hash_of_key};
use crate::decode::Decode;
use crate::fields;
use crate::form::Form;
use crate::lineage::HashRange;
use crate::merge::Merge;
use crate::path::Path;
use crate::record::{Item, Record};

/// Where records go.
#[derive(Debug)]
pub(crate) struct Sink {
    /// How items look.
    pub(crate) form: Form,
    /// Whether records that the Kinesis Producer Library packed into one are taken apart.
    pub(crate) deaggregate: bool,
    /// What is unpacked.
    pub(crate) decode: Decode,
    /// Which items are shown.
    pub(crate) choice: Choice,
    /// The fields to which JSON payloads are cut down; none leaves them whole.
    pub(crate) fields: Vec<Path>,
    /// How many items may still be shown.
    pub(crate) left: Option<u64>,
    /// The order across shards.
    pub(crate) merge: Option<Merge>,
    /// The last time of arrival that is of interest, in milliseconds since 1970.
    until_ms: Option<i64>,
    /// Items that an earlier run has shown: up to this one inside this record.
    seen: BTreeMap<ShardId, (String, u64)>,
    ranges: BTreeMap<ShardId, HashRange>,
    /// Shards in which a record was found that its hash key puts elsewhere.
    misplaced: BTreeSet<ShardId>,
    /// Those of them that nobody has asked for yet.
    newly_misplaced: Vec<ShardId>,
    read: u64,
    shown: u64,
    projected: Vec<u8>,
    /// Memory for the data of one answer.
    decoded: Vec<u8>,
}

/// How much of an answer was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// All of it.
    All,
    /// All that is of interest; behind this record, if any, is one that arrived later.
    Late(Option<String>),
    /// Up to this record, or up to an item inside it: as many items were shown as were asked for.
    Full(String, Option<u64>),
}

impl Sink {
    /// Shows every stored record whole in `form`.
    pub(crate) fn new(form: Form) -> Self {
        Self {
            form,
            deaggregate: false,
            decode: Decode::None,
            choice: Choice::new(None, None, None),
            fields: Vec::new(),
            left: None,
            merge: None,
            until_ms: None,
            seen: BTreeMap::new(),
            ranges: BTreeMap::new(),
            misplaced: BTreeSet::new(),
            newly_misplaced: Vec::new(),
            read: 0,
            shown: 0,
            projected: Vec::new(),
            decoded: Vec::new(),
        }
    }

    /// Ends at this time of arrival.
    pub(crate) fn end_at(&mut self, until: Timestamp) {
        self.until_ms = Some(until.as_millisecond());
    }

    /// Leaves out what an earlier run has shown of a record.
    pub(crate) fn skip(&mut self, shard: &ShardId, sequence_number: &str, sub: u64) {
        self.seen.insert(shard.clone(), (sequence_number.to_owned(), sub));
    }

    /// The hash keys that a shard takes.
    pub(crate) fn expect(&mut self, shard: &ShardId, range: HashRange) {
        self.ranges.insert(shard.clone(), range);
    }

    /// Takes the records of one answer and appends what they look like.
    ///
    /// # Errors
    /// As [`Answer::each`].
    pub(crate) fn answer(
        &mut self,
        shard: &ShardId,
        answer: &Answer<'_>,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<Taken, Fault> {
        let mut taken = Taken::All;
        let mut index = 0_usize;
        let mut decoded = std::mem::take(&mut self.decoded);
        let visited = answer.each(&mut decoded, |record| {
            let is_late =
                self.until_ms.zip(record.arrived_ms).is_some_and(|(until, arrived)| arrived > until);
            index += 1;
            if is_late {
                // Times of arrival are approximate: behind a late record may be one that was in time.
                if taken == Taken::All {
                    taken = Taken::Late(index.checked_sub(2).and_then(|last| answer.sequence_number(last)));
                }
                return true;
            }
            let stopped = self.record(shard, record, now, out);
            if self.is_full() {
                if taken == Taken::All {
                    taken = Taken::Full(record.sequence_number.to_owned(), stopped);
                }
                return false;
            }
            true
        });
        self.decoded = decoded;
        visited?;
        self.form.finish(out);
        Ok(taken)
    }

    /// Shows the items of a stored record. Returns the place of the last one when there may be more behind it.
    fn record(
        &mut self,
        shard: &ShardId,
        record: &Record<'_>,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Option<u64> {
        let packed = if aggregate::looks_aggregated(record.data) {
            // What only looks like an aggregate is shown as it is, as other readers do.
            // So is one with nothing in it: somebody may wonder where it is.
            aggregate::unpack(record.data).ok().filter(|entries| !entries.is_empty())
        } else {
            None
        };
        for entry in packed.iter().flatten() {
            self.check_place(shard, entry);
        }
        let seen =
            self.seen.get(shard).filter(|(number, _)| number == record.sequence_number).map(|(_, sub)| *sub);
        let item = Item {
            shard,
            sequence_number: record.sequence_number,
            sub: 0,
            arrived_ms: record.arrived_ms,
            partition_key: record.partition_key,
            explicit_hash_key: None,
            tags: Tags::default(),
            payload: record.data,
        };
        let mut sub = 0;
        let Some(entries) = packed else {
            return self.items(&item, &mut sub, seen, now, out);
        };
        if !self.deaggregate {
            // The pack's own key says nothing about its shard, and the hash key it was put with cannot be read.
            let place = entries.first().map(|entry| hash_of(entry).to_string());
            let item = Item { explicit_hash_key: place.as_deref(), ..item };
            return self.items(&item, &mut sub, seen, now, out);
        }
        let last = entries.len().saturating_sub(1);
        for (index, entry) in entries.into_iter().enumerate() {
            let entry = Item {
                partition_key: Some(entry.partition_key),
                explicit_hash_key: entry.explicit_hash_key,
                tags: entry.tags,
                payload: entry.data,
                ..item
            };
            let stopped = self.items(&entry, &mut sub, seen, now, out);
            if self.is_full() {
                return stopped.or(if index < last { sub.checked_sub(1) } else { None });
            }
        }
        None
    }

    /// Shows what is inside one payload. Returns the place of the last item when showing has to stop there.
    fn items(
        &mut self,
        item: &Item<'_>,
        sub: &mut u64,
        seen: Option<u64>,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Option<u64> {
        let decode = self.decode;
        let is_whole = decode.items(item.payload, |payload| {
            if seen.is_none_or(|seen| *sub > seen) {
                self.item(&Item { sub: *sub, payload, ..*item }, now, out);
            }
            *sub += 1;
            !self.is_full()
        });
        if is_whole { None } else { sub.checked_sub(1) }
    }

    fn item(&mut self, item: &Item<'_>, now: Instant, out: &mut Vec<u8>) {
        self.read += 1;
        if !self.choice.takes(item) {
            return;
        }
        match &mut self.merge {
            Some(merge) => merge.take(item, now),
            None => self.show(item, out),
        }
    }

    fn show(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        if self.fields.is_empty() {
            self.form.append(out, item);
        } else {
            self.projected.clear();
            fields::project(&mut self.projected, &self.fields, item.payload);
            self.form.append(out, &Item { payload: &self.projected, ..*item });
        }
        self.shown += 1;
        self.left = self.left.map(|left| left.saturating_sub(1));
    }

    /// Shows the merged items whose turn it is; at the end all that are left.
    pub(crate) fn settle(&mut self, now: Instant, is_end: bool, out: &mut Vec<u8>) {
        while !self.is_full()
            && let Some(merge) = &mut self.merge
            && let Some(held) = if is_end { merge.pop() } else { merge.next(now) }
        {
            self.show(&held.item(), out);
        }
        self.form.finish(out);
    }

    fn check_place(&mut self, shard: &ShardId, entry: &Entry<'_>) {
        let hash = hash_of(entry);
        let is_misplaced = self.ranges.get(shard).is_some_and(|range| !range.contains(hash));
        if is_misplaced && self.misplaced.insert(shard.clone()) {
            self.newly_misplaced.push(shard.clone());
        }
    }

    /// The shards, each one once, with records in them that their hash keys put into another: readers such as the KCL drop
    /// these.
    pub(crate) fn misplaced(&mut self) -> Vec<ShardId> {
        std::mem::take(&mut self.newly_misplaced)
    }

    /// Whether as many items were shown as were asked for.
    pub(crate) fn is_full(&self) -> bool {
        self.left == Some(0)
    }

    /// How many items there were to choose from.
    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    /// How many items were shown.
    pub(crate) fn shown(&self) -> u64 {
        self.shown
    }
}

/// Where a packed record belongs.
fn hash_of(entry: &Entry<'_>) -> u128 {
    let own = entry.explicit_hash_key.and_then(|hash| hash.parse().ok());
    own.unwrap_or_else(|| hash_of_key(entry.partition_key))
}
