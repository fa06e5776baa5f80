//! Shards split and merge under a reader, and nothing is lost.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::scene::{Scene, each, payloads, shard_id, text};

const MIDDLE: u128 = 1 << 127;

fn split(scene: &Scene, shard: u32, at: u128) {
    let body = json!({ "StreamName": "orders", "ShardToSplit": shard_id(shard), "NewStartingHashKey": at.to_string() });
    scene.ok("SplitShard", &body);
}

fn merge(first: u32, second: u32) -> Value {
    json!({ "StreamName": "orders", "ShardToMerge": shard_id(first), "AdjacentShardToMerge": shard_id(second) })
}

#[test]
fn a_split_shows_its_children_once_the_update_is_done() {
    let scene = Scene::with_shards(1);
    scene.put("a", "before");
    split(&scene, 0, MIDDLE);
    let summary = scene.ok("DescribeStreamSummary", &json!({ "StreamName": "orders" }));
    assert_eq!(summary["StreamDescriptionSummary"]["StreamStatus"], "UPDATING");
    scene.put("a", "while updating");
    let busy = json!({ "StreamName": "orders", "ShardToSplit": shard_id(0), "NewStartingHashKey": "10" });
    assert_eq!(
        scene.fails("SplitShard", &busy),
        (
            "ResourceInUseException".into(),
            "Stream orders under account 123456789012 not ACTIVE, instead in state UPDATING".into()
        )
    );
    scene.settle();
    scene.put("a", "after");

    let shards = scene.ok("ListShards", &json!({ "StreamName": "orders" }))["Shards"].clone();
    assert!(shards[0]["SequenceNumberRange"]["EndingSequenceNumber"].is_string());
    for child in [&shards[1], &shards[2]] {
        assert_eq!(child["ParentShardId"], shard_id(0));
        assert!(child["SequenceNumberRange"].get("EndingSequenceNumber").is_none());
    }
    assert_eq!(scene.read(0, "TRIM_HORIZON", &json!({})), ["before", "while updating"]);
    assert_eq!(scene.read(1, "TRIM_HORIZON", &json!({})), ["after"]);

    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert!(page.get("NextShardIterator").is_none());
    assert_eq!(each(&page["ChildShards"], "ShardId"), [shard_id(1), shard_id(2)]);
    assert_eq!(page["ChildShards"][0]["ParentShards"], json!([shard_id(0)]));
    assert_eq!(page["ChildShards"][1]["HashKeyRange"]["StartingHashKey"], MIDDLE.to_string());
}

#[test]
fn a_closed_shard_can_be_read_from_its_ending_number() {
    let scene = Scene::with_shards(1);
    scene.put("a", "last");
    split(&scene, 0, MIDDLE);
    scene.settle();
    let shards = scene.ok("ListShards", &json!({ "StreamName": "orders" }))["Shards"].clone();
    let end = shards[0]["SequenceNumberRange"]["EndingSequenceNumber"].clone();
    let page = scene.get(&scene.iterator(0, "AT_SEQUENCE_NUMBER", &json!({ "StartingSequenceNumber": end })));
    assert_eq!((payloads(&page).len(), page.get("NextShardIterator")), (0, None));
    let start = shards[0]["SequenceNumberRange"]["StartingSequenceNumber"].clone();
    let from_start = json!({ "StartingSequenceNumber": start });
    assert_eq!(scene.read(0, "AT_SEQUENCE_NUMBER", &from_start), ["last"]);
}

#[test]
fn a_merge_needs_two_open_neighbours_in_order() {
    let scene = Scene::with_shards(3);
    for (first, second) in [(1, 0), (0, 2), (0, 0)] {
        let (code, message) = scene.fails("MergeShards", &merge(first, second));
        assert_eq!(code, "InvalidArgumentException");
        assert!(message.ends_with("are not an adjacent pair of shards eligible for merging"), "{message}");
    }
    scene.ok("MergeShards", &merge(0, 1));
    scene.settle();
    let shards = scene.ok("ListShards", &json!({ "StreamName": "orders" }))["Shards"].clone();
    assert_eq!(
        (&shards[3]["ParentShardId"], &shards[3]["AdjacentParentShardId"]),
        (&json!(shard_id(0)), &json!(shard_id(1)))
    );
    for parent in [0, 1] {
        let page = scene.get(&scene.iterator(parent, "TRIM_HORIZON", &json!({})));
        assert_eq!(page["ChildShards"][0]["ParentShards"], json!([shard_id(0), shard_id(1)]));
    }
    let (code, message) = scene.fails("MergeShards", &merge(0, 1));
    assert_eq!(code, "ResourceNotFoundException");
    assert!(message.contains("has already been merged or split"), "{message}");
}

#[test]
fn a_split_key_lies_inside_the_shard() {
    let scene = Scene::with_shards(2);
    for at in [0, 1, MIDDLE, u128::MAX] {
        let body = json!({ "StreamName": "orders", "ShardToSplit": shard_id(0), "NewStartingHashKey": at.to_string() });
        let (code, message) = scene.fails("SplitShard", &body);
        assert_eq!(code, "InvalidArgumentException", "{at}");
        assert!(
            message.contains("is not both greater than one plus the shard's StartingHashKey 0"),
            "{message}"
        );
    }
}

#[test]
fn the_shard_count_at_most_doubles_and_at_most_halves() {
    let scene = Scene::with_shards(4);
    let resize = |target: u32| json!({ "StreamName": "orders", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING" });
    for target in [1, 9] {
        assert_eq!(scene.code("UpdateShardCount", &resize(target)), "InvalidArgumentException");
    }
    assert_eq!(scene.code("UpdateShardCount", &resize(0)), "ValidationException");
    let answer = scene.ok("UpdateShardCount", &resize(6));
    assert_eq!((&answer["CurrentShardCount"], &answer["TargetShardCount"]), (&json!(4), &json!(6)));
    scene.settle();
    let open = json!({ "StreamName": "orders", "ShardFilter": { "Type": "AT_LATEST" } });
    assert_eq!(scene.ok("ListShards", &open)["Shards"].as_array().unwrap().len(), 6);
}

/// Reads everything there is by following iterators and children, as a consumer would.
pub(crate) fn follow(scene: &Scene, roots: &[u32]) -> Vec<String> {
    let mut waiting: Vec<String> = roots.iter().map(|shard| shard_id(*shard)).collect();
    let mut parents_left: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut read = Vec::new();
    while let Some(shard) = waiting.pop() {
        let body = json!({ "StreamName": "orders", "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        let mut iterator = text(&scene.ok("GetShardIterator", &body)["ShardIterator"]);
        loop {
            let page = scene.ok("GetRecords", &json!({ "ShardIterator": iterator, "Limit": 7 }));
            read.extend(payloads(&page));
            for child in page["ChildShards"].as_array().into_iter().flatten() {
                let parents = child["ParentShards"].as_array().unwrap().iter().map(text).collect();
                let left = parents_left.entry(text(&child["ShardId"])).or_insert(parents);
                left.remove(&shard);
                if left.is_empty() {
                    waiting.push(text(&child["ShardId"]));
                }
            }
            match page["NextShardIterator"].as_str() {
                Some(next) if payloads(&page).is_empty() && page["MillisBehindLatest"] == 0 => {
                    assert!(!next.is_empty());
                    break;
                }
                Some(next) => next.clone_into(&mut iterator),
                None => break,
            }
        }
    }
    read
}

#[test]
fn numbered_records_survive_splits_merges_and_resizing_each_exactly_once() {
    let scene = Scene::with_shards(2);
    let mut number = 0;
    let mut put_some = || {
        for _ in 0..50 {
            scene.put(&format!("key-{}", number % 17), &number.to_string());
            number += 1;
        }
    };
    put_some();
    split(&scene, 0, MIDDLE / 2);
    put_some();
    scene.settle();
    put_some();
    scene.ok("MergeShards", &merge(3, 1));
    scene.settle();
    put_some();
    scene.ok(
        "UpdateShardCount",
        &json!({ "StreamName": "orders", "TargetShardCount": 3, "ScalingType": "UNIFORM_SCALING" }),
    );
    scene.settle();
    put_some();

    let mut read: Vec<u32> = follow(&scene, &[0, 1]).iter().map(|payload| payload.parse().unwrap()).collect();
    read.sort_unstable();
    assert_eq!(read, (0..250).collect::<Vec<u32>>());
}

#[test]
fn the_numbers_of_a_key_grow_through_a_reshard() {
    let scene = Scene::with_shards(1);
    let before = scene.put("a", "before");
    split(&scene, 0, MIDDLE);
    scene.settle();
    let after = scene.put("a", "after");
    assert!(before < after, "{before} {after}");
}
