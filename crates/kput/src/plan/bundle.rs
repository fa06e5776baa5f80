//! `--aggregate`: packs records that go to the same shard into one, in the KPL's format.
//!
//! The shard is predicted from the shard map. A consumer such as the KCL drops a whole aggregate when the key of any
//! record in it lies outside the shard it was read from, so shards are never mixed.

use std::time::{Duration, Instant};

use aggregate::{Entry, OUTER_KEY, Packer};
use bytes::Bytes;

use super::item::Item;
use super::shards::{HashCache, ShardMap, record_hash};
use crate::record::{HashKey, KeyAt, Record};

/// Bytes that all open bundles hold together at most; beyond, the largest one goes.
const OPEN_BYTES: usize = 4 * 1024 * 1024;

/// Records of one shard that are being packed.
#[derive(Debug)]
struct Bundle {
    packer: Packer,
    parts: Vec<Record>,
    since: Instant,
}

/// One bundle a shard.
#[derive(Debug)]
pub struct Bundler {
    map: ShardMap,
    /// Bytes beyond which a bundle is closed.
    max_bytes: usize,
    linger: Duration,
    open: Vec<Option<Bundle>>,
    open_bytes: usize,
    hashes: HashCache,
}

impl Bundler {
    /// A bundler for the shards of `map`.
    pub fn new(map: ShardMap, max_bytes: usize, linger: Duration) -> Self {
        let open = map.shards().iter().map(|_| None).collect();
        Self { map, max_bytes, linger, open, open_bytes: 0, hashes: HashCache::default() }
    }

    /// Takes a record in and returns the entries that are ready to be sent because of it, in order.
    pub fn add(&mut self, record: Record, now: Instant) -> Vec<Item> {
        let Some(at) = self.hashes.of(&record).and_then(|hash| self.map.position(hash)) else {
            // No shard is known to take it; the service will say.
            return vec![Item::new(record, now)];
        };
        let mut ready = Vec::new();
        let text = record.hash.map(|hash| hash.0.to_string());
        // The record itself moves into the bundle below; what the entry borrows from shares its memory.
        let shared = record.clone();
        let key = shared.key_text().unwrap_or_default();
        let entry = Entry {
            partition_key: &key,
            explicit_hash_key: text.as_deref(),
            data: shared.data(),
            ..Entry::default()
        };
        let Some(slot) = self.open.get_mut(at) else { return ready };
        if let Some(full) = slot.take_if(|bundle| bundle.packer.len_with(entry) > self.max_bytes) {
            self.open_bytes -= full.packer.len();
            ready.push(full.close());
        }
        if slot.is_none() && Packer::default().len_with(entry) > self.max_bytes {
            // Larger than any bundle: on its own, behind the records before it.
            ready.push(Item::new(record, now));
            return ready;
        }
        let bundle =
            slot.get_or_insert_with(|| Bundle { packer: Packer::default(), parts: Vec::new(), since: now });
        let before = if bundle.parts.is_empty() { 0 } else { bundle.packer.len() };
        bundle.packer.add(entry);
        self.open_bytes += bundle.packer.len() - before;
        bundle.parts.push(record);
        if self.open_bytes > OPEN_BYTES {
            ready.extend(self.close_largest());
        }
        ready
    }

    /// Closes the bundles that have waited long enough; all of them when no more records come.
    pub fn due(&mut self, now: Instant, last_came: bool) -> Vec<Item> {
        let mut ready = Vec::new();
        for slot in &mut self.open {
            let due = |bundle: &Bundle| last_came || bundle.since + self.linger <= now;
            if let Some(bundle) = slot.take_if(|bundle| due(bundle)) {
                self.open_bytes -= bundle.packer.len();
                ready.push(bundle.close());
            }
        }
        ready
    }

    /// When the next bundle has waited long enough.
    pub fn wake(&self) -> Option<Instant> {
        self.open.iter().flatten().map(|bundle| bundle.since + self.linger).min()
    }

    /// Whether no bundle is open.
    pub fn is_empty(&self) -> bool {
        self.open.iter().all(Option::is_none)
    }

    fn close_largest(&mut self) -> Option<Item> {
        let length = |slot: &&mut Option<Bundle>| slot.as_ref().map_or(0, |bundle| bundle.packer.len());
        let bundle = self.open.iter_mut().max_by_key(length)?.take()?;
        self.open_bytes -= bundle.packer.len();
        Some(bundle.close())
    }
}

impl Bundle {
    /// The entry that carries the bundle. One record alone goes as it is, as the KPL does.
    fn close(mut self) -> Item {
        if self.parts.len() == 1
            && let Some(record) = self.parts.pop()
        {
            return Item::new(record, self.since);
        }
        let first = self.parts.first();
        let (number, line) = first.map_or((0, 0), |first| (first.number, first.line));
        let hash = first.and_then(record_hash).map(HashKey);
        let mut bytes = OUTER_KEY.as_bytes().to_vec();
        bytes.extend_from_slice(&self.packer.finish());
        let key = KeyAt::Span { start: 0, length: 1 };
        let record = Record { number, line, bytes: Bytes::from(bytes), data_start: 1, key, hash };
        Item { parts: self.parts, ..Item::new(record, self.since) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use aggregate::unpack;
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::Bundler;
    use crate::plan::{Item, Shard, ShardMap, record_hash};
    use crate::record::{KeyAt, Record};

    const LINGER: Duration = Duration::from_millis(100);

    fn record(number: u64, key: &str, payload: usize) -> Record {
        let mut bytes = key.as_bytes().to_vec();
        bytes.resize(key.len() + payload, b'x');
        let length = u32::try_from(key.len()).unwrap();
        let key = KeyAt::Span { start: 0, length };
        Record { number, line: number + 1, bytes: Bytes::from(bytes), data_start: length, key, hash: None }
    }

    fn two_shards() -> ShardMap {
        let half = u128::MAX / 2;
        let shard = |id: &str, first, last| Shard { id: id.to_owned(), first, last };
        ShardMap::new(vec![shard("a", 0, half), shard("b", half + 1, u128::MAX)])
    }

    fn check(item: &Item, map: &ShardMap) -> Vec<u64> {
        if item.parts.is_empty() {
            return vec![item.record.number];
        }
        let entries = unpack(item.record.data()).unwrap();
        assert_eq!(entries.len(), item.parts.len());
        let shard = map.position(item.record.hash.unwrap().0);
        for (entry, part) in entries.iter().zip(&item.parts) {
            assert_eq!(entry.data, part.data());
            assert_eq!(entry.partition_key, part.key_text().unwrap());
            assert_eq!(map.position(record_hash(part).unwrap()), shard, "shards are not mixed");
        }
        item.parts.iter().map(|part| part.number).collect()
    }

    #[test]
    fn one_record_alone_goes_as_it_is() {
        let now = Instant::now();
        let mut bundler = Bundler::new(two_shards(), 1000, LINGER);
        assert!(bundler.add(record(0, "k", 5), now).is_empty());
        assert_eq!(bundler.wake(), Some(now + LINGER));
        assert!(bundler.due(now, false).is_empty());
        let ready = bundler.due(now + LINGER, false);
        assert_eq!(ready[0].record.data(), b"xxxxx");
        assert!(ready[0].parts.is_empty() && bundler.is_empty());
    }

    #[test]
    fn a_record_larger_than_a_bundle_goes_alone_behind_what_came_before() {
        let now = Instant::now();
        let mut bundler = Bundler::new(two_shards(), 200, LINGER);
        for number in 0..2 {
            assert!(bundler.add(record(number, "k", 20), now).is_empty());
        }
        let ready = bundler.add(record(2, "k", 500), now);
        let numbers: Vec<Vec<u64>> = ready.iter().map(|item| check(item, &two_shards())).collect();
        assert_eq!(numbers, [vec![0, 1], vec![2]]);
    }

    proptest! {
        #[test]
        fn every_record_is_in_one_entry_of_bounded_size(
            records in prop::collection::vec(("[a-f]{1,3}", 0_usize..300), 0..200),
            max_bytes in 100_usize..2000,
        ) {
            let now = Instant::now();
            let map = two_shards();
            let mut bundler = Bundler::new(map.clone(), max_bytes, LINGER);
            let mut items = Vec::new();
            for ((key, payload), number) in records.iter().zip(0..) {
                items.extend(bundler.add(record(number, key, *payload), now));
            }
            items.extend(bundler.due(now, true));
            prop_assert!(bundler.is_empty());
            prop_assert_eq!(bundler.open_bytes, 0);
            let mut seen = Vec::new();
            for item in &items {
                prop_assert!(item.parts.is_empty() || item.record.data().len() <= max_bytes);
                seen.extend(check(item, &map));
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..records.len() as u64).collect::<Vec<_>>());
        }
    }
}
