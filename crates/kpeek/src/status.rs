//! The line that a person sees while a stream is followed: how much, how fast, how far behind.

use std::time::{Duration, Instant};

use crate::bars;

/// How often the line changes.
pub(crate) const EVERY: Duration = Duration::from_secs(1);

/// What the line was made from the last time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    at: Instant,
    shown: u64,
}

impl Status {
    pub(crate) fn new(now: Instant) -> Self {
        Self { at: now, shown: 0 }
    }

    /// When the line is to change.
    pub(crate) fn due(&self) -> Instant {
        self.at + EVERY
    }

    /// The line.
    pub(crate) fn line(&mut self, now: Instant, shown: u64, shards: usize, behind_ms: Option<i64>) -> String {
        let millis = now.saturating_duration_since(self.at).as_millis().max(1);
        let rate = u128::from(shown - self.shown) * 1000 / millis;
        *self = Self { at: now, shown };
        let lag = match behind_ms.map(|millis| Duration::from_millis(millis.unsigned_abs())) {
            None => "nothing read yet".to_owned(),
            Some(Duration::ZERO) => "caught up".to_owned(),
            Some(behind) => format!("{} behind", config::duration::show(behind)),
        };
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        let rate = bars::count(u64::try_from(rate).unwrap_or(u64::MAX));
        format!(
            "{} record{}, {rate}/s, {shards} shard{}, {lag}",
            bars::count(shown),
            plural(shown),
            plural(shards as u64)
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Status;

    #[test]
    fn tells_rate_and_lag() {
        let start = Instant::now();
        let mut status = Status::new(start);
        let second = |number| start + Duration::from_secs(number);
        assert_eq!(status.line(second(1), 0, 1, None), "0 records, 0/s, 1 shard, nothing read yet");
        assert_eq!(
            status.line(second(3), 2500, 4, Some(2500)),
            "2,500 records, 1,250/s, 4 shards, 2.5s behind"
        );
        assert_eq!(status.line(second(4), 2500, 4, Some(0)), "2,500 records, 0/s, 4 shards, caught up");
        assert_eq!(Status::new(start).line(second(2), 1, 1, Some(0)), "1 record, 0/s, 1 shard, caught up");
    }
}
