//! The planner against an arbitrary service: nothing lost, nothing twice, no limit exceeded, order kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Order, Planner, Rules};
use crate::plan::{Bundler, Ended, Failure, Item, Place, Shard, ShardMap, Verdict};
use crate::record::tests::keyed as record;
use crate::record::{HashKey, NewKey};

const LINGER: Duration = Duration::from_millis(100);

fn rules() -> Rules {
    Rules {
        batch_records: 5,
        batch_bytes: 100,
        linger: LINGER,
        max_attempts: None,
        give_up_after: Duration::from_hours(1),
        order: Order::None,
        records_per_second: None,
        bytes_per_second: None,
    }
}

fn planner(rules: Rules, now: Instant) -> Planner {
    Planner::new(rules, fastrand::Rng::with_seed(7), now)
}

fn item(number: u64, key: &str, payload: usize, now: Instant) -> Item {
    Item::new(record(number, key, payload), now)
}

fn acked() -> Verdict {
    Verdict::Acked(Place::default())
}

fn failed(throttled: bool) -> Verdict {
    let code = "ProvisionedThroughputExceededException".to_owned();
    Verdict::Failed(Box::new(Failure { code, message: "slow down".to_owned(), throttled, last: false }))
}

fn key_of(item: &Item) -> String {
    item.records()[0].key_text().unwrap().into_owned()
}

fn numbers(batch: &[Item]) -> Vec<u64> {
    batch.iter().map(Item::number).collect()
}

#[test]
fn a_full_batch_goes_at_once_and_a_partial_one_after_the_linger() {
    let now = Instant::now();
    let mut planner = planner(rules(), now);
    (0..7).for_each(|number| planner.admit(item(number, "k", 1, now)));
    assert_eq!(numbers(&planner.take(now).unwrap()), [0, 1, 2, 3, 4]);
    assert!(planner.take(now).is_none());
    assert_eq!(planner.wake(now), Some(now + LINGER));
    assert_eq!(numbers(&planner.take(now + LINGER).unwrap()), [5, 6]);
    assert!(planner.is_empty());
}

#[test]
fn nothing_lingers_after_the_last_record() {
    let now = Instant::now();
    let mut planner = planner(rules(), now);
    planner.admit(item(0, "k", 1, now));
    assert!(planner.take(now).is_none());
    planner.finish();
    assert_eq!(planner.take(now).unwrap().len(), 1);
}

#[test]
fn bytes_end_a_batch_too_and_count_the_keys() {
    let now = Instant::now();
    let mut planner = planner(rules(), now);
    // 34 bytes each: two fit into 100, three do not.
    (0..3).for_each(|number| planner.admit(item(number, "kkkk", 30, now)));
    planner.finish();
    assert_eq!(numbers(&planner.take(now).unwrap()), [0, 1]);
    assert_eq!(numbers(&planner.take(now).unwrap()), [2]);
}

#[test]
fn a_mebibyte_does_not_wait_for_more() {
    let now = Instant::now();
    let mut planner = planner(Rules { batch_records: 500, batch_bytes: 10 << 20, ..rules() }, now);
    (0..3).for_each(|number| planner.admit(item(number, "k", 400_000, now)));
    assert_eq!(numbers(&planner.take(now).unwrap()), [0, 1, 2]);
}

#[test]
fn only_what_failed_goes_again_and_before_what_is_new() {
    let now = Instant::now();
    let mut planner = planner(rules(), now);
    (0..10).for_each(|number| planner.admit(item(number, "k", 1, now)));
    let batch = planner.take(now).unwrap();
    let verdicts = vec![acked(), failed(true), acked(), acked(), failed(false)];
    assert_eq!(planner.settle(batch, verdicts, now).len(), 3);
    let later = now + Duration::from_secs(10);
    assert_eq!(numbers(&planner.take(later).unwrap()), [1, 4, 5, 6, 7]);
}

#[test]
fn a_record_is_given_up_after_so_many_tries_or_so_long() {
    let now = Instant::now();
    let later = now + Duration::from_mins(2);
    for (rules, settled, expected) in [
        (Rules { max_attempts: Some(1), ..rules() }, now, true),
        (Rules { max_attempts: Some(2), ..rules() }, now, false),
        (Rules { give_up_after: Duration::from_mins(1), ..rules() }, later, true),
        (Rules { give_up_after: Duration::from_mins(5), ..rules() }, later, false),
    ] {
        let mut planner = planner(rules, now);
        planner.admit(item(0, "k", 1, now));
        planner.finish();
        let batch = planner.take(now).unwrap();
        let ended = planner.settle(batch, vec![failed(true)], settled);
        assert_eq!(matches!(ended.as_slice(), [Ended::GivenUp(..)]), expected);
        assert_eq!(planner.is_empty(), expected);
    }
}

#[test]
fn time_in_the_queue_is_not_time_of_trying() {
    let now = Instant::now();
    let mut planner = planner(Rules { give_up_after: Duration::from_mins(1), ..rules() }, now);
    planner.admit(item(0, "k", 1, now));
    planner.finish();
    let much_later = now + Duration::from_mins(10);
    let batch = planner.take(much_later).unwrap();
    assert!(planner.settle(batch, vec![failed(false)], much_later).is_empty(), "one try is not a minute");
}

/// Two shards, and an item for each by its hash key.
fn two_shards(planner: &mut Planner, now: Instant) -> impl Fn(u64, u128) -> Item + use<> {
    let half = u128::MAX / 2;
    let shard = |id: &str, first, last| Shard { id: id.to_owned(), first, last };
    planner.set_shards(ShardMap::new(vec![shard("a", 0, half), shard("b", half + 1, u128::MAX)]), now);
    move |number, hash| {
        let record = crate::record::tests::record(number, b"x", NewKey::Apart(b"k"), Some(HashKey(hash)));
        Item::new(record, now)
    }
}

#[test]
fn a_shard_that_goes_on_failing_is_tried_ever_more_rarely_whatever_the_others_do() {
    let start = Instant::now();
    let mut planner = planner(rules(), start);
    let to = two_shards(&mut planner, start);
    planner.admit(to(0, 0));
    let (mut now, mut number, mut tries) = (start, 1, 0);
    while now < start + Duration::from_secs(10) {
        planner.admit(to(number, u128::MAX));
        number += 1;
        now += Duration::from_millis(100);
        while let Some(batch) = planner.take(now) {
            let verdict = |item: &Item| if item.number() == 0 { failed(false) } else { acked() };
            let verdicts: Vec<Verdict> = batch.iter().map(verdict).collect();
            tries += verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Failed(_))).count();
            planner.settle(batch, verdicts, now);
        }
    }
    assert!((3..=16).contains(&tries), "{tries}");
}

#[test]
fn packed_records_count_one_by_one_against_the_users_rate() {
    let start = Instant::now();
    let mut planner =
        planner(Rules { records_per_second: Some(100.0), batch_bytes: 1 << 20, ..rules() }, start);
    let mut bundler = Bundler::new(
        ShardMap::new(vec![Shard { id: "a".to_owned(), first: 0, last: u128::MAX }]),
        500,
        LINGER,
    );
    let mut packs = Vec::new();
    (0..400).for_each(|number| bundler.add(&record(number, "k", 30), start, &mut packs));
    let (packed, entries) = (packs.iter().map(Item::count).sum::<usize>(), packs.len());
    assert!(packed > 350 && entries < 50, "{packed} in {entries}");
    for pack in packs {
        planner.admit(pack);
    }
    planner.finish();
    let (mut now, mut sent) = (start, 0);
    while let Some(wake) = planner.wake(now).filter(|wake| *wake <= start + Duration::from_secs(2)) {
        now = wake;
        sent += planner.take(now).map_or(0, |batch| batch.iter().map(Item::count).sum());
    }
    assert!((180..=260).contains(&sent), "{sent} records in two seconds");
}

#[test]
fn a_throttled_shard_does_not_hold_the_others_back() {
    let now = Instant::now();
    let mut planner = planner(rules(), now);
    let to = two_shards(&mut planner, now);
    planner.admit(to(0, 0));
    planner.finish();
    let batch = planner.take(now).unwrap();
    planner.settle(batch, vec![failed(true)], now);
    planner.admit(to(1, 0));
    planner.admit(to(2, u128::MAX));
    assert_eq!(numbers(&planner.take(now).unwrap()), [2]);
    assert!(planner.take(now).is_none(), "shard a pauses");
    let later = planner.wake(now).unwrap();
    assert!(later > now && later < now + Duration::from_secs(1));
    assert_eq!(numbers(&planner.take(later).unwrap())[0], 0);
}

#[test]
fn once_throttled_a_shard_gets_a_thousand_records_a_second() {
    let start = Instant::now();
    let mut planner = planner(Rules { batch_records: 500, batch_bytes: 1 << 20, ..rules() }, start);
    planner.admit(item(9999, "k", 1, start));
    let first = planner.take(start + LINGER).unwrap();
    planner.settle(first, vec![failed(true)], start);
    planner.set_shards(ShardMap::new(vec![Shard { id: "a".to_owned(), first: 0, last: u128::MAX }]), start);
    (0..5000).for_each(|number| planner.admit(item(number, "k", 1, start)));
    planner.finish();
    let (mut now, mut sent, mut requests) = (start, 0, 0);
    while let Some(wake) = planner.wake(now).filter(|wake| *wake <= start + Duration::from_secs(2)) {
        now = wake;
        let batch = planner.take(now);
        requests += usize::from(batch.is_some());
        sent += batch.map_or(0, |batch| batch.len());
    }
    // The burst, then the rate for two seconds, in pieces that are worth a request.
    assert!((2940..=3010).contains(&sent), "{sent}");
    assert!(requests <= 50, "{requests}");
}

#[test]
fn an_own_rate_is_kept() {
    let start = Instant::now();
    let rate = Rules { records_per_second: Some(50.0), ..rules() };
    let mut planner = planner(rate, start);
    (0..500).for_each(|number| planner.admit(item(number, "k", 1, start)));
    planner.finish();
    let (mut now, mut sent) = (start, 0);
    while let Some(wake) = planner.wake(now).filter(|wake| *wake <= start + Duration::from_secs(2)) {
        now = wake;
        sent += planner.take(now).map_or(0, |batch| batch.len());
    }
    assert!((98..=108).contains(&sent), "{sent}");
}

/// What an arbitrary service does with the requests it gets.
#[derive(Clone, Debug)]
struct Run {
    records: Vec<(u8, usize)>,
    ordered: bool,
    shards: u8,
    in_flight: usize,
    seed: u64,
    failing: f64,
    refusing: f64,
    max_attempts: Option<u32>,
    reshard_at: usize,
}

fn run() -> impl Strategy<Value = Run> {
    let records = prop::collection::vec((0_u8..6, 0_usize..60), 0..120);
    let service = (0_u8..4, 1_usize..5, any::<u64>(), 0.0..0.9, 0.0..0.2);
    (records, any::<bool>(), service, prop::option::of(1_u32..4), 0_usize..20).prop_map(
        |(records, ordered, (shards, in_flight, seed, failing, refusing), max_attempts, reshard_at)| Run {
            records,
            ordered,
            shards,
            in_flight,
            seed,
            failing,
            refusing,
            max_attempts,
            reshard_at,
        },
    )
}

fn map(shards: u8) -> ShardMap {
    let width = u128::MAX / u128::from(shards);
    ShardMap::new(
        (0..shards)
            .map(|shard| Shard {
                id: format!("shard-{shard}"),
                first: width * u128::from(shard),
                last: if shard + 1 == shards { u128::MAX } else { width * u128::from(shard + 1) - 1 },
            })
            .collect(),
    )
}

fn simulate(run: &Run) {
    let mut now = Instant::now();
    let mut random = fastrand::Rng::with_seed(run.seed);
    let rules = Rules {
        order: if run.ordered { Order::ByKey } else { Order::None },
        max_attempts: run.max_attempts,
        ..rules()
    };
    let mut planner = planner(rules, now);
    let mut carried: Vec<Vec<Item>> = Vec::new();
    let mut input = run.records.iter().enumerate().peekable();
    let mut ended: BTreeMap<u64, bool> = BTreeMap::new();
    let mut stored: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut tries: BTreeMap<u64, u32> = BTreeMap::new();
    let mut steps = 0;
    while input.peek().is_some() || !carried.is_empty() || !planner.is_empty() {
        steps += 1;
        assert!(steps < 100_000, "it never ends");
        if steps == run.reshard_at && run.shards > 0 {
            planner.set_shards(map(run.shards), now);
        }
        if steps == run.reshard_at * 3 && run.shards > 1 {
            planner.set_shards(map(run.shards - 1), now);
        }
        for _ in 0..random.usize(0..8) {
            if let Some((number, (key, payload))) = input.next() {
                planner.admit(item(number as u64, &format!("key{key}"), *payload, now));
            }
        }
        if input.peek().is_none() {
            planner.finish();
        }
        while carried.len() < run.in_flight
            && let Some(batch) = planner.take(now)
        {
            assert!(!batch.is_empty() && batch.len() <= 5, "records of a batch");
            let bytes: usize = batch.iter().map(Item::size).sum();
            assert!(bytes <= 100 || batch.len() == 1, "bytes of a batch");
            carried.push(batch);
            let under_way: Vec<_> = carried.iter().flatten().collect();
            let distinct: BTreeSet<u64> = under_way.iter().map(|item| item.number()).collect();
            assert_eq!(distinct.len(), under_way.len(), "a record is under way twice");
            if run.ordered {
                let keys: BTreeSet<_> = under_way.iter().map(|item| key_of(item)).collect();
                assert_eq!(keys.len(), under_way.len(), "two records of a key are under way");
            }
        }
        if carried.is_empty() {
            now = planner.wake(now).map_or(now + Duration::from_millis(1), |wake| wake.max(now));
            continue;
        }
        let batch = carried.swap_remove(random.usize(0..carried.len()));
        now += Duration::from_millis(random.u64(0..50));
        if batch.len() > 1 && random.f64() < run.refusing {
            planner.split(batch);
            continue;
        }
        let verdicts: Vec<Verdict> = batch
            .iter()
            .map(|item| {
                *tries.entry(item.number()).or_default() += 1;
                if random.f64() < run.failing {
                    return failed(random.bool());
                }
                stored.entry(key_of(item)).or_default().push(item.number());
                acked()
            })
            .collect();
        for end in planner.settle(batch, verdicts, now) {
            let (item, good) = match end {
                Ended::Acked(item, _) => (item, true),
                Ended::GivenUp(item, _) => (item, false),
            };
            assert_eq!(tries[&item.number()], item.attempts, "tries are counted");
            assert!(ended.insert(item.number(), good).is_none(), "a record ended twice");
        }
    }
    assert_eq!(ended.len(), run.records.len(), "every record ended");
    assert_eq!(planner.waiting_bytes(), 0);
    let stored_numbers: Vec<u64> = stored.values().flatten().copied().collect();
    let distinct: BTreeSet<u64> = stored_numbers.iter().copied().collect();
    assert_eq!(distinct.len(), stored_numbers.len(), "a record was stored twice");
    let good: BTreeSet<u64> = ended.iter().filter(|(_, good)| **good).map(|(number, _)| *number).collect();
    assert_eq!(distinct, good, "acknowledged is stored, and the other way round");
    if run.max_attempts.is_none() {
        assert_eq!(good.len(), run.records.len(), "nothing is given up without a reason");
    }
    if run.ordered {
        for (key, numbers) in stored {
            assert!(numbers.is_sorted(), "the records of {key} changed places: {numbers:?}");
        }
    }
}

proptest! {
    #[test]
    fn whatever_the_service_does_every_record_ends_once(run in run()) {
        simulate(&run);
    }
}
