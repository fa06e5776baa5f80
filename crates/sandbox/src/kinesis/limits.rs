//! How much a shard takes and gives: the token buckets behind `ProvisionedThroughputExceededException`.
//!
//! Buckets are integers: a rate of n a second is n thousandths a millisecond, so levels are kept in thousandths.

/// The service's rates, each of them a shard's. Sources: the Kinesis developer guide on quotas and on large records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Records written a second.
    pub write_records_per_second: u32,
    /// Bytes written a second, partition keys included.
    pub write_bytes_per_second: u32,
    /// How many bytes may come at once after a quiet time, so that a 10 MiB record fits at all.
    pub write_burst_bytes: u32,
    /// `GetRecords` calls a second.
    pub reads_per_second: u32,
    /// Bytes read a second by `GetRecords`.
    pub read_bytes_per_second: u32,
    /// `GetShardIterator` calls a second.
    pub iterators_per_second: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            write_records_per_second: 1_000,
            write_bytes_per_second: 1024 * 1024,
            write_burst_bytes: 10 * 1024 * 1024,
            reads_per_second: 5,
            read_bytes_per_second: 2 * 1024 * 1024,
            iterators_per_second: 5,
        }
    }
}

/// A shard's buckets. They start full.
#[derive(Debug, Default)]
pub(super) struct ShardLimiter {
    written_records: Bucket,
    written_bytes: Bucket,
    reads: Bucket,
    read_bytes: Bucket,
    iterators: Bucket,
}

impl ShardLimiter {
    /// Takes one record of `bytes` bytes in, or leaves both buckets as they are.
    pub(super) fn write(&mut self, rates: &Rates, bytes: usize, now_ms: u64) -> bool {
        self.written_records.refill(rates.write_records_per_second, rates.write_records_per_second, now_ms);
        self.written_bytes.refill(rates.write_bytes_per_second, rates.write_burst_bytes, now_ms);
        if !self.written_records.holds(1) || !self.written_bytes.holds(bytes) {
            return false;
        }
        self.written_records.take(1);
        self.written_bytes.take(bytes);
        true
    }

    /// Whether a `GetRecords` call may go ahead; counts it if so.
    pub(super) fn read(&mut self, rates: &Rates, now_ms: u64) -> bool {
        self.reads.refill(rates.reads_per_second, rates.reads_per_second, now_ms);
        self.read_bytes.refill(rates.read_bytes_per_second, rates.read_bytes_per_second, now_ms);
        // A page's size is not known before it is read, so a page may overdraw; the next call then waits.
        if !self.reads.holds(1) || !self.read_bytes.holds(1) {
            return false;
        }
        self.reads.take(1);
        true
    }

    /// Books the page that a call returned. A page beyond the bucket costs its whole size in waiting: 10 MiB, five seconds.
    pub(super) fn booked(&mut self, bytes: usize) {
        if !self.read_bytes.holds(bytes) {
            self.read_bytes.empty();
        }
        self.read_bytes.take(bytes);
    }

    /// Whether a `GetShardIterator` call may go ahead; counts it if so.
    pub(super) fn iterator(&mut self, rates: &Rates, now_ms: u64) -> bool {
        self.iterators.refill(rates.iterators_per_second, rates.iterators_per_second, now_ms);
        self.iterators.take_one()
    }
}

/// An amount that is used up and comes back with time.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    thousandths: i64,
    /// None until the first use, which finds the bucket full.
    refilled_ms: Option<u64>,
}

impl Bucket {
    pub(super) fn refill(&mut self, per_second: u32, capacity: u32, now_ms: u64) {
        let full = i64::from(capacity) * 1_000;
        self.thousandths = match self.refilled_ms {
            None => full,
            Some(before) => {
                let elapsed_ms = i64::try_from(now_ms.saturating_sub(before)).unwrap_or(i64::MAX);
                let gained = elapsed_ms.saturating_mul(i64::from(per_second));
                self.thousandths.saturating_add(gained).min(full)
            }
        };
        self.refilled_ms = Some(now_ms);
    }

    fn holds(&self, amount: usize) -> bool {
        self.thousandths >= thousandths(amount)
    }

    fn take(&mut self, amount: usize) {
        self.thousandths -= thousandths(amount);
    }

    /// Takes one, if there is one.
    pub(super) fn take_one(&mut self) -> bool {
        let enough = self.holds(1);
        if enough {
            self.take(1);
        }
        enough
    }

    fn empty(&mut self) {
        self.thousandths = self.thousandths.min(0);
    }
}

fn thousandths(amount: usize) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX / 1_000).saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn a_thousand_records_pass_and_the_next_waits_for_a_millisecond() {
        let (rates, mut limiter) = (Rates::default(), ShardLimiter::default());
        let passed = (0..1_500).filter(|_| limiter.write(&rates, 10, 0)).count();
        assert_eq!(passed, 1_000);
        assert!(limiter.write(&rates, 10, 1));
        assert!(!limiter.write(&rates, 10, 1));
    }

    #[test]
    fn the_burst_takes_one_10_mib_record_and_then_refills_at_1_mib_a_second() {
        let (rates, mut limiter) = (Rates::default(), ShardLimiter::default());
        assert!(limiter.write(&rates, 10 * MIB, 0));
        assert!(!limiter.write(&rates, MIB, 999));
        assert!(limiter.write(&rates, MIB, 1_000));
    }

    #[test]
    fn a_refused_record_costs_nothing() {
        let rates = Rates { write_burst_bytes: 100, ..Rates::default() };
        let mut limiter = ShardLimiter::default();
        assert!(!limiter.write(&rates, 101, 0));
        assert!(limiter.write(&rates, 100, 0));
    }

    #[test]
    fn five_reads_a_second() {
        let (rates, mut limiter) = (Rates::default(), ShardLimiter::default());
        assert_eq!((0..9).filter(|_| limiter.read(&rates, 0)).count(), 5);
        assert!(!limiter.read(&rates, 199));
        assert!(limiter.read(&rates, 200));
    }

    #[test]
    fn after_a_10_mib_page_reads_wait_five_seconds() {
        let (rates, mut limiter) = (Rates::default(), ShardLimiter::default());
        assert!(limiter.read(&rates, 0));
        limiter.booked(10 * MIB);
        assert!(!limiter.read(&rates, 4_999));
        assert!(limiter.read(&rates, 5_001));
    }
}
