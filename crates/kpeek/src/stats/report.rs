//! The figures of a report, as `--json` prints them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Shard, Stats};
use crate::stamp::Moment;
use crate::tally::Amount;

/// What a shard takes a second (Kinesis service limits).
const SHARD_RECORDS_PER_SECOND: f64 = 1000.0;
/// What a shard takes a second, in bytes.
const SHARD_BYTES_PER_SECOND: f64 = 1024.0 * 1024.0;

/// The part of its limit from which on a shard is called hot.
const HOT_LOAD: f64 = 0.8;

/// A shard is hot too when it has this many times its fair part of the records, or is halfway from there to all of them.
const HOT_TIMES_FAIR: f64 = 2.0;

/// A rate says nothing of a shorter time than this.
const LEAST_SECONDS: f64 = 1.0;

/// A key with this part of all records cannot be spread any more.
const HOT_KEY_SHARE: f64 = 0.2;

/// Below this many records, shares say nothing.
const TELLING_RECORDS: u64 = 100;

/// Keys that are named.
const TOP_KEYS: usize = 10;

/// Bins of the arrival histogram.
const ARRIVAL_BINS: usize = 24;

/// The whole report.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(super) stream: String,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) first_arrived_at: Option<Moment>,
    pub(super) last_arrived_at: Option<Moment>,
    pub(super) records_per_second: f64,
    pub(super) bytes_per_second: f64,
    pub(super) shards: Vec<ShardLine>,
    pub(super) keys: Keys,
    pub(super) sizes: Vec<SizeBin>,
    pub(super) arrivals: Vec<ArrivalBin>,
}

/// A shard.
#[derive(Debug, Serialize)]
pub(crate) struct ShardLine {
    pub(super) shard_id: String,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) share: f64,
    pub(super) records_per_second: f64,
    pub(super) bytes_per_second: f64,
    pub(super) peak_records_per_second: f64,
    pub(super) peak_bytes_per_second: f64,
    pub(super) behind_ms: Option<i64>,
    pub(super) hot: bool,
}

/// The keys.
#[derive(Debug, Serialize)]
pub(crate) struct Keys {
    /// How many there are; null when there were too many to keep.
    pub(super) distinct: Option<usize>,
    pub(super) top: Vec<KeyLine>,
}

/// A key.
#[derive(Debug, Serialize)]
pub(crate) struct KeyLine {
    pub(super) partition_key: String,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) share: f64,
    pub(super) records_per_second: f64,
    pub(super) bytes_per_second: f64,
    pub(super) hot: bool,
}

/// Records of about one size.
#[derive(Debug, Serialize)]
pub(crate) struct SizeBin {
    pub(super) up_to_bytes: u64,
    pub(super) records: u64,
}

/// Records that arrived in one stretch of time.
#[derive(Debug, Serialize)]
pub(crate) struct ArrivalBin {
    pub(super) from: Option<Moment>,
    pub(super) records: u64,
}

impl Report {
    pub(super) fn of(stats: &Stats) -> Self {
        let span = stats.arrived_ms;
        let seconds = span.map_or(0.0, |(first, last)| as_float(last - first) / 1000.0).max(LEAST_SECONDS);
        let fair = 1.0 / as_share(stats.shards.len() as u64, 1).max(1.0);
        let share = |records: u64| as_share(records, stats.all.records);
        let shards = stats.shards.iter().map(|(id, shard)| {
            let peak = peak(shard);
            let share = share(shard.amount.records);
            let load = (peak.0 / SHARD_RECORDS_PER_SECOND).max(peak.1 / SHARD_BYTES_PER_SECOND);
            let uneven = stats.shards.len() > 1
                && stats.all.records >= TELLING_RECORDS
                && share >= (HOT_TIMES_FAIR * fair).min(f64::midpoint(fair, 1.0));
            ShardLine {
                shard_id: id.to_string(),
                records: shard.amount.records,
                bytes: shard.amount.bytes,
                share,
                records_per_second: per_second(shard.amount.records, seconds),
                bytes_per_second: per_second(shard.amount.bytes, seconds),
                peak_records_per_second: peak.0,
                peak_bytes_per_second: peak.1,
                behind_ms: shard.behind_ms,
                hot: load >= HOT_LOAD || uneven,
            }
        });
        let top = stats.keys.top(TOP_KEYS).into_iter().map(|(key, amount)| KeyLine {
            partition_key: key.to_owned(),
            records: amount.records,
            bytes: amount.bytes,
            share: share(amount.records),
            records_per_second: per_second(amount.records, seconds),
            bytes_per_second: per_second(amount.bytes, seconds),
            hot: stats.all.records >= TELLING_RECORDS && share(amount.records) >= HOT_KEY_SHARE,
        });
        let arrivals = stats.arrivals.in_bins(ARRIVAL_BINS).into_iter();
        Self {
            stream: stats.stream.to_string(),
            records: stats.all.records,
            bytes: stats.all.bytes,
            first_arrived_at: span.and_then(|(start, _)| Moment::of(start)),
            last_arrived_at: span.and_then(|(_, end)| Moment::of(end)),
            records_per_second: per_second(stats.all.records, seconds),
            bytes_per_second: per_second(stats.all.bytes, seconds),
            shards: shards.collect(),
            keys: Keys { distinct: stats.keys.distinct(), top: top.collect() },
            sizes: sizes(&stats.sizes),
            arrivals: arrivals
                .map(|(from, records)| ArrivalBin {
                    from: Moment::of(from),
                    records: records.unwrap_or_default(),
                })
                .collect(),
        }
    }
}

/// Every power of two between the smallest and the largest record.
fn sizes(sizes: &BTreeMap<u32, u64>) -> Vec<SizeBin> {
    let (Some((first, _)), Some((last, _))) = (sizes.first_key_value(), sizes.last_key_value()) else {
        return Vec::new();
    };
    let bin = |power| SizeBin {
        up_to_bytes: 1_u64 << power,
        records: sizes.get(&power).copied().unwrap_or_default(),
    };
    (*first..=*last).map(bin).collect()
}

/// The records and bytes of the shard's fullest bin, a second.
fn peak(shard: &Shard) -> (f64, f64) {
    let bin_seconds = as_float(shard.arrivals.bin_ms()) / 1000.0;
    let most = |of: fn(&Amount) -> u64| shard.arrivals.bins().map(of).max().unwrap_or_default();
    (per_second(most(|bin| bin.records), bin_seconds), per_second(most(|bin| bin.bytes), bin_seconds))
}

fn per_second(count: u64, seconds: f64) -> f64 {
    (as_share(count, 1) / seconds * 100.0).round() / 100.0
}

fn as_share(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let (part, whole) = (part as f64, whole as f64);
    if whole == 0.0 { 0.0 } else { part / whole }
}

fn as_float(millis: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let millis = millis as f64;
    millis
}
