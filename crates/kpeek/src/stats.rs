//! `--stats`: how records are spread over shards, keys, sizes and time, and which shards and keys are hot.

mod report;
mod text;

use std::collections::BTreeMap;

use config::names::{ShardId, StreamName};

use crate::record::Item;
use crate::tally::{Amount, Tally};
use crate::timeline::Timeline;

pub(crate) use report::Report;

/// What was counted.
#[derive(Debug)]
pub(crate) struct Stats {
    stream: StreamName,
    as_json: bool,
    width: usize,
    all: Amount,
    shards: BTreeMap<ShardId, Shard>,
    keys: Tally,
    /// Records by the binary logarithm of their size, rounded up.
    sizes: BTreeMap<u32, u64>,
    arrivals: Timeline<u64>,
    /// When the first and the last record arrived.
    arrived_ms: Option<(i64, i64)>,
}

#[derive(Clone, Debug, Default)]
struct Shard {
    amount: Amount,
    arrivals: Timeline<Amount>,
    behind_ms: Option<i64>,
}

impl Stats {
    /// Counts `stream`; the report is JSON, or text `width` columns wide.
    pub(crate) fn new(stream: &StreamName, as_json: bool, width: usize) -> Self {
        Self {
            stream: stream.clone(),
            as_json,
            width,
            all: Amount::default(),
            shards: BTreeMap::new(),
            keys: Tally::default(),
            sizes: BTreeMap::new(),
            arrivals: Timeline::default(),
            arrived_ms: None,
        }
    }

    /// Counts an item.
    pub(crate) fn add(&mut self, item: &Item<'_>) {
        let key = item.partition_key.unwrap_or_default();
        let size = (key.len() + item.payload.len()) as u64;
        let amount = Amount { records: 1, bytes: size };
        self.all.records += 1;
        self.all.bytes += size;
        if let Some(key) = item.partition_key {
            self.keys.add(key, amount);
        }
        *self.sizes.entry(size.next_power_of_two().ilog2()).or_default() += 1;
        let shard = match self.shards.get_mut(item.shard) {
            Some(shard) => shard,
            None => self.shards.entry(item.shard.clone()).or_default(),
        };
        shard.amount.records += 1;
        shard.amount.bytes += size;
        if let Some(arrived_ms) = item.arrived_ms {
            shard.arrivals.add(arrived_ms, amount);
            self.arrivals.add(arrived_ms, 1);
            let (first, last) = self.arrived_ms.unwrap_or((arrived_ms, arrived_ms));
            self.arrived_ms = Some((first.min(arrived_ms), last.max(arrived_ms)));
        }
    }

    /// A shard was read, and is this far behind its newest record. A shard without records counts too: it is cold.
    pub(crate) fn read(&mut self, shard: &ShardId, behind_ms: i64) {
        self.shards.entry(shard.clone()).or_default().behind_ms = Some(behind_ms);
    }

    /// Appends the report.
    pub(crate) fn report(&self, out: &mut Vec<u8>) {
        let report = Report::of(self);
        if self.as_json {
            // Numbers and texts always become JSON.
            drop(serde_json::to_writer(&mut *out, &report));
            out.push(b'\n');
        } else {
            text::append(out, &report, self.width);
        }
    }
}
