//! `--aggregate`: packs records that go to the same shard into one, in the KPL's format.
//!
//! The shard is predicted from the shard map. A consumer such as the KCL drops a whole aggregate when the key of any
//! record in it lies outside the shard it was read from, so shards are never mixed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use aggregate::{Entry, Packer};

use super::item::Item;
use super::pack::{Hashes, Pack, Part};
use super::shards::{HashCache, ShardMap};
use crate::bill::Bill;
use crate::record::Record;

/// Bytes that all open bundles hold together at most; beyond, the oldest one goes.
const OPEN_BYTES: usize = 4 * 1024 * 1024;

/// Packers that are kept for the next bundle, with the memory they have.
const SPARE_PACKERS: usize = 32;

/// Records of one shard that are being packed.
#[derive(Debug)]
struct Bundle {
    packer: Packer,
    parts: Vec<Part>,
    hashes: Hashes,
    alone: Bill,
    since: Instant,
}

/// One bundle a shard.
#[derive(Debug)]
pub struct Bundler {
    map: ShardMap,
    /// Bytes beyond which a bundle is closed.
    max_bytes: usize,
    linger: Duration,
    /// By position of the shard.
    open: Vec<Option<Box<Bundle>>>,
    /// When bundles were opened, and for which shard, the oldest first; some are closed already.
    opened: VecDeque<(Instant, usize)>,
    open_bytes: usize,
    hashes: HashCache,
    spare: Vec<Packer>,
}

impl Bundler {
    /// A bundler for the shards of `map`.
    pub fn new(map: ShardMap, max_bytes: usize, linger: Duration) -> Self {
        Self {
            open: map.shards().iter().map(|_| None).collect(),
            map,
            max_bytes,
            linger,
            opened: VecDeque::new(),
            open_bytes: 0,
            hashes: HashCache::default(),
            spare: Vec::new(),
        }
    }

    /// Takes a record in and returns the entries that are ready to be sent because of it, in order.
    pub fn add(&mut self, record: Record, now: Instant) -> Vec<Item> {
        let hash = self.hashes.of(&record);
        let Some((hash, at)) = hash.and_then(|hash| Some((hash, self.map.position(hash)?))) else {
            // No shard is known to take it; the service will say.
            return vec![Item::new(record, now)];
        };
        let text = record.hash().map(|hash| hash.0.to_string());
        let key = record.key_text().unwrap_or_default();
        let entry = Entry {
            partition_key: &key,
            explicit_hash_key: text.as_deref(),
            data: record.data(),
            ..Entry::default()
        };
        let part = Part { number: record.number(), line: record.line() };
        let mut ready = Vec::new();
        if let Some(Some(bundle)) = self.open.get_mut(at) {
            let before = bundle.packer.len();
            if bundle.packer.add_within(entry, self.max_bytes) {
                self.open_bytes += bundle.packer.len() - before;
                bundle.parts.push(part);
                bundle.hashes.add(hash);
                bundle.alone.add(record.size());
                return self.with_room();
            }
            ready.extend(self.close(at));
        }
        let mut packer = self.spare.pop().unwrap_or_default();
        if !packer.add_within(entry, self.max_bytes) {
            // Larger than any bundle: on its own, behind the records before it.
            self.spare.push(packer);
            drop(key);
            ready.push(Item::new(record, now));
            return ready;
        }
        let alone = Bill::of(record.size());
        self.open_bytes += packer.len();
        self.opened.push_back((now, at));
        let bundle = Bundle { packer, parts: vec![part], hashes: Hashes::of(hash), alone, since: now };
        if let Some(slot) = self.open.get_mut(at) {
            *slot = Some(Box::new(bundle));
        }
        ready.extend(self.with_room());
        ready
    }

    /// Closes the bundles that have waited long enough; all of them when no more records come.
    pub fn due(&mut self, now: Instant, last_came: bool) -> Vec<Item> {
        let mut ready = Vec::new();
        while let Some((since, at)) = self.opened.front().copied()
            && (last_came || since + self.linger <= now)
        {
            self.opened.pop_front();
            if self.is_open_since(since, at) {
                ready.extend(self.close(at));
            }
        }
        ready
    }

    /// When the next bundle has waited long enough; maybe too early, never too late.
    pub fn wake(&self) -> Option<Instant> {
        self.opened.front().map(|(since, _)| *since + self.linger)
    }

    /// Whether no bundle is open.
    pub fn is_empty(&self) -> bool {
        self.open_bytes == 0
    }

    fn is_open_since(&self, since: Instant, at: usize) -> bool {
        self.open.get(at).and_then(Option::as_ref).is_some_and(|bundle| bundle.since == since)
    }

    /// Closes the oldest bundles until all of them together hold no more than they may.
    fn with_room(&mut self) -> Vec<Item> {
        let mut ready = Vec::new();
        while self.open_bytes > OPEN_BYTES
            && let Some((since, at)) = self.opened.pop_front()
        {
            if self.is_open_since(since, at) {
                ready.extend(self.close(at));
            }
        }
        ready
    }

    /// The entry that carries a shard's bundle. One record alone goes as it is, as the KPL does.
    fn close(&mut self, at: usize) -> Option<Item> {
        let Bundle { mut packer, parts, hashes, alone, since } = *self.open.get_mut(at)?.take()?;
        self.open_bytes -= packer.len();
        let pack = Pack::new(packer.finish_unsealed(), parts, hashes, alone);
        if self.spare.len() < SPARE_PACKERS {
            self.spare.push(packer);
        }
        match pack.parts() {
            [_] => pack.unpack().pop().map(|record| Item::new(record, since)),
            _ => Some(Item::packed(pack, since)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use aggregate::unpack;
    use proptest::prelude::*;

    use super::{Bundler, OPEN_BYTES};
    use crate::bill::Bill;
    use crate::plan::{Content, Item, Pack, Shard, ShardMap, record_hash};
    use crate::record::Record;
    use crate::record::tests::keyed as record;

    const LINGER: Duration = Duration::from_millis(100);

    fn two_shards() -> ShardMap {
        let half = u128::MAX / 2;
        let shard = |id: &str, first, last| Shard { id: id.to_owned(), first, last };
        ShardMap::new(vec![shard("a", 0, half), shard("b", half + 1, u128::MAX)])
    }

    fn alone(item: &Item) -> &Record {
        match &item.content {
            Content::Alone(record) => record,
            Content::Packed(pack) => panic!("{pack:?}"),
        }
    }

    /// Checks an entry against itself and returns the numbers of its records.
    fn check(item: &Item, map: &ShardMap) -> Vec<u64> {
        let mut content = item.content.clone();
        let Content::Packed(pack) = &mut content else { return vec![alone(item).number()] };
        assert_eq!(pack.unpack().len(), pack.parts().len(), "before it is sealed");
        Pack::seal([&mut **pack]);
        let entries = unpack(pack.blob()).unwrap();
        let records = pack.unpack();
        assert_eq!((entries.len(), records.len()), (pack.parts().len(), pack.parts().len()));
        let shard = map.position(item.hash().unwrap());
        let mut bill = Bill::default();
        for ((entry, record), part) in entries.iter().zip(&records).zip(pack.parts()) {
            assert_eq!(entry.data, record.data());
            assert_eq!(entry.partition_key, record.key_text().unwrap());
            assert_eq!((record.number(), record.line()), (part.number, part.line));
            let hash = record_hash(record).unwrap();
            assert_eq!(map.position(hash), shard, "shards are not mixed");
            assert!((pack.hashes().lowest..=pack.hashes().highest).contains(&hash));
            bill.add(record.size());
        }
        assert_eq!(pack.alone(), bill);
        pack.parts().iter().map(|part| part.number).collect()
    }

    #[test]
    fn one_record_alone_goes_as_it_is() {
        let now = Instant::now();
        let mut bundler = Bundler::new(two_shards(), 1000, LINGER);
        assert!(bundler.add(record(0, "k", 5), now).is_empty());
        assert_eq!(bundler.wake(), Some(now + LINGER));
        assert!(bundler.due(now, false).is_empty());
        let ready = bundler.due(now + LINGER, false);
        assert_eq!(alone(&ready[0]).data(), b"xxxxx");
        assert!(bundler.is_empty());
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

    #[test]
    fn many_shards_do_not_need_much_memory_and_the_oldest_bundle_goes_first() {
        let (now, shards) = (Instant::now(), 4096);
        let width = u128::MAX / shards;
        let shard = |at: u128| Shard { id: at.to_string(), first: at * width, last: (at + 1) * width - 1 };
        let map = ShardMap::new((0..shards).map(shard).collect());
        let mut bundler = Bundler::new(map.clone(), 51_200, LINGER);
        let mut seen = Vec::new();
        for number in 0..60_000 {
            let ready = bundler.add(record(number, &number.to_string(), 200), now);
            seen.extend(ready.iter().flat_map(|item| check(item, &map)));
            assert!(bundler.open_bytes <= OPEN_BYTES);
        }
        assert!(seen.contains(&0) && !seen.contains(&59_999), "{} went", seen.len());
        seen.extend(bundler.due(now, true).iter().flat_map(|item| check(item, &map)));
        // The last shard of the map ends below the highest hash key: what lies there is packed with nobody.
        seen.sort_unstable();
        assert_eq!(seen, (0..60_000).collect::<Vec<_>>());
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
                prop_assert!(matches!(item.content, Content::Alone(_)) || item.size() <= max_bytes + 1);
                seen.extend(check(item, &map));
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..records.len() as u64).collect::<Vec<_>>());
        }
    }
}
