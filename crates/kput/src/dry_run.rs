//! `--dry-run`: what the input would be to the service, without a single put.

use std::io::Write;

use config::{Fault, Outcome, Output};
use serde::Serialize;

use crate::bill::Bill;
use crate::input::{Arrival, Input, Message};
use crate::limits::{REQUEST_BYTES, REQUEST_RECORDS};
use crate::plan::{ShardMap, record_hash};
use crate::put::Put;
use crate::stream::Permission;

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
    /// Records that no stream takes.
    pub refused: u64,
    /// Records left out on purpose.
    pub skipped: u64,
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
/// When the input cannot be used, or the service says that a put would be refused.
pub async fn report<W: Write>(put: &Put, mut input: Input, output: &mut Output<W>) -> Result<Outcome, Fault> {
    let permission = match put.permission().await? {
        Permission::Granted => "granted".to_owned(),
        Permission::NotAsked(reason) => format!("not asked: {reason}"),
    };
    let shards = put.shards().await;
    let mut report = Report { stream: put.target().name.to_string(), permission, ..Report::default() };
    let map = match shards {
        Ok(map) => Some(map),
        Err(fault) => {
            report.shards_unknown = Some(fault.to_text("kput").lines().next().unwrap_or_default().to_owned());
            None
        }
    };
    report.shards = map.as_ref().map(|map| {
        let share = |shard: &crate::plan::Shard| Share { shard_id: shard.id.clone(), ..Share::default() };
        map.shards().iter().map(share).collect()
    });
    loop {
        match input.recv().await {
            Some(Message::Arrivals(arrivals)) => {
                for arrival in &arrivals {
                    report.add(arrival, map.as_ref());
                }
            }
            Some(Message::Broken(fault)) => return Err(fault),
            Some(Message::End) | None => break,
        }
    }
    report.finish();
    output.document(&report)?;
    Ok(if report.refused > 0 { Outcome::Incomplete } else { Outcome::Done })
}

impl Report {
    fn add(&mut self, arrival: &Arrival, map: Option<&ShardMap>) {
        let record = match arrival {
            Arrival::Record(record) => record,
            Arrival::Refused(_) => {
                self.refused += 1;
                return;
            }
            Arrival::Skipped(_) => {
                self.skipped += 1;
                return;
            }
        };
        let mut bill = Bill::default();
        bill.add(record.size());
        self.records += 1;
        self.bytes += bill.bytes;
        self.largest_record_bytes = self.largest_record_bytes.max(bill.bytes);
        self.cost.on_demand_kib += bill.kib;
        self.cost.payload_units += bill.payload_units;
        let position = map.zip(record_hash(record)).and_then(|(map, hash)| map.position(hash));
        if let Some(share) =
            position.zip(self.shards.as_mut()).and_then(|(position, shares)| shares.get_mut(position))
        {
            share.records += 1;
            share.bytes += bill.bytes;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "estimates")]
    fn finish(&mut self) {
        let by_bytes = self.bytes.div_ceil(REQUEST_BYTES as u64);
        self.requests = self.records.div_ceil(REQUEST_RECORDS as u64).max(by_bytes);
        let round = |usd: f64| (usd * 1e6).round() / 1e6;
        self.cost.on_demand_usd = round(self.cost.on_demand_kib as f64 * 1024.0 / 1e9 * ON_DEMAND_USD_PER_GB);
        self.cost.provisioned_usd = round(self.cost.payload_units as f64 / 1e6 * PROVISIONED_USD_PER_MILLION);
        for share in self.shards.iter_mut().flatten() {
            share.percent = (share.bytes as f64 * 1000.0 / self.bytes.max(1) as f64).round() / 10.0;
        }
    }
}
