//! `--aggregate`: packs records that go to the same shard into one, in the KPL's format.
//!
//! The shard is predicted from the shard map. A consumer such as the KCL drops a whole aggregate when the key of any
//! record in it lies outside the shard it was read from, so shards are never mixed.

mod open;

use std::time::{Duration, Instant};

use open::Open;

use super::item::Item;
use super::keys::KeyBook;
use super::shards::{ShardMap, record_hash};
use crate::record::{KeyAt, Record};

/// One bundle a shard.
#[derive(Debug)]
pub struct Bundler {
    map: ShardMap,
    keys: KeyBook,
    open: Open,
}

impl Bundler {
    /// A bundler for the shards of `map`, whose bundles are closed at `max_bytes` and after `linger`.
    pub fn new(map: ShardMap, max_bytes: usize, linger: Duration) -> Self {
        let open = Open::new(map.shards().len(), max_bytes, linger);
        Self { map, keys: KeyBook::default(), open }
    }

    /// Adds a record to the bundle of its shard; what goes because of it, in order, comes behind `ready`: bundles that
    /// had to be closed, a record that cannot be packed.
    pub fn add(&mut self, record: &Record, now: Instant, ready: &mut Vec<Item>) {
        let Self { map, keys, open } = self;
        match keys.of(record, map) {
            Some(known) => match (known.shard, *known.packed) {
                (Some(at), Some(packed)) if open.add_again(at, record, packed, ready) => return,
                (Some(at), _) => *known.packed = open.add(at, record, *known.hash, now, ready),
                // No shard is known to take it; the service will say.
                (None, _) => ready.push(Item::new(record.clone(), now)),
            },
            None => match record_hash(record).and_then(|hash| Some((hash, map.position(hash)?))) {
                // In an aggregate nobody would see that a key is missing.
                Some((hash, at)) if record.key() != KeyAt::Absent => {
                    open.add(at, record, hash, now, ready);
                }
                _ => ready.push(Item::new(record.clone(), now)),
            },
        }
        if open.begin_anew() {
            keys.forget();
        }
    }

    /// Closes the bundles that have waited long enough: all of them when no more records come.
    pub fn due(&mut self, now: Instant, last_came: bool) -> Vec<Item> {
        self.open.due(now, last_came)
    }

    /// When the next bundle is due.
    pub fn wake(&self) -> Option<Instant> {
        self.open.wake()
    }

    /// Whether nothing is being packed.
    pub fn is_empty(&self) -> bool {
        self.open.bytes() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use aggregate::unpack;
    use proptest::prelude::*;

    use super::Bundler;
    use super::open::OPEN_BYTES;
    use crate::bill::Bill;
    use crate::plan::{Content, Item, Pack, Shard, ShardMap, record_hash};
    use crate::record::tests::{keyed as record, record as keyless};
    use crate::record::{HashKey, NewKey, Record};

    fn add(bundler: &mut Bundler, record: &Record, now: Instant) -> Vec<Item> {
        let mut ready = Vec::new();
        bundler.add(record, now, &mut ready);
        ready
    }

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
        assert!(add(&mut bundler, &record(0, "k", 5), now).is_empty());
        assert_eq!(bundler.wake(), Some(now + LINGER));
        assert!(bundler.due(now, false).is_empty());
        let ready = bundler.due(now + LINGER, false);
        assert_eq!(alone(&ready[0]).data(), b"xxxxx");
        assert!(bundler.is_empty());
    }

    #[test]
    fn a_record_without_a_key_is_not_packed_even_if_its_hash_key_says_where_to() {
        let now = Instant::now();
        let mut bundler = Bundler::new(two_shards(), 1000, LINGER);
        for number in 0..2 {
            let keyless = keyless(number, b"x", NewKey::Absent, Some(HashKey(7)));
            assert_eq!(alone(&add(&mut bundler, &keyless, now)[0]).number(), number);
        }
        assert!(bundler.is_empty());
    }

    #[test]
    fn when_numbers_begin_anew_those_of_old_are_forgotten() {
        let now = Instant::now();
        let all = Shard { id: "a".to_owned(), first: 0, last: u128::MAX };
        let mut bundler = Bundler::new(ShardMap::new(vec![all]), 1000, LINGER);
        let pack = |bundler: &mut Bundler, keys: [&str; 3]| {
            for (number, key) in (0..).zip(keys) {
                assert!(add(bundler, &record(number, key, 20), now).is_empty());
            }
            let packed = bundler.due(now, true);
            let seen: Vec<String> =
                packed[0].records().iter().map(|one| one.key_text().unwrap().into()).collect();
            assert_eq!(seen, keys);
        };
        // In the first bundle, then in the last before numbers begin anew, then in the first again.
        pack(&mut bundler, ["a", "b", "b"]);
        bundler.open.skip_to_the_last_number();
        pack(&mut bundler, ["x", "y", "z"]);
        pack(&mut bundler, ["c", "a", "b"]);
    }

    #[test]
    fn a_record_larger_than_a_bundle_goes_alone_behind_what_came_before() {
        let now = Instant::now();
        let mut bundler = Bundler::new(two_shards(), 200, LINGER);
        for number in 0..2 {
            assert!(add(&mut bundler, &record(number, "k", 20), now).is_empty());
        }
        let ready = add(&mut bundler, &record(2, "k", 500), now);
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
            let ready = add(&mut bundler, &record(number, &number.to_string(), 200), now);
            seen.extend(ready.iter().flat_map(|item| check(item, &map)));
            assert!(bundler.open.bytes() <= OPEN_BYTES);
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
                items.extend(add(&mut bundler, &record(number, key, *payload), now));
            }
            items.extend(bundler.due(now, true));
            prop_assert!(bundler.is_empty());
            prop_assert_eq!(bundler.open.bytes(), 0);
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
