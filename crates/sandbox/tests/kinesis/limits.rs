//! Rates, when they are enforced: half a batch fails, reads are refused, and time heals both.

use std::time::Duration;

use sandbox::kinesis::{Options, Rates};
use serde_json::{Value, json};

use crate::scene::{Scene, iterator_body, payloads, shard_id, text};

fn limited(rates: Rates) -> Scene {
    let scene = Scene::with(Options { enforce_limits: true, rates, ..Options::default() });
    scene.create("orders", 2);
    scene
}

fn batch(keys: &[&str]) -> Value {
    let records: Vec<Value> = keys.iter().map(|key| json!({ "PartitionKey": key, "Data": "AAAA" })).collect();
    json!({ "StreamName": "orders", "Records": records })
}

#[test]
fn a_full_shard_fails_its_own_records_and_no_others() {
    let scene = limited(Rates { write_records_per_second: 3, ..Rates::default() });
    // "a" goes to shard 0 and "b" to shard 1.
    let answer = scene.ok("PutRecords", &batch(&["a", "a", "b", "a", "a", "b"]));
    assert_eq!(answer["FailedRecordCount"], 1);
    let failed = &answer["Records"][4];
    assert_eq!(failed["ErrorCode"], "ProvisionedThroughputExceededException");
    assert_eq!(
        failed["ErrorMessage"],
        format!("Rate exceeded for shard {} in stream orders under account 123456789012.", shard_id(0))
    );
    assert!(failed.get("SequenceNumber").is_none());
    assert!(answer["Records"][5]["SequenceNumber"].is_string());

    let single = json!({ "StreamName": "orders", "PartitionKey": "a", "Data": "" });
    assert_eq!(scene.code("PutRecord", &single), "ProvisionedThroughputExceededException");
    scene.clock.advance(Duration::from_secs(1));
    scene.ok("PutRecord", &single);
    assert_eq!(scene.read(0, "TRIM_HORIZON", &json!({})).len(), 4, "what failed is not stored");
}

#[test]
fn bytes_count_with_their_keys() {
    let scene = limited(Rates { write_bytes_per_second: 8, write_burst_bytes: 8, ..Rates::default() });
    // Three bytes and a key of one byte: two fit.
    assert_eq!(scene.ok("PutRecords", &batch(&["a", "a", "a"]))["FailedRecordCount"], 1);
}

#[test]
fn a_shard_is_read_five_times_a_second() {
    let scene = limited(Rates::default());
    let iterator = scene.iterator(0, "LATEST", &json!({}));
    for _ in 0..5 {
        scene.get(&iterator);
    }
    let (code, message) = scene.fails("GetRecords", &json!({ "ShardIterator": iterator }));
    assert_eq!(code, "ProvisionedThroughputExceededException");
    assert!(message.starts_with("Rate exceeded for shard shardId-000000000000"), "{message}");
    scene.get(&scene.iterator(1, "LATEST", &json!({})));
    scene.clock.advance(Duration::from_millis(200));
    scene.get(&iterator);
}

#[test]
fn a_large_page_costs_the_next_seconds() {
    let rates = Rates { read_bytes_per_second: 100, ..Rates::default() };
    let scene = limited(rates);
    scene.put("a", &"x".repeat(499));
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert_eq!(payloads(&page).len(), 1);
    let next = json!({ "ShardIterator": text(&page["NextShardIterator"]) });
    scene.clock.advance(Duration::from_secs(5));
    assert_eq!(scene.code("GetRecords", &next), "ProvisionedThroughputExceededException");
    scene.clock.advance(Duration::from_millis(10));
    scene.ok("GetRecords", &next);
}

#[test]
fn a_shard_gives_five_iterators_a_second() {
    let scene = limited(Rates::default());
    for _ in 0..5 {
        scene.iterator(0, "LATEST", &json!({}));
    }
    let body = iterator_body(0, "LATEST", &json!({}));
    assert_eq!(scene.code("GetShardIterator", &body), "ProvisionedThroughputExceededException");
}

#[test]
fn streams_are_made_five_at_a_time() {
    let create_delay = Duration::from_secs(10);
    let scene = Scene::with(Options { enforce_limits: true, create_delay, ..Options::default() });
    for name in ["a", "b", "c", "d", "e"] {
        scene.ok("CreateStream", &json!({ "StreamName": name, "ShardCount": 1 }));
    }
    let sixth = json!({ "StreamName": "f", "ShardCount": 1 });
    let (code, message) = scene.fails("CreateStream", &sixth);
    assert_eq!((code.as_str(), message.starts_with("Rate exceeded")), ("LimitExceededException", true));
    scene.clock.advance(Duration::from_secs(1));
    let (code, message) = scene.fails("CreateStream", &sixth);
    assert_eq!((code.as_str(), message.contains("CREATING")), ("LimitExceededException", true));
    scene.clock.advance(create_delay);
    scene.ok("CreateStream", &sixth);
}

#[test]
fn without_limits_nothing_is_refused() {
    let scene = Scene::with_shards(1);
    let iterator = scene.iterator(0, "LATEST", &json!({}));
    for _ in 0..50 {
        scene.get(&iterator);
    }
    for _ in 0..4 {
        assert_eq!(scene.ok("PutRecords", &batch(&["a"; 500]))["FailedRecordCount"], 0);
    }
}
