//! Streams come, change and go.

use std::time::Duration;

use sandbox::kinesis::Options;
use serde_json::json;

use crate::scene::{Scene, each, iterator_body, stream_arn, text};

fn status(scene: &Scene) -> String {
    let summary = scene.ok("DescribeStreamSummary", &json!({ "StreamName": "orders" }));
    text(&summary["StreamDescriptionSummary"]["StreamStatus"])
}

#[test]
fn a_new_stream_takes_no_records_until_it_is_active() {
    let scene = Scene::new();
    scene.ok("CreateStream", &json!({ "StreamName": "orders", "ShardCount": 2 }));
    assert_eq!(status(&scene), "CREATING");
    let description = scene.ok("DescribeStream", &json!({ "StreamName": "orders" }));
    assert_eq!(description["StreamDescription"]["Shards"], json!([]));
    let put = json!({ "StreamName": "orders", "PartitionKey": "k", "Data": "" });
    assert_eq!(
        scene.fails("PutRecord", &put),
        ("ResourceNotFoundException".into(), "Stream orders under account 123456789012 not found.".into())
    );
    assert_eq!(scene.code("ListShards", &json!({ "StreamName": "orders" })), "ResourceInUseException");

    scene.clock.advance(Duration::from_millis(199));
    assert_eq!(status(&scene), "CREATING");
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(status(&scene), "ACTIVE");
    scene.put("k", "hello");
    assert_eq!(
        scene.fails("CreateStream", &json!({ "StreamName": "orders", "ShardCount": 2 })),
        ("ResourceInUseException".into(), "Stream orders under account 123456789012 already exists.".into())
    );
}

#[test]
fn an_on_demand_stream_starts_with_four_shards_and_is_scaled_by_nobody() {
    let scene = Scene::new();
    let mode = json!({ "StreamMode": "ON_DEMAND" });
    let with_count = json!({ "StreamName": "orders", "ShardCount": 2, "StreamModeDetails": mode });
    assert_eq!(scene.code("CreateStream", &with_count), "ValidationException");
    scene.ok("CreateStream", &json!({ "StreamName": "orders", "StreamModeDetails": mode }));
    scene.settle();
    let summary = scene.ok("DescribeStreamSummary", &json!({ "StreamName": "orders" }));
    let summary = &summary["StreamDescriptionSummary"];
    assert_eq!(summary["OpenShardCount"], 4);
    assert_eq!(summary["StreamModeDetails"], mode);
    assert_eq!(summary["RecordDistributionStrategy"], "USER_PARTITION_KEY");
    assert_eq!(summary["MaxRecordSizeInKiB"], 1024);

    for (operation, body) in [
        ("SplitShard", json!({ "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "10" })),
        (
            "MergeShards",
            json!({ "ShardToMerge": "shardId-000000000000", "AdjacentShardToMerge": "shardId-000000000001" }),
        ),
        ("UpdateShardCount", json!({ "TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING" })),
    ] {
        let mut body = body;
        body["StreamName"] = "orders".into();
        assert_eq!(
            scene.fails(operation, &body),
            (
                "ValidationException".into(),
                "Request is invalid. Stream orders under account 123456789012 is in On-Demand mode.".into()
            ),
            "{operation}"
        );
    }
}

#[test]
fn a_provisioned_stream_needs_a_shard_count() {
    let scene = Scene::new();
    assert_eq!(
        scene.fails("CreateStream", &json!({ "StreamName": "orders" })),
        (
            "ValidationException".into(),
            "1 validation error detected: Value null at 'shardCount' failed to satisfy constraint: \
             Member must not be null"
                .into()
        )
    );
}

#[test]
fn a_recreated_stream_honours_nothing_of_the_first_one() {
    let scene = Scene::with_shards(1);
    let number = scene.put("k", "first life");
    let iterator = scene.iterator(0, "TRIM_HORIZON", &json!({}));
    scene.ok("DeleteStream", &json!({ "StreamName": "orders" }));
    assert_eq!(status(&scene), "DELETING");
    scene.settle();
    assert_eq!(
        scene.code("DescribeStreamSummary", &json!({ "StreamName": "orders" })),
        "ResourceNotFoundException"
    );
    let gone = scene.fails("GetRecords", &json!({ "ShardIterator": iterator }));
    assert_eq!(
        gone,
        (
            "ResourceNotFoundException".into(),
            "Shard shardId-000000000000 in stream orders under account 123456789012 does not exist".into()
        )
    );

    scene.create("orders", 1);
    assert_eq!(scene.fails("GetRecords", &json!({ "ShardIterator": iterator })), gone);
    let old = iterator_body(0, "AFTER_SEQUENCE_NUMBER", &json!({ "StartingSequenceNumber": number }));
    let (code, message) = scene.fails("GetShardIterator", &old);
    assert_eq!(code, "InvalidArgumentException");
    assert!(message.ends_with("is invalid because it did not come from this stream."), "{message}");
}

#[test]
fn a_stream_with_consumers_is_deleted_only_on_demand() {
    let scene = Scene::with_shards(1);
    let arn = stream_arn("orders");
    scene.ok("RegisterStreamConsumer", &json!({ "StreamARN": arn, "ConsumerName": "reader" }));
    assert_eq!(scene.code("DeleteStream", &json!({ "StreamName": "orders" })), "ResourceInUseException");
    scene.ok("DeleteStream", &json!({ "StreamName": "orders", "EnforceConsumerDeletion": true }));
    scene.settle();
    assert_eq!(scene.ok("ListStreams", &json!({}))["StreamNames"], json!([]));
}

#[test]
fn streams_are_listed_in_pages() {
    let scene = Scene::new();
    for name in ["e", "a", "d", "b", "c"] {
        scene.ok("CreateStream", &json!({ "StreamName": name, "ShardCount": 1 }));
    }
    let first = scene.ok("ListStreams", &json!({ "Limit": 2 }));
    assert_eq!((&first["StreamNames"], &first["HasMoreStreams"]), (&json!(["a", "b"]), &json!(true)));
    assert_eq!(each(&first["StreamSummaries"], "StreamStatus"), ["CREATING", "CREATING"]);
    let second = scene.ok("ListStreams", &json!({ "Limit": 2, "NextToken": first["NextToken"] }));
    assert_eq!(second["StreamNames"], json!(["c", "d"]));
    let last = scene.ok("ListStreams", &json!({ "ExclusiveStartStreamName": "d" }));
    assert_eq!((&last["StreamNames"], &last["HasMoreStreams"]), (&json!(["e"]), &json!(false)));
    assert!(last["NextToken"].is_null());
    assert_eq!(scene.code("ListStreams", &json!({ "NextToken": "AAAA" })), "InvalidArgumentException");
}

#[test]
fn the_account_has_quotas() {
    let scene = Scene::with(Options { shard_limit: 3, on_demand_stream_limit: 1, ..Options::default() });
    scene.create("orders", 2);
    let (code, message) = scene.fails("CreateStream", &json!({ "StreamName": "more", "ShardCount": 2 }));
    assert_eq!(code, "LimitExceededException");
    assert!(message.contains("Current shard count for the account: 2. Limit: 3."), "{message}");
    let limits = scene.ok("DescribeLimits", &json!({}));
    assert_eq!(
        limits,
        json!({ "ShardLimit": 3, "OpenShardCount": 2, "OnDemandStreamCount": 0, "OnDemandStreamCountLimit": 1 })
    );
}

#[test]
fn what_the_engine_does_not_know_it_says_so() {
    let scene = Scene::new();
    assert_eq!(scene.code("CreateQueue", &json!({})), "UnknownOperationException");
    let settings = scene.ok("DescribeAccountSettings", &json!({}));
    assert_eq!(settings["MinimumThroughputBillingCommitment"]["Status"], "DISABLED");
}
