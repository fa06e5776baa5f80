//! The run: many shards at once on one thread, each at its own pace, until all that was asked for is shown.

mod request;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::{Duration, Instant};

use config::names::ShardId;
use config::{Fault, OutError, Outcome, World};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use tokio::time;

use crate::answer::Answer;
use crate::checkpoint::{Checkpoint, Mark, Place, Saved};
use crate::fanout::Subscription;
use crate::lineage::{Lineage, Shard};
use crate::merge::Merge;
use crate::outlet::Outlet;
use crate::plan::{Plan, Until};
use crate::position::Position;
use crate::read::Refusal;
use crate::shard::{Progress, Reading, Step};
use crate::sink::{Sink, Taken};
use crate::status::Status;

pub(crate) use request::Source;
use request::{Reply, Request, ask};
use schedule::{Errand, Schedule};

/// Requests under way at once: enough to hide the network, few enough to bound the memory that answers take.
const UNDER_WAY: usize = 16;

/// How long a shard with nothing new is left alone. A shard grants five reads a second to all its readers together;
/// one a second is what AWS advises.
const REST: Duration = Duration::from_secs(1);

/// Reads a second of shards with nothing new, all of them together, so that a thousand idle shards cost next to nothing.
const IDLE_READS_PER_SECOND: u32 = 100;

/// How long a shard that is ahead of the others waits for them when they are merged.
const AHEAD: Duration = Duration::from_millis(100);

/// How long after its time of arrival a record may become readable.
const LATE_RECORDS: SignedDuration = SignedDuration::from_secs(1);

/// Requests in a row that may fail before a shard is given up, unless the stream is followed.
const PATIENCE: u32 = 8;

/// Failures in a row after which the user is told that a shard is being waited for.
const WORTH_A_WORD: u32 = 4;

/// Listings that are tried to find what a closed shard became, when the stream is followed and when not.
const LISTINGS: (u32, u32) = (6, 2);

/// What a run begins with.
pub(crate) struct Start {
    /// The shards to read.
    pub(crate) lineage: Lineage,
    /// Where an earlier run stopped in some of them.
    pub(crate) places: BTreeMap<ShardId, Place>,
    /// The shards that an earlier run has read to their end.
    pub(crate) over: BTreeSet<ShardId>,
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
            self.world.notes.say(format!("no records from {} on", self.plan.origin));
        }
        if self.failures.is_empty() || outcome == Outcome::Interrupted {
            return Ok(outcome);
        }
        if self.failures.len() == self.readings.len() {
            // Not one shard was read to its end: the run as a whole was refused.
            return Err(self.failures.swap_remove(0));
        }
        for failure in &self.failures {
            self.world.notes.warn(one_line(failure));
        }
        Ok(Outcome::Incomplete)
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

    fn take(&mut self, reply: Reply) {
        match reply {
            Reply::Iterator(id, asked_at, Ok(iterator)) => {
                if let Some(reading) = self.readings.get_mut(&id) {
                    reading.iterator(iterator, asked_at);
                    // Before others that have not begun: what is begun is finished soon, and shows something.
                    self.schedule.push_front(Errand::Shard(id));
                }
            }
            Reply::Subscribed(id, asked_at, Ok(subscription)) => {
                if let Some(reading) = self.readings.get_mut(&id) {
                    reading.iterator(String::new(), asked_at);
                    self.subscriptions.insert(id.clone(), subscription);
                    self.schedule.push_front(Errand::Shard(id));
                }
            }
            Reply::Records(id, Ok(body)) => match Answer::parse(&body) {
                Ok(answer) => self.answer(id, &answer),
                Err(fault) => self.refused(id, Refusal::Later(fault)),
            },
            Reply::Event(id, Ok(Some((subscription, event)))) => match event.answer() {
                Ok(answer) => {
                    self.subscriptions.insert(id.clone(), subscription);
                    self.answer(id, &answer);
                }
                Err(fault) => self.refused(id, Refusal::Later(fault)),
            },
            Reply::Event(id, Ok(None)) => self.refused(id, Refusal::Expired),
            Reply::Iterator(id, _, Err(refusal))
            | Reply::Subscribed(id, _, Err(refusal))
            | Reply::Records(id, Err(refusal))
            | Reply::Event(id, Err(refusal)) => self.refused(id, refusal),
            Reply::Listing(attempt, listed) => self.listed(attempt, listed),
        }
    }

    fn answer(&mut self, id: ShardId, answer: &Answer<'_>) {
        let before = self.out.len();
        match self.sink.answer(&id, answer, now(), &mut self.out) {
            Ok(taken) => self.progress(&id, taken, answer.progress(), &answer.children),
            Err(fault) => {
                // All of the answer comes again.
                self.out.truncate(before);
                self.refused(id, Refusal::Later(fault));
            }
        }
    }

    fn progress(&mut self, id: &ShardId, taken: Taken, mut progress: Progress, children: &[Shard]) {
        let active = u32::try_from(self.start.lineage.reading()).unwrap_or(u32::MAX);
        let Some(reading) = self.readings.get_mut(id) else { return };
        let is_empty = progress.records == 0;
        let is_newest = progress.behind_ms == 0;
        self.unsaved |= !is_empty || progress.next.is_none();
        self.sink.form.read(id, progress.behind_ms);
        if let Some(merge) = &mut self.sink.merge {
            let read_to = if is_newest { Some(Timestamp::now()) } else { progress.last_arrived };
            merge.read_to(id, read_to.map_or(i64::MIN, Timestamp::as_millisecond));
        }
        // On a stream that is written to all the time an empty answer may never come; what arrived after we began was
        // not asked for.
        let is_fresh = progress.last_arrived.is_some_and(|arrived| arrived >= self.plan.began);
        let is_far_enough = match self.plan.until {
            Until::CaughtUp => is_newest && (is_empty || is_fresh),
            Until::Arrived(time) => is_newest && is_empty && Timestamp::now() >= time + LATE_RECORDS,
            Until::Stopped => false,
        };
        match taken {
            Taken::All => {}
            Taken::Late(last) => {
                progress.last = last;
                reading.progress(progress);
                return self.end(id);
            }
            Taken::Full(last, inside) => {
                progress.last = Some(last.clone());
                reading.progress(progress);
                if let Some(sub) = inside {
                    reading.stopped_inside(last.clone());
                    let position = Position::AtSequence(last);
                    self.start.places.insert(id.clone(), Place { position, sub: Some(sub) });
                }
                return;
            }
        }
        if !reading.progress(progress) {
            self.closed(id, children);
        } else if is_far_enough {
            tracing::debug!(shard = %id, "read far enough");
            self.end(id);
        } else {
            if is_newest && is_empty {
                reading.rest(now(), REST.max(Duration::from_secs(1) * active / IDLE_READS_PER_SECOND));
            }
            self.schedule.push(Errand::Shard(id.clone()));
        }
    }

    /// A shard was closed by a split or merge and is read to its end.
    fn closed(&mut self, id: &ShardId, children: &[Shard]) {
        tracing::debug!(shard = %id, children = children.len(), "closed");
        self.start.over.insert(id.clone());
        if self.plan.follows_children() {
            for child in children.iter().filter(|child| self.plan.wants(child)) {
                self.start.lineage.add(child);
                if let Some(range) = child.hashes {
                    self.sink.expect(&child.id, range);
                }
            }
            if children.is_empty() {
                self.childless.insert(id.clone());
                if self.childless.len() == 1 {
                    self.schedule.push(Errand::Listing(1));
                }
            }
        } else if self.plan.follows() {
            self.world.notes.say(format!("shard {id} is closed and read to its end"));
        }
        self.end(id);
    }

    fn listed(&mut self, attempt: u32, listed: Result<Vec<Shard>, Fault>) {
        match listed {
            Ok(shards) => {
                self.start.lineage.add_descendants(shards.iter().filter(|shard| self.plan.wants(shard)));
                self.childless.retain(|closed| !shards.iter().any(|shard| shard.parents.contains(closed)));
            }
            Err(fault) => self.world.notes.warn(one_line(&fault)),
        }
        if self.childless.is_empty() {
            return;
        }
        let most = if self.plan.follows() { LISTINGS.0 } else { LISTINGS.1 };
        if attempt < most {
            self.schedule.wait(now() + REST * attempt, Errand::Listing(attempt + 1));
        } else {
            // A stream that is being deleted closes its shards without children.
            self.childless.clear();
        }
    }

    fn refused(&mut self, id: ShardId, refusal: Refusal) {
        let Some(reading) = self.readings.get_mut(&id) else { return };
        let now = now();
        match refusal {
            Refusal::Expired => reading.expired(now),
            Refusal::Later(fault) => {
                if !self.plan.follows() && reading.failures() >= PATIENCE {
                    return self.give_up(&id, fault);
                }
                reading.later(now, fastrand::f64());
                if reading.failures() == WORTH_A_WORD {
                    self.world.notes.warn(format!("{}; trying again", one_line(&fault)));
                }
            }
            Refusal::Never(fault) => return self.give_up(&id, fault),
        }
        self.schedule.push(Errand::Shard(id));
    }

    /// The other shards go on; the end of the run tells what was left out.
    fn give_up(&mut self, id: &ShardId, fault: Fault) {
        tracing::debug!(shard = %id, reason = fault.message(), "given up");
        self.failures.push(fault);
        self.end(id);
    }

    fn end(&mut self, id: &ShardId) {
        self.start.lineage.end(id);
        self.subscriptions.remove(id);
        if let Some(merge) = &mut self.sink.merge {
            merge.end(id);
        }
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

fn one_line(fault: &Fault) -> String {
    let text = fault.to_text("");
    text.lines().next().unwrap_or_default().trim_start_matches(": ").to_owned()
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
