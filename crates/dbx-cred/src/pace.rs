//! How long to wait before asking again.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// Growing pauses with a limit.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Pace {
    /// From a quarter of a second, doubling up to the ten seconds of the official SDKs.
    fn default() -> Self {
        Self { first: Duration::from_millis(250), longest: Duration::from_secs(10) }
    }
}

impl Pace {
    /// The pause after `attempt` attempts: doubling, and up to a fifth shorter by chance, so that many callers that
    /// failed together do not come back together.
    pub fn pause(&self, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.longest).mul_f64(0.8 + 0.2 * fastrand::f64())
    }
}

/// What a `Retry-After` header asks for: whole seconds, or a date (RFC 9110, 10.2.3).
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::{Pace, retry_after};

    #[test]
    fn pauses_double_up_to_the_limit() {
        let pace = Pace::default();
        for (attempt, most) in [(1, 250), (2, 500), (3, 1000), (6, 8000), (7, 10_000), (1000, 10_000)] {
            let pause = pace.pause(attempt).as_millis();
            assert!(pause <= most && pause * 10 >= most * 8, "{attempt}: {pause}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let read = |text| retry_after(text, now);
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("Thu, 01 Jan 2026 00:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Wed, 31 Dec 2025 00:00:30 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
    }
}
