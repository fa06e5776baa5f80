//! What an answer means: receipts, another try, or the end.

use std::time::{Duration, Instant};

use config::{Fault, OutError};

use super::{FLUSH_EVERY, HOPELESS, PIECE_BYTES, Run, Stop};
use crate::answer::{Answer, Text};
use crate::dead_letter::DeadLetters;
use crate::journal::{Journal, Known, content};
use crate::plan::{Content, Ended, Failure, Item, Place, Verdict, bytes_of};
use crate::put::{CallFailed, Next};
use crate::receipt::{StoredAt, Unstored};

/// The shards are asked for again after this long, when they could not be listed.
const ASK_AGAIN: Duration = Duration::from_secs(10);

impl Run {
    pub(super) fn settle(&mut self, batch: Vec<Item>, answer: Result<Answer, Box<CallFailed>>) {
        let now = Instant::now();
        self.flying_bytes -= bytes_of(&batch);
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
    }

    /// Makes known what has ended: first to the journal, then in receipts, which promise what the next run keeps.
    /// The places point into `text`.
    pub(super) fn conclude(
        &mut self,
        text: &Text,
        stored: &[(Item, Place)],
        given_up: &[(Item, Box<Failure>)],
    ) {
        match self.note(Known::Stored, stored.iter().map(|(item, _)| item)) {
            Ok(()) => {
                for (item, place) in stored {
                    self.stored(item, text.get(place.shard), text.get(place.sequence));
                }
            }
            // Without receipts: the next run will send these records again.
            Err(fault) => {
                for (item, _) in stored {
                    self.tally.stored += item.count() as u64;
                    self.tally.bill(item);
                }
                self.stop.get_or_insert(Stop::Fault(fault));
            }
        }
        if let Err(fault) = self.keep_letters(given_up) {
            self.stop.get_or_insert(Stop::Fault(fault));
        }
        for (item, failure) in given_up {
            self.give_up(item, &failure.code, &failure.message);
        }
    }

    /// Writes records that were given up to the dead-letter file, and then that they are there.
    fn keep_letters(&mut self, given_up: &[(Item, Box<Failure>)]) -> Result<(), Fault> {
        let Some(letters) = &mut self.options.dead_letters else { return Ok(()) };
        if given_up.is_empty() {
            return Ok(());
        }
        for (item, failure) in given_up {
            for record in item.records().iter() {
                letters.add(record, self.receipts.file(record.number()), failure)?;
            }
        }
        if self.options.journal.is_some() {
            letters.flush()?;
        }
        self.note(Known::Lettered, given_up.iter().map(|(item, _)| item))
    }

    fn note<'a>(&mut self, known: Known, items: impl Iterator<Item = &'a Item>) -> Result<(), Fault> {
        let Some(journal) = &mut self.options.journal else { return Ok(()) };
        for item in items {
            for record in item.records().iter() {
                journal.note(record.number(), content(record.number(), record.data()));
            }
        }
        journal.write(known)
    }

    /// Counts a stored item and gives the receipts of its records.
    fn stored(&mut self, item: &Item, shard: &[u8], sequence: &[u8]) {
        let place = StoredAt { shard, sequence, sub: None };
        self.tally.bill(item);
        self.tally.stored += item.count() as u64;
        match &item.content {
            Content::Alone(record) => self.receipts.stored(record.number(), record.line(), place),
            Content::Packed(pack) => self.receipts.stored_together(pack.parts(), place),
        }
    }

    /// Counts the records of an item as given up and gives their receipts.
    pub(super) fn give_up(&mut self, item: &Item, code: &str, message: &str) {
        for record in item.records().iter() {
            self.tally.failed += 1;
            self.receipts.unstored(record.number(), record.line(), Unstored::Failed { code, message });
        }
    }

    /// Hands on what is ready, if it is much or has waited for long.
    pub(super) fn flush_when_due(&mut self) {
        if self.receipts.ready().len() >= PIECE_BYTES || self.flushed.elapsed() >= FLUSH_EVERY {
            self.flush();
        }
    }

    /// Hands on what is ready: receipts to the writer of stdout, when it has nothing to do, letters to the disk.
    pub(super) fn flush(&mut self) {
        self.flushed = Instant::now();
        let letters = self.options.dead_letters.as_mut().map_or(Ok(()), DeadLetters::flush);
        if let Err(fault) = letters {
            self.stop.get_or_insert(Stop::Fault(fault));
        }
        if self.outlet.is_idle() && !self.receipts.ready().is_empty() {
            self.outlet.hand(std::mem::take(self.receipts.ready()));
        }
    }

    /// A piece of receipts has left, or could not.
    pub(super) fn written(&mut self, written: Result<Vec<u8>, OutError>) {
        match written {
            Ok(memory) if self.receipts.ready().is_empty() => *self.receipts.ready() = memory,
            Ok(_) => {}
            Err(error) => {
                self.stop.get_or_insert(Stop::Output(error));
            }
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
        let is_unknown = self.planner.shards().is_none()
            && self.shards_asked.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN);
        if resharded || (throttled > 0 && is_unknown) {
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
