//! The same requests to this engine and to ferrokinesis, an independent emulator, must meet the same refusals, word for word.
//!
//! Where the two differ on purpose, the request is not in these lists: ferrokinesis knows no large records, no
//! on-demand mode at creation, no retention beyond a week. See the tests of the engine itself for those.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed step of a test's scene is a failed test")]

use std::time::Duration;

use axum::body::Body;
use ferrokinesis::store::StoreOptions;
use http::Request;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use sandbox::kinesis::{Caller, Engine, Options};
use serde_json::{Value, json};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-central-1";

struct Pair {
    ours: Engine,
    theirs: TowerToHyperService<axum::Router>,
}

/// A refusal, or the answer.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Refused { status: u16, code: String, message: String },
    Answered(Value),
}

impl Pair {
    /// Both engines with an active stream `orders` of three shards.
    async fn new() -> Self {
        let ours = Engine::new(Options { create_delay: Duration::ZERO, ..Options::default() });
        let options = StoreOptions {
            create_stream_ms: 0,
            aws_account_id: ACCOUNT.to_owned(),
            aws_region: REGION.to_owned(),
            ..StoreOptions::default()
        };
        let pair = Self { ours, theirs: TowerToHyperService::new(ferrokinesis::create_app(options).0) };
        let create = json!({ "StreamName": "orders", "ShardCount": 3 });
        assert_eq!(pair.ours("CreateStream", &create), Outcome::Answered(Value::Null));
        assert_eq!(pair.theirs("CreateStream", &create).await, Outcome::Answered(Value::Null));
        let describe = json!({ "StreamName": "orders" });
        loop {
            let Outcome::Answered(summary) = pair.theirs("DescribeStreamSummary", &describe).await else {
                panic!("the other emulator lost its stream");
            };
            if summary["StreamDescriptionSummary"]["StreamStatus"] == "ACTIVE" {
                return pair;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn ours(&self, operation: &str, body: &Value) -> Outcome {
        let caller = Caller { account: ACCOUNT.to_owned() };
        match self.ours.call(operation, body.to_string().as_bytes(), &caller) {
            Ok(answer) => Outcome::Answered(serde_json::from_slice(&answer).unwrap_or_default()),
            Err(error) => Outcome::Refused {
                status: error.status,
                code: error.code.into_owned(),
                message: error.message,
            },
        }
    }

    async fn theirs(&self, operation: &str, body: &Value) -> Outcome {
        let request = Request::post("/")
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", format!("Kinesis_20131202.{operation}"))
            .header("x-amz-date", "20270115T080000Z")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = self.theirs.call(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if status == 200 {
            return Outcome::Answered(answer);
        }
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Outcome::Refused { status, code: text("__type"), message: text("message") }
    }
}

/// Both must refuse a request in the same words.
async fn agree(pair: &Pair, cases: &[(&str, Value)]) {
    for (operation, body) in cases {
        let ours = pair.ours(operation, body);
        assert!(matches!(ours, Outcome::Refused { .. }), "{operation} {body} was not refused");
        assert_eq!(ours, pair.theirs(operation, body).await, "{operation} {body}");
    }
}

fn on_orders(more: &Value) -> Value {
    let mut body = json!({ "StreamName": "orders" });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn broken_constraints_are_listed_in_the_same_words() {
    let pair = Pair::new().await;
    let long = "x".repeat(129);
    let entry = |key: &str| json!({ "PartitionKey": key, "Data": "" });
    agree(
        &pair,
        &[
            ("CreateStream", json!({})),
            ("CreateStream", json!({ "StreamName": "", "ShardCount": 1 })),
            ("CreateStream", json!({ "StreamName": long, "ShardCount": 1 })),
            ("CreateStream", json!({ "StreamName": "a b", "ShardCount": 0 })),
            ("DescribeStream", on_orders(&json!({ "Limit": 0 }))),
            ("DescribeStream", on_orders(&json!({ "Limit": 10_001 }))),
            ("DescribeStream", on_orders(&json!({ "ExclusiveStartShardId": "" }))),
            ("ListStreams", json!({ "Limit": 0 })),
            ("ListStreams", json!({ "Limit": 100_000 })),
            ("ListStreams", json!({ "ExclusiveStartStreamName": ";" })),
            ("ListShards", on_orders(&json!({ "MaxResults": 0 }))),
            ("PutRecord", on_orders(&entry(""))),
            ("PutRecord", on_orders(&entry(&"x".repeat(257)))),
            ("PutRecord", on_orders(&json!({ "PartitionKey": "k", "Data": "", "ExplicitHashKey": "" }))),
            (
                "PutRecord",
                on_orders(&json!({ "PartitionKey": "k", "Data": "", "SequenceNumberForOrdering": "" })),
            ),
            ("PutRecords", json!({})),
            ("PutRecords", on_orders(&json!({}))),
            ("PutRecords", on_orders(&json!({ "Records": [] }))),
            ("PutRecords", on_orders(&json!({ "Records": [entry("k"), entry("")] }))),
            (
                "GetShardIterator",
                on_orders(&json!({ "ShardId": "shardId-000000000000", "ShardIteratorType": "X" })),
            ),
            ("GetRecords", json!({})),
            ("GetRecords", json!({ "ShardIterator": "" })),
            ("GetRecords", json!({ "ShardIterator": "x".repeat(513) })),
            ("GetRecords", json!({ "ShardIterator": "x", "Limit": 10_001 })),
            (
                "SplitShard",
                on_orders(&json!({ "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "x" })),
            ),
            ("UpdateShardCount", on_orders(&json!({}))),
            ("IncreaseStreamRetentionPeriod", on_orders(&json!({}))),
            ("AddTagsToStream", on_orders(&json!({}))),
            ("AddTagsToStream", on_orders(&json!({ "Tags": {} }))),
            ("AddTagsToStream", on_orders(&json!({ "Tags": { "": "x" } }))),
            ("AddTagsToStream", on_orders(&json!({ "Tags": { "k": "v".repeat(257) } }))),
            ("RemoveTagsFromStream", on_orders(&json!({ "TagKeys": [] }))),
            ("RegisterStreamConsumer", json!({})),
            ("RegisterStreamConsumer", json!({ "StreamARN": "x", "ConsumerName": "" })),
            ("StartStreamEncryption", on_orders(&json!({}))),
            (
                "UpdateMaxRecordSize",
                json!({ "StreamARN": Options::default().stream_arn("orders"), "MaxRecordSizeInKiB": 1 }),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_does_not_exist_and_what_makes_no_sense_is_refused_in_the_same_words() {
    let pair = Pair::new().await;
    let at = |shard: u32, kind: &str, more: &Value| {
        let mut body = on_orders(more);
        body["ShardId"] = format!("shardId-{shard:012}").into();
        body["ShardIteratorType"] = kind.into();
        body
    };
    let elsewhere = |mut body: Value| {
        body["StreamName"] = "none".into();
        body
    };
    let record = json!({ "PartitionKey": "k", "Data": "" });
    let split = |shard: u32, key: &str| {
        on_orders(&json!({ "ShardToSplit": format!("shardId-{shard:012}"), "NewStartingHashKey": key }))
    };
    let merge = |first: u32, second: u32| {
        let id = |shard: u32| format!("shardId-{shard:012}");
        on_orders(&json!({ "ShardToMerge": id(first), "AdjacentShardToMerge": id(second) }))
    };
    agree(
        &pair,
        &[
            ("CreateStream", on_orders(&json!({ "ShardCount": 1 }))),
            ("DeleteStream", json!({ "StreamName": "none" })),
            ("DescribeStream", json!({ "StreamName": "none" })),
            ("DescribeStreamSummary", json!({ "StreamName": "none" })),
            ("ListShards", json!({ "StreamName": "none" })),
            ("ListShards", on_orders(&json!({ "NextToken": "x" }))),
            ("PutRecord", elsewhere(on_orders(&record))),
            ("PutRecords", elsewhere(json!({ "Records": [record] }))),
            (
                "PutRecord",
                on_orders(&json!({
                    "PartitionKey": "k", "Data": "", "ExplicitHashKey": "340282366920938463463374607431768211456",
                })),
            ),
            ("GetShardIterator", on_orders(&json!({ "ShardId": "x", "ShardIteratorType": "LATEST" }))),
            ("GetShardIterator", at(9, "LATEST", &json!({}))),
            ("GetShardIterator", elsewhere(at(0, "LATEST", &json!({})))),
            ("GetShardIterator", at(0, "AT_SEQUENCE_NUMBER", &json!({}))),
            ("GetShardIterator", at(0, "LATEST", &json!({ "StartingSequenceNumber": "5" }))),
            ("GetShardIterator", at(0, "AT_TIMESTAMP", &json!({}))),
            ("GetRecords", json!({ "ShardIterator": "x" })),
            ("SplitShard", split(0, "0")),
            ("SplitShard", split(9, "10")),
            ("MergeShards", merge(0, 2)),
            ("MergeShards", merge(0, 9)),
            ("IncreaseStreamRetentionPeriod", on_orders(&json!({ "RetentionPeriodHours": 23 }))),
            ("DecreaseStreamRetentionPeriod", on_orders(&json!({ "RetentionPeriodHours": 23 }))),
            ("DecreaseStreamRetentionPeriod", on_orders(&json!({ "RetentionPeriodHours": 25 }))),
            ("AddTagsToStream", json!({ "StreamName": "none", "Tags": { "a": "b" } })),
            ("ListStreamConsumers", json!({ "StreamARN": Options::default().stream_arn("none") })),
            ("Nonsense", json!({})),
        ],
    )
    .await;
}

/// Values of one member of a list, as text.
fn column(outcome: Outcome, list: &str, member: &str) -> Vec<String> {
    let Outcome::Answered(answer) = outcome else { panic!("refused: {outcome:?}") };
    let Some(entries) = answer[list].as_array() else { panic!("no {list} in {answer}") };
    entries.iter().map(|entry| entry[member].to_string()).collect()
}

#[tokio::test]
async fn records_go_to_the_same_shards_and_come_back_the_same() {
    let pair = Pair::new().await;
    let entry = |at: u32| json!({ "PartitionKey": format!("schlüssel-{at}"), "Data": "aGVsbG8=" });
    let batch = on_orders(&json!({ "Records": (0..300).map(entry).collect::<Vec<_>>() }));
    let shards = column(pair.ours("PutRecords", &batch), "Records", "ShardId");
    assert_eq!(shards, column(pair.theirs("PutRecords", &batch).await, "Records", "ShardId"));

    for shard in 0..3 {
        let ask = on_orders(
            &json!({ "ShardId": format!("shardId-{shard:012}"), "ShardIteratorType": "TRIM_HORIZON" }),
        );
        let iterator = |outcome: Outcome| match outcome {
            Outcome::Answered(answer) => json!({ "ShardIterator": answer["ShardIterator"] }),
            Outcome::Refused { .. } => panic!("refused: {outcome:?}"),
        };
        let ours = iterator(pair.ours("GetShardIterator", &ask));
        let theirs = iterator(pair.theirs("GetShardIterator", &ask).await);
        for member in ["PartitionKey", "Data"] {
            let read = column(pair.ours("GetRecords", &ours), "Records", member);
            assert!(!read.is_empty(), "shard {shard} got nothing");
            assert_eq!(read, column(pair.theirs("GetRecords", &theirs).await, "Records", member));
        }
    }
}

#[tokio::test]
async fn shards_own_the_same_hash_keys() {
    let pair = Pair::new().await;
    let list = json!({ "StreamName": "orders" });
    for member in ["ShardId", "HashKeyRange"] {
        let ours = column(pair.ours("ListShards", &list), "Shards", member);
        assert_eq!(ours.len(), 3);
        assert_eq!(ours, column(pair.theirs("ListShards", &list).await, "Shards", member));
    }
}
