//! Whatever a request says, the answer is an answer or a refusal of the service's, never a failure of the engine.

use serde_json::{Value, json};

use crate::scene::{Scene, shard_id, stream_arn};

const OPERATIONS: [&str; 33] = [
    "AddTagsToStream",
    "CreateStream",
    "DecreaseStreamRetentionPeriod",
    "DeleteStream",
    "DeregisterStreamConsumer",
    "DescribeAccountSettings",
    "DescribeLimits",
    "DescribeStream",
    "DescribeStreamConsumer",
    "DescribeStreamSummary",
    "GetRecords",
    "GetShardIterator",
    "IncreaseStreamRetentionPeriod",
    "ListShards",
    "ListStreamConsumers",
    "ListStreams",
    "ListTagsForResource",
    "ListTagsForStream",
    "MergeShards",
    "PutRecord",
    "PutRecords",
    "RegisterStreamConsumer",
    "RemoveTagsFromStream",
    "SplitShard",
    "StartStreamEncryption",
    "StopStreamEncryption",
    "TagResource",
    "UntagResource",
    "UpdateMaxRecordSize",
    "UpdateShardCount",
    "UpdateStreamMode",
    "UpdateStreamRecordDistributionStrategy",
    "UpdateStreamWarmThroughput",
];

/// A request that names everything an operation may want, most of it rightly.
fn full() -> Value {
    json!({
        "StreamName": "orders",
        "StreamARN": stream_arn("orders"),
        "ResourceARN": stream_arn("orders"),
        "ShardId": shard_id(0),
        "ShardIteratorType": "AT_SEQUENCE_NUMBER",
        "StartingSequenceNumber": "1",
        "Timestamp": 1_800_000_000.5,
        "ShardIterator": "AAAA",
        "Limit": 1,
        "MaxResults": 1,
        "NextToken": "AAAA",
        "ExclusiveStartShardId": shard_id(0),
        "ExclusiveStartTagKey": "k",
        "ShardFilter": { "Type": "AT_TIMESTAMP", "Timestamp": 1, "ShardId": shard_id(0) },
        "Records": [{ "PartitionKey": "k", "Data": "AA==", "ExplicitHashKey": "0" }],
        "PartitionKey": "k",
        "Data": "AA==",
        "ExplicitHashKey": "0",
        "SequenceNumberForOrdering": "1",
        "ShardToSplit": shard_id(0),
        "NewStartingHashKey": "100",
        "ShardToMerge": shard_id(0),
        "AdjacentShardToMerge": shard_id(1),
        "TargetShardCount": 2,
        "ScalingType": "UNIFORM_SCALING",
        "ShardCount": 1,
        "StreamModeDetails": { "StreamMode": "PROVISIONED" },
        "RetentionPeriodHours": 48,
        "MaxRecordSizeInKiB": 2048,
        "WarmThroughputMiBps": 1,
        "RecordDistributionStrategy": "AUTO",
        "EncryptionType": "KMS",
        "KeyId": "key",
        "Tags": { "k": "v" },
        "TagKeys": ["k"],
        "ConsumerName": "reader",
        "ConsumerARN": format!("{}/consumer/reader:1", stream_arn("orders")),
        "EnforceConsumerDeletion": false,
        "DryRun": false,
    })
}

#[test]
fn no_member_of_any_request_can_break_the_engine() {
    let scene = Scene::with_shards(2);
    let hostile = [
        json!(null),
        json!(""),
        json!("9".repeat(400)),
        json!(-1),
        json!(i64::MAX),
        json!(1e300),
        json!([null]),
        json!({ "": null }),
    ];
    let (mut answered, mut refused) = (0, 0);
    for operation in OPERATIONS {
        for member in full().as_object().unwrap().keys() {
            for value in &hostile {
                for mut body in [json!({ "StreamName": "orders" }), full()] {
                    // The member that named the stream may be the hostile one.
                    body[member] = value.clone();
                    match scene.call(operation, &body) {
                        Ok(_) => answered += 1,
                        Err(error) => {
                            assert_eq!(error.status, 400, "{operation} {body}: {error}");
                            assert_ne!(error.code, "UnknownOperationException", "{operation}");
                            refused += 1;
                        }
                    }
                }
            }
        }
        scene.settle();
    }
    assert!(
        answered > 1_000 && refused > 5_000,
        "{answered} answered, {refused} refused: not much of a test"
    );
}

#[test]
fn what_is_no_object_is_refused() {
    let scene = Scene::with_shards(1);
    for operation in OPERATIONS {
        for body in ["null", "[]", "[\"orders\"]", "7", "\"orders\"", "{", "{]", "\u{FEFF}{}"] {
            match scene.engine.call(operation, body.as_bytes(), &scene.caller) {
                // These two read nothing.
                Ok(_) => assert!(matches!(operation, "DescribeLimits" | "DescribeAccountSettings")),
                Err(error) => assert_eq!(error.code, "SerializationException", "{operation} {body}"),
            }
        }
    }
}
