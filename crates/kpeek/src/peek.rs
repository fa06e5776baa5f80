//! The run: many shards at once on one thread, each at its own pace, until all that was asked for is shown.

mod delivery;
mod heirs;
mod reply;
mod request;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal};
use std::pin::pin;
use std::time::{Duration, Instant};

use config::names::ShardId;
use config::{Fault, OutError, Outcome, Outlet, World};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time;

use crate::bars;
use crate::checkpoint::{Checkpoint, Place, Saved};
use crate::fanout::Subscription;
use crate::lineage::{Lineage, Ready};
use crate::merge::Merge;
use crate::plan::{Plan, Until};
use crate::position::Position;
use crate::shard::{Reading, Step};
use crate::sink::Sink;
use crate::status::Status;

use heirs::Awaited;
use reply::tell;
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
    /// Those that begin at the origin; the others descend from what was read before.
    pub(crate) roots: BTreeSet<ShardId>,
    /// Where an earlier run stopped, until a shard is read beyond it.
    pub(crate) places: BTreeMap<ShardId, Place>,
    /// The shards that an earlier run has read to their end.
    pub(crate) over: BTreeSet<ShardId>,
    /// Whether there was an earlier run.
    pub(crate) is_resumed: bool,
    /// Where to save how far this run comes.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// Why reading stopped before its end.
pub(crate) enum Stop {
    /// Nobody reads stdout any more.
    Closed,
    /// Something failed.
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
    /// What is to be written next.
    out: Vec<u8>,
    /// Memory for it, used before.
    spare: Vec<u8>,
    start: Start,
    readings: BTreeMap<ShardId, Reading>,
    subscriptions: BTreeMap<ShardId, Box<Subscription>>,
    schedule: Schedule,
    /// Closed shards whose children are looked for.
    heirs: BTreeMap<ShardId, Awaited>,
    failures: Vec<Fault>,
    /// Whether the shards that begin now were born while we were reading.
    running: bool,
    /// Whether more was read than was handed over or saved.
    unsaved: bool,
    /// How far reading had come when the piece on its way was handed over.
    handed: Option<Saved>,
    /// How far what has left the process reaches, unless it is saved.
    delivered: Option<Saved>,
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
            spare: Vec::new(),
            start,
            readings: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            schedule: Schedule::default(),
            heirs: BTreeMap::new(),
            failures: Vec::new(),
            running: false,
            unsaved: true,
            handed: None,
            delivered: None,
            status: Status::new(now()),
        }
    }

    /// Shows the rest, tells what went wrong on the way, and decides how the run ended.
    ///
    /// # Errors
    /// A pipe fault when stdout cannot be written; the first shard's fault when no shard could be read; a usage fault
    /// when the checkpoint cannot be saved.
    pub(crate) async fn end(mut self, read: Result<Outcome, Stop>) -> Result<Outcome, Fault> {
        let read = match read {
            Ok(outcome) => self.finish(outcome).await,
            Err(stop) => Err(stop),
        };
        self.world.notes.clear();
        let outcome = match read {
            Ok(outcome) => outcome,
            Err(Stop::Closed) => return self.save_delivered().map(|()| Outcome::Done),
            Err(Stop::Fault(fault)) => {
                // The first failure is the one to tell.
                drop(self.save_delivered());
                return Err(fault);
            }
        };
        if outcome == Outcome::Interrupted {
            self.tell_interrupted();
        }
        if outcome == Outcome::Done && self.sink.shown() == 0 && self.failures.is_empty() {
            self.world.notes.say(self.nothing());
        }
        if self.sink.shown() == 0
            && let Some((failed, first)) = self.sink.choice.failures()
        {
            let records =
                if failed == 1 { "1 record".to_owned() } else { format!("{} records", bars::count(failed)) };
            self.world.notes.warn(format!("--where failed on {records}, first: {first}"));
        }
        if self.failures.is_empty() {
            return Ok(outcome);
        }
        if outcome != Outcome::Interrupted && self.failures.len() == self.readings.len() {
            // Not one shard was read to its end: the run as a whole was refused.
            return Err(self.failures.swap_remove(0));
        }
        // Who follows a stream was told at once.
        if !self.plan.follows() {
            for failure in &self.failures {
                tell(self.world, self.plan.errors, failure);
            }
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

    /// Reads until the end that was asked for. What was read last may still be on its way to stdout then.
    ///
    /// # Errors
    /// Why it stopped before.
    pub(crate) async fn read(&mut self) -> Result<Outcome, Stop> {
        let world = self.world;
        let mut interrupted = pin!(world.interrupt.asked());
        let mut under_way = FuturesUnordered::new();
        // A subscription is a request that is under way all the time.
        let most = if self.source.fan_out.is_some() { usize::MAX } else { UNDER_WAY };
        let shows_status = self.shows_status();
        loop {
            self.begin();
            self.hand();
            self.save()?;
            // Behind the piece on its way one more answer may wait; then a slow reader slows reading down, not its end.
            let is_held = !self.out.is_empty();
            while !is_held
                && under_way.len() < most
                && let Some(request) = self.next_request()
            {
                under_way.push(ask(self.source, request));
            }
            let wake = self.schedule.due();
            if !is_held && under_way.is_empty() && wake.is_none() {
                return Ok(Outcome::Done);
            }
            let merged = self.sink.merge.as_ref().and_then(Merge::due);
            tokio::select! {
                biased;
                () = &mut interrupted => return Ok(Outcome::Interrupted),
                written = delivery::event(&mut self.outlet) => self.delivered(written)?,
                () = sleep_until(self.plan.deadline) => return Ok(Outcome::Done),
                Some(reply) = under_way.next(), if !is_held && !under_way.is_empty() => self.take(reply),
                () = sleep_until(wake), if !is_held => self.schedule.wake(now()),
                () = sleep_until(merged), if !is_held => {}
                () = sleep_until(Some(self.status.due())), if shows_status => self.show_status(),
            }
            if self.sink.merge.is_some() {
                // The children of a shard that has just ended have to be waited for.
                self.begin();
                self.sink.settle(now(), false, &mut self.out);
            }
            if self.sink.is_full() {
                return Ok(Outcome::Done);
            }
        }
    }

    /// Begins the shards whose parents are over.
    fn begin(&mut self) {
        let now = now();
        for Ready { id, parents } in self.start.lineage.begin() {
            let place = self.start.places.get(&id);
            let origin = match place {
                Some(place) => place.position.clone(),
                None if !self.running && self.start.roots.contains(&id) => self.plan.origin.clone(),
                None => self.plan.origin.of_descendants(),
            };
            tracing::debug!(shard = %id, %origin, "begin");
            if let Some(Place { position: Position::AtSequence(number), sub: Some(sub) }) = place {
                self.sink.skip(&id, number, *sub);
            }
            if let Some(merge) = &mut self.sink.merge {
                merge.begin(&id, &parents);
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
                Errand::Listing => return Some(Request::Listing),
                Errand::Shard(id) => id,
            };
            if self.sink.merge.as_ref().is_some_and(|merge| merge.is_ahead(&id)) {
                self.schedule.wait(now + AHEAD, Errand::Shard(id));
                continue;
            }
            let Some(reading) = self.readings.get_mut(&id) else { continue };
            match reading.step(now) {
                Step::Iterator(position) => return Some(Request::Iterator(id, position)),
                Step::Records(iterator, most) => return Some(Request::Records(id, iterator, most)),
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

    /// A line that changes would erase what stands in the terminal without an end of line.
    fn shows_status(&self) -> bool {
        let is_safe = self.sink.form.ends_lines() || !io::stdout().is_terminal();
        self.plan.follows() && self.world.notes.is_terminal() && is_safe
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
