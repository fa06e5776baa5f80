//! What an answer means: receipts, another try, or the end.

use std::io::Write;
use std::time::Instant;

use config::Fault;

use super::{FLUSH_EVERY, HOPELESS, Run, Stop};
use crate::dead_letter::DeadLetters;
use crate::journal::{Journal, content};
use crate::plan::{Ended, Failure, Item, Text, Verdict};
use crate::put::{CallFailed, Next};
use crate::receipt::Receipt;
use crate::record::Record;

/// A stored item, its shard and its sequence number there.
pub(super) type Stored = (Item, Text, Text);

impl<W: Write> Run<W> {
    pub(super) fn settle(&mut self, batch: Vec<Item>, answer: Result<Vec<Verdict>, Box<CallFailed>>) {
        let now = Instant::now();
        let verdicts = match answer {
            Ok(verdicts) => verdicts,
            Err(failed) => match self.verdicts_of_failure(&batch, *failed) {
                Some(verdicts) => verdicts,
                None => {
                    self.planner.split(batch);
                    return;
                }
            },
        };
        self.look_at_shards(&verdicts);
        let mut stored = Vec::with_capacity(batch.len());
        let mut given_up = Vec::new();
        for end in self.planner.settle(batch, verdicts, now) {
            match end {
                Ended::Acked { item, shard, sequence } => stored.extend(self.counts(item, shard, sequence)),
                Ended::GivenUp { item, failure } => given_up.push((item, failure)),
            }
        }
        self.conclude(&stored, &given_up);
        if now.saturating_duration_since(self.flushed) >= FLUSH_EVERY {
            self.flush();
        }
    }

    /// Makes known what has ended: first to the journal, then in receipts, which promise what the next run keeps.
    pub(super) fn conclude(&mut self, stored: &[Stored], given_up: &[(Item, Failure)]) {
        if let Err(fault) = self.keep(stored, given_up) {
            self.stop.get_or_insert(Stop::Fault(fault));
        }
        for (item, shard, sequence) in stored {
            self.stored(item, shard, sequence);
        }
        for (item, failure) in given_up {
            self.give_up(item, failure);
        }
    }

    /// Writes the dead letters and the journal.
    fn keep(&mut self, stored: &[Stored], given_up: &[(Item, Failure)]) -> Result<(), Fault> {
        if let Some(letters) = &mut self.options.dead_letters {
            for (item, failure) in given_up {
                records(item).try_for_each(|record| letters.add(record, failure))?;
            }
            if self.options.journal.is_some() && !given_up.is_empty() {
                letters.flush()?;
            }
        }
        let Some(journal) = &mut self.options.journal else { return Ok(()) };
        let mut note = |item: &Item| {
            for record in records(item) {
                journal.done(record.number, content(record.number, record.data()));
            }
        };
        for (item, ..) in stored {
            note(item);
        }
        // What is in the dead-letter file is dealt with; what is nowhere else is tried again by the next run.
        if self.options.dead_letters.is_some() {
            for (item, _) in given_up {
                note(item);
            }
        }
        journal.write()
    }

    /// Counts a stored item and gives the receipts of its records.
    fn stored(&mut self, item: &Item, shard: &Text, sequence: &Text) {
        self.tally.bill(item);
        let aggregated = !item.parts.is_empty();
        for (record, sub) in records(item).zip(0..) {
            self.tally.stored += 1;
            self.tally.stored_bytes += record.size() as u64;
            let (shard, sequence) = (shard.clone(), sequence.clone());
            let receipt = Receipt::Stored { shard, sequence, sub: aggregated.then_some(sub) };
            self.receipt(record.number, record.line, receipt);
        }
    }

    fn give_up(&mut self, item: &Item, failure: &Failure) {
        for record in records(item) {
            self.tally.failed += 1;
            let (code, message) = (failure.code.clone(), failure.message.clone());
            self.receipt(record.number, record.line, Receipt::Failed { code, message });
        }
    }

    pub(super) fn receipt(&mut self, number: u64, line: u64, receipt: Receipt) {
        if let Err(error) = self.receipts.put(number, line, receipt) {
            self.stop.get_or_insert(Stop::Output(error));
        }
    }

    pub(super) fn flush(&mut self) {
        self.flushed = Instant::now();
        let letters = self.options.dead_letters.as_mut().map_or(Ok(()), DeadLetters::flush);
        if let Err(fault) = letters {
            self.stop.get_or_insert(Stop::Fault(fault));
        }
        if let Err(error) = self.receipts.flush() {
            self.stop.get_or_insert(Stop::Output(error));
        }
    }

    /// Makes the disk keep the journal.
    pub(super) fn sync(&mut self) {
        let synced = self.options.journal.as_mut().map_or(Ok(()), Journal::sync);
        if let Err(fault) = synced {
            self.stop.get_or_insert(Stop::Fault(fault));
        }
    }

    /// What a request that failed as a whole means for its records; None: try its halves.
    fn verdicts_of_failure(&mut self, batch: &[Item], failed: CallFailed) -> Option<Vec<Verdict>> {
        self.tally.failed_requests += 1;
        let CallFailed { fault, next, throttled } = failed;
        if next == Next::Split && batch.len() > 1 {
            return None;
        }
        if next == Next::Split {
            self.refused_alone += 1;
        }
        let hopeless = self.refused_alone >= HOPELESS && self.tally.stored == 0;
        if (next == Next::Stop || hopeless) && self.stop.is_none() {
            self.stop = Some(Stop::Fault(fault.clone()));
        }
        let failure = Failure {
            code: fault.code().unwrap_or("Unreachable").to_owned(),
            message: reason(&fault),
            throttled,
            last: next == Next::Split,
        };
        self.last_failed = Some(fault);
        Some(vec![Verdict::Failed(failure); batch.len()])
    }

    /// With the shards known only the one that throttles is slowed: they are asked for when the first record is
    /// throttled, and again when a record lands in a shard that is new.
    fn look_at_shards(&mut self, verdicts: &[Verdict]) {
        let throttled =
            |verdict: &&Verdict| matches!(verdict, Verdict::Failed(Failure { throttled: true, .. }));
        let throttled = verdicts.iter().filter(throttled).count();
        self.tally.throttled += throttled as u64;
        if self.aggregation.is_some() || self.shards.is_some() {
            return;
        }
        let last = verdicts.iter().rev().find_map(|verdict| match verdict {
            Verdict::Acked { shard, .. } => Some(shard),
            Verdict::Failed(_) => None,
        });
        let resharded = self
            .planner
            .shards()
            .zip(last)
            .is_some_and(|(map, shard)| !map.shards().is_empty() && map.by_id(shard.as_str()).is_none());
        if resharded || (throttled > 0 && !self.shards_asked) {
            self.ask_shards();
        }
    }
}

/// The records of an item: itself, or what is packed into it.
pub(super) fn records(item: &Item) -> impl Iterator<Item = &Record> {
    let alone = item.parts.is_empty().then_some(&item.record);
    alone.into_iter().chain(&item.parts)
}

/// The causes of a fault, without what was being done: the receipt stands for that.
fn reason(fault: &Fault) -> String {
    let text = fault.to_text("kput");
    let line = text.lines().next().unwrap_or_default();
    let prefix = format!("kput: {}: ", fault.message());
    line.strip_prefix(&prefix).unwrap_or(line).to_owned()
}
