//! Records come out: five ways to begin, expiry, lag, retention.

use std::time::Duration;

use serde_json::json;

use crate::scene::{Scene, iterator_body, payloads, shard_id, text};

/// Three records a second apart; the clock stands at the last one.
fn three() -> (Scene, [String; 3], [f64; 3]) {
    let scene = Scene::with_shards(2);
    let mut times = [0.0; 3];
    let mut numbers = [const { String::new() }; 3];
    for (at, data) in ["one", "two", "three"].into_iter().enumerate() {
        scene.clock.advance(Duration::from_secs(1));
        times[at] = scene.now_seconds();
        numbers[at] = scene.put("a", data);
    }
    (scene, numbers, times)
}

#[test]
fn reading_begins_in_five_ways() {
    let (scene, numbers, times) = three();
    assert_eq!(scene.read(0, "TRIM_HORIZON", &json!({})), ["one", "two", "three"]);
    assert_eq!(scene.read(0, "LATEST", &json!({})), Vec::<String>::new());
    let at = json!({ "StartingSequenceNumber": numbers[1] });
    assert_eq!(scene.read(0, "AT_SEQUENCE_NUMBER", &at), ["two", "three"]);
    assert_eq!(scene.read(0, "AFTER_SEQUENCE_NUMBER", &at), ["three"]);
    assert_eq!(scene.read(0, "AT_TIMESTAMP", &json!({ "Timestamp": times[1] })), ["two", "three"]);
    assert_eq!(scene.read(0, "AT_TIMESTAMP", &json!({ "Timestamp": times[1] + 0.001 })), ["three"]);
    assert_eq!(scene.read(0, "AT_TIMESTAMP", &json!({ "Timestamp": 0 })), ["one", "two", "three"]);
}

#[test]
fn the_latest_iterator_sees_what_comes_after_it() {
    let (scene, ..) = three();
    let iterator = scene.iterator(0, "LATEST", &json!({}));
    scene.put("a", "four");
    let page = scene.get(&iterator);
    assert_eq!(payloads(&page), ["four"]);
    assert_eq!(page["MillisBehindLatest"], 0);
}

#[test]
fn an_iterator_reads_the_same_page_twice_and_its_next_one_goes_on() {
    let (scene, ..) = three();
    let iterator = scene.iterator(0, "TRIM_HORIZON", &json!({}));
    let ask = json!({ "ShardIterator": iterator, "Limit": 2 });
    let page = scene.ok("GetRecords", &ask);
    assert_eq!(payloads(&page), ["one", "two"]);
    assert_eq!(payloads(&scene.ok("GetRecords", &ask)), ["one", "two"]);
    assert_eq!(payloads(&scene.get(&text(&page["NextShardIterator"]))), ["three"]);
}

#[test]
fn lag_is_the_age_of_the_next_record() {
    let (scene, ..) = three();
    scene.clock.advance(Duration::from_millis(500));
    let iterator = scene.iterator(0, "TRIM_HORIZON", &json!({}));
    let behind = |limit: u32| {
        scene.ok("GetRecords", &json!({ "ShardIterator": iterator, "Limit": limit }))["MillisBehindLatest"]
            .clone()
    };
    assert_eq!(behind(1), 1_500);
    assert_eq!(behind(2), 500);
    assert_eq!(behind(3), 0);
}

#[test]
fn an_iterator_lives_five_minutes() {
    let (scene, ..) = three();
    let iterator = scene.iterator(0, "TRIM_HORIZON", &json!({}));
    scene.clock.advance(Duration::from_mins(5));
    assert_eq!(payloads(&scene.get(&iterator)).len(), 3);
    scene.clock.advance(Duration::from_millis(1));
    let (code, message) = scene.fails("GetRecords", &json!({ "ShardIterator": iterator }));
    assert_eq!(code, "ExpiredIteratorException");
    assert_eq!(
        message,
        "Iterator expired. The iterator was created at time Fri Jan 15 08:00:03 UTC 2027 while right now it is \
         Fri Jan 15 08:05:03 UTC 2027 which is further in the future than the tolerated delay of 300000 milliseconds."
    );
}

#[test]
fn a_position_must_make_sense() {
    let (scene, numbers, times) = three();
    let code =
        |shard: u32, kind: &str, more| scene.fails("GetShardIterator", &iterator_body(shard, kind, &more));
    let (_, message) = code(1, "AT_SEQUENCE_NUMBER", json!({ "StartingSequenceNumber": numbers[0] }));
    assert_eq!(
        message,
        format!(
            "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
            shard_id(0),
            shard_id(1)
        )
    );
    let (kind, message) = code(0, "AT_SEQUENCE_NUMBER", json!({ "StartingSequenceNumber": "42" }));
    assert_eq!(kind, "InvalidArgumentException");
    assert!(message.starts_with("StartingSequenceNumber 42 used in GetShardIterator on shard"), "{message}");
    let (_, message) = code(0, "AT_SEQUENCE_NUMBER", json!({}));
    assert!(
        message.ends_with("Request specified AT_SEQUENCE_NUMBER and no StartingSequenceNumber."),
        "{message}"
    );
    let (_, message) = code(0, "LATEST", json!({ "StartingSequenceNumber": numbers[0] }));
    assert!(message.ends_with("Request specified LATEST and also a StartingSequenceNumber."), "{message}");
    let (_, message) = code(0, "AT_TIMESTAMP", json!({ "Timestamp": times[2] + 1.0 }));
    assert!(message.starts_with("The timestampInMillis parameter cannot be greater"), "{message}");
    let (_, message) = code(0, "AT_TIMESTAMP", json!({}));
    assert!(message.starts_with("Must specify timestampInMillis parameter"), "{message}");
    let (kind, _) = code(0, "SOMEWHERE", json!({}));
    assert_eq!(kind, "ValidationException");
}

#[test]
fn a_number_that_was_never_issued_is_no_position() {
    let (scene, numbers, _) = three();
    // The index stands behind the prefix and the shard's time of making: 2 + 13 digits, then 16 of them.
    let (head, tail) = numbers[2].split_at(30);
    let future = format!("{head}9{}", tail.get(1..).unwrap());
    let body = iterator_body(0, "AFTER_SEQUENCE_NUMBER", &json!({ "StartingSequenceNumber": future }));
    assert_eq!(scene.code("GetShardIterator", &body), "InvalidArgumentException");
}

#[test]
fn records_go_when_retention_ends() {
    let (scene, numbers, _) = three();
    scene.clock.advance(Duration::from_hours(24) - Duration::from_secs(1));
    assert_eq!(scene.read(0, "TRIM_HORIZON", &json!({})), ["two", "three"]);
    scene.ok("IncreaseStreamRetentionPeriod", &json!({ "StreamName": "orders", "RetentionPeriodHours": 48 }));
    scene.clock.advance(Duration::from_hours(24));
    let after_a_lost_record = json!({ "StartingSequenceNumber": numbers[0] });
    assert_eq!(scene.read(0, "AFTER_SEQUENCE_NUMBER", &after_a_lost_record), ["two", "three"]);
    scene.clock.advance(Duration::from_hours(24));
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert_eq!((payloads(&page).len(), &page["MillisBehindLatest"]), (0, &json!(0)));
}

#[test]
fn a_page_is_10_mib_at_most() {
    let scene = Scene::with_shards(1);
    let data = "x".repeat(1024 * 1024 - 1);
    for _ in 0..11 {
        scene.put("k", &data);
    }
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert_eq!(payloads(&page).len(), 10);
    assert!(page["MillisBehindLatest"].as_u64().unwrap() > 0);
    assert_eq!(payloads(&scene.get(&text(&page["NextShardIterator"]))).len(), 1);
}

#[test]
fn limits_and_iterators_are_checked() {
    let scene = Scene::with_shards(1);
    let iterator = scene.iterator(0, "LATEST", &json!({}));
    for (body, code) in [
        (json!({ "ShardIterator": iterator, "Limit": 10_001 }), "ValidationException"),
        (json!({ "ShardIterator": iterator, "Limit": 0 }), "ValidationException"),
        (json!({}), "ValidationException"),
        (json!({ "ShardIterator": "made up" }), "InvalidArgumentException"),
        (json!({ "ShardIterator": 7 }), "SerializationException"),
        (json!({ "ShardIterator": iterator, "DryRun": true }), "DryRunOperationException"),
    ] {
        assert_eq!(scene.code("GetRecords", &body), code, "{body}");
    }
    let dry = iterator_body(0, "LATEST", &json!({ "DryRun": true }));
    assert_eq!(scene.code("GetShardIterator", &dry), "DryRunOperationException");
}
