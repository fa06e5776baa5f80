//! Output on its way to its reader, and the checkpoint, which says only what has arrived there.

use std::time::{Duration, Instant};

use config::{Fault, OutError, Outcome, Outlet};

use super::{Peek, Stop, now, sleep_until};
use crate::bars;
use crate::checkpoint::{Mark, Place, Saved};

/// How long a reader who pauses may hold back the end of a run that was interrupted.
const GRACE: Duration = Duration::from_secs(3);

/// What became of stdout: a piece has left the process, or its reader has left.
pub(super) async fn event(outlet: &mut Outlet) -> Result<Vec<u8>, OutError> {
    if outlet.is_idle() {
        outlet.left().await;
        return Err(OutError::Closed);
    }
    outlet.done().await
}

impl Peek<'_> {
    /// Hands over what is to be written, once the piece before it has left.
    pub(super) fn hand(&mut self) {
        if self.out.is_empty() || !self.outlet.is_idle() {
            return;
        }
        self.world.notes.clear();
        // Of many shards this is a long list; between two writings nobody needs it.
        let is_due =
            self.start.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.is_due(Instant::now()));
        if is_due && self.saves_as_it_goes() {
            self.handed = Some(self.marks());
            self.unsaved = false;
        }
        self.outlet.hand(std::mem::replace(&mut self.out, std::mem::take(&mut self.spare)));
    }

    /// A piece has left the process, unless it could not.
    pub(super) fn delivered(&mut self, written: Result<Vec<u8>, OutError>) -> Result<(), Stop> {
        self.spare = written?;
        if let Some(handed) = self.handed.take() {
            self.delivered = Some(handed);
        }
        Ok(())
    }

    /// Shows what was held back and the report, and saves how far the run came.
    pub(super) async fn finish(&mut self, mut outcome: Outcome) -> Result<Outcome, Stop> {
        self.sink.settle(now(), true, &mut self.out);
        self.sink.form.report(&mut self.out);
        let world = self.world;
        let mut limit = None;
        loop {
            self.hand();
            if self.outlet.is_idle() {
                break;
            }
            if outcome == Outcome::Interrupted && limit.is_none() {
                limit = Some(now() + GRACE);
            }
            tokio::select! {
                biased;
                written = event(&mut self.outlet) => self.delivered(written)?,
                () = world.interrupt.asked(), if limit.is_none() => outcome = Outcome::Interrupted,
                () = sleep_until(limit) => {
                    world.notes.warn("the reader of stdout does not read: the last records did not reach it");
                    self.save_delivered()?;
                    return Ok(outcome);
                }
            }
        }
        if self.start.checkpoint.is_some() {
            self.delivered = Some(self.marks());
        }
        self.save_delivered()?;
        Ok(outcome)
    }

    /// Saves what has left the process, when it is time to.
    pub(super) fn save(&mut self) -> Result<(), Fault> {
        let Some(checkpoint) = &self.start.checkpoint else { return Ok(()) };
        if !checkpoint.is_due(Instant::now()) {
            return Ok(());
        }
        // The first time, before anything was read, also tells whether the file can be written.
        let may_save = self.saves_as_it_goes() || !checkpoint.is_written();
        if may_save && self.unsaved && self.out.is_empty() && self.outlet.is_idle() {
            self.delivered = Some(self.marks());
            self.unsaved = false;
        }
        self.save_delivered()
    }

    /// Saves what has left the process.
    pub(super) fn save_delivered(&mut self) -> Result<(), Fault> {
        match (&mut self.start.checkpoint, self.delivered.take()) {
            (Some(checkpoint), Some(saved)) => checkpoint.save(&saved),
            _ => Ok(()),
        }
    }

    /// A report shows nothing before the end: until then nothing of it may count as read.
    fn saves_as_it_goes(&self) -> bool {
        self.start.checkpoint.is_some() && !self.sink.form.is_report()
    }

    /// How far every shard was read.
    fn marks(&self) -> Saved {
        let over = self.start.over.iter().map(|id| (id.clone(), Mark::Over));
        let mut saved = Saved { origin: self.plan.origin.clone(), shards: over.collect() };
        // A place inside a record counts until the shard is read beyond it.
        for (id, place) in &self.start.places {
            saved.shards.entry(id.clone()).or_insert_with(|| Mark::At(place.clone()));
        }
        for (id, reading) in &self.readings {
            let place = || Mark::At(Place { position: reading.resume_at(), sub: None });
            saved.shards.entry(id.clone()).or_insert_with(place);
        }
        saved
    }

    /// What a person who stopped the run wants to know.
    pub(super) fn tell_interrupted(&self) {
        let shown = self.sink.shown();
        let plural = if shown == 1 { "" } else { "s" };
        self.world.notes.say(format!("interrupted: {} record{plural} shown", bars::count(shown)));
    }
}
