//! What kput does when the service does not do what one would like.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::tempdir;

use crate::fake::{Act, Fake, Stored, kput};

/// The tool as a plain command, for tests that hold its pipes.
pub(crate) fn command(fake: &Fake, home: &Path) -> Command {
    let mut command = Command::new(snapbox::cmd::cargo_bin!("kput"));
    command
        .env_clear()
        .env("HOME", home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ENDPOINT_URL", &fake.url)
        .current_dir(home);
    command
}

/// `count` readings of `keys` sensors, each naming its own number.
pub(crate) fn readings(count: usize, keys: usize) -> String {
    let line = |number| format!("{{\"id\":\"sensor_{}\",\"n\":{number}}}\n", number % keys);
    (0..count).map(line).collect::<Vec<_>>().concat()
}

/// Exit code, receipts and stderr of a run. Records wait for company as long as it takes until the input is over: else a
/// machine that has much else to do would cut requests where it pauses.
pub(crate) fn put(fake: &Fake, args: &[&str], stdin: &str) -> (Option<i32>, Vec<Value>, String) {
    let home = tempdir().unwrap();
    let mut run = kput(fake, home.path()).arg("sensor-readings").args(args);
    if !args.contains(&"--linger") {
        run = run.args(PATIENT);
    }
    read(&run.stdin(stdin).output().unwrap())
}

/// Only the end of the input makes a request go that is not full.
pub(crate) const PATIENT: [&str; 2] = ["--linger", "10m"];

/// Waits for a condition in small steps, far longer than it takes.
pub(crate) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !done() {
        assert!(Instant::now() < until, "it never came to that: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal, as a user does.
pub(crate) fn interrupt(child: &Child) {
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

/// Exit code, receipts, stderr. Every line of stdout must be JSON.
pub(crate) fn read(output: &Output) -> (Option<i32>, Vec<Value>, String) {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    let receipts = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output.status.code(), receipts, String::from_utf8(output.stderr.clone()).unwrap())
}

/// The numbers inside the readings that were stored, in the order they were.
pub(crate) fn numbers(stored: &[Stored]) -> Vec<usize> {
    let number = |stored: &Stored| {
        let value: Value = serde_json::from_slice(&stored.data).unwrap();
        usize::try_from(value["n"].as_u64().unwrap()).unwrap()
    };
    stored.iter().map(number).collect()
}

pub(crate) fn assert_each_once(fake: &Fake, count: usize) {
    let mut seen = numbers(&fake.stored());
    seen.sort_unstable();
    assert_eq!(seen, (0..count).collect::<Vec<_>>());
}

/// Each receipt stands at its line and names the place where that line's record is.
pub(crate) fn assert_receipts_match(fake: &Fake, receipts: &[Value]) {
    let stored = fake.stored();
    for (receipt, at) in receipts.iter().zip(0_usize..) {
        assert_eq!(receipt["line"], at + 1, "receipts are in input order");
        let sequence = receipt["sequence_number"].as_str().unwrap();
        let record = stored.iter().find(|record| record.sequence == sequence).unwrap();
        assert_eq!(numbers(std::slice::from_ref(record)), [at]);
        assert_eq!(receipt["shard_id"], record.shard.as_str());
    }
}

#[test]
fn full_batches_of_five_hundred() {
    let fake = Fake::new();
    let (code, receipts, _) = put(&fake, &["--key-field", "id"], &readings(1250, 7));
    assert_eq!(code, Some(0));
    assert_each_once(&fake, 1250);
    assert_receipts_match(&fake, &receipts);
    let mut batches = fake.batches();
    batches.sort_unstable();
    assert_eq!(batches, [250, 500, 500]);
}

#[test]
fn only_the_failed_half_is_sent_again() {
    let fake = Fake::scripted(|number, entries| match number {
        0 => Act::Fail(
            (0..entries.len()).filter(|at| at % 2 == 0).collect(),
            "ProvisionedThroughputExceededException",
        ),
        _ => Act::Store,
    });
    let (code, receipts, said) = put(&fake, &["--key-field", "id"], &readings(10, 3));
    assert_eq!(code, Some(0), "{said}");
    assert_each_once(&fake, 10);
    assert_receipts_match(&fake, &receipts);
    assert_eq!(fake.batches(), [10, 5]);
    assert!(said.contains("5 sent again"), "{said}");
}

#[test]
fn a_throttled_streams_shards_are_looked_up() {
    let fake = Fake::scripted(|_, _| Act::ThrottleUntilListed);
    let (code, receipts, said) = put(&fake, &["--key-field", "id"], &readings(10, 3));
    assert_eq!((code, receipts.len()), (Some(0), 10), "{said}");
    assert!(fake.operations().contains(&"ListShards".to_owned()));
}

#[test]
fn what_fails_for_ever_is_given_up_with_a_receipt_and_kept_whole() {
    let fake = Fake::scripted(|_, entries| {
        let bad = entries.iter().enumerate().filter(|(_, entry)| entry["PartitionKey"] == "sensor_1");
        Act::Fail(bad.map(|(at, _)| at).collect(), "InternalFailure")
    });
    let home = tempdir().unwrap();
    let args =
        ["sensor-readings", "--key-field", "id", "--max-attempts", "2", "--dead-letter", "dead.ndjson"];
    let output = kput(&fake, home.path()).args(args).stdin(readings(4, 2)).output().unwrap();
    let (code, receipts, said) = read(&output);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(receipts.len(), 4);
    assert_eq!(receipts[1]["error"]["code"], "InternalFailure");
    assert_eq!(receipts[3]["error"]["message"], "as the test wants it");
    assert!(receipts[0]["shard_id"].is_string() && receipts[2]["shard_id"].is_string());
    assert!(said.contains("2 given up"), "{said}");

    // The file is an input: a healthy service gets exactly what was missing.
    let healthy = Fake::new();
    let args = ["sensor-readings", "--input", "envelope", "--file", "dead.ndjson"];
    kput(&healthy, home.path()).args(args).assert().code(0);
    assert_eq!(numbers(&healthy.stored()), [1, 3]);
    assert_eq!(healthy.stored()[0].key.as_deref(), Some("sensor_1"));
}

#[test]
fn a_request_that_is_refused_is_halved_until_the_culprit_is_found() {
    let fake = Fake::scripted(|_, entries| {
        if entries.iter().any(|entry| entry["PartitionKey"] == "sensor_5") {
            Act::Refuse(400, "ValidationException", "sensor_5 is not welcome")
        } else {
            Act::Store
        }
    });
    let (code, receipts, said) = put(&fake, &["--key-field", "id"], &readings(10, 10));
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(fake.stored().len(), 9);
    let failed: Vec<_> = receipts.iter().filter(|receipt| receipt["error"].is_object()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["line"], 6);
    assert_eq!(failed[0]["error"]["code"], "ValidationException");
}

#[test]
fn an_unknown_stream_ends_it_with_what_to_run() {
    let fake = Fake::scripted(|_, _| Act::Refuse(400, "ResourceNotFoundException", "Stream x not found."));
    let (code, receipts, said) = put(&fake, &["--key", "k"], &readings(3, 1));
    assert_eq!((code, receipts.len()), (Some(4), 0));
    assert!(said.contains("failed to write to stream `sensor-readings`"), "{said}");
    assert!(said.contains("hint: run: kstream ensure sensor-readings"), "{said}");
    assert_eq!(fake.batches(), [3], "no second try");
}

#[test]
fn a_throttled_request_is_sent_again_whole() {
    let fake = Fake::scripted(|number, _| match number {
        0 => Act::Refuse(400, "ProvisionedThroughputExceededException", "slow down"),
        1 => Act::Refuse(500, "InternalFailure", "sorry"),
        _ => Act::Store,
    });
    let (code, receipts, said) = put(&fake, &["--key-field", "id"], &readings(5, 2));
    assert_eq!(code, Some(0), "{said}");
    assert_each_once(&fake, 5);
    assert_receipts_match(&fake, &receipts);
}

#[test]
fn a_service_that_never_recovers_is_transient() {
    let fake = Fake::scripted(|_, _| Act::Refuse(503, "ServiceUnavailable", "later"));
    // No request may take longer either, and a second one must fit in.
    let (code, receipts, said) = put(&fake, &["--key", "k", "--give-up-after", "4s"], &readings(2, 1));
    assert_eq!(code, Some(5), "{said}");
    assert_eq!(receipts[1]["error"]["code"], "ServiceUnavailable");
    assert!(fake.batches().len() > 1, "it tried again");
}

#[test]
fn a_reshard_in_mid_stream_loses_nothing_and_keeps_the_order_of_each_key() {
    // Throttled first, so that the shards are known; then they become others, twice.
    for ordered in [true, false] {
        let fake = Fake::scripted(|number, entries| match number {
            1 => Act::Fail((0..entries.len()).step_by(3).collect(), "ProvisionedThroughputExceededException"),
            3 => Act::Reshard(vec![0, u128::MAX / 2]),
            6 => Act::Reshard(vec![0]),
            _ => Act::Store,
        });
        let args = if ordered { &["--key-field", "id", "--ordered"][..] } else { &["--key-field", "id"] };
        let (code, receipts, said) = put(&fake, args, &readings(6000, 800));
        assert_eq!(code, Some(0), "{said}");
        assert_each_once(&fake, 6000);
        assert_receipts_match(&fake, &receipts);
        let shards: std::collections::BTreeSet<_> =
            fake.stored().into_iter().map(|stored| stored.shard).collect();
        assert_eq!(shards.len(), 4, "records went to shards from before, between and after");
        if ordered {
            let mut last = std::collections::BTreeMap::new();
            for (stored, number) in fake.stored().iter().zip(numbers(&fake.stored())) {
                assert!(last.insert(stored.key.clone(), number).is_none_or(|before| before < number));
            }
        }
    }
}

#[test]
fn an_endpoint_that_hangs_or_resets_costs_a_try_not_a_record() {
    let fake = Fake::scripted(|number, _| match number {
        0 => Act::Hang,
        1 => Act::StoreAndReset,
        _ => Act::Store,
    });
    let (code, receipts, said) =
        put(&fake, &["--key", "k", "--timeout", "1s", "--give-up-after", "1m"], &readings(2, 1));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(receipts.len(), 2);
    // What was stored before the reset is stored twice: nobody can know. It is never lost. The first request stores
    // nothing, and a machine that stands still may make it lose patience with the third one too.
    let requests = fake.batches().len();
    assert!(requests >= 3, "{requests}");
    assert_eq!(fake.stored().len(), 2 * (requests - 1));
}

#[test]
fn ordered_keeps_the_order_of_each_key_when_batches_half_fail() {
    let fake = Fake::scripted(|number, entries| {
        if number % 3 == 2 {
            return Act::Store;
        }
        Act::Fail((0..entries.len()).filter(|at| (at + number) % 2 == 0).collect(), "InternalFailure")
    });
    let (code, receipts, said) =
        put(&fake, &["--key-field", "id", "--ordered", "--linger", "1ms"], &readings(60, 5));
    assert_eq!(code, Some(0), "{said}");
    assert_receipts_match(&fake, &receipts);
    for key in 0..5 {
        let of_key: Vec<usize> =
            numbers(&fake.stored()).into_iter().filter(|number| number % 5 == key).collect();
        assert_eq!(of_key, (0..12).map(|turn| turn * 5 + key).collect::<Vec<_>>());
    }
}

#[test]
fn a_slow_pipe_is_not_held_back() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let mut child = command(&fake, home.path())
        .args(["sensor-readings", "--key", "k", "--linger", "20ms"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut receipts = BufReader::new(child.stdout.take().unwrap()).lines();
    for number in 1..=3 {
        writeln!(stdin, "reading {number}").unwrap();
        // The receipt comes while the pipe stays open.
        let receipt = receipts.next().unwrap().unwrap();
        assert!(receipt.starts_with(&format!("{{\"line\":{number},")), "{receipt}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_leaves_gets_exit_code_3_and_everything_under_way_is_stored() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let mut child = command(&fake, home.path())
        .args(["sensor-readings", "--key", "k"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        // The tool stops reading at some point.
        drop(stdin.write_all(readings(60_000, 1).as_bytes()));
    });
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    drop(stdout);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{said}");
    assert!(said.contains("the reader of stdout closed the pipe"), "{said}");
    feeder.join().unwrap();
    let mut seen = numbers(&fake.stored());
    let stored = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), stored, "nothing twice");
    assert!(stored < 60_000, "it stopped");
}

#[test]
fn a_reader_who_pauses_makes_nothing_be_sent_twice() {
    let (home, fake) = (tempdir().unwrap(), Fake::new());
    let input = home.path().join("input");
    std::fs::write(&input, readings(30_000, 50)).unwrap();
    let mut child = command(&fake, home.path())
        .args(["sensor-readings", "--key-field", "id", "--timeout", "5s"])
        .stdin(std::fs::File::open(&input).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Longer than a request may take; the answers come at once.
    std::thread::sleep(Duration::from_secs(7));
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.lines().count(), 30_000);
    assert_each_once(&fake, 30_000);
}

#[test]
fn the_first_ctrl_c_is_heard_while_nobody_reads_and_the_second_ends_it_at_once() {
    let (home, fake) = (tempdir().unwrap(), Fake::new());
    let input = home.path().join("input");
    std::fs::write(&input, readings(30_000, 50)).unwrap();
    let mut child = command(&fake, home.path())
        .args(["sensor-readings", "--key-field", "id"])
        .stdin(std::fs::File::open(&input).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The receipts of so many do not fit into the pipe.
    wait_for("records are stored", || fake.stored().len() > 4096);
    interrupt(&child);
    // Two signals of one moment would be heard as one.
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none(), "the receipts are still waited for");
    wait_for("the second one ends it", || {
        interrupt(&child);
        std::thread::sleep(Duration::from_millis(200));
        child.try_wait().unwrap().is_some()
    });
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(output.stderr.is_empty(), "it ended by itself: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn ctrl_c_finishes_what_is_under_way() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let mut child = command(&fake, home.path())
        .args(["sensor-readings", "--key", "k", "--linger", "10ms"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\n").unwrap();
    let mut receipts = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    receipts.read_line(&mut first).unwrap();
    interrupt(&child);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("put 1 record") && said.contains("interrupted"), "{said}");
    drop(stdin);
}

#[test]
fn a_large_record_passes_where_the_stream_takes_it() {
    let fake = Fake::new();
    let (fits, too_large) = ("x".repeat(1_500_000), "y".repeat(2 * 1024 * 1024));
    let (code, receipts, said) = put(&fake, &["--key", "k"], &format!("small\n{fits}\n{too_large}\nsmall\n"));
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(fake.stored().len(), 3);
    assert_eq!(receipts[2]["error"]["code"], "RecordTooLarge");
    let message = receipts[2]["error"]["message"].as_str().unwrap();
    assert!(message.contains("2097153 bytes") && message.contains("--max-record-size-kib 2049"), "{message}");
    let asked = fake.operations().iter().filter(|operation| *operation == "DescribeStreamSummary").count();
    assert_eq!(asked, 1, "the limit is asked for once, and only because of a large record");
}

#[test]
fn compressed_input_is_unpacked() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(readings(3, 1).as_bytes()).unwrap();
    std::fs::write(home.path().join("a.gz"), encoder.finish().unwrap()).unwrap();
    let args = ["sensor-readings", "--key", "k", "--file", "a.gz", "--file", "-"];
    let output = kput(&fake, home.path()).args(args).stdin("{\"n\":3}\n").output().unwrap();
    assert_eq!(read(&output).0, Some(0));
    assert_each_once(&fake, 4);
}

#[test]
fn statistics_are_one_json_line() {
    let fake = Fake::new();
    let (code, receipts, said) =
        put(&fake, &["--key", "k", "--receipts", "none", "--stats", "json"], &readings(501, 1));
    assert_eq!((code, receipts.len()), (Some(0), 0));
    let stats: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((stats["stored"].as_u64(), stats["requests"].as_u64()), (Some(501), Some(2)));
}

#[test]
fn an_arn_is_sent_as_such() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let arn = "arn:aws:kinesis:eu-central-1:210987654321:stream/theirs";
    kput(&fake, home.path()).args([arn, "--data", "x", "--key", "k"]).assert().code(0);
    assert_eq!(fake.state(|state| state.requests[0].1["StreamARN"].clone()), arn);
    let elsewhere = "arn:aws:kinesis:us-east-1:210987654321:stream/theirs";
    let output =
        kput(&fake, home.path()).args([elsewhere, "--data", "x", "--region", "eu-central-1"]).assert();
    let output = output.code(2);
    assert!(String::from_utf8_lossy(&output.get_output().stderr).contains("--region us-east-1"));
}

#[test]
fn a_missing_stream_is_created_only_when_asked() {
    let fake = Fake::new();
    fake.state(|state| state.missing = true);
    let (code, _, said) = put(&fake, &["--key", "k"], "x\n");
    assert_eq!(code, Some(4), "{said}");
    assert!(!fake.operations().contains(&"CreateStream".to_owned()));
    let (code, _, said) = put(&fake, &["--key", "k", "--create"], "x\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("created stream `sensor-readings`"), "{said}");
    assert_eq!(fake.stored().len(), 1);
    // There is nothing to create the second time.
    let (code, _, said) = put(&fake, &["--key", "k", "--create"], "x\n");
    assert!(code == Some(0) && !said.contains("created"), "{said}");
}

#[test]
fn a_dry_run_sizes_the_input_and_sends_nothing() {
    let fake = Fake::new();
    fake.state(|state| state.reshard(&[0, u128::MAX / 2 + 1]));
    let home = tempdir().unwrap();
    let args = ["sensor-readings", "--key-field", "id", "--dry-run", "--pretty"];
    let output = kput(&fake, home.path()).args(args).stdin(readings(1000, 10)).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["records"].as_u64(), report["requests"].as_u64()), (Some(1000), Some(2)));
    assert_eq!(report["cost"]["on_demand_kib"], 1000);
    let shards = report["shards"].as_array().unwrap();
    let records: u64 = shards.iter().map(|shard| shard["records"].as_u64().unwrap()).sum();
    assert_eq!((shards.len(), records), (2, 1000));
    assert_eq!(report["permission"], "not asked: only AWS itself is known to honour DryRun");
    assert_eq!(fake.operations(), ["DescribeStreamSummary", "ListShards"], "nothing is sent");
    // However the endpoint was named.
    let mut elsewhere = command(&fake, home.path());
    elsewhere.env_remove("AWS_ENDPOINT_URL").env("AWS_ENDPOINT_URL_KINESIS", &fake.url);
    let output = elsewhere.args(["sensor-readings", "--data", "x", "--dry-run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fake.stored().is_empty());
}

#[test]
fn a_dry_run_counts_what_aggregates_save_and_what_the_stream_refuses() {
    let dry_run = |args: &[&str], stdin: &str| {
        let fake = Fake::new();
        let (code, reports, said) = put(&fake, &[args, &["--dry-run"]].concat(), stdin);
        assert!(fake.stored().is_empty());
        (code, reports, said)
    };
    let (code, reports, said) = dry_run(&["--key-field", "id", "--aggregate"], &readings(1000, 10));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!((&reports[0]["records"], &reports[0]["entries"]), (&Value::from(1000), &Value::from(1)));
    assert!(reports[0]["cost"]["on_demand_kib"].as_u64() < Some(100), "{}", reports[0]);
    // The fake takes records of 2 MiB.
    let (code, reports, _) = dry_run(&["--key", "k"], &format!("x\n{}\n", "y".repeat(2_200_000)));
    assert_eq!((code, &reports[0]["refused"], &reports[0]["records"]), (Some(1), &1.into(), &1.into()));
    // Even with no credit for cleverness: the numbers of the price list.
    let (_, reports, _) = dry_run(&["--key", "k"], &"x\n".repeat(50_000));
    assert_eq!(reports[0]["cost"]["on_demand_usd"], 0.004_096);
    assert_eq!(reports[0]["cost"]["provisioned_usd"], 0.000_7);

    let fake = Fake::new();
    fake.state(|state| state.missing = true);
    let (code, _, said) = put(&fake, &["--key", "k", "--dry-run"], "x\n");
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("kstream ensure sensor-readings"), "{said}");

    let fake = Fake::new();
    fake.state(|state| state.auto = true);
    let (code, reports, said) = put(&fake, &["--key", "k", "--dry-run"], "x\n");
    assert_eq!((code, &reports[0]["shards"]), (Some(0), &Value::Null), "{said}");
    assert_eq!(reports[0]["shards_unknown"], "the stream distributes records itself");
}

#[test]
fn a_stream_that_is_being_deleted_is_made_again_or_given_up_in_time() {
    let fake = Fake::new();
    fake.state(|state| state.deleting = 2);
    let (code, _, said) = put(&fake, &["--key", "k", "--create"], "x\n");
    assert_eq!((code, fake.stored().len()), (Some(0), 1), "{said}");
    assert!(said.contains("created stream"), "{said}");
    fake.state(|state| state.deleting = usize::MAX);
    let (code, _, said) = put(&fake, &["--key", "k", "--create", "--timeout", "3s"], "x\n");
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("kstream wait sensor-readings"), "{said}");
}

#[test]
fn of_several_files_each_receipt_and_letter_names_its_own() {
    let (home, fake) = (tempdir().unwrap(), Fake::scripted(|_, _| Act::Fail(vec![3], "InternalFailure")));
    std::fs::write(home.path().join("one"), "a\nb\n").unwrap();
    std::fs::write(home.path().join("two"), "c\nd\n").unwrap();
    let files = ["sensor-readings", "--key", "k", "--file", "one", "--file", "two"];
    let args = ["--max-attempts", "1", "--dead-letter", "dead"];
    let run = kput(&fake, home.path()).args(files).args(args).args(PATIENT);
    let (code, receipts, said) = read(&run.output().unwrap());
    assert_eq!(code, Some(1), "{said}");
    let places: Vec<_> =
        receipts.iter().map(|receipt| (receipt["file"].as_str(), &receipt["line"])).collect();
    let [first, second] = [Value::from(1), Value::from(2)];
    let expected = [("one", &first), ("one", &second), ("two", &first), ("two", &second)];
    assert_eq!(places, expected.map(|(file, line)| (Some(file), line)));
    let letter: Value =
        serde_json::from_str(&std::fs::read_to_string(home.path().join("dead")).unwrap()).unwrap();
    assert_eq!((&letter["file"], &letter["line"]), (&"two".into(), &2.into()));
    // One that is missing is told before anything is sent.
    let fake = Fake::new();
    let output = kput(&fake, home.path()).args(files).args(["--file", "three"]).assert().code(2);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("failed to open `three`") && fake.stored().is_empty(), "{said}");
}

#[test]
fn a_record_too_large_for_the_stream_is_kept_in_the_dead_letter_file() {
    let (home, fake) = (tempdir().unwrap(), Fake::new());
    let large = "y".repeat(2_200_000);
    let args = ["sensor-readings", "--key", "k", "--dead-letter", "dead"];
    let output = kput(&fake, home.path()).args(args).stdin(format!("x\n{large}\n")).output().unwrap();
    let (code, receipts, said) = read(&output);
    assert_eq!((code, &receipts[1]["error"]["code"]), (Some(1), &"RecordTooLarge".into()), "{said}");
    let letter: Value =
        serde_json::from_str(&std::fs::read_to_string(home.path().join("dead")).unwrap()).unwrap();
    assert_eq!(letter["text"], large.as_str());
}

#[test]
fn records_without_a_key_are_copied_without_one_and_a_stream_that_wants_keys_says_so() {
    let fake = Fake::new();
    let envelopes = "{\"partition_key\":\"k\",\"text\":\"a\"}\n{\"text\":\"b\"}\n";
    let (code, _, said) = put(&fake, &["--input", "envelope"], envelopes);
    assert_eq!(code, Some(0), "{said}");
    let keys: Vec<_> = fake.stored().into_iter().map(|stored| stored.key).collect();
    assert_eq!(keys, [Some("k".to_owned()), None]);

    let wants_keys = || {
        Fake::scripted(|_, entries| {
            if entries.iter().all(|entry| entry["PartitionKey"].is_string()) {
                return Act::Store;
            }
            Act::Refuse(400, "ValidationException", "PartitionKey must not be null")
        })
    };
    let fake = wants_keys();
    let (code, receipts, said) = put(&fake, &["--input", "envelope"], envelopes);
    assert_eq!((code, fake.stored().len()), (Some(1), 1), "{said}");
    assert!(
        receipts[1]["error"]["message"].as_str().unwrap().contains("must not be null"),
        "{}",
        receipts[1]
    );
    let (code, _, said) = put(&wants_keys(), &["--no-key"], &"x\n".repeat(20));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("leave --no-key out") && said.contains("--on-missing-key random"), "{said}");
}

#[test]
fn json_statistics_are_given_also_when_nothing_else_is_said() {
    let fake = Fake::new();
    let (_, _, said) = put(&fake, &["--key", "k", "--quiet", "--stats", "json"], "x\n");
    let tally: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(tally["stored"], 1);
}

#[test]
fn many_keys_share_requests_under_ordered() {
    let fake = Fake::new();
    let (code, receipts, said) = put(&fake, &["--key-field", "n", "--ordered"], &readings(6000, 1));
    assert_eq!((code, receipts.len()), (Some(0), 6000), "{said}");
    assert_eq!(fake.batches().iter().sum::<usize>(), 6000);
    assert!(fake.batches().len() <= 20, "different keys share requests: {:?}", fake.batches());
}

#[test]
fn a_record_of_ten_mebibytes_passes() {
    let fake = Fake::new();
    let home = tempdir().unwrap();
    let size = 10 * 1024 * 1024 - 1;
    std::fs::write(home.path().join("large"), vec![0xA5_u8; size]).unwrap();
    let document = r#"{"kinbricks":1,"stream":{"name":"sensor-readings","arn":"arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings","max_record_size_kib":10240,"kms_key":null}}"#;
    std::fs::write(home.path().join("doc.json"), document).unwrap();
    let args = ["--doc", "doc.json", "--input", "raw", "--file", "large", "--key", "k"];
    kput(&fake, home.path()).args(args).assert().code(0);
    assert_eq!(fake.stored()[0].data.len(), size);
    assert_eq!(fake.operations(), ["PutRecords"], "the document says what the stream takes");
}

#[test]
fn a_rate_is_kept() {
    let fake = Fake::new();
    let begun = Instant::now();
    let (code, ..) = put(&fake, &["--key", "k", "--rate", "100/s"], &readings(60, 1));
    assert_eq!(code, Some(0));
    // Ten go at once, the other fifty at a hundred a second.
    assert!(begun.elapsed().as_millis() >= 480, "{:?}", begun.elapsed());
}
