//! What an answer means: receipts, another try, or the end.

use std::io::Write;
use std::time::Instant;

use config::Fault;

use super::{FLUSH_EVERY, HOPELESS, Run, Stop};
use crate::answer::{Answer, Text};
use crate::dead_letter::DeadLetters;
use crate::journal::{Journal, content};
use crate::plan::{Content, Ended, Failure, Item, Place, Verdict};
use crate::put::{CallFailed, Next};
use crate::receipt::{StoredAt, Unstored};

impl<W: Write> Run<W> {
    pub(super) fn settle(&mut self, batch: Vec<Item>, answer: Result<Answer, Box<CallFailed>>) {
        let now = Instant::now();
        let Answer { text, verdicts } = match answer {
            Ok(answer) => answer,
            Err(failed) => match self.verdicts_of_failure(&batch, *failed) {
                Some(verdicts) => Answer { verdicts, ..Answer::default() },
                None => {
                    self.planner.split(batch);
                    return;
                }
            },
        };
        self.look_at_shards(&text, &verdicts);
        let mut stored = Vec::with_capacity(batch.len());
        let mut given_up = Vec::new();
        for end in self.planner.settle(batch, verdicts, now) {
            match end {
                Ended::Acked(item, place) => {
                    stored.extend(self.counts(item, place, &text).map(|item| (item, place)));
                }
                Ended::GivenUp(item, failure) => given_up.push((item, failure)),
            }
        }
        self.conclude(&text, &stored, &given_up);
        if now.saturating_duration_since(self.flushed) >= FLUSH_EVERY {
            self.flush();
        }
    }

    /// Makes known what has ended: first to the journal, then in receipts, which promise what the next run keeps.
    /// The places point into `text`.
    pub(super) fn conclude(
        &mut self,
        text: &Text,
        stored: &[(Item, Place)],
        given_up: &[(Item, Box<Failure>)],
    ) {
        if let Err(fault) = self.keep(stored, given_up) {
            self.stop.get_or_insert(Stop::Fault(fault));
        }
        for (item, place) in stored {
            self.stored(item, text.get(place.shard), text.get(place.sequence));
        }
        for (item, failure) in given_up {
            self.give_up(item, &failure.code, &failure.message);
        }
    }

    /// Writes the dead letters and the journal.
    fn keep(&mut self, stored: &[(Item, Place)], given_up: &[(Item, Box<Failure>)]) -> Result<(), Fault> {
        if let Some(letters) = &mut self.options.dead_letters {
            for (item, failure) in given_up {
                item.records().iter().try_for_each(|record| letters.add(record, failure))?;
            }
            if self.options.journal.is_some() && !given_up.is_empty() {
                letters.flush()?;
            }
        }
        let Some(journal) = &mut self.options.journal else { return Ok(()) };
        let mut note = |item: &Item| {
            for record in item.records().iter() {
                journal.done(record.number(), content(record.number(), record.data()));
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
    fn stored(&mut self, item: &Item, shard: &[u8], sequence: &[u8]) {
        self.tally.bill(item);
        match &item.content {
            Content::Alone(record) => {
                let place = StoredAt { shard, sequence, sub: None };
                self.receipt_stored(record.number(), record.line(), place);
            }
            Content::Packed(pack) => {
                for (part, sub) in pack.parts().iter().zip(0..) {
                    let place = StoredAt { shard, sequence, sub: Some(sub) };
                    self.receipt_stored(part.number, part.line, place);
                }
            }
        }
    }

    fn receipt_stored(&mut self, number: u64, line: u64, place: StoredAt<'_>) {
        self.tally.stored += 1;
        if let Err(error) = self.receipts.stored(number, line, place) {
            self.stop.get_or_insert(Stop::Output(error));
        }
    }

    /// Counts the records of an item as given up and gives their receipts.
    pub(super) fn give_up(&mut self, item: &Item, code: &str, message: &str) {
        for record in item.records().iter() {
            self.tally.failed += 1;
            self.receipt(record.number(), record.line(), Unstored::Failed { code, message });
        }
    }

    /// Gives the receipt of a record that is not stored by this run.
    pub(super) fn receipt(&mut self, number: u64, line: u64, why: Unstored<'_>) {
        if let Err(error) = self.receipts.unstored(number, line, why) {
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
        Some(vec![Verdict::Failed(Box::new(failure)); batch.len()])
    }

    /// With the shards known only the one that throttles is slowed: they are asked for when the first record is
    /// throttled, and again when a record lands in a shard that is new.
    fn look_at_shards(&mut self, text: &Text, verdicts: &[Verdict]) {
        let throttled = |verdict: &&Verdict| matches!(verdict, Verdict::Failed(failure) if failure.throttled);
        let throttled = verdicts.iter().filter(throttled).count();
        self.tally.throttled += throttled as u64;
        if self.aggregation.is_some() || self.shards.is_some() {
            return;
        }
        let last = verdicts.iter().rev().find_map(|verdict| match verdict {
            Verdict::Acked(place) => Some(text.get(place.shard)),
            Verdict::Failed(_) => None,
        });
        let resharded = self
            .planner
            .shards()
            .zip(last)
            .is_some_and(|(map, shard)| !map.shards().is_empty() && map.by_id(shard).is_none());
        if resharded || (throttled > 0 && !self.shards_asked) {
            self.ask_shards();
        }
    }
}

/// The causes of a fault, without what was being done: the receipt stands for that.
fn reason(fault: &Fault) -> String {
    let text = fault.to_text("kput");
    let line = text.lines().next().unwrap_or_default();
    let prefix = format!("kput: {}: ", fault.message());
    line.strip_prefix(&prefix).unwrap_or(line).to_owned()
}
