//! The run: many shards at once on one thread, each at its own pace, until all that was asked for is shown.

mod reply;
mod request;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::{Duration, Instant};

use config::names::ShardId;
use config::{Fault, OutError, Outcome, Outlet, World};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time;

use crate::bars;
use crate::checkpoint::{Checkpoint, Mark, Place, Saved};
use crate::fanout::Subscription;
use crate::lineage::Lineage;
use crate::merge::Merge;
use crate::plan::{Plan, Until};
use crate::position::Position;
use crate::shard::{Reading, Step};
use crate::sink::Sink;
use crate::status::Status;

use reply::one_line;
pub(crate) use request::Source;
use request::{Request, ask};
use schedule::{Errand, Schedule};

/// Requests under way at once: enough to hide the network, few enough to bound the memory that answers take.
const UNDER_WAY: usize = 16;

/// How long a shard that is ahead of the others waits for them when they are merged.
const AHEAD: Duration = Duration::from_millis(100);

/// What a run begins with.
pub(crate) struct Start {
    /// The shards to read.
    pub(crate) lineage: Lineage,
    /// Where an earlier run stopped in some of them.
    pub(crate) places: BTreeMap<ShardId, Place>,
    /// The shards that an earlier run has read to their end.
    pub(crate) over: BTreeSet<ShardId>,
    /// Whether there was an earlier run.
    pub(crate) is_resumed: bool,
    /// Where to save how far this run comes.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// Why reading stopped before its end.
enum Stop {
    /// Nobody reads stdout any more.
    Closed,
    Fault(Fault),
}

impl From<OutError> for Stop {
    fn from(error: OutError) -> Self {
        match error {
            OutError::Closed => Self::Closed,
            failed @ OutError::Failed(_) => Self::Fault(
                Fault::from(failed).with_hint("free some space there, or send the output elsewhere"),
            ),
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// A run.
pub(crate) struct Peek<'a> {
    plan: &'a Plan,
    world: &'a World,
    source: Source<'a>,
    sink: Sink,
    outlet: Outlet,
    out: Vec<u8>,
    start: Start,
    readings: BTreeMap<ShardId, Reading>,
    subscriptions: BTreeMap<ShardId, Box<Subscription>>,
    schedule: Schedule,
    /// Shards that ended without saying what they became.
    childless: BTreeSet<ShardId>,
    failures: Vec<Fault>,
    /// Whether the shards that begin now were born while we were reading.
    running: bool,
    /// Whether more was read than the checkpoint says.
    unsaved: bool,
    status: Status,
}

impl<'a> Peek<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        world: &'a World,
        source: Source<'a>,
        start: Start,
        sink: Sink,
        outlet: Outlet,
    ) -> Self {
        Self {
            plan,
            world,
            source,
            sink,
            outlet,
            out: Vec::new(),
            start,
            readings: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            schedule: Schedule::default(),
            childless: BTreeSet::new(),
            failures: Vec::new(),
            running: false,
            unsaved: true,
            status: Status::new(now()),
        }
    }

    /// Reads until the end that was asked for.
    ///
    /// # Errors
    /// A pipe fault when stdout cannot be written; the first shard's fault when no shard could be read; a usage fault
    /// when the checkpoint cannot be saved.
    pub(crate) async fn run(mut self) -> Result<Outcome, Fault> {
        let read = match self.read().await {
            Ok(outcome) => self.finish(outcome).await,
            Err(stop) => Err(stop),
        };
        self.world.notes.clear();
        let outcome = match read {
            Ok(outcome) => outcome,
            Err(Stop::Closed) => return Ok(Outcome::Done),
            Err(Stop::Fault(fault)) => return Err(fault),
        };
        for shard in self.sink.misplaced() {
            self.world.notes.warn(format!(
                "shard {shard} holds packed records whose hash keys belong to other shards: the KCL drops such packs whole"
            ));
        }
        if outcome == Outcome::Done && self.sink.shown() == 0 && self.failures.is_empty() {
            self.world.notes.say(self.nothing());
        }
        if self.failures.is_empty() {
            return Ok(outcome);
        }
        if outcome != Outcome::Interrupted && self.failures.len() == self.readings.len() {
            // Not one shard was read to its end: the run as a whole was refused.
            return Err(self.failures.swap_remove(0));
        }
        for failure in &self.failures {
            self.world.notes.warn(one_line(failure));
        }
        Ok(if outcome == Outcome::Interrupted { outcome } else { Outcome::Incomplete })
    }

    /// Why nothing was shown.
    fn nothing(&self) -> String {
        match (self.sink.read(), self.plan.until) {
            (0, _) if self.start.is_resumed => "no records since the checkpoint".to_owned(),
            (0, Until::Arrived(time)) => format!("no records from {} to {time}", self.plan.origin),
            (0, Until::CaughtUp | Until::Stopped) => format!("no records from {} on", self.plan.origin),
            (1, _) => "1 record was read, but not chosen".to_owned(),
            (read, _) => format!("{} records were read, but none was chosen", bars::count(read)),
        }
    }

    /// Shows what was held back, and saves how far the run came.
    async fn finish(&mut self, outcome: Outcome) -> Result<Outcome, Stop> {
        self.sink.settle(now(), true, &mut self.out);
        self.sink.form.report(&mut self.out);
        self.outlet.write(&mut self.out).await?;
        self.save(true)?;
        Ok(outcome)
    }

    async fn read(&mut self) -> Result<Outcome, Stop> {
        let mut interrupted = pin!(self.world.interrupt.asked());
        let mut under_way = FuturesUnordered::new();
        // A subscription is a request that is under way all the time.
        let most = if self.source.fan_out.is_some() { usize::MAX } else { UNDER_WAY };
        let shows_status = self.plan.follows() && self.world.notes.is_terminal();
        loop {
            self.begin();
            self.save(false)?;
            while under_way.len() < most
                && let Some(request) = self.next_request()
            {
                under_way.push(ask(self.source, request));
            }
            let wake = self.schedule.due();
            if under_way.is_empty() && wake.is_none() {
                return Ok(Outcome::Done);
            }
            let merged = self.sink.merge.as_ref().and_then(Merge::due);
            tokio::select! {
                biased;
                () = &mut interrupted => return Ok(Outcome::Interrupted),
                () = self.outlet.left() => return Err(Stop::Closed),
                () = sleep_until(self.plan.deadline) => return Ok(Outcome::Done),
                Some(reply) = under_way.next(), if !under_way.is_empty() => self.take(reply),
                () = sleep_until(wake) => self.schedule.wake(now()),
                () = sleep_until(merged) => {}
                () = sleep_until(Some(self.status.due())), if shows_status => self.show_status(),
            }
            if merged.is_some() {
                self.sink.settle(now(), false, &mut self.out);
            }
            if !self.out.is_empty() {
                self.world.notes.clear();
                self.outlet.write(&mut self.out).await?;
            }
            if self.sink.is_full() {
                return Ok(Outcome::Done);
            }
        }
    }

    /// Begins the shards whose parents are over.
    fn begin(&mut self) {
        let now = now();
        for id in self.start.lineage.begin() {
            let place = self.start.places.remove(&id);
            let origin = match &place {
                Some(place) => place.position.clone(),
                None if self.running => self.plan.origin.of_descendants(),
                None => self.plan.origin.clone(),
            };
            tracing::debug!(shard = %id, %origin, "begin");
            if let Some(Place { position: Position::AtSequence(number), sub: Some(sub) }) = &place {
                self.sink.skip(&id, number, *sub);
            }
            if let Some(merge) = &mut self.sink.merge {
                merge.begin(&id);
            }
            let reading = Reading::new(origin, self.source.fan_out.is_some(), now);
            self.readings.insert(id.clone(), reading);
            self.schedule.push(Errand::Shard(id));
        }
        self.running = true;
    }

    /// The next request that may be sent now. What has to wait moves to the waiting.
    fn next_request(&mut self) -> Option<Request> {
        let now = now();
        while let Some(errand) = self.schedule.pop() {
            let id = match errand {
                Errand::Listing(attempt) => return Some(Request::Listing(attempt)),
                Errand::Shard(id) => id,
            };
            if self.sink.merge.as_ref().is_some_and(|merge| merge.is_ahead(&id)) {
                self.schedule.wait(now + AHEAD, Errand::Shard(id));
                continue;
            }
            let Some(reading) = self.readings.get_mut(&id) else { continue };
            match reading.step(now) {
                Step::Iterator(position) => return Some(Request::Iterator(id, position)),
                Step::Records(iterator) => return Some(Request::Records(id, iterator)),
                Step::Subscribe(position) => return Some(Request::Subscribe(id, position)),
                Step::Event => match self.subscriptions.remove(&id) {
                    Some(subscription) => return Some(Request::Event(id, subscription)),
                    None => {
                        reading.expired(now);
                        self.schedule.push(Errand::Shard(id));
                    }
                },
                Step::Wait(until) => self.schedule.wait(until, Errand::Shard(id)),
            }
        }
        None
    }

    /// Saves how far every shard was read. All of it has left the process.
    fn save(&mut self, is_end: bool) -> Result<(), Fault> {
        let Some(checkpoint) = &mut self.start.checkpoint else { return Ok(()) };
        if !self.unsaved || !(is_end || checkpoint.is_due(Instant::now())) {
            return Ok(());
        }
        let mut shards: BTreeMap<ShardId, Mark> =
            self.start.over.iter().map(|id| (id.clone(), Mark::Over)).collect();
        for (id, reading) in &self.readings {
            let place = match self.start.places.get(id) {
                Some(inside) => inside.clone(),
                None => Place { position: reading.resume_at(), sub: None },
            };
            shards.entry(id.clone()).or_insert(Mark::At(place));
        }
        for (id, place) in &self.start.places {
            shards.entry(id.clone()).or_insert_with(|| Mark::At(place.clone()));
        }
        checkpoint.save(&Saved { origin: self.plan.origin.clone(), shards })?;
        self.unsaved = false;
        Ok(())
    }

    fn show_status(&mut self) {
        let behind = self.readings.values().filter_map(Reading::behind_ms).max();
        let line = self.status.line(now(), self.sink.shown(), self.start.lineage.reading(), behind);
        self.world.notes.progress(line);
    }
}

/// tokio's clock, which tests can turn forward.
pub(crate) fn now() -> Instant {
    time::Instant::now().into_std()
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
