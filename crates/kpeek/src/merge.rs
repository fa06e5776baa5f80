//! `--merge`: shards in the order of arrival, as far as a small window allows.
//!
//! A record is held until every shard that is being read has been read up to its time of arrival, or it has been held for
//! as long as the window. Within a shard the stored order stays.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aggregate::Tags;
use config::names::ShardId;

use crate::record::Item;

/// What is held at most; past that the oldest go, whatever the other shards hold.
const HELD_BYTES: usize = 32 * 1024 * 1024;

/// From this much on, a shard that is ahead of the others waits for them.
const AHEAD_BYTES: usize = 4 * 1024 * 1024;

/// An item that waits for its turn.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    shard: ShardId,
    sequence_number: String,
    sub: u64,
    arrived_ms: Option<i64>,
    partition_key: Option<String>,
    explicit_hash_key: Option<String>,
    /// As they are encoded.
    tags: Vec<u8>,
    payload: Vec<u8>,
    since: Instant,
}

impl Held {
    /// The item as it came.
    pub(crate) fn item(&self) -> Item<'_> {
        Item {
            shard: &self.shard,
            sequence_number: &self.sequence_number,
            sub: self.sub,
            arrived_ms: self.arrived_ms,
            partition_key: self.partition_key.as_deref(),
            explicit_hash_key: self.explicit_hash_key.as_deref(),
            tags: Tags::decode(&self.tags).unwrap_or_default(),
            payload: &self.payload,
        }
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.payload.len() + self.tags.len() + self.sequence_number.len()
    }
}

#[derive(Clone, Copy, Debug)]
struct Progress {
    /// The time up to which the shard has been read.
    read_to_ms: i64,
    /// The time of its last item: a later one does not go before it.
    last_ms: i64,
    held_bytes: usize,
}

/// Items of all shards on their way to one order.
#[derive(Debug)]
pub(crate) struct Merge {
    window: Duration,
    held: BTreeMap<(i64, u64), Held>,
    shards: BTreeMap<ShardId, Progress>,
    /// How far the shards had come that are read no more: their children hold nothing earlier.
    past: BTreeMap<ShardId, Progress>,
    taken: u64,
    bytes: usize,
}

impl Merge {
    pub(crate) fn new(window: Duration) -> Self {
        Self {
            window,
            held: BTreeMap::new(),
            shards: BTreeMap::new(),
            past: BTreeMap::new(),
            taken: 0,
            bytes: 0,
        }
    }

    /// A shard is being read from now on: nothing that it may come before is let go.
    pub(crate) fn begin(&mut self, shard: &ShardId, parents: &[ShardId]) {
        let mut progress = Progress { read_to_ms: i64::MIN, last_ms: i64::MIN, held_bytes: 0 };
        let known = |parent| self.past.get(parent).or_else(|| self.shards.get(parent));
        for parent in parents.iter().filter_map(known) {
            progress.read_to_ms = progress.read_to_ms.max(parent.read_to_ms);
            progress.last_ms = progress.last_ms.max(parent.last_ms);
        }
        self.shards.insert(shard.clone(), progress);
    }

    /// A shard is read no more.
    pub(crate) fn end(&mut self, shard: &ShardId) {
        if let Some(progress) = self.shards.remove(shard) {
            self.past.insert(shard.clone(), Progress { held_bytes: 0, ..progress });
        }
    }

    /// Takes an item.
    pub(crate) fn take(&mut self, item: &Item<'_>, now: Instant) {
        let held = Held {
            shard: item.shard.clone(),
            sequence_number: item.sequence_number.to_owned(),
            sub: item.sub,
            arrived_ms: item.arrived_ms,
            partition_key: item.partition_key.map(str::to_owned),
            explicit_hash_key: item.explicit_hash_key.map(str::to_owned),
            tags: item.tags.encoded().to_vec(),
            payload: item.payload.to_vec(),
            since: now,
        };
        let mut turn_ms = item.arrived_ms.unwrap_or_default();
        let size = held.size();
        if let Some(shard) = self.shards.get_mut(item.shard) {
            turn_ms = turn_ms.max(shard.last_ms);
            shard.last_ms = turn_ms;
            shard.held_bytes += size;
        }
        self.bytes += size;
        self.taken += 1;
        self.held.insert((turn_ms, self.taken), held);
    }

    /// A shard has been read up to this time of arrival.
    pub(crate) fn read_to(&mut self, shard: &ShardId, time_ms: i64) {
        if let Some(progress) = self.shards.get_mut(shard) {
            progress.read_to_ms = progress.read_to_ms.max(time_ms);
        }
    }

    /// The next item whose turn it is.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Held> {
        let ((turn_ms, _), first) = self.held.first_key_value()?;
        let is_its_turn = self.shards.values().all(|shard| shard.read_to_ms > *turn_ms);
        let is_held_long = now.saturating_duration_since(first.since) >= self.window;
        if is_its_turn || is_held_long || self.bytes > HELD_BYTES { self.pop() } else { None }
    }

    /// The next item, whether it is its turn or not.
    pub(crate) fn pop(&mut self) -> Option<Held> {
        let (_, held) = self.held.pop_first()?;
        let size = held.size();
        self.bytes -= size;
        if let Some(shard) = self.shards.get_mut(&held.shard) {
            shard.held_bytes = shard.held_bytes.saturating_sub(size);
        }
        Some(held)
    }

    /// When the first item will have been held for as long as the window.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.held.first_key_value().map(|(_, first)| first.since + self.window)
    }

    /// Whether the shard should wait for others that are behind it.
    pub(crate) fn is_ahead(&self, shard: &ShardId) -> bool {
        let Some(own) = self.shards.get(shard) else { return false };
        let is_last = self.shards.values().all(|other| other.read_to_ms >= own.read_to_ms);
        own.held_bytes > AHEAD_BYTES && !is_last
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use aggregate::Tags;
    use config::names::ShardId;
    use proptest::prelude::*;

    use super::Merge;
    use crate::record::Item;

    fn take(merge: &mut Merge, shard: &ShardId, arrived_ms: i64, now: Instant) {
        let payload = arrived_ms.to_string();
        let item = Item {
            shard,
            sequence_number: "1",
            sub: 0,
            arrived_ms: Some(arrived_ms),
            partition_key: None,
            explicit_hash_key: None,
            tags: Tags::default(),
            payload: payload.as_bytes(),
        };
        merge.take(&item, now);
    }

    fn released(merge: &mut Merge, now: Instant) -> Vec<i64> {
        std::iter::from_fn(|| merge.next(now)).map(|held| held.item().arrived_ms.unwrap()).collect()
    }

    #[test]
    fn an_item_waits_for_the_shards_that_may_hold_earlier_ones() {
        let [one, other]: [ShardId; 2] = ["0", "1"].map(|shard| shard.parse().unwrap());
        let now = Instant::now();
        let mut merge = Merge::new(Duration::from_secs(5));
        merge.begin(&one, &[]);
        merge.begin(&other, &[]);
        for arrived in [10, 30] {
            take(&mut merge, &one, arrived, now);
        }
        merge.read_to(&one, 31);
        assert!(released(&mut merge, now).is_empty());
        take(&mut merge, &other, 20, now);
        merge.read_to(&other, 21);
        assert_eq!(released(&mut merge, now), [10, 20]);
        merge.end(&other);
        assert_eq!(released(&mut merge, now), [30]);
    }

    #[test]
    fn nothing_is_held_longer_than_the_window() {
        let [one, other]: [ShardId; 2] = ["0", "1"].map(|shard| shard.parse().unwrap());
        let now = Instant::now();
        let mut merge = Merge::new(Duration::from_secs(5));
        merge.begin(&one, &[]);
        merge.begin(&other, &[]);
        take(&mut merge, &one, 10, now);
        assert_eq!(merge.due(), Some(now + Duration::from_secs(5)));
        assert!(released(&mut merge, now + Duration::from_millis(4999)).is_empty());
        assert_eq!(released(&mut merge, now + Duration::from_secs(5)), [10]);
    }

    proptest! {
        #[test]
        fn the_order_of_a_shard_is_kept_and_nothing_is_lost(
            arrivals in prop::collection::vec((0_usize..3, 0_i64..50), 0..60),
        ) {
            let shards: Vec<ShardId> = ["0", "1", "2"].iter().map(|shard| shard.parse().unwrap()).collect();
            let now = Instant::now();
            let mut merge = Merge::new(Duration::from_secs(5));
            for shard in &shards {
                merge.begin(shard, &[]);
            }
            for (shard, arrived) in &arrivals {
                take(&mut merge, &shards[*shard], *arrived, now);
            }
            for shard in &shards {
                merge.end(shard);
            }
            let out: Vec<(ShardId, i64)> = std::iter::from_fn(|| merge.next(now))
                .map(|held| (held.item().shard.clone(), held.item().arrived_ms.unwrap()))
                .collect();
            prop_assert_eq!(out.len(), arrivals.len());
            for (index, shard) in shards.iter().enumerate() {
                let stored: Vec<i64> = arrivals.iter().filter(|(at, _)| *at == index).map(|(_, arrived)| *arrived).collect();
                let shown: Vec<i64> = out.iter().filter(|(at, _)| at == shard).map(|(_, arrived)| *arrived).collect();
                prop_assert_eq!(stored, shown);
            }
        }
    }
}
