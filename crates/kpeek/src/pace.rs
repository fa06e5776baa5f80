//! What a shard grants its readers: 5 reads and 2 MiB a second (Kinesis service limits, shared by all readers of a shard).

use std::time::{Duration, Instant};

/// Reads of one shard a second.
const READS_PER_SECOND: f64 = 5.0;

/// Bytes of one shard a second.
const BYTES_PER_SECOND: f64 = 2.0 * 1024.0 * 1024.0;

/// Two buckets, each as deep as one second: a short look is not slowed down, a long one never exceeds the limits.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    reads: f64,
    bytes: f64,
    filled: Instant,
}

impl Pace {
    pub(crate) fn new(now: Instant) -> Self {
        Self { reads: READS_PER_SECOND, bytes: BYTES_PER_SECOND, filled: now }
    }

    /// How long to wait before the next read.
    pub(crate) fn wait(&mut self, now: Instant) -> Duration {
        self.fill(now);
        let reads = (1.0 - self.reads).max(0.0) / READS_PER_SECOND;
        // One answer may take more than a second's bytes: the debt is waited out afterwards.
        let bytes = (-self.bytes).max(0.0) / BYTES_PER_SECOND;
        Duration::from_secs_f64(reads.max(bytes))
    }

    /// A read is sent.
    pub(crate) fn read(&mut self, now: Instant) {
        self.fill(now);
        self.reads -= 1.0;
    }

    /// An answer with this many bytes of data came.
    pub(crate) fn received(&mut self, bytes: usize) {
        #[expect(clippy::cast_precision_loss, reason = "an answer has at most 10 MiB")]
        let bytes = bytes as f64;
        self.bytes -= bytes;
    }

    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.filled).as_secs_f64();
        self.reads = (self.reads + seconds * READS_PER_SECOND).min(READS_PER_SECOND);
        self.bytes = (self.bytes + seconds * BYTES_PER_SECOND).min(BYTES_PER_SECOND);
        self.filled = now;
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Pace;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn five_reads_at_once_then_one_every_fifth_of_a_second() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for _ in 0..5 {
            assert_eq!(pace.wait(start), Duration::ZERO);
            pace.read(start);
        }
        assert_eq!(pace.wait(start), Duration::from_millis(200));
    }

    #[test]
    fn a_full_answer_is_paid_for_with_time() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        pace.read(start);
        pace.received(10 * MIB);
        // Two of the ten MiB were there already.
        assert_eq!(pace.wait(start), Duration::from_secs(4));
        assert_eq!(pace.wait(start + Duration::from_secs(4)), Duration::ZERO);
    }

    #[test]
    fn no_second_ever_sees_more_than_it_grants() {
        let mut now = Instant::now();
        let start = now;
        let mut pace = Pace::new(now);
        let mut sent: Vec<Duration> = Vec::new();
        while sent.len() < 50 {
            now += pace.wait(now);
            pace.read(now);
            sent.push(now - start);
        }
        // Beyond the first burst of five, any second holds at most five reads.
        for window in sent.split_off(5).windows(6) {
            assert!(window[5].saturating_sub(window[0]) >= Duration::from_millis(999), "{window:?}");
        }
    }
}
