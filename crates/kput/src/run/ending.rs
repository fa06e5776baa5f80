//! The end of a run: what is left, the summary, and who has to act.

use std::io::Write;
use std::time::Instant;

use config::{Fault, Kind, Outcome};

use super::{Run, Stop};
use crate::args::StatsForm;
use crate::tally::show_records;

impl<W: Write> Run<W> {
    pub(super) fn end(mut self) -> Result<Outcome, Fault> {
        self.settle_undecided();
        let left = self.planner.drain(Instant::now());
        let interrupted = matches!(self.stop, Some(Stop::Interrupted));
        for item in left.iter().filter(|item| item.attempts > 0 && interrupted) {
            self.give_up(item, "Interrupted", "stopped before it could be sent again");
        }
        if let Err(error) = self.receipts.put_rest() {
            self.stop.get_or_insert(Stop::Output(error));
        }
        self.flush();
        self.sync();
        // A run that was refused before anything got through has nothing to sum up: the fault says it all.
        if self.tally.stored > 0 || !matches!(self.stop, Some(Stop::Fault(_))) {
            self.summarise();
        }
        let tally = &self.tally;
        let unsent = tally.records - tally.stored - tally.failed - tally.skipped - tally.known;
        let resume = match &self.options.journal {
            Some(_) => "run the same command again with the same input: it goes on where it stopped",
            None => {
                "the receipts say which records are stored; with --journal FILE a run can be taken up again"
            }
        };
        match (self.stop, self.broken) {
            (Some(Stop::Fault(fault)), _) => Err(fault),
            (Some(Stop::Output(error)), _) => Err(Fault::from(error)
                .with_cause(format!("stored before that: {}", show_records(tally.stored)))
                .with_hint("records without a receipt may be stored too; --receipts none needs no reader")),
            (Some(Stop::Interrupted), _) => Err(Fault::interrupted("interrupted")
                .with_cause(format!("read but not sent: {}", show_records(unsent)))
                .with_hint(resume)),
            (None, Some(fault)) => Err(fault),
            (None, None) => match self.last_failed {
                // Nothing got through, and nothing is wrong with the records.
                Some(fault) if tally.stored == 0 && fault.kind() == Kind::Transient => Err(fault),
                _ if tally.failed > 0 => Ok(Outcome::Incomplete),
                _ => Ok(Outcome::Done),
            },
        }
    }

    fn summarise(&mut self) {
        self.notes.clear();
        self.tally.elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match self.options.stats {
            StatsForm::Text if self.tally.records == 0 => {
                self.notes.say("no records came in, nothing was put");
            }
            StatsForm::Text => {
                let name = self.put.target().name.as_str();
                self.notes.say(self.tally.sentence(name, self.options.aggregate_bytes.is_some()));
            }
            StatsForm::Json => self.notes.json(&self.tally),
        }
    }
}
