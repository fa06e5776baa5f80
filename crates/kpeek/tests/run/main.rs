//! Whole runs against a scripted service: nothing lost, nothing repeated, parents before children.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod consumers;
mod endings;
mod reshards;
mod resuming;
mod support;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aggregate::{Entry, Packer, Tags};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::env::Env;
use config::interrupt::Interrupt;
use config::settings::Settings;
use config::{Kind, Notes, Outcome, World};
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::Digest;
use support::{Kinesis, Operation, Shared, Trouble, kpeek, kpeek_in};

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

fn sorted(mut payloads: Vec<String>) -> Vec<String> {
    payloads.sort_by_key(|payload| payload.parse::<usize>().unwrap());
    payloads
}

#[tokio::test(start_paused = true)]
async fn reads_every_page_of_every_shard_and_ends() {
    let kinesis = Kinesis::new(4);
    kinesis.with(|model| (0..40).for_each(|number| drop(model.put(number % 4, number.to_string()))));
    let ran = kpeek(&kinesis, &["--raw"]).await;
    assert_eq!(ran.ended, Ok(Outcome::Done));
    assert_eq!(sorted(ran.payloads()), numbers(40));
    assert_eq!(ran.stderr, "");
}

#[tokio::test(start_paused = true)]
async fn an_empty_stream_is_said_to_be_empty() {
    let ran = kpeek(&Kinesis::new(2), &[]).await;
    assert_eq!(ran.ended, Ok(Outcome::Done));
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "kpeek: no records from trim-horizon on\n"));
}

#[tokio::test(start_paused = true)]
async fn says_why_nothing_is_shown() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| (0..2).for_each(|number| drop(model.put(0, number.to_string()))));
    let home = tempfile::tempdir().unwrap();
    let checkpoint = home.path().join("at.json");
    let checkpoint = ["--checkpoint", checkpoint.to_str().unwrap()];
    assert_eq!(kpeek(&kinesis, &checkpoint).await.stderr, "");
    for (args, wanted) in [
        (["--match", "x"], "2 records were read, but none was chosen"),
        (["--until", "2000-01-01T00:00:00Z"], "no records from trim-horizon to 2000-01-01T00:00:00Z"),
        (checkpoint, "no records since the checkpoint"),
    ] {
        let ran = kpeek(&kinesis, &args).await;
        assert_eq!((ran.stdout.as_str(), ran.stderr), ("", format!("kpeek: {wanted}\n")));
    }
}

#[tokio::test(start_paused = true)]
async fn an_iterator_that_expires_before_the_first_record_loses_nothing() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        (0..5).for_each(|number| drop(model.put(0, number.to_string())));
        model.trouble(0, Operation::GetRecords, Trouble::ExpiredIterator);
    });
    let ran = kpeek(&kinesis, &["--raw"]).await;
    assert_eq!(ran.payloads(), numbers(5));
    let positions: Vec<String> =
        kinesis.with(|model| model.positions().iter().map(|(_, kind)| kind.clone()).collect());
    assert_eq!(positions, ["TRIM_HORIZON", "TRIM_HORIZON"]);
}

#[tokio::test(start_paused = true)]
async fn an_iterator_that_expires_later_repeats_nothing() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| (0..8).for_each(|number| drop(model.put(0, number.to_string()))));
    let reads = AtomicUsize::new(0);
    kinesis.on_read(move |model, shard| {
        if reads.fetch_add(1, Ordering::Relaxed) == 0 {
            model.trouble(shard, Operation::GetRecords, Trouble::ExpiredIterator);
        }
    });
    let ran = kpeek(&kinesis, &["--raw"]).await;
    assert_eq!(ran.payloads(), numbers(8));
    let last = kinesis.with(|model| model.positions().last().unwrap().1.clone());
    assert_eq!(last, "AFTER_SEQUENCE_NUMBER");
}

#[tokio::test(start_paused = true)]
async fn latest_that_expires_goes_back_to_when_the_service_was_asked() {
    let kinesis = Kinesis::new(1);
    let reads = AtomicUsize::new(0);
    kinesis.with(|model| model.trouble(0, Operation::GetRecords, Trouble::ExpiredIterator));
    // The record arrives between the two iterators. By the clock of this machine it is years old.
    kinesis.on_iterator(move |model| {
        if reads.fetch_add(1, Ordering::Relaxed) == 1 {
            model.put(0, "0");
        }
    });
    let ran = kpeek(&kinesis, &["--raw", "--from", "latest", "--follow", "--count", "1"]).await;
    assert_eq!(ran.payloads(), numbers(1));
    let positions: Vec<String> =
        kinesis.with(|model| model.positions().iter().map(|(_, kind)| kind.clone()).collect());
    assert_eq!(positions, ["LATEST", "AT_TIMESTAMP"]);
}

/// Splits and merges while records are put: each of `count` numbered records must come once, and those of one lineage in
/// the order they were put.
async fn reshards_under_load(names_children: bool) {
    let count = 300;
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| model.names_children(names_children));
    let put = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&put);
    let mut open = vec![0, 1];
    kinesis.on_read(move |model, _| {
        for _ in 0..5 {
            let number = put.load(Ordering::Relaxed);
            if number == count {
                return;
            }
            model.put(open[number % open.len()], number.to_string());
            put.store(number + 1, Ordering::Relaxed);
            if number % 50 == 25 {
                let parent = open.remove(0);
                open.extend(model.split(parent));
            } else if number % 50 == 40 {
                // The last two are brothers.
                let (other, one) = (open.pop().unwrap(), open.pop().unwrap());
                open.push(model.merge(one, other));
            }
        }
    });
    let ran = kpeek(&kinesis, &["--raw", "--follow", "--count", "300"]).await;
    assert_eq!(ran.ended, Ok(Outcome::Done));
    assert_eq!(seen.load(Ordering::Relaxed), count);
    assert_eq!(sorted(ran.payloads()), numbers(count), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn splits_and_merges_under_load_lose_and_repeat_nothing() {
    reshards_under_load(true).await;
}

#[tokio::test(start_paused = true)]
async fn splits_and_merges_are_found_by_listing_when_the_answer_does_not_name_the_children() {
    reshards_under_load(false).await;
}

#[tokio::test(start_paused = true)]
async fn parents_come_before_children() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.page(2);
        (0..7).for_each(|number| drop(model.put(0, number.to_string())));
        let [one, other] = model.split(0);
        model.put(one, "7");
        model.put(other, "8");
        let child = model.merge(one, other);
        (9..12).for_each(|number| drop(model.put(child, number.to_string())));
    });
    let ran = kpeek(&kinesis, &["--raw"]).await;
    let mut payloads = ran.payloads();
    // The two halves are read at once.
    payloads[7..9].sort();
    assert_eq!(payloads, numbers(12));
}

#[tokio::test(start_paused = true)]
async fn latest_leaves_out_what_was_there_but_nothing_of_the_children() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.put(0, "old");
        let [one, _] = model.split(0);
        model.put(one, "old too");
    });
    let done = AtomicUsize::new(0);
    kinesis.on_read(move |model, shard| {
        if shard == 1 && done.fetch_add(1, Ordering::Relaxed) == 0 {
            model.put(1, "0");
            let [one, _] = model.split(1);
            model.put(one, "1");
        }
    });
    let ran = kpeek(&kinesis, &["--raw", "--from", "latest", "--follow", "-n", "2"]).await;
    assert_eq!(ran.payloads(), numbers(2));
}

#[tokio::test(start_paused = true)]
async fn throttling_and_failures_are_waited_out() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| {
        (0..10).for_each(|number| drop(model.put(number % 2, number.to_string())));
        for trouble in [Trouble::Throttled, Trouble::Internal, Trouble::Throttled] {
            model.trouble(0, Operation::GetShardIterator, trouble);
            model.trouble(1, Operation::GetRecords, trouble);
        }
    });
    let ran = kpeek(&kinesis, &["--raw"]).await;
    assert_eq!(ran.ended, Ok(Outcome::Done));
    assert_eq!(sorted(ran.payloads()), numbers(10));
}

#[tokio::test(start_paused = true)]
async fn one_bad_shard_never_stops_the_others() {
    let kinesis = Kinesis::new(3);
    kinesis.with(|model| {
        (0..9).for_each(|number| drop(model.put(number % 3, number.to_string())));
        model.trouble(1, Operation::GetRecords, Trouble::Denied);
    });
    let ran = kpeek(&kinesis, &["--raw"]).await;
    assert_eq!(ran.ended, Ok(Outcome::Incomplete));
    assert_eq!(sorted(ran.payloads()), ["0", "2", "3", "5", "6", "8"]);
    assert!(
        ran.stderr.contains("failed to read shard shardId-000000000001: AccessDeniedException"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_throttled_for_ever_is_given_up_unless_it_is_followed() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| {
        model.put(1, "0");
        (0..100).for_each(|_| model.trouble(0, Operation::GetRecords, Trouble::Throttled));
    });
    let ran = kpeek(&kinesis, &["--raw"]).await;
    assert_eq!(ran.ended, Ok(Outcome::Incomplete));
    assert_eq!(ran.payloads(), numbers(1));
    assert!(ran.stderr.contains("trying again"), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn when_every_shard_is_refused_so_is_the_run() {
    let kinesis = Kinesis::new(2);
    kinesis
        .with(|model| (0..2).for_each(|shard| model.trouble(shard, Operation::GetRecords, Trouble::Denied)));
    let fault = kpeek(&kinesis, &[]).await.ended.unwrap_err();
    assert_eq!((fault.kind(), fault.code()), (Kind::Refused, Some("AccessDeniedException")));
}

#[tokio::test(start_paused = true)]
async fn no_shard_is_read_more_than_five_times_a_second() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.page(1);
        (0..25).for_each(|number| drop(model.put(0, number.to_string())));
    });
    let start = tokio::time::Instant::now();
    let ran = kpeek(&kinesis, &["--raw"]).await;
    assert_eq!(ran.payloads(), numbers(25));
    // 26 reads: five at once, the others a fifth of a second apart.
    let millis = start.elapsed().as_millis();
    assert!((4100..4400).contains(&millis), "{millis}");
}

#[tokio::test(start_paused = true)]
async fn thousands_of_shards_are_listed_by_the_page_and_all_read() {
    let kinesis = Kinesis::new(2500);
    kinesis.with(|model| (0..2500).for_each(|number| drop(model.put(number, number.to_string()))));
    let ran = kpeek(&kinesis, &["--raw"]).await;
    assert_eq!(sorted(ran.payloads()), numbers(2500));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_idle_shards_cost_few_reads() {
    let kinesis = Kinesis::new(1000);
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", Shared::default()),
        stdin_is_terminal: true,
        interrupt: Interrupt::never(),
    };
    let run = kpeek_in(&world, &kinesis, &["--follow"], Shared::default());
    assert!(tokio::time::timeout(std::time::Duration::from_secs(20), run).await.is_err());
    let reads = kinesis.with(|model| model.reads().len());
    assert!((2000..=4100).contains(&reads), "{reads}");
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_ends_with_130_after_what_was_read_is_written() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| drop(model.put(0, "0")));
    let (raise, interrupt) = Interrupt::manual();
    let reads = AtomicUsize::new(0);
    let stdout = Shared::default();
    let shown = stdout.clone();
    kinesis.on_read(move |_, _| {
        if reads.fetch_add(1, Ordering::Relaxed) == 3 {
            // The clock is the test's, and leaves a writer who is late no time at all.
            while shown.text().is_empty() {
                std::thread::yield_now();
            }
            raise.send(true).unwrap();
        }
    });
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", Shared::default()),
        stdin_is_terminal: true,
        interrupt,
    };
    let ended = kpeek_in(&world, &kinesis, &["--raw", "--follow"], stdout.clone()).await;
    assert_eq!(ended, Ok(Outcome::Interrupted));
    assert_eq!(stdout.text(), "0\n");
}

#[tokio::test(start_paused = true)]
async fn a_record_without_a_partition_key_is_shown() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| drop(model.put_with_key(0, None, "{}")));
    let ran = kpeek(&kinesis, &[]).await;
    assert!(ran.stdout.ends_with("\"partition_key\":null,\"json\":{}}\n"), "{}", ran.stdout);
}

#[tokio::test(start_paused = true)]
async fn named_shards_are_read_and_no_other() {
    let kinesis = Kinesis::new(3);
    kinesis.with(|model| (0..3).for_each(|number| drop(model.put(number, number.to_string()))));
    let ran = kpeek(&kinesis, &["--raw", "--shard", "0", "--shard", "shardId-000000000002"]).await;
    assert_eq!(sorted(ran.payloads()), ["0", "2"]);
    let fault = kpeek(&kinesis, &["--shard", "7"]).await.ended.unwrap_err();
    assert_eq!(fault.kind(), Kind::Refused);
}

#[tokio::test(start_paused = true)]
async fn begins_at_and_after_a_sequence_number() {
    let kinesis = Kinesis::new(2);
    let third = kinesis.with(|model| {
        (0..5).map(|number| model.put(1, number.to_string())).collect::<Vec<_>>().swap_remove(2)
    });
    let from = async |position: String| {
        kpeek(&kinesis, &["--raw", "--shard", "1", "--from", &position]).await.payloads()
    };
    assert_eq!(from(format!("at-seq:{third}")).await, ["2", "3", "4"]);
    assert_eq!(from(format!("after-seq:{third}")).await, ["3", "4"]);
    assert_eq!(from("at:2024-01-15T10:00:00.005Z".to_owned()).await, ["4"]);
}

/// Three records and a fourth with a hash key of its own, packed by `aws_kinesis_agg` 1.2.3 (PyPI).
const AGGREGATED: &str = "84mawgoJc2Vuc29yXzAwCglzZW5zb3JfMDEKCXNlbnNvcl8wMhIBNxoLCAAaB3sibiI6MH0aCwgBGgd7Im4iOjF9GgsIAhoHeyJuIjoyfRoNCAAQABoHeyJuIjozfSTQZ2gvYrcmiKEZJR+wGY8=";

fn aggregated() -> Vec<u8> {
    STANDARD.decode(AGGREGATED).unwrap()
}

fn items(stdout: &str) -> Vec<(u64, String, u64)> {
    let lines = stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines
        .map(|line| {
            let key = line["partition_key"].as_str().unwrap().to_owned();
            (line["sub"].as_u64().unwrap(), key, line["json"]["n"].as_u64().unwrap())
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn packed_records_are_shown_one_by_one() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| drop(model.put(0, aggregated())));
    let ran = kpeek(&kinesis, &[]).await;
    let wanted = [(0, "sensor_00", 0), (1, "sensor_01", 1), (2, "sensor_02", 2), (3, "sensor_00", 3)];
    assert_eq!(items(&ran.stdout), wanted.map(|(sub, key, number)| (sub, key.to_owned(), number)));
    assert!(ran.stdout.lines().last().unwrap().ends_with(",\"explicit_hash_key\":\"7\"}"), "{}", ran.stdout);
    let whole = kpeek(&kinesis, &["--no-deaggregate"]).await;
    // A copy of the pack goes where its first record belongs, not where the pack's own key would put it.
    let home = u128::from_be_bytes(md5::Md5::digest(b"sensor_00").into());
    let wanted = format!("\"bytes\":\"{AGGREGATED}\",\"explicit_hash_key\":\"{home}\"}}\n");
    assert!(whole.stdout.ends_with(&wanted), "{}", whole.stdout);
}

#[tokio::test(start_paused = true)]
async fn tags_of_packed_records_are_shown_merged_or_not() {
    let mut packer = Packer::default();
    // Field 4, a tag: field 1, its key; field 2, its value.
    let tags = Tags::decode(b"\x22\x06\x0a\x01a\x12\x01b\x22\x03\x0a\x01c").unwrap();
    packer.add(Entry { partition_key: "k", data: b"{}", tags, ..Entry::default() });
    packer.add(Entry { partition_key: "k", data: b"{}", ..Entry::default() });
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| drop(model.put(0, packer.finish())));
    for args in [&[][..], &["--merge"]] {
        let ran = kpeek(&kinesis, args).await;
        let [tagged, bare] = ran.payloads().try_into().unwrap();
        assert!(tagged.ends_with(r#""json":{},"tags":[{"key":"a","value":"b"},{"key":"c"}]}"#), "{tagged}");
        assert!(bare.ends_with(r#""json":{}}"#), "{bare}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_pack_is_shown_as_it_is() {
    let kinesis = Kinesis::new(1);
    let mut damaged = aggregated();
    *damaged.last_mut().unwrap() ^= 1;
    kinesis.with(|model| drop(model.put(0, damaged)));
    let ran = kpeek(&kinesis, &[]).await;
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(ran.stdout.contains("\"sub\":0") && ran.stdout.contains("\"bytes\":"), "{}", ran.stdout);
}

#[tokio::test(start_paused = true)]
async fn a_packed_record_in_the_wrong_shard_is_warned_of() {
    let kinesis = Kinesis::new(2);
    // Its hash key 7 belongs to the first shard.
    kinesis.with(|model| drop(model.put(1, aggregated())));
    let ran = kpeek(&kinesis, &[]).await;
    assert!(ran.stderr.contains("shard shardId-000000000001 holds packed records"), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_looked_for_in_its_shards_only() {
    let kinesis = Kinesis::new(4);
    let hash = u128::from_be_bytes(md5::Md5::digest(b"sensor_01").into());
    let home = usize::try_from(hash / (u128::MAX / 4)).unwrap();
    kinesis.with(|model| {
        model.put_with_key(home, Some("sensor_01"), "0");
        model.put_with_key(home, Some("sensor_02"), "other");
        for child in model.split(home) {
            model.put_with_key(child, Some("sensor_01"), child.to_string());
        }
    });
    let ran = kpeek(&kinesis, &["--raw", "--key", "sensor_01"]).await;
    // Only one half of the split takes the key.
    assert_eq!(ran.payloads().len(), 2);
    let mut read = kinesis.with(|model| model.reads().to_vec());
    read.dedup();
    assert_eq!(read.len(), 2, "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_looked_for_in_every_shard_when_keys_do_not_place_records() {
    for (strategy, why) in
        [(Some("AUTO"), "distributes records by itself"), (None, "failed to describe stream `s`")]
    {
        let kinesis = Kinesis::new(4);
        kinesis.with(|model| {
            model.distributes(strategy);
            for shard in 0..4 {
                model.put_with_key(shard, Some("sensor_01"), shard.to_string());
                model.put_with_key(shard, Some("sensor_02"), "other");
                model.put_with_key(shard, None, "keyless");
            }
        });
        let ran = kpeek(&kinesis, &["--raw", "--key", "sensor_01"]).await;
        assert_eq!(sorted(ran.payloads()), numbers(4));
        assert_eq!(ran.stderr.matches("--key reads all shards: ").count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        let all = kpeek(&kinesis, &["--raw"]).await;
        assert!(!all.stderr.contains("--key"), "{}", all.stderr);
    }
}

#[tokio::test(start_paused = true)]
async fn statistics_count_what_is_stored() {
    let mut zipped = GzEncoder::new(Vec::new(), Compression::default());
    zipped.write_all(&[b'x'; 1000]).unwrap();
    let zipped = zipped.finish().unwrap();
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| drop(model.put_with_key(0, Some("k"), zipped.clone())));
    for (args, payload) in
        [(&["--stats", "--json"][..], zipped.len()), (&["--stats", "--json", "--decode", "auto"], 1000)]
    {
        let ran = kpeek(&kinesis, args).await;
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report["bytes"], payload + 1, "payload and key: {report}");
    }
}

#[tokio::test(start_paused = true)]
async fn shards_are_merged_by_time_of_arrival() {
    let kinesis = Kinesis::new(3);
    // Later records are put into the shards in turn, so each page of one shard spans those of the others.
    kinesis.with(|model| (0..60).for_each(|number| drop(model.put(number * 7 % 3, number.to_string()))));
    let ran = kpeek(&kinesis, &["--raw", "--merge"]).await;
    assert_eq!(ran.payloads(), numbers(60));
    let first = kpeek(&kinesis, &["--raw", "--merge", "--count", "10"]).await;
    assert_eq!(first.payloads(), numbers(10));
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_goes_on_exactly_where_the_run_ended() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| {
        (0..20).for_each(|number| drop(model.put(number % 2, number.to_string())));
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("at.json");
    let run = async |more: &[&str]| {
        let args: Vec<&str> =
            ["--raw", "--checkpoint", file.to_str().unwrap()].iter().chain(more).copied().collect();
        kpeek(&kinesis, &args).await.payloads()
    };
    // The count ends within an answer, more than once.
    let mut all = run(&["--count", "4"]).await;
    all.extend(run(&["--count", "7"]).await);
    all.extend(run(&[]).await);
    assert_eq!(sorted(all), numbers(20));
    assert!(run(&[]).await.is_empty());
    // What arrives later, in shards that did not exist then, is found.
    kinesis.with(|model| {
        let [one, other] = model.split(0);
        let child = model.merge(one, other);
        model.put(child, "20");
        model.put(1, "21");
    });
    assert_eq!(sorted(run(&[]).await), ["20", "21"]);
    assert!(run(&[]).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_may_lie_inside_a_packed_record() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.put(0, aggregated());
        model.put(0, aggregated());
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("at.json");
    let mut all = Vec::new();
    for _ in 0..4 {
        let ran = kpeek(&kinesis, &["--checkpoint", file.to_str().unwrap(), "--count", "3"]).await;
        all.extend(items(&ran.stdout).into_iter().map(|(sub, _, _)| sub));
    }
    assert_eq!(all, [0, 1, 2, 3, 0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_loses_nothing() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| (0..60).for_each(|number| drop(model.put(number % 2, number.to_string()))));
    let count = Arc::new(AtomicUsize::new(60));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("at.json");
    let stdout = Shared::default();
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", Shared::default()),
        stdin_is_terminal: true,
        interrupt: Interrupt::never(),
    };
    let args = ["--raw", "--checkpoint", file.to_str().unwrap()];
    let (raise, killed) = Interrupt::manual();
    let (put, checkpoint) = (Arc::clone(&count), file.clone());
    kinesis.on_read(move |model, shard| {
        // How often a checkpoint is written depends on how long writing takes. Until one tells of records there are always
        // more to come.
        let saved = std::fs::read_to_string(&checkpoint).unwrap();
        if saved.contains("after-seq") {
            raise.send(true).unwrap();
        } else {
            (0..3).for_each(|_| drop(model.put(shard, put.fetch_add(1, Ordering::Relaxed).to_string())));
        }
    });
    tokio::select! {
        biased;
        // Dropped in the middle, the run gets no chance to tidy up.
        () = killed.asked() => {}
        _ = kpeek_in(&world, &kinesis, &args, stdout.clone()) => panic!("it ended"),
    }
    let mut all: Vec<String> = stdout.text().lines().map(str::to_owned).collect();
    let (before, count) = (all.len(), count.load(Ordering::Relaxed));
    assert!((1..count).contains(&before), "{before} of {count}");
    kinesis.on_read(|_, _| {});
    let rest = kpeek(&kinesis, &args).await.payloads();
    let shown = all.len() + rest.len();
    all.extend(rest);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
    // It did not begin anew: what comes twice had left the process just before the kill.
    assert!(shown < count + before, "{before} and then {shown} of {count}");
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_was_trimmed_before_it_was_read_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("at.json");
    let content = r#"{"kinbricks_checkpoint":1,"stream":"s","origin":"trim-horizon","shards":[{"shard_id":"shardId-000000000099","position":"after-seq:5"},{"shard_id":"shardId-000000000000","position":"trim-horizon"}]}"#;
    std::fs::write(&file, content).unwrap();
    let ran = kpeek(&Kinesis::new(1), &["--checkpoint", file.to_str().unwrap()]).await;
    assert!(
        ran.stderr.contains("shard shardId-000000000099 is older than the stream's retention"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn ends_at_a_time_of_arrival() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| (0..20).for_each(|number| drop(model.put(number % 2, number.to_string()))));
    // The first record arrives one millisecond after ten.
    let ran = kpeek(&kinesis, &["--raw", "--until", "2024-01-15T10:00:00.009Z"]).await;
    assert_eq!(ran.ended, Ok(Outcome::Done));
    assert_eq!(sorted(ran.payloads()), numbers(9));
}

#[tokio::test(start_paused = true)]
async fn follows_for_a_while() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| drop(model.put(0, "0")));
    let start = tokio::time::Instant::now();
    let ran = kpeek(&kinesis, &["--raw", "--for", "30s"]).await;
    assert_eq!((ran.ended, ran.stdout.as_str()), (Ok(Outcome::Done), "0\n"));
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_is_registered_read_through_and_taken_away() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| (0..20).for_each(|number| drop(model.put(number % 2, number.to_string()))));
    let ran = kpeek(&kinesis, &["--raw", "--consumer", "viewer"]).await;
    assert_eq!(ran.ended, Ok(Outcome::Done));
    assert_eq!(sorted(ran.payloads()), numbers(20));
    assert!(!kinesis.with(|model| model.has_consumer()));
    assert_eq!(ran.stderr, "kpeek: created consumer `viewer`\nkpeek: deleted consumer `viewer`\n");
}

#[tokio::test(start_paused = true)]
async fn a_consumer_of_somebody_else_stays() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.add_consumer();
        model.put(0, "0");
    });
    let ran = kpeek(&kinesis, &["--raw", "--consumer", "viewer"]).await;
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("0\n", ""));
    assert!(kinesis.with(|model| model.has_consumer()));
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_ends_throttles_and_breaks_loses_and_repeats_nothing() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        (0..40).for_each(|number| drop(model.put(0, number.to_string())));
        for (operation, trouble) in [
            (Operation::SubscribeToShard, Trouble::Throttled),
            (Operation::SubscribeToShard, Trouble::InUse),
            (Operation::Event, Trouble::Internal),
            (Operation::SubscribeToShard, Trouble::Internal),
            (Operation::Event, Trouble::CutOff),
        ] {
            model.trouble(0, operation, trouble);
        }
    });
    let ran = kpeek(&kinesis, &["--raw", "--consumer", "viewer"]).await;
    assert_eq!(ran.ended, Ok(Outcome::Done), "{}", ran.stderr);
    assert_eq!(ran.payloads(), numbers(40));
}

#[tokio::test(start_paused = true)]
async fn subscriptions_follow_splits_and_merges() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        (0..7).for_each(|number| drop(model.put(0, number.to_string())));
        let [one, other] = model.split(0);
        model.put(one, "7");
        model.put(other, "8");
        let child = model.merge(one, other);
        (9..12).for_each(|number| drop(model.put(child, number.to_string())));
    });
    let ran = kpeek(&kinesis, &["--raw", "--consumer", "viewer", "--follow", "--count", "12"]).await;
    assert_eq!(sorted(ran.payloads()), numbers(12));
}

#[tokio::test(start_paused = true)]
async fn the_consumer_goes_on_ctrl_c_too() {
    let kinesis = Kinesis::new(1);
    let (raise, interrupt) = Interrupt::manual();
    let reads = AtomicUsize::new(0);
    kinesis.on_read(move |_, _| {
        if reads.fetch_add(1, Ordering::Relaxed) == 5 {
            raise.send(true).unwrap();
        }
    });
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", Shared::default()),
        stdin_is_terminal: true,
        interrupt,
    };
    let ended = kpeek_in(&world, &kinesis, &["--consumer", "viewer", "--follow"], Shared::default()).await;
    assert_eq!(ended, Ok(Outcome::Interrupted));
    assert!(!kinesis.with(|model| model.has_consumer()));
}

#[tokio::test(start_paused = true)]
async fn a_page_of_ten_mebibytes_is_read_and_paid_for_with_time() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.page(10);
        (0..11).for_each(|_| drop(model.put(0, vec![b'x'; 1024 * 1024])));
    });
    let start = tokio::time::Instant::now();
    let ran = kpeek(&kinesis, &["--raw"]).await;
    assert_eq!(ran.stdout.len(), 11 * (1024 * 1024 + 1));
    // Ten MiB, less the two that a second grants, take four seconds before the next read; then one more second and a half.
    assert!((4..7).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_renewed_before_its_five_minutes_are_over() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.keeps_open(true);
        (0..15).for_each(|number| drop(model.put(0, number.to_string())));
    });
    let start = tokio::time::Instant::now();
    let ran = kpeek(&kinesis, &["--raw", "--consumer", "viewer", "--follow", "--count", "15"]).await;
    assert_eq!(ran.payloads(), numbers(15));
    // Two pages a subscription: the third one brings the rest, each after four minutes.
    assert_eq!(start.elapsed().as_secs() / 60, 8, "{:?}", start.elapsed());
}
