//! The records that wait for one shard, or for a shard that is not known.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::bucket::Bucket;
use super::item::Item;

/// What one shard takes: two buckets, as the service counts records and bytes apart.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) records: Bucket,
    pub(super) bytes: Bucket,
}

impl Pace {
    pub(super) fn opens(&self, now: Instant) -> Instant {
        self.records.opens(now).max(self.bytes.opens(now))
    }

    #[expect(clippy::cast_precision_loss, reason = "a record has at most 10 MiB")]
    pub(super) fn take(&mut self, size: usize, now: Instant) {
        self.records.take(1.0, now);
        self.bytes.take(size as f64, now);
    }
}

/// Records in the order they came, those that failed before those that were not sent yet.
#[derive(Debug)]
pub(super) struct Queue {
    fresh: VecDeque<Item>,
    fresh_bytes: usize,
    again: VecDeque<Item>,
    fresh_from: Instant,
    again_from: Instant,
    strikes: u32,
    pub(super) pace: Option<Pace>,
}

impl Queue {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            fresh: VecDeque::new(),
            fresh_bytes: 0,
            again: VecDeque::new(),
            fresh_from: now,
            again_from: now,
            strikes: 0,
            pace: None,
        }
    }

    pub(super) fn push(&mut self, item: Item) {
        self.fresh_bytes += item.size();
        self.fresh.push_back(item);
    }

    pub(super) fn push_again(&mut self, item: Item) {
        self.again.push_back(item);
    }

    /// Restores input order among the records that failed: batches come back in any order.
    pub(super) fn sort_again(&mut self) {
        self.again.make_contiguous().sort_by_key(Item::number);
    }

    /// Notes that records failed. A pause that is running is not made longer: batches sent before it began say nothing new.
    pub(super) fn strike(&mut self, now: Instant, pause: impl FnOnce(u32) -> Duration, whole: bool) {
        let until = now + pause(self.strikes);
        self.strikes = self.strikes.saturating_add(1);
        if self.again_from <= now {
            self.again_from = until;
        }
        if whole && self.fresh_from <= now {
            self.fresh_from = until;
        }
    }

    /// Whether records of it failed lately.
    pub(super) fn is_struck(&self) -> bool {
        self.strikes > 0
    }

    /// Notes that everything sent to this queue's shard was stored.
    pub(super) fn relax(&mut self) {
        self.strikes = 0;
    }

    fn paced(&self, now: Instant) -> Instant {
        self.pace.as_ref().map_or(now, |pace| pace.opens(now))
    }

    /// Whether a failed record may be sent again now.
    pub(super) fn again_due(&self, now: Instant) -> bool {
        !self.again.is_empty() && self.again_from <= now && self.paced(now) <= now
    }

    /// How many fresh records, of how many bytes, may be sent now, and when the oldest was admitted.
    pub(super) fn fresh_due(&self, now: Instant) -> (usize, usize, Option<Instant>) {
        if self.fresh.is_empty() || self.fresh_from > now || self.paced(now) > now {
            return (0, 0, None);
        }
        (self.fresh.len(), self.fresh_bytes, self.fresh.front().map(|item| item.admitted))
    }

    /// When this queue next has something to send, if fresh records wait `linger` for company.
    pub(super) fn wake(&self, now: Instant, linger: Duration) -> Option<Instant> {
        let paced = self.paced(now);
        let again = (!self.again.is_empty()).then(|| self.again_from.max(paced));
        let fresh = self.fresh.front().map(|item| (item.admitted + linger).max(self.fresh_from).max(paced));
        again.into_iter().chain(fresh).min()
    }

    /// The next record that may be sent now, if it has at most `room` bytes. Counts the try.
    pub(super) fn pop(&mut self, now: Instant, room: usize) -> Option<Item> {
        if self.paced(now) > now {
            return None;
        }
        let fits = |item: &Item| item.size() <= room;
        let mut item = if !self.again.is_empty() && self.again_from <= now {
            if !self.again.front().is_some_and(fits) {
                return None;
            }
            self.again.pop_front()?
        } else if self.fresh_from <= now && self.fresh.front().is_some_and(fits) {
            let item = self.fresh.pop_front()?;
            self.fresh_bytes -= item.size();
            item
        } else {
            return None;
        };
        item.attempts += 1;
        item.first_sent.get_or_insert(now);
        if let Some(pace) = &mut self.pace {
            pace.take(item.size(), now);
        }
        Some(item)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.again.is_empty()
    }

    /// Everything that waits: what failed, and what was not sent yet.
    pub(super) fn into_items(self) -> (VecDeque<Item>, VecDeque<Item>) {
        (self.again, self.fresh)
    }
}
