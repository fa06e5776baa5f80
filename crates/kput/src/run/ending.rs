//! The end of a run: what is left, the summary, and who has to act.

use std::time::{Duration, Instant};

use config::{Fault, Kind, OutError, Outcome};
use tokio::time::timeout;

use super::{Run, Stop};
use crate::answer::Text;
use crate::args::StatsForm;
use crate::plan::{Failure, Item};
use crate::tally::show_records;

/// How long an interrupted run waits for a reader of stdout who takes his time.
const LAST_RECEIPTS: Duration = Duration::from_secs(5);

impl Run {
    pub(super) async fn end(mut self) -> Result<Outcome, Fault> {
        self.settle_undecided();
        self.settle_interrupted();
        self.receipts.close_gaps();
        if let Err(error) = self.deliver().await {
            self.stop.get_or_insert(Stop::Output(error));
        }
        self.flush();
        self.sync();
        // A run that was refused before anything got through has nothing to sum up: the fault says it all.
        let is_refused = matches!(self.stop, Some(Stop::Fault(_))) && self.tally.stored == 0;
        let is_nothing = self.broken.is_some() && self.tally.records == 0;
        if !is_refused && !is_nothing {
            self.summarise();
        }
        let tally = &self.tally;
        let unsent =
            tally.records - tally.stored - tally.failed - tally.skipped - tally.known - tally.lettered;
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
                // Nothing got through, nothing is wrong with the records, and they are nowhere else.
                Some(fault)
                    if tally.stored == 0
                        && fault.kind() == Kind::Transient
                        && self.options.dead_letters.is_none() =>
                {
                    Err(fault)
                }
                _ if tally.failed > 0 => Ok(Outcome::Incomplete),
                _ => Ok(Outcome::Done),
            },
        }
    }

    /// Gives up what was tried, when the user stopped the run. With a journal the next run takes it up.
    fn settle_interrupted(&mut self) {
        let left = self.planner.drain(Instant::now());
        if !matches!(self.stop, Some(Stop::Interrupted)) {
            return;
        }
        let failure = Failure {
            code: "Interrupted".to_owned(),
            message: "stopped before it could be sent again".to_owned(),
            throttled: false,
            last: true,
        };
        let tried: Vec<(Item, Box<Failure>)> = left
            .into_iter()
            .filter(|item| item.attempts > 0)
            .map(|item| (item, Box::new(failure.clone())))
            .collect();
        if self.options.journal.is_some() {
            for (item, failure) in &tried {
                self.give_up(item, &failure.code, &failure.message);
            }
        } else {
            self.conclude(&Text::default(), &[], &tried);
        }
    }

    /// Waits until all receipts have left.
    async fn deliver(&mut self) -> Result<(), OutError> {
        let is_interrupted = matches!(self.stop, Some(Stop::Interrupted));
        let failed = matches!(self.stop, Some(Stop::Output(_)));
        if failed {
            return Ok(());
        }
        let all = async {
            if !self.outlet.is_idle() {
                self.outlet.done().await?;
            }
            self.outlet.write(self.receipts.ready()).await
        };
        if is_interrupted {
            // A reader who does not read must not keep a run that is to stop.
            return timeout(LAST_RECEIPTS, all).await.unwrap_or(Ok(()));
        }
        all.await
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
