//! `ListShards` and `DescribeStream` over many shards, and over time.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::scene::{Scene, each, shard_id, text};

fn listed(scene: &Scene, filter: &Value) -> Vec<String> {
    let answer = scene.ok("ListShards", &json!({ "StreamName": "orders", "ShardFilter": filter }));
    each(&answer["Shards"], "ShardId")
}

#[test]
fn any_number_of_shards_comes_in_pages_of_a_thousand() {
    let scene = Scene::with_shards(2_500);
    let mut body = json!({ "StreamName": "orders", "MaxResults": 10_000 });
    let (mut seen, mut pages) = (BTreeSet::new(), Vec::new());
    loop {
        let page = scene.ok("ListShards", &body);
        let ids = each(&page["Shards"], "ShardId");
        pages.push(ids.len());
        seen.extend(ids);
        if page["NextToken"].is_null() {
            break;
        }
        body = json!({ "NextToken": page["NextToken"], "MaxResults": 10_000 });
    }
    assert_eq!(pages, [1_000, 1_000, 500]);
    assert_eq!(seen.len(), 2_500);
}

#[test]
fn a_page_token_stands_alone_and_does_not_live_long() {
    let scene = Scene::with_shards(3);
    let page = scene.ok("ListShards", &json!({ "StreamName": "orders", "MaxResults": 2 }));
    let token = &page["NextToken"];
    let (code, message) = scene.fails("ListShards", &json!({ "StreamName": "orders", "NextToken": token }));
    assert_eq!(code, "InvalidArgumentException");
    assert_eq!(message, "NextToken and StreamName cannot be provided together.");
    assert_eq!(scene.code("ListShards", &json!({ "NextToken": "AAAA" })), "InvalidArgumentException");
    scene.clock.advance(Duration::from_mins(5));
    let rest = scene.ok("ListShards", &json!({ "NextToken": token }));
    assert_eq!(each(&rest["Shards"], "ShardId"), [shard_id(2)]);
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(scene.code("ListShards", &json!({ "NextToken": token })), "ExpiredNextTokenException");
}

#[test]
fn a_token_of_a_deleted_stream_lists_nothing_of_its_successor() {
    let scene = Scene::with_shards(3);
    let page = scene.ok("ListShards", &json!({ "StreamName": "orders", "MaxResults": 2 }));
    scene.ok("DeleteStream", &json!({ "StreamName": "orders" }));
    scene.settle();
    scene.create("orders", 3);
    let token = json!({ "NextToken": page["NextToken"] });
    assert_eq!(scene.code("ListShards", &token), "ResourceNotFoundException");
}

#[test]
fn describe_stream_pages_by_shard() {
    let scene = Scene::with_shards(150);
    let describe = |body: Value| scene.ok("DescribeStream", &body)["StreamDescription"].clone();
    let first = describe(json!({ "StreamName": "orders" }));
    assert_eq!((first["Shards"].as_array().unwrap().len(), &first["HasMoreShards"]), (100, &json!(true)));
    let rest = describe(json!({ "StreamName": "orders", "ExclusiveStartShardId": shard_id(99) }));
    assert_eq!((rest["Shards"].as_array().unwrap().len(), &rest["HasMoreShards"]), (50, &json!(false)));
    assert_eq!(each(&rest["Shards"], "ShardId")[0], shard_id(100));
}

#[test]
fn filters_choose_by_place_and_by_time() {
    let scene = Scene::with_shards(1);
    let before_split = scene.now_seconds();
    scene.clock.advance(Duration::from_mins(10));
    let split = json!({ "StreamName": "orders", "ShardToSplit": shard_id(0), "NewStartingHashKey": (1_u128 << 127).to_string() });
    scene.ok("SplitShard", &split);
    scene.settle();
    scene.clock.advance(Duration::from_mins(10));
    let after_split = scene.now_seconds();

    let (parent, children) = (vec![shard_id(0)], vec![shard_id(1), shard_id(2)]);
    let all = [parent.clone(), children.clone()].concat();
    assert_eq!(listed(&scene, &json!({ "Type": "FROM_TRIM_HORIZON" })), all);
    assert_eq!(listed(&scene, &json!({ "Type": "AT_TRIM_HORIZON" })), parent);
    assert_eq!(listed(&scene, &json!({ "Type": "AT_LATEST" })), children);
    assert_eq!(listed(&scene, &json!({ "Type": "AFTER_SHARD_ID", "ShardId": shard_id(1) })), [shard_id(2)]);
    assert_eq!(listed(&scene, &json!({ "Type": "AT_TIMESTAMP", "Timestamp": before_split })), parent);
    assert_eq!(listed(&scene, &json!({ "Type": "AT_TIMESTAMP", "Timestamp": after_split })), children);
    assert_eq!(listed(&scene, &json!({ "Type": "FROM_TIMESTAMP", "Timestamp": before_split })), all);
    assert_eq!(listed(&scene, &json!({ "Type": "FROM_TIMESTAMP", "Timestamp": after_split })), children);
    let unfiltered = scene.ok("ListShards", &json!({ "StreamName": "orders" }));
    assert_eq!(each(&unfiltered["Shards"], "ShardId"), all);

    // A day later nothing of the parent can be left.
    scene.clock.advance(Duration::from_hours(24));
    assert_eq!(listed(&scene, &json!({ "Type": "FROM_TRIM_HORIZON" })), children);
    let gone = json!({ "StreamName": "orders", "ShardId": shard_id(0), "ShardIteratorType": "TRIM_HORIZON" });
    assert_eq!(scene.code("GetShardIterator", &gone), "ResourceNotFoundException");
}

#[test]
fn a_filter_says_what_it_lacks() {
    let scene = Scene::with_shards(1);
    let fails =
        |filter: Value| scene.fails("ListShards", &json!({ "StreamName": "orders", "ShardFilter": filter }));
    assert_eq!(fails(json!({ "Type": "AT_TIMESTAMP" })).0, "InvalidArgumentException");
    assert_eq!(fails(json!({ "Type": "AFTER_SHARD_ID" })).0, "InvalidArgumentException");
    assert!(fails(json!({})).1.contains("Value null at 'shardFilter.type'"));
    let (code, message) = fails(json!({ "Type": "SOME" }));
    assert_eq!(code, "ValidationException");
    assert!(text(&message.into()).contains("Member must satisfy enum value set: [AFTER_SHARD_ID, "));
}
