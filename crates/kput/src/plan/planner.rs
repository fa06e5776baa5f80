//! The planner itself: queues in, batches out, verdicts back.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::bucket::{Bucket, Rate};
use super::item::{Ended, Failure, Item, Verdict, bytes_of};
use super::lane::{By, Lanes};
use super::queue::{Pace, Queue};
use super::shards::ShardMap;

/// The first pause after a failure; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Doubling stops here; [`LONGEST_PAUSE`] is reached long before.
const MOST_DOUBLINGS: u32 = 10;

/// A request of this size gains nothing from waiting for more.
const EAGER_BYTES: usize = 1024 * 1024;

/// What one shard takes a second (Kinesis quotas): 1000 records, as many at once.
const SHARD_RECORDS: Rate = Rate { per_second: 1000.0, burst: 1000.0 };

/// What one shard takes a second (Kinesis quotas): 1 MiB, and up to 10 MiB at once after a pause.
const SHARD_BYTES: Rate = Rate { per_second: 1_048_576.0, burst: 10_485_760.0 };

/// Whether order is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// It is not.
    #[default]
    None,
    /// Records of one partition key keep theirs.
    ByKey,
    /// Entries of one shard keep theirs: aggregates hold records of many keys.
    ByShard,
}

/// What the planner keeps to.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Most records in a request.
    pub batch_records: usize,
    /// Most bytes, payload and keys, in a request.
    pub batch_bytes: usize,
    /// How long a record may wait for company.
    pub linger: Duration,
    /// How often a record is sent at most.
    pub max_attempts: Option<u32>,
    /// How long after it was first sent a record is still sent again.
    pub give_up_after: Duration,
    /// Whether order is kept, and of what.
    pub order: Order,
    /// Records a second.
    pub records_per_second: Option<f64>,
    /// Bytes a second.
    pub bytes_per_second: Option<f64>,
}

/// Decides what is sent next.
#[derive(Debug)]
pub struct Planner {
    rules: Rules,
    random: fastrand::Rng,
    map: Option<ShardMap>,
    /// The first for records whose shard is not known, then one a shard of the map.
    queues: Vec<Queue>,
    turn: usize,
    /// Halves of a request that was refused as a whole.
    pieces: VecDeque<Vec<Item>>,
    /// Payload and key bytes of all that is here.
    waiting_bytes: usize,
    lanes: Option<Lanes>,
    own_records: Option<Bucket>,
    own_bytes: Option<Bucket>,
    last_came: bool,
    /// No record comes until some of those here have left.
    in_a_hurry: bool,
    /// Whether a record was ever throttled. An endpoint that never does is not held to the service's limits.
    was_throttled: bool,
}

impl Planner {
    /// A planner with nothing in it. `random` spreads the pauses.
    pub fn new(rules: Rules, random: fastrand::Rng, now: Instant) -> Self {
        // A tenth of a second's worth may go at once: enough to fill requests, too little to notice.
        let own = |per_second: Option<f64>| {
            per_second.map(|per_second| Bucket::full(Rate { per_second, burst: per_second / 10.0 }, now))
        };
        Self {
            random,
            map: None,
            queues: vec![Queue::new(now)],
            turn: 0,
            pieces: VecDeque::new(),
            waiting_bytes: 0,
            lanes: match rules.order {
                Order::None => None,
                Order::ByKey => Some(Lanes::new(By::Key)),
                Order::ByShard => Some(Lanes::new(By::Shard)),
            },
            own_records: own(rules.records_per_second),
            own_bytes: own(rules.bytes_per_second),
            last_came: false,
            in_a_hurry: false,
            was_throttled: false,
            rules,
        }
    }

    /// Takes a record in.
    pub fn admit(&mut self, item: Item) {
        self.waiting_bytes += item.size();
        let at = self.queue_of(&item);
        let free = match &mut self.lanes {
            Some(lanes) => lanes.enter(item, at),
            None => Some(item),
        };
        if let Some((item, queue)) = free.zip(self.queues.get_mut(at)) {
            queue.push(item);
        }
    }

    /// Payload and key bytes of all that waits here.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// No more records come: nothing waits for company any longer.
    pub fn finish(&mut self) {
        self.last_came = true;
    }

    /// Whether no more records come until some have left: then nothing waits for company either.
    pub fn hurry(&mut self, in_a_hurry: bool) {
        self.in_a_hurry = in_a_hurry;
    }

    /// Whether nothing waits here. What the caller carries is not here.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
            && self.queues.iter().all(Queue::is_empty)
            && self.lanes.as_ref().is_none_or(|lanes| lanes.held() == 0)
    }

    /// The next request, if one is due.
    pub fn take(&mut self, now: Instant) -> Option<Vec<Item>> {
        if let Some(piece) = self.pieces.pop_front() {
            self.waiting_bytes -= bytes_of(&piece);
            return Some(piece);
        }
        if self.own_opens(now) > now || !self.is_due(now) {
            return None;
        }
        let mut batch = Vec::with_capacity(self.rules.batch_records);
        let mut room = self.rules.batch_bytes;
        let queues = self.queues.len();
        for step in 0..queues {
            let at = (self.turn + step) % queues;
            while batch.len() < self.rules.batch_records && self.own_opens(now) <= now {
                // A record that is larger than any request goes alone: the service says what it thinks of it.
                let fits = if batch.is_empty() { usize::MAX } else { room };
                let Some(item) = self.queues.get_mut(at).and_then(|queue| queue.pop(now, fits)) else {
                    break;
                };
                room = room.saturating_sub(item.size());
                self.waiting_bytes -= item.size();
                self.pay(&item, now);
                batch.push(item);
            }
        }
        self.turn = (self.turn + 1) % queues;
        (!batch.is_empty()).then_some(batch)
    }

    /// When [`Planner::take`] may next have something, if nothing is admitted or settled before.
    pub fn wake(&self, now: Instant) -> Option<Instant> {
        if !self.pieces.is_empty() {
            return Some(now);
        }
        let linger = if self.last_came || self.in_a_hurry { Duration::ZERO } else { self.rules.linger };
        let due = self.queues.iter().filter_map(|queue| queue.wake(now, linger)).min()?;
        Some(due.max(self.own_opens(now)))
    }

    /// Takes a batch back with one verdict an entry, in order. Returns the entries that have ended.
    pub fn settle(&mut self, batch: Vec<Item>, verdicts: Vec<Verdict>, now: Instant) -> Vec<Ended> {
        let whole = 2 * verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Failed(_))).count()
            > verdicts.len();
        let mut ended = Vec::with_capacity(batch.len());
        let (mut struck, mut throttled) = (Vec::new(), Vec::new());
        // Which queues records came from costs a look-up each; it matters only where one has failed lately.
        let is_any_struck = self.queues.iter().any(Queue::is_struck);
        let mut relaxed = Vec::new();
        for (item, verdict) in batch.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Acked(place) => {
                    if is_any_struck {
                        relaxed.push(self.queue_of(&item));
                    }
                    self.free_lane(&item);
                    ended.push(Ended::Acked(item, place));
                }
                Verdict::Failed(failure) if self.is_final(&item, &failure, now) => {
                    self.free_lane(&item);
                    ended.push(Ended::GivenUp(item, failure));
                }
                Verdict::Failed(failure) => {
                    self.waiting_bytes += item.size();
                    let at = self.queue_of(&item);
                    if let Some(queue) = self.queues.get_mut(at) {
                        queue.push_again(item);
                        if failure.throttled {
                            throttled.push(at);
                        }
                    }
                    struck.push(at);
                }
            }
        }
        self.slow_down(&throttled, now);
        struck.sort_unstable();
        struck.dedup();
        for at in relaxed.into_iter().filter(|at| !struck.contains(at)) {
            if let Some(queue) = self.queues.get_mut(at) {
                queue.relax();
            }
        }
        for at in struck {
            let random = &mut self.random;
            if let Some(queue) = self.queues.get_mut(at) {
                queue.sort_again();
                queue.strike(now, |strikes| pause(strikes, random), whole || at != 0);
            }
        }
        ended
    }

    /// Takes a batch back that was refused as a whole, to find out by halves which entry is to blame.
    pub fn split(&mut self, mut batch: Vec<Item>) {
        self.waiting_bytes += bytes_of(&batch);
        let second = batch.split_off(batch.len() / 2);
        // Only the whole was refused, no entry of it has been tried: the try that was counted is still to come.
        self.pieces.extend([batch, second]);
    }

    /// Sets the open shards: from now on every record waits in its shard's queue, and once any record was throttled, at
    /// the pace that a shard is documented to take.
    pub fn set_shards(&mut self, map: ShardMap, now: Instant) {
        let queues = map.shards().len() + 1;
        let old = std::mem::replace(&mut self.queues, (0..queues).map(|_| Queue::new(now)).collect());
        if self.was_throttled {
            self.pace_shards(now);
        }
        self.map = Some(map);
        self.turn = 0;
        for queue in old {
            let (again, fresh) = queue.into_items();
            for item in again {
                let at = self.queue_of(&item);
                if let Some(queue) = self.queues.get_mut(at) {
                    queue.push_again(item);
                }
            }
            for item in fresh {
                let at = self.queue_of(&item);
                if let Some(queue) = self.queues.get_mut(at) {
                    queue.push(item);
                }
            }
        }
        self.queues.iter_mut().for_each(Queue::sort_again);
    }

    /// The open shards, when they are known.
    pub fn shards(&self) -> Option<&ShardMap> {
        self.map.as_ref()
    }

    /// Everything that waits, in no order; the planner is empty after.
    pub fn drain(&mut self, now: Instant) -> Vec<Item> {
        self.waiting_bytes = 0;
        let mut items: Vec<Item> = self.pieces.drain(..).flatten().collect();
        let old = std::mem::replace(&mut self.queues, vec![Queue::new(now)]);
        self.map = None;
        for queue in old {
            let (again, fresh) = queue.into_items();
            items.extend(again.into_iter().chain(fresh));
        }
        if let Some(lanes) = &mut self.lanes {
            items.extend(lanes.drain());
        }
        items
    }

    /// The service enforces its limits: from now on every shard gets what it is documented to take, and the shards of
    /// `throttled` wait until it comes in again.
    fn slow_down(&mut self, throttled: &[usize], now: Instant) {
        if !throttled.is_empty() && !self.was_throttled {
            self.was_throttled = true;
            self.pace_shards(now);
        }
        for at in throttled {
            if let Some(pace) = self.queues.get_mut(*at).and_then(|queue| queue.pace.as_mut()) {
                pace.records.drain(now);
            }
        }
    }

    fn pace_shards(&mut self, now: Instant) {
        for queue in self.queues.iter_mut().skip(1) {
            let (records, bytes) = (Bucket::full(SHARD_RECORDS, now), Bucket::full(SHARD_BYTES, now));
            queue.pace = Some(Pace { records, bytes });
        }
    }

    /// Whether a request is worth sending: it is full, or something in it has waited long enough.
    fn is_due(&self, now: Instant) -> bool {
        let (mut records, mut bytes) = (0, 0);
        let mut oldest: Option<Instant> = None;
        for queue in &self.queues {
            if queue.again_due(now) {
                return true;
            }
            let (more_records, more_bytes, admitted) = queue.fresh_due(now);
            records += more_records;
            bytes += more_bytes;
            oldest = oldest.into_iter().chain(admitted).min();
        }
        let waited = oldest
            .is_some_and(|admitted| self.last_came || self.in_a_hurry || admitted + self.rules.linger <= now);
        waited || records >= self.rules.batch_records || bytes >= self.rules.batch_bytes.min(EAGER_BYTES)
    }

    fn is_final(&self, item: &Item, failure: &Failure, now: Instant) -> bool {
        failure.last
            || self.rules.max_attempts.is_some_and(|most| item.attempts >= most)
            || item
                .first_sent
                .is_some_and(|sent| now.saturating_duration_since(sent) >= self.rules.give_up_after)
    }

    fn free_lane(&mut self, ended: &Item) {
        if self.lanes.is_none() {
            return;
        }
        let at = self.queue_of(ended);
        // The next one of a key goes to the same shard, unless it brings a hash key of its own.
        if let Some(next) = self.lanes.as_mut().and_then(|lanes| lanes.leave(ended, at)) {
            let at = self.queue_of(&next);
            if let Some(queue) = self.queues.get_mut(at) {
                queue.push(next);
            }
        }
    }

    fn queue_of(&self, item: &Item) -> usize {
        let Some(map) = &self.map else { return 0 };
        // Without a hash the service spreads records as it likes.
        let Some(hash) = item.hash() else { return 0 };
        map.position(hash).map_or(0, |position| position + 1)
    }

    fn own_opens(&self, now: Instant) -> Instant {
        let opens = |bucket: &Option<Bucket>| bucket.as_ref().map_or(now, |bucket| bucket.opens(now));
        opens(&self.own_records).max(opens(&self.own_bytes))
    }

    /// The user's own rates count records, packed or not.
    #[expect(clippy::cast_precision_loss, reason = "a record has at most 10 MiB")]
    fn pay(&mut self, item: &Item, now: Instant) {
        if let Some(bucket) = &mut self.own_records {
            bucket.take(item.count() as f64, now);
        }
        if let Some(bucket) = &mut self.own_bytes {
            bucket.take(item.size() as f64, now);
        }
    }
}

/// Full jitter: anything up to a bound that doubles with every strike.
fn pause(strikes: u32, random: &mut fastrand::Rng) -> Duration {
    let bound = FIRST_PAUSE.saturating_mul(1 << strikes.min(MOST_DOUBLINGS)).min(LONGEST_PAUSE);
    bound.mul_f64(random.f64())
}

#[cfg(test)]
mod tests;
