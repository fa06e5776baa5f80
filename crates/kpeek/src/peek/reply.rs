//! What follows from a reply: where its shard stands, what is read next, and what was given up.

use std::time::Duration;

use config::fault::ErrorFormat;
use config::names::ShardId;
use config::{Fault, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

use super::request::Reply;
use super::schedule::Errand;
use super::{Peek, now};
use crate::answer::Answer;
use crate::checkpoint::Place;
use crate::lineage::Shard;
use crate::plan::Until;
use crate::position::Position;
use crate::read::Refusal;
use crate::shard::Progress;
use crate::sink::Taken;

/// How long a shard with nothing new is left alone. A shard grants five reads a second to all its readers together;
/// one a second is what AWS advises.
pub(super) const REST: Duration = Duration::from_secs(1);

/// Reads a second of shards with nothing new, all of them together, so that a thousand idle shards cost next to nothing.
const IDLE_READS_PER_SECOND: u32 = 150;

/// How long after its time of arrival a record may become readable.
const LATE_RECORDS: SignedDuration = SignedDuration::from_secs(1);

/// Requests in a row that may fail before a shard is given up, unless the stream is followed.
const PATIENCE: u32 = 8;

/// Failures in a row after which the user is told that a shard is being waited for.
const WORTH_A_WORD: u32 = 4;

impl Peek<'_> {
    /// Takes what a request brought.
    pub(super) fn take(&mut self, reply: Reply) {
        match reply {
            Reply::Iterator(id, Ok((iterator, made_at))) => {
                if let Some(reading) = self.readings.get_mut(&id) {
                    reading.iterator(iterator, made_at);
                    // Before others that have not begun: what is begun is finished soon, and shows something.
                    self.schedule.push_front(Errand::Shard(id));
                }
            }
            Reply::Subscribed(id, Ok((subscription, made_at))) => {
                if let Some(reading) = self.readings.get_mut(&id) {
                    reading.iterator(String::new(), made_at);
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
            Reply::Iterator(id, Err(refusal))
            | Reply::Subscribed(id, Err(refusal))
            | Reply::Records(id, Err(refusal))
            | Reply::Event(id, Err(refusal)) => self.refused(id, refusal),
            Reply::Listing(listed) => self.listed(listed),
        }
    }

    fn answer(&mut self, id: ShardId, answer: &Answer<'_>) {
        match self.sink.answer(&id, answer, now(), &mut self.out) {
            Ok(taken) => self.progress(&id, taken, answer.progress(), &answer.children),
            // All of the answer comes again; nothing of it was shown.
            Err(fault) => self.refused(id, Refusal::Later(fault)),
        }
        for shard in self.sink.misplaced() {
            self.world.notes.warn(format!(
                "shard {shard} holds packed records whose hash keys belong to other shards: the KCL drops such packs whole"
            ));
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
            // What its children hold arrived after the last record of a closed shard, but maybe long ago.
            let is_now = is_newest && progress.next.is_some();
            let read_to = if is_now { Some(Timestamp::now()) } else { progress.last_arrived };
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
            Taken::All => {
                if progress.last.is_some() {
                    self.start.places.remove(id);
                }
            }
            Taken::Late(last) => {
                if last.is_some() {
                    self.start.places.remove(id);
                }
                progress.last = last;
                reading.progress(progress);
                return self.leave(id);
            }
            Taken::Full(last, inside) => {
                self.start.places.remove(id);
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
            self.leave(id);
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
        self.start.places.remove(id);
        self.over(id);
        let follows_children = self.plan.follows_children();
        if !follows_children && self.plan.follows() {
            self.world.notes.say(format!("shard {id} is closed and read to its end"));
        }
        if !(follows_children && self.inherit(id, children)) {
            self.release(id);
        }
    }

    fn refused(&mut self, id: ShardId, refusal: Refusal) {
        let Some(reading) = self.readings.get_mut(&id) else { return };
        let now = now();
        match refusal {
            Refusal::Expired if !self.plan.follows() && reading.failures() >= PATIENCE => {
                let fault = Fault::transient(format!("failed to read shard {id}"))
                    .with_cause("each iterator of it expires before it can be used")
                    .with_hint("run the same command again in a moment");
                return self.give_up(&id, fault);
            }
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

    /// The other shards go on. Who follows the stream may wait for its end for ever, and is told now.
    fn give_up(&mut self, id: &ShardId, fault: Fault) {
        tracing::debug!(shard = %id, reason = fault.message(), "given up");
        if self.plan.follows() {
            tell(self.world, self.plan.errors, &fault);
            let position = self.readings.get(id).map(|reading| reading.resume_at().to_string());
            self.world.notes.warn(format!(
                "shard {id} is read no more; to go on with it: --shard {id} --from {}",
                position.unwrap_or_default()
            ));
        }
        self.failures.push(fault);
        self.leave(id);
    }

    /// The shard is read no more.
    fn leave(&mut self, id: &ShardId) {
        self.over(id);
        self.release(id);
    }

    fn over(&mut self, id: &ShardId) {
        self.start.lineage.end(id);
        self.subscriptions.remove(id);
    }
}

/// Tells of a shard's failure: the run goes on without it.
pub(super) fn tell(world: &World, errors: ErrorFormat, fault: &Fault) {
    match errors {
        ErrorFormat::Text => {
            world.notes.warn(one_line(fault));
            if let Some(hint) = fault.hint() {
                world.notes.say(format!("hint: {hint}"));
            }
        }
        ErrorFormat::Json => {
            if let Ok(line) = serde_json::from_str::<Box<RawValue>>(&fault.to_json("kpeek")) {
                world.notes.json(&line);
            }
        }
    }
}

/// A fault as a warning: without its hint.
pub(super) fn one_line(fault: &Fault) -> String {
    fault.sentence()
}
