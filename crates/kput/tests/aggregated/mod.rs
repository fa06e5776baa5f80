//! `--aggregate`: what a consumer finds, also when the shards change meanwhile.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use crate::fake::{Act, Fake, Stored};
use crate::service::{put, readings};

const QUARTER: u128 = u128::MAX / 4 + 1;

fn hash(key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(key).into())
}

/// What a consumer such as the KCL sees: an aggregate with a key from outside its shard is dropped as a whole.
fn consumed(stored: &[Stored], ranges: &BTreeMap<String, (u128, u128)>) -> Vec<(String, Vec<u8>)> {
    let mut seen = Vec::new();
    for record in stored {
        let Ok(entries) = aggregate::unpack(&record.data) else {
            seen.push((record.key.clone().unwrap(), record.data.clone()));
            continue;
        };
        let (first, last) = ranges[&record.shard];
        if entries.iter().all(|entry| (first..=last).contains(&hash(entry.partition_key))) {
            seen.extend(entries.iter().map(|entry| (entry.partition_key.to_owned(), entry.data.to_vec())));
        }
    }
    seen
}

fn number(data: &[u8]) -> u64 {
    serde_json::from_slice::<serde_json::Value>(data).unwrap()["n"].as_u64().unwrap()
}

#[test]
fn records_of_one_shard_share_an_entry() {
    let fake = Fake::new();
    fake.state(|state| state.reshard(&[0, QUARTER, 2 * QUARTER, 3 * QUARTER]));
    let ranges: BTreeMap<String, (u128, u128)> = (0..4_u128)
        .map(|at| (format!("shardId-{:012}", at + 1), (at * QUARTER, at * QUARTER + (QUARTER - 1))))
        .collect();
    let (code, receipts, said) = put(&fake, &["--key-field", "id", "--aggregate"], &readings(5000, 50));
    assert_eq!(code, Some(0), "{said}");
    let mut numbers: Vec<u64> =
        consumed(&fake.stored(), &ranges).iter().map(|(_, data)| number(data)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..5000).collect::<Vec<_>>());
    assert!(fake.stored().len() < 50, "{} entries", fake.stored().len());
    assert!(fake.stored().iter().all(|stored| stored.data.len() <= 51_200));
    assert!(said.contains("billed as") && said.contains("instead of 4.9 MiB"), "{said}");
    // The receipt leads to the record: entry and place in it.
    let stored = fake.stored();
    let by_sequence: BTreeMap<&str, Vec<u64>> = stored
        .iter()
        .map(|stored| {
            let entries = aggregate::unpack(&stored.data).unwrap();
            (stored.sequence.as_str(), entries.iter().map(|entry| number(entry.data)).collect())
        })
        .collect();
    for (receipt, at) in receipts.iter().zip(0..) {
        let entries = &by_sequence[receipt["sequence_number"].as_str().unwrap()];
        let sub = usize::try_from(receipt["sub"].as_u64().unwrap()).unwrap();
        assert_eq!(entries[sub], at);
    }
}

#[test]
fn nothing_is_lost_to_a_reshard_in_mid_stream() {
    // One shard splits into two while aggregates for the one are under way; order is kept all the same.
    let fake =
        Fake::scripted(|number, _| if number == 3 { Act::Reshard(vec![0, 2 * QUARTER]) } else { Act::Store });
    let ranges = BTreeMap::from([
        ("shardId-000000000000".to_owned(), (0, u128::MAX)),
        ("shardId-000000000001".to_owned(), (0, 2 * QUARTER - 1)),
        ("shardId-000000000002".to_owned(), (2 * QUARTER, u128::MAX)),
    ]);
    let args = ["--key-field", "id", "--aggregate", "--ordered", "--aggregate-max-bytes", "4096"];
    let (code, receipts, said) = put(&fake, &args, &readings(3000, 20));
    assert_eq!((code, receipts.len()), (Some(0), 3000), "{said}");
    let seen = consumed(&fake.stored(), &ranges);
    let mut by_key: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (key, data) in &seen {
        by_key.entry(key.clone()).or_default().push(number(data));
    }
    assert_eq!(seen.len(), 3000, "each record once");
    for numbers in by_key.values() {
        assert!(numbers.is_sorted(), "{numbers:?}");
    }
    let lists = fake.operations().iter().filter(|operation| *operation == "ListShards").count();
    assert!(lists >= 2, "the shards were listed again");
}

#[test]
fn a_list_of_shards_that_is_behind_is_waited_for() {
    let fake =
        Fake::scripted(|number, _| if number == 1 { Act::Reshard(vec![0, 2 * QUARTER]) } else { Act::Store });
    fake.state(|state| state.lagging = 3);
    let ranges = BTreeMap::from([
        ("shardId-000000000000".to_owned(), (0, u128::MAX)),
        ("shardId-000000000001".to_owned(), (0, 2 * QUARTER - 1)),
        ("shardId-000000000002".to_owned(), (2 * QUARTER, u128::MAX)),
    ]);
    let args = ["--key-field", "id", "--aggregate", "--aggregate-max-bytes", "4096", "--in-flight", "1"];
    let (code, receipts, said) = put(&fake, &args, &readings(60_000, 20));
    assert_eq!((code, receipts.len()), (Some(0), 60_000), "{said}");
    let seen = consumed(&fake.stored(), &ranges);
    let mut numbers: Vec<u64> = seen.iter().map(|(_, data)| number(data)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..60_000).collect::<Vec<_>>(), "each record once");
    assert!(said.contains("sent again"), "{said}");
}

#[test]
fn a_stream_that_says_that_it_distributes_by_itself_gets_nothing() {
    let fake = Fake::new();
    fake.state(|state| state.auto = true);
    let (code, _, said) = put(&fake, &["--key-field", "id", "--aggregate"], &readings(200, 20));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("leave --aggregate out") && fake.stored().is_empty(), "{said}");
}

#[test]
fn bundles_do_not_wait_for_records_that_wait_for_their_receipts() {
    let fake = Fake::new();
    fake.state(|state| state.reshard(&[0, QUARTER, 2 * QUARTER, 3 * QUARTER]));
    let started = std::time::Instant::now();
    let args = ["--key-field", "id", "--aggregate", "--linger", "3m", "--receipts", "ndjson"];
    let (code, receipts, said) = put(&fake, &args, &readings(40_000, 50));
    assert_eq!((code, receipts.len()), (Some(0), 40_000), "{said}");
    assert!(started.elapsed() < std::time::Duration::from_mins(2), "{:?}", started.elapsed());
}

#[test]
fn a_stream_that_distributes_by_itself_is_told_apart() {
    // The list says one thing, the answers another: records land in the shard of another key.
    let fake = Fake::new();
    fake.state(|state| {
        state.reshard(&[0, 2 * QUARTER]);
        state.scattered = true;
    });
    let (code, _, said) = put(&fake, &["--key-field", "id", "--aggregate"], &readings(200, 20));
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("leave --aggregate out"), "{said}");
}
