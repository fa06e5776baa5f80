//! How one shard is read: which request comes next, when, and where to resume. Pure: it is told the time and the answers.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::pace::Pace;
use crate::position::Position;

/// The first wait after an answer that may be better later; it doubles with each one in a row.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);

/// The longest such wait.
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// Records that the first read of a shard may bring: few, so that there is something to see at once. The burst that a shard
/// grants its readers makes up for it.
const FIRST_RECORDS: i32 = 500;

/// Records that any other read may bring (GetRecords `Limit`, API model).
const RECORDS: i32 = 10_000;

/// What to do next for a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask for an iterator at this position.
    Iterator(Position),
    /// Read with this iterator, at most so many records.
    Records(String, i32),
    /// Subscribe at this position.
    Subscribe(Position),
    /// Wait for what the subscription brings.
    Event,
    /// Do nothing before this time.
    Wait(Instant),
}

/// What an answer says of the shard, beside its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// How many records there were.
    pub(crate) records: usize,
    /// The sequence number up to which the shard was read, when the answer says.
    pub(crate) last: Option<String>,
    /// When that record arrived.
    pub(crate) last_arrived: Option<Timestamp>,
    /// The bytes of data.
    pub(crate) bytes: usize,
    /// The iterator for the next read; none when the shard is closed and was read to its end.
    pub(crate) next: Option<String>,
    /// How far behind the newest record the answer is.
    pub(crate) behind_ms: i64,
}

/// The state of reading one shard.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    is_pushed: bool,
    was_read: bool,
    origin: Position,
    last: Option<String>,
    iterator: Option<String>,
    pace: Pace,
    not_before: Instant,
    failures: u32,
    behind_ms: Option<i64>,
}

impl Reading {
    /// A shard that is to be read from `origin`; with `is_pushed`, through a subscription.
    pub(crate) fn new(origin: Position, is_pushed: bool, now: Instant) -> Self {
        let pace = Pace::new(now);
        Self {
            is_pushed,
            was_read: false,
            origin,
            last: None,
            iterator: None,
            pace,
            not_before: now,
            failures: 0,
            behind_ms: None,
        }
    }

    /// What to do at `now`, no request being under way. A read that is handed out counts as sent.
    pub(crate) fn step(&mut self, now: Instant) -> Step {
        if self.not_before > now {
            return Step::Wait(self.not_before);
        }
        let Some(iterator) = &self.iterator else {
            let position = self.resume_at();
            return if self.is_pushed { Step::Subscribe(position) } else { Step::Iterator(position) };
        };
        if self.is_pushed {
            return Step::Event;
        }
        let wait = self.pace.wait(now);
        if !wait.is_zero() {
            return Step::Wait(now + wait);
        }
        self.pace.read(now);
        Step::Records(iterator.clone(), if self.was_read { RECORDS } else { FIRST_RECORDS })
    }

    /// Where to go on: behind the last record that was seen, else where reading was to begin.
    pub(crate) fn resume_at(&self) -> Position {
        match &self.last {
            Some(last) => Position::AfterSequence(last.clone()),
            None => self.origin.clone(),
        }
    }

    /// The iterator that was asked for came; `made_at` is when the service made it.
    pub(crate) fn iterator(&mut self, iterator: String, made_at: Timestamp) {
        self.iterator = Some(iterator);
        if self.origin == Position::Latest {
            // "Latest" names another place each time it is asked for. Should this iterator expire before the first
            // record, what arrived since then must not be skipped.
            self.origin = Position::At(made_at);
        }
    }

    /// An answer came. Says whether the shard may hold more: `false` when it is closed and was read to its end.
    pub(crate) fn progress(&mut self, progress: Progress) -> bool {
        self.failures = 0;
        self.was_read = true;
        self.pace.received(progress.bytes);
        self.behind_ms = Some(progress.behind_ms);
        if progress.last.is_some() {
            self.last = progress.last;
        }
        self.iterator = progress.next;
        self.iterator.is_some()
    }

    /// How far behind the newest record the last answer was.
    pub(crate) fn behind_ms(&self) -> Option<i64> {
        self.behind_ms
    }

    /// Reading stopped inside the record with this sequence number: it has to be read again.
    pub(crate) fn stopped_inside(&mut self, sequence_number: String) {
        self.last = None;
        self.origin = Position::AtSequence(sequence_number);
    }

    /// Reading rests for `pause`: there is nothing new.
    pub(crate) fn rest(&mut self, now: Instant, pause: Duration) {
        if self.is_pushed {
            // The shard speaks up by itself.
            return;
        }
        self.not_before = now + pause;
    }

    /// The iterator is older than five minutes. The next step asks for another one.
    pub(crate) fn expired(&mut self, now: Instant) {
        self.iterator = None;
        // One that expires as soon as it comes must not be asked for in a tight loop.
        if self.failures > 0 {
            self.not_before = now + backoff(self.failures, 1.0);
        }
        self.failures += 1;
    }

    /// The service asked to come back later, or could not be reached. `jitter` is between 0 and 1.
    pub(crate) fn later(&mut self, now: Instant, jitter: f64) {
        self.failures += 1;
        self.not_before = now + backoff(self.failures, jitter);
        if self.is_pushed {
            self.iterator = None;
        }
    }

    /// How many requests in a row brought nothing.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }
}

/// Half of the wait is fixed, half is chance, so that shards do not come back all at once.
fn backoff(failures: u32, jitter: f64) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(10));
    doubled.min(LONGEST_BACKOFF).mul_f64(f64::midpoint(1.0, jitter.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use jiff::Timestamp;

    use super::{Progress, Reading, Step};
    use crate::position::Position;

    fn seen(last: &str, next: &str) -> Progress {
        Progress { last: Some(last.to_owned()), next: Some(next.to_owned()), ..Progress::default() }
    }

    #[test]
    fn an_expired_iterator_resumes_after_the_last_record() {
        let now = Instant::now();
        let mut reading = Reading::new(Position::TrimHorizon, false, now);
        assert_eq!(reading.step(now), Step::Iterator(Position::TrimHorizon));
        reading.iterator("one".to_owned(), Timestamp::UNIX_EPOCH);
        assert_eq!(reading.step(now), Step::Records("one".to_owned(), 500));
        assert!(reading.progress(seen("42", "two")));
        reading.expired(now);
        assert_eq!(reading.step(now), Step::Iterator(Position::AfterSequence("42".to_owned())));
    }

    #[test]
    fn an_expired_iterator_resumes_at_the_original_position_when_nothing_was_seen() {
        let now = Instant::now();
        for origin in
            [Position::TrimHorizon, Position::AtSequence("7".to_owned()), Position::At(Timestamp::UNIX_EPOCH)]
        {
            let mut reading = Reading::new(origin.clone(), false, now);
            reading.iterator("one".to_owned(), Timestamp::UNIX_EPOCH);
            assert!(reading.progress(Progress { next: Some("two".to_owned()), ..Progress::default() }));
            reading.expired(now);
            assert_eq!(reading.step(now), Step::Iterator(origin));
        }
    }

    #[test]
    fn latest_is_pinned_to_the_time_it_was_first_asked_for() {
        let now = Instant::now();
        let asked_at: Timestamp = "2024-01-15T10:00:00Z".parse().unwrap();
        let mut reading = Reading::new(Position::Latest, false, now);
        assert_eq!(reading.step(now), Step::Iterator(Position::Latest));
        reading.iterator("one".to_owned(), asked_at);
        reading.expired(now);
        assert_eq!(reading.step(now), Step::Iterator(Position::At(asked_at)));
    }

    #[test]
    fn iterators_that_expire_at_once_are_not_asked_for_in_a_loop() {
        let now = Instant::now();
        let mut reading = Reading::new(Position::TrimHorizon, false, now);
        reading.expired(now);
        assert!(matches!(reading.step(now), Step::Iterator(_)));
        reading.expired(now);
        assert!(matches!(reading.step(now), Step::Wait(_)));
    }

    #[test]
    fn waits_grow_and_an_answer_ends_them() {
        let now = Instant::now();
        let mut reading = Reading::new(Position::TrimHorizon, false, now);
        reading.iterator("one".to_owned(), Timestamp::UNIX_EPOCH);
        let mut waits = Vec::new();
        for _ in 0..9 {
            reading.later(now, 1.0);
            let Step::Wait(until) = reading.step(now) else { panic!("it does not wait") };
            waits.push((until - now).as_millis());
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
        let later = now + Duration::from_secs(10);
        assert_eq!(reading.step(later), Step::Records("one".to_owned(), 500));
        reading.progress(seen("1", "two"));
        assert_eq!(reading.step(later), Step::Records("two".to_owned(), 10_000));
        assert_eq!(reading.failures(), 0);
    }

    #[test]
    fn a_closed_shard_ends() {
        let mut reading = Reading::new(Position::TrimHorizon, false, Instant::now());
        assert!(!reading.progress(Progress::default()));
    }
}
