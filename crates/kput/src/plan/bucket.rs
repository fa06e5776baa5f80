//! Token buckets: how much may go out now when a rate is kept.

use std::time::{Duration, Instant};

/// A rate of something a second, and how much of it may go at once after a pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Units a second.
    pub per_second: f64,
    /// Units that gather while nothing is sent.
    pub burst: f64,
}

/// An empty bucket opens again when this much of a second's worth is in it: else every request would carry one record.
const QUANTUM: f64 = 0.05;

/// A bucket that fills at a rate. Taking more than is there leaves a debt, so that a unit larger than the burst still passes.
#[derive(Clone, Debug)]
pub struct Bucket {
    rate: Rate,
    level: f64,
    at: Instant,
    /// It ran empty, and has to fill a little before it opens.
    empty: bool,
}

impl Bucket {
    /// A full bucket.
    pub fn full(rate: Rate, now: Instant) -> Self {
        Self { rate, level: rate.burst, at: now, empty: false }
    }

    fn level(&self, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.rate.per_second;
        (self.level + gained).min(self.rate.burst)
    }

    /// When something may be taken: now, or later.
    pub fn opens(&self, now: Instant) -> Instant {
        let level = self.level(now);
        let wanted = if self.empty { (self.rate.per_second * QUANTUM).min(self.rate.burst) } else { 0.0 };
        if level > 0.0 && level >= wanted {
            return now;
        }
        // A microsecond more than computed, so that rounding never leaves the level just below.
        now + Duration::from_secs_f64((wanted - level) / self.rate.per_second) + Duration::from_micros(1)
    }

    /// Takes `units`.
    pub fn take(&mut self, units: f64, now: Instant) {
        self.level = self.level(now) - units;
        self.at = now;
        self.empty = self.level <= 0.0;
    }

    /// The service has shown that nothing is left.
    pub fn drain(&mut self, now: Instant) {
        self.level = self.level(now).min(0.0);
        self.at = now;
        self.empty = true;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Bucket, Rate};

    #[test]
    fn keeps_its_rate_after_the_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Rate { per_second: 100.0, burst: 10.0 }, start);
        let (mut now, mut taken) = (start, 0);
        while now < start + Duration::from_secs(2) {
            if bucket.opens(now) == now {
                bucket.take(1.0, now);
                taken += 1;
            } else {
                now = bucket.opens(now);
            }
        }
        assert!((205..=212).contains(&taken), "{taken}");
    }

    #[test]
    fn a_unit_larger_than_the_burst_passes_and_is_paid_for_after() {
        let start = Instant::now();
        let mut bucket = Bucket::full(Rate { per_second: 10.0, burst: 1.0 }, start);
        bucket.take(11.0, start);
        let opens = bucket.opens(start) - start;
        assert!(opens >= Duration::from_secs(1) && opens < Duration::from_millis(1100), "{opens:?}");
    }
}
