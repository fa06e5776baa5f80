//! Waiting for IAM to know what it was just told: exponential, with jitter, and never longer than the user allows.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause. Roles are usually usable within a few seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// No pause is longer, so that a success is seen soon after it became possible.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// A wait that takes longer is explained, also where nobody sees a progress line.
const LONG_WAIT: Duration = Duration::from_secs(3);
/// How long a change may take to spread: the bound that Terraform's AWS provider uses (`propagationTimeout`).
pub const SPREAD_LIMIT: Duration = Duration::from_mins(2);

/// How long to keep trying, and how soon to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    first: Duration,
    limit: Duration,
}

impl Patience {
    /// Tries for `limit` at most.
    pub fn new(limit: Duration) -> Self {
        Self { first: FIRST_PAUSE, limit }
    }

    /// The same with another first pause, for tests.
    #[must_use]
    pub fn starting_at(self, first: Duration) -> Self {
        Self { first, ..self }
    }

    /// Starts to wait, now.
    pub fn begin(self) -> Waiting {
        Waiting { started: Instant::now(), pause: self.first, limit: self.limit, is_told: false }
    }
}

/// One wait that has begun.
#[derive(Clone, Debug)]
pub struct Waiting {
    started: Instant,
    pause: Duration,
    limit: Duration,
    is_told: bool,
}

impl Waiting {
    /// How long it has been.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether it is time to tell the user that this is a wait and not a hang, and for how long at most. Once.
    pub fn tell(&mut self) -> Option<Duration> {
        let is_due = !self.is_told && self.elapsed() >= LONG_WAIT;
        self.is_told |= is_due;
        is_due.then_some(self.limit)
    }

    /// The next pause, or `None` when the time is used up. Half of a pause is chance, so that processes started together do
    /// not ask together; the last one is cut to end at the limit.
    pub fn next_pause(&mut self) -> Option<Duration> {
        let left = self.limit.checked_sub(self.elapsed()).filter(|left| !left.is_zero())?;
        let pause = self.pause.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Some(pause.min(left))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST_PAUSE, Patience};

    #[test]
    fn pauses_grow_to_a_bound_and_keep_half_of_their_length() {
        let mut waiting = Patience::new(Duration::from_hours(1)).begin();
        let mut full = Duration::from_millis(250);
        for _ in 0..12 {
            let pause = waiting.next_pause().unwrap();
            assert!(pause >= full / 2 && pause <= full, "{pause:?} of {full:?}");
            full = (full * 2).min(LONGEST_PAUSE);
        }
    }

    #[test]
    fn a_limit_of_nothing_is_no_second_try() {
        assert_eq!(Patience::new(Duration::ZERO).begin().next_pause(), None);
    }

    #[test]
    fn a_pause_never_outlasts_the_limit() {
        // Longer than the wait may have lasted when it is asked for a pause, shorter than the pause would be.
        let limit = Duration::from_mins(1);
        let patience = Patience::new(limit).starting_at(Duration::from_hours(1));
        let pause = patience.begin().next_pause().unwrap();
        assert!(pause <= limit);
    }
}
