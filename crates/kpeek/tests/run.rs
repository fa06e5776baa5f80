//! Whole runs against a scripted service: nothing lost, nothing repeated, parents before children.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use config::env::Env;
use config::interrupt::Interrupt;
use config::settings::Settings;
use config::{Kind, Notes, Outcome, World};
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
async fn latest_that_expires_goes_back_to_when_it_was_asked_for() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.put(0, "old");
        model.trouble(0, Operation::GetRecords, Trouble::ExpiredIterator);
    });
    let ran = kpeek(&kinesis, &["--raw", "--from", "latest"]).await;
    assert_eq!(ran.stdout, "");
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
async fn a_thousand_idle_shards_are_read_a_hundred_times_a_second_at_most() {
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
    kinesis.on_read(move |_, _| {
        if reads.fetch_add(1, Ordering::Relaxed) == 3 {
            raise.send(true).unwrap();
        }
    });
    let stdout = Shared::default();
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
