//! `--dry-run`: what the input would be to the service, without a single put.

use std::io::Write;
use std::time::{Duration, Instant};

use config::interrupt::Interrupt;
use config::{Fault, Outcome, Output};
use serde::Serialize;

use crate::bill::Bill;
use crate::input::{Arrival, Input, Message};
use crate::limits::{REQUEST_BYTES, REQUEST_RECORDS};
use crate::plan::{Bundler, Item, ShardMap, record_hash};
use crate::put::Put;
use crate::record::Record;
use crate::stream::Permission;

/// What a run would be told, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes of an aggregate, when records are to be aggregated.
    pub aggregate_bytes: Option<usize>,
    /// Bytes of the largest record, when the connection document says.
    pub record_bytes: Option<usize>,
}

/// US dollars for a GB into an on-demand stream, us-east-1 (AWS blog, 2026-03-09).
const ON_DEMAND_USD_PER_GB: f64 = 0.08;

/// US dollars for a million payload units into a provisioned stream, us-east-1 (AWS blog, 2026-03-09).
const PROVISIONED_USD_PER_MILLION: f64 = 0.014;

/// The report; one JSON document.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The stream's name.
    pub stream: String,
    /// `granted`, or why it is not known.
    pub permission: String,
    /// Records that would be sent.
    pub records: u64,
    /// Their payload and key bytes.
    pub bytes: u64,
    /// The largest of them.
    pub largest_record_bytes: u64,
    /// Records that the stream does not take.
    pub refused: u64,
    /// Records left out on purpose.
    pub skipped: u64,
    /// Entries that the records travel as: fewer than records with `--aggregate`.
    pub entries: u64,
    /// Requests at least needed.
    pub requests: u64,
    /// What it would cost.
    pub cost: Cost,
    /// How the records spread, when the shards could be listed.
    pub shards: Option<Vec<Share>>,
    /// Why the shards are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shards_unknown: Option<String>,
}

/// The cost of putting; reading, storing and shard hours are apart.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// On-demand streams bill each record rounded up to a KiB.
    pub on_demand_kib: u64,
    /// In US dollars of us-east-1.
    pub on_demand_usd: f64,
    /// Provisioned streams bill units of 25 KiB.
    pub payload_units: u64,
    /// In US dollars of us-east-1.
    pub provisioned_usd: f64,
}

/// What one shard would get.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// The shard's id.
    pub shard_id: String,
    /// Records for it.
    pub records: u64,
    /// Bytes for it.
    pub bytes: u64,
    /// Its part of all bytes, in per cent. Even would be 100 divided by the number of shards.
    pub percent: f64,
}

/// Reads the input to its end and prints the report.
///
/// # Errors
/// When the input cannot be used, the stream is not there, the service says that a put would be refused, or the user stops
/// it.
pub async fn report<W: Write>(
    put: &Put,
    mut input: Input,
    options: Options,
    interrupt: &Interrupt,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let permission = match put.permission().await? {
        Permission::Granted => "granted".to_owned(),
        Permission::NotAsked(reason) => format!("not asked: {reason}"),
    };
    let mut survey =
        Survey::new(Report { stream: put.target().name.to_string(), permission, ..Report::default() });
    let takes = put.takes().await;
    survey.most = options.record_bytes.unwrap_or(takes.record_bytes);
    if takes.by_key {
        survey.look_at_shards(put, options).await?;
    } else if options.aggregate_bytes.is_some() {
        return Err(put.distributes_itself());
    } else {
        survey.report.shards_unknown = Some("the stream distributes records itself".to_owned());
    }
    loop {
        let message = tokio::select! {
            message = input.recv() => message,
            () = interrupt.asked() => {
                return Err(Fault::interrupted("interrupted before the input was read to its end"));
            }
        };
        match message {
            Some(Message::Batch(mut batch)) => {
                while let Some(arrival) = batch.lend() {
                    survey.add(&arrival);
                }
            }
            Some(Message::File { .. }) => {}
            Some(Message::Broken(fault)) => return Err(fault),
            Some(Message::End) | None => break,
        }
    }
    let report = survey.finish();
    output.document(&report)?;
    Ok(if report.refused > 0 { Outcome::Incomplete } else { Outcome::Done })
}

/// Nobody waits here: a bundle closes when it is full, as it does when records come quickly.
const LINGER: Duration = Duration::from_hours(1);

/// A report that is being made.
struct Survey {
    report: Report,
    map: Option<ShardMap>,
    bundler: Option<Bundler>,
    /// Bytes of the largest record that the stream takes.
    most: usize,
    /// Payload and key bytes of the entries.
    sent_bytes: u64,
    now: Instant,
}

impl Survey {
    fn new(report: Report) -> Self {
        Self { report, map: None, bundler: None, most: usize::MAX, sent_bytes: 0, now: Instant::now() }
    }

    async fn look_at_shards(&mut self, put: &Put, options: Options) -> Result<(), Fault> {
        match put.shards().await {
            Ok(map) => self.set_shards(map, options.aggregate_bytes),
            Err(fault) if fault.code() == Some("ResourceNotFoundException") => return Err(fault),
            Err(fault) => self.report.shards_unknown = Some(fault.sentence()),
        }
        Ok(())
    }

    fn set_shards(&mut self, map: ShardMap, aggregate_bytes: Option<usize>) {
        let share = |shard: &crate::plan::Shard| Share { shard_id: shard.id.clone(), ..Share::default() };
        self.report.shards = Some(map.shards().iter().map(share).collect());
        self.bundler = aggregate_bytes.map(|bytes| Bundler::new(map.clone(), bytes, LINGER));
        self.map = Some(map);
    }

    fn add(&mut self, arrival: &Arrival<'_>) {
        match arrival {
            Arrival::Record(record) if record.size() > self.most => self.report.refused += 1,
            Arrival::Record(record) => self.record(record),
            Arrival::Refused(_) => self.report.refused += 1,
            Arrival::Skipped(_) => self.report.skipped += 1,
        }
    }

    fn record(&mut self, record: &Record) {
        let size = record.size() as u64;
        self.report.records += 1;
        self.report.bytes += size;
        self.report.largest_record_bytes = self.report.largest_record_bytes.max(size);
        let position = self.map.as_ref().zip(record_hash(record)).and_then(|(map, hash)| map.position(hash));
        if let Some(share) =
            position.zip(self.report.shards.as_mut()).and_then(|(position, shares)| shares.get_mut(position))
        {
            share.records += 1;
            share.bytes += size;
        }
        let mut entries = Vec::new();
        match &mut self.bundler {
            Some(bundler) => bundler.add(record, self.now, &mut entries),
            None => entries.push(Item::new(record.clone(), self.now)),
        }
        self.count(&entries);
    }

    fn count(&mut self, entries: &[Item]) {
        for entry in entries {
            let bill = Bill::of(entry.size());
            self.report.entries += 1;
            self.sent_bytes += bill.bytes;
            self.report.cost.on_demand_kib += bill.kib;
            self.report.cost.payload_units += bill.payload_units;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "estimates")]
    fn finish(mut self) -> Report {
        let rest = self.bundler.as_mut().map(|bundler| bundler.due(self.now, true));
        self.count(&rest.unwrap_or_default());
        let Self { mut report, sent_bytes, .. } = self;
        let by_bytes = sent_bytes.div_ceil(REQUEST_BYTES as u64);
        report.requests = report.entries.div_ceil(REQUEST_RECORDS as u64).max(by_bytes);
        let round = |usd: f64| (usd * 1e6).round() / 1e6;
        let cost = &mut report.cost;
        cost.on_demand_usd = round(cost.on_demand_kib as f64 * 1024.0 / 1e9 * ON_DEMAND_USD_PER_GB);
        cost.provisioned_usd = round(cost.payload_units as f64 / 1e6 * PROVISIONED_USD_PER_MILLION);
        for share in report.shards.iter_mut().flatten() {
            share.percent = (share.bytes as f64 * 1000.0 / report.bytes.max(1) as f64).round() / 10.0;
        }
        report
    }
}
