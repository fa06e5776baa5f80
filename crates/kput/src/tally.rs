//! Counts of a run, and the summary made of them.

use std::time::Duration;

use config::duration;
use serde::Serialize;

use crate::bill::Bill;
use crate::plan::{Content, Item};

/// What a run has done so far. `--stats json` prints it; adding a field is fine, changing one is not.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    /// Records read.
    pub records: u64,
    /// Records stored.
    pub stored: u64,
    /// Payload and key bytes of the records stored.
    pub stored_bytes: u64,
    /// Records given up or refused.
    pub failed: u64,
    /// Records left out on purpose.
    pub skipped: u64,
    /// Records that an earlier run has stored, as the journal says.
    pub known: u64,
    /// Records that an earlier run has given up and written to the dead-letter file, as the journal says.
    pub lettered: u64,
    /// Entries that were sent, the repeated ones included.
    pub sent: u64,
    /// Entries that were sent again.
    pub resent: u64,
    /// Entries and requests that were throttled.
    pub throttled: u64,
    /// Requests sent.
    pub requests: u64,
    /// Requests that failed as a whole.
    pub failed_requests: u64,
    /// What on-demand streams bill for the entries stored: each one rounded up to a KiB.
    pub billed_kib: u64,
    /// What that would be had every record gone alone.
    pub unaggregated_kib: u64,
    /// What provisioned streams bill: payload units of 25 KiB, each entry rounded up.
    pub payload_units: u64,
    /// What that would be had every record gone alone.
    pub unaggregated_payload_units: u64,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// Shows bytes for people.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn show_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let (mut amount, mut unit) = (bytes as f64 / 1024.0, 0);
    while amount >= 1024.0 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS.get(unit).copied().unwrap_or_default())
}

/// Shows a number of records for people.
pub fn show_records(records: u64) -> String {
    if records == 1 { "1 record".to_owned() } else { format!("{records} records") }
}

impl Tally {
    /// Adds what a stored entry costs, and what its records would have cost alone.
    pub fn bill(&mut self, item: &Item) {
        let billed = self.bill_entry(item.size());
        let alone = match &item.content {
            Content::Alone(_) => billed,
            Content::Packed(pack) => pack.alone(),
        };
        self.stored_bytes += alone.bytes;
        self.unaggregated_kib += alone.kib;
        self.unaggregated_payload_units += alone.payload_units;
    }

    /// Adds what an entry costs that is stored where no consumer looks for it, and has to be put again.
    pub fn bill_in_vain(&mut self, size: usize) {
        self.bill_entry(size);
    }

    fn bill_entry(&mut self, size: usize) -> Bill {
        let billed = Bill::of(size);
        self.billed_kib += billed.kib;
        self.payload_units += billed.payload_units;
        billed
    }

    /// The summary as a sentence about `stream`.
    pub fn sentence(&self, stream: &str, aggregated: bool) -> String {
        let mut text = format!(
            "put {} ({}) to stream `{stream}` in {}",
            show_records(self.stored),
            show_bytes(self.stored_bytes),
            duration::show(Duration::from_millis(self.elapsed_ms))
        );
        for (count, what) in [
            (self.failed, "given up"),
            (self.skipped, "left out"),
            (self.known, "put by an earlier run"),
            (self.lettered, "among an earlier run's dead letters"),
            (self.resent, "sent again"),
        ] {
            if count > 0 {
                text.extend([", ", &count.to_string(), " ", what]);
            }
        }
        if aggregated {
            let (billed, alone) =
                (show_bytes(self.billed_kib * 1024), show_bytes(self.unaggregated_kib * 1024));
            text.extend([", billed as ", &billed, " instead of ", &alone]);
        }
        text
    }

    /// The progress line.
    pub fn progress(&self, in_flight: usize, elapsed: Duration) -> String {
        let a_second = |amount: u64| {
            u64::try_from(u128::from(amount) * 1000 / elapsed.as_millis().max(1)).unwrap_or(u64::MAX)
        };
        format!(
            "{} stored, {}/s, {}/s, {} again, {} given up, {in_flight} in flight",
            self.stored,
            a_second(self.stored),
            show_bytes(a_second(self.stored_bytes)),
            self.resent,
            self.failed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Tally, show_bytes};

    #[test]
    fn says_what_was_done_and_no_more() {
        let tally = Tally { stored: 1, stored_bytes: 120, elapsed_ms: 4, ..Tally::default() };
        assert_eq!(tally.sentence("orders", false), "put 1 record (120 bytes) to stream `orders` in 4ms");
        let tally = Tally { failed: 2, resent: 7, stored: 1000, stored_bytes: 1_153_434, ..tally };
        assert_eq!(
            tally.sentence("orders", false),
            "put 1000 records (1.1 MiB) to stream `orders` in 4ms, 2 given up, 7 sent again"
        );
        assert_eq!(show_bytes(1023), "1023 bytes");
        assert_eq!(show_bytes(u64::MAX), "16384.0 PiB");
    }
}
