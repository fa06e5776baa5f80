//! The run: many shards at once on one thread, each at its own pace, until all that was asked for is shown.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::pin::pin;
use std::time::{Duration, Instant};

use config::names::ShardId;
use config::{Fault, OutError, Outcome, World};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use tokio::time;

use crate::answer::Answer;
use crate::lineage::{Lineage, Shard};
use crate::outlet::Outlet;
use crate::plan::{Plan, Until};
use crate::position::Position;
use crate::read::{Listing, Reader, Refusal};
use crate::shard::{Progress, Reading, Step};
use crate::sink::Sink;

/// Requests under way at once: enough to hide the network, few enough to bound the memory that answers take.
const UNDER_WAY: usize = 16;

/// How long a shard with nothing new is left alone. A shard grants five reads a second to all its readers together;
/// one a second is what AWS advises.
const REST: Duration = Duration::from_secs(1);

/// Reads a second of shards with nothing new, all of them together, so that a thousand idle shards cost next to nothing.
const IDLE_READS_PER_SECOND: u32 = 100;

/// How long after its time of arrival a record may become readable.
const LATE_RECORDS: SignedDuration = SignedDuration::from_secs(1);

/// Requests in a row that may fail before a shard is given up, unless the stream is followed.
const PATIENCE: u32 = 8;

/// Failures in a row after which the user is told that a shard is being waited for.
const WORTH_A_WORD: u32 = 4;

/// Listings that are tried to find what a closed shard became.
const LISTINGS: u32 = 6;

/// Something to ask for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    /// What the shard needs next.
    Shard(ShardId),
    /// The shards that closed ones became, where their last answer did not say.
    Listing(u32),
}

enum Request {
    Iterator(ShardId, Position),
    Records(ShardId, String),
    Listing(u32),
}

enum Reply {
    Iterator(ShardId, Timestamp, Result<String, Refusal>),
    Records(ShardId, Result<Vec<u8>, Refusal>),
    Listing(u32, Result<Vec<Shard>, Fault>),
}

async fn ask(reader: &Reader, request: Request) -> Reply {
    match request {
        Request::Iterator(shard, position) => {
            let asked_at = Timestamp::now();
            let answer = reader.iterator(&shard, &position).await;
            Reply::Iterator(shard, asked_at, answer)
        }
        Request::Records(shard, iterator) => {
            let answer = reader.records(&shard, iterator).await;
            Reply::Records(shard, answer)
        }
        Request::Listing(attempt) => Reply::Listing(attempt, reader.shards(Listing::All).await),
    }
}

/// A run.
pub(crate) struct Peek<'a> {
    plan: &'a Plan,
    world: &'a World,
    sink: Sink,
    outlet: Outlet,
    out: Vec<u8>,
    lineage: Lineage,
    readings: BTreeMap<ShardId, Reading>,
    ready: VecDeque<Errand>,
    waiting: BTreeSet<(Instant, Errand)>,
    /// Shards that ended without saying what they became.
    childless: BTreeSet<ShardId>,
    failures: Vec<Fault>,
    /// Whether the shards that begin now were born while we were reading.
    running: bool,
}

impl<'a> Peek<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        world: &'a World,
        lineage: Lineage,
        sink: Sink,
        outlet: Outlet,
    ) -> Self {
        Self {
            plan,
            world,
            sink,
            outlet,
            out: Vec::new(),
            lineage,
            readings: BTreeMap::new(),
            ready: VecDeque::new(),
            waiting: BTreeSet::new(),
            childless: BTreeSet::new(),
            failures: Vec::new(),
            running: false,
        }
    }

    /// Reads until the end that was asked for.
    ///
    /// # Errors
    /// A pipe fault when stdout cannot be written; the first shard's fault when no shard could be read.
    pub(crate) async fn run(mut self, reader: &Reader) -> Result<Outcome, Fault> {
        let ended = match self.read(reader).await {
            Ok(ended) => ended,
            Err(OutError::Closed) => return Ok(Outcome::Done),
            Err(failed) => {
                return Err(
                    Fault::from(failed).with_hint("free some space there, or send the output elsewhere")
                );
            }
        };
        self.world.notes.clear();
        if ended == Outcome::Done && self.sink.shown() == 0 && self.failures.is_empty() {
            self.world.notes.say(format!("no records from {} on", self.plan.origin));
        }
        if self.failures.is_empty() || ended == Outcome::Interrupted {
            return Ok(ended);
        }
        if self.failures.len() == self.readings.len() {
            // Not one shard was read to its end: the run as a whole was refused.
            return Err(self.failures.swap_remove(0));
        }
        for failure in &self.failures {
            self.world.notes.warn(failure.to_text("kpeek").trim_start_matches("kpeek: "));
        }
        Ok(Outcome::Incomplete)
    }

    async fn read(&mut self, reader: &Reader) -> Result<Outcome, OutError> {
        let mut interrupted = pin!(self.world.interrupt.asked());
        let mut under_way = FuturesUnordered::new();
        loop {
            self.begin();
            while under_way.len() < UNDER_WAY
                && let Some(request) = self.next_request()
            {
                under_way.push(ask(reader, request));
            }
            let wake = self.waiting.first().map(|(at, _)| time::Instant::from_std(*at));
            if under_way.is_empty() && wake.is_none() {
                return Ok(Outcome::Done);
            }
            tokio::select! {
                biased;
                () = &mut interrupted => return Ok(Outcome::Interrupted),
                () = sleep_until(self.plan.deadline.map(time::Instant::from_std)) => return Ok(Outcome::Done),
                Some(answer) = under_way.next(), if !under_way.is_empty() => {
                    self.take(answer);
                    self.outlet.write(&mut self.out).await?;
                    if self.sink.is_full() {
                        return Ok(Outcome::Done);
                    }
                }
                () = sleep_until(wake) => self.wake(),
            }
        }
    }

    /// Begins the shards whose parents are over.
    fn begin(&mut self) {
        let now = now();
        for id in self.lineage.begin() {
            let origin =
                if self.running { self.plan.origin.of_descendants() } else { self.plan.origin.clone() };
            tracing::debug!(shard = %id, %origin, "begin");
            self.readings.insert(id.clone(), Reading::new(origin, now));
            self.ready.push_back(Errand::Shard(id));
        }
        self.running = true;
    }

    /// The next request that may be sent now. What has to wait moves to the waiting.
    fn next_request(&mut self) -> Option<Request> {
        let now = now();
        while let Some(errand) = self.ready.pop_front() {
            let id = match errand {
                Errand::Listing(attempt) => return Some(Request::Listing(attempt)),
                Errand::Shard(id) => id,
            };
            let Some(reading) = self.readings.get_mut(&id) else { continue };
            match reading.step(now) {
                Step::Iterator(position) => return Some(Request::Iterator(id, position)),
                Step::Records(iterator) => return Some(Request::Records(id, iterator)),
                Step::Wait(until) => {
                    self.waiting.insert((until, Errand::Shard(id)));
                }
            }
        }
        None
    }

    /// Whoever has waited long enough is ready.
    fn wake(&mut self) {
        let now = now();
        while self.waiting.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, errand)) = self.waiting.pop_first()
        {
            self.ready.push_back(errand);
        }
    }

    fn take(&mut self, reply: Reply) {
        match reply {
            Reply::Iterator(id, asked_at, Ok(iterator)) => {
                if let Some(reading) = self.readings.get_mut(&id) {
                    reading.iterator(iterator, asked_at);
                    // Before others that have not begun: what is begun is finished soon, and shows something.
                    self.ready.push_front(Errand::Shard(id));
                }
            }
            Reply::Records(id, Ok(body)) => self.body(id, &body),
            Reply::Iterator(id, _, Err(refusal)) | Reply::Records(id, Err(refusal)) => {
                self.refused(id, refusal);
            }
            Reply::Listing(attempt, listed) => self.listed(attempt, listed),
        }
    }

    fn body(&mut self, id: ShardId, body: &[u8]) {
        let before = self.out.len();
        let taken = Answer::parse(body).and_then(|answer| {
            let may_hold_more = self.sink.answer(&id, &answer, &mut self.out)?;
            Ok((may_hold_more, answer.progress(), answer.children))
        });
        match taken {
            Ok((may_hold_more, progress, children)) => self.progress(&id, may_hold_more, progress, &children),
            Err(fault) => {
                // All of the answer comes again.
                self.out.truncate(before);
                self.refused(id, Refusal::Later(fault));
            }
        }
    }

    fn progress(&mut self, id: &ShardId, may_hold_more: bool, progress: Progress, children: &[Shard]) {
        let active = u32::try_from(self.lineage.reading()).unwrap_or(u32::MAX);
        let Some(reading) = self.readings.get_mut(id) else { return };
        let is_empty = progress.last.is_none();
        let is_newest = progress.behind_ms == 0;
        // On a stream that is written to all the time an empty answer may never come; what arrived after we began was
        // not asked for.
        let is_fresh = progress.last_arrived.is_some_and(|arrived| arrived >= self.plan.began);
        let is_far_enough = match self.plan.until {
            Until::CaughtUp => is_newest && (is_empty || is_fresh),
            Until::Arrived(time) => is_newest && is_empty && Timestamp::now() >= time + LATE_RECORDS,
            Until::Stopped => false,
        };
        if !may_hold_more {
            self.lineage.end(id);
        } else if !reading.progress(progress) {
            self.closed(id, children);
        } else if is_far_enough {
            tracing::debug!(shard = %id, "read far enough");
            self.lineage.end(id);
        } else {
            if is_newest && is_empty {
                reading.rest(now(), REST.max(Duration::from_secs(1) * active / IDLE_READS_PER_SECOND));
            }
            self.ready.push_back(Errand::Shard(id.clone()));
        }
    }

    /// A shard was closed by a split or merge and is read to its end.
    fn closed(&mut self, id: &ShardId, children: &[Shard]) {
        tracing::debug!(shard = %id, children = children.len(), "closed");
        if self.plan.follows_children() {
            for child in children.iter().filter(|child| self.plan.wants(child)) {
                self.lineage.add(child);
            }
            if children.is_empty() {
                self.childless.insert(id.clone());
                if self.childless.len() == 1 {
                    self.ready.push_back(Errand::Listing(1));
                }
            }
        } else if self.plan.follows() {
            self.world.notes.say(format!("shard {id} is closed and read to its end"));
        }
        self.lineage.end(id);
    }

    fn listed(&mut self, attempt: u32, listed: Result<Vec<Shard>, Fault>) {
        match listed {
            Ok(shards) => {
                self.lineage.add_descendants(shards.iter().filter(|shard| self.plan.wants(shard)));
                self.childless.retain(|closed| !shards.iter().any(|shard| shard.parents.contains(closed)));
            }
            Err(fault) => self.world.notes.warn(fault.to_text("kpeek").trim_start_matches("kpeek: ")),
        }
        if self.childless.is_empty() {
            return;
        }
        if self.plan.follows() && attempt < LISTINGS {
            self.waiting.insert((now() + REST * attempt, Errand::Listing(attempt + 1)));
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
                    self.world.notes.warn(format!(
                        "{}; trying again",
                        fault
                            .to_text("kpeek")
                            .lines()
                            .next()
                            .unwrap_or_default()
                            .trim_start_matches("kpeek: ")
                    ));
                }
            }
            Refusal::Never(fault) => return self.give_up(&id, fault),
        }
        self.ready.push_back(Errand::Shard(id));
    }

    /// The other shards go on; the end of the run tells what was left out.
    fn give_up(&mut self, id: &ShardId, fault: Fault) {
        tracing::debug!(shard = %id, reason = fault.message(), "given up");
        self.lineage.end(id);
        self.failures.push(fault);
    }
}

/// tokio's clock, which tests can turn forward.
pub(crate) fn now() -> Instant {
    time::Instant::now().into_std()
}

async fn sleep_until(at: Option<time::Instant>) {
    match at {
        Some(at) => time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
