//! By name, by ARN, by iterator: which stream a request means, and which permission it needs.

use sandbox::kinesis::{Authorisation, Caller};
use serde_json::{Value, json};

use crate::scene::{Scene, iterator_body, shard_id, stream_arn, text};

const ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/orders";

#[test]
fn a_stream_is_named_by_name_by_arn_or_by_both() {
    let scene = Scene::with_shards(1);
    for body in [
        json!({ "StreamName": "orders" }),
        json!({ "StreamARN": ARN }),
        json!({ "StreamName": "orders", "StreamARN": ARN }),
    ] {
        let summary = scene.ok("DescribeStreamSummary", &body);
        assert_eq!(summary["StreamDescriptionSummary"]["StreamARN"], ARN);
    }
}

#[test]
fn a_stream_that_is_not_here_is_refused_for_the_right_reason() {
    let scene = Scene::with_shards(1);
    let not_found = |account: &str| {
        ("ResourceNotFoundException".to_owned(), format!("Stream orders under account {account} not found."))
    };
    let other_account = json!({ "StreamARN": ARN.replace("123456789012", "999999999999") });
    assert_eq!(scene.fails("DescribeStreamSummary", &other_account), not_found("999999999999"));
    for body in [
        json!({}),
        json!({ "StreamARN": ARN.replace("eu-central-1", "us-east-1") }),
        json!({ "StreamARN": ARN.replace("arn:aws:", "arn:aws-us-gov:") }),
        json!({ "StreamName": "others", "StreamARN": ARN }),
    ] {
        assert_eq!(scene.code("DescribeStreamSummary", &body), "InvalidArgumentException", "{body}");
    }
    let (code, message) =
        scene.fails("DescribeStreamSummary", &json!({ "StreamARN": "arn:aws:s3:::bucket" }));
    assert_eq!(code, "ValidationException");
    assert!(message.contains("at 'streamARN' failed to satisfy constraint"), "{message}");
}

#[test]
fn a_name_means_a_stream_of_the_callers_account_and_an_arn_what_it_says() {
    let mut scene = Scene::with_shards(1);
    scene.caller = Caller { account: "999999999999".into() };
    assert_eq!(
        scene.fails("DescribeStreamSummary", &json!({ "StreamName": "orders" })).1,
        "Stream orders under account 999999999999 not found."
    );
    scene.ok("DescribeStreamSummary", &json!({ "StreamARN": ARN }));
    assert_eq!(scene.ok("ListStreams", &json!({}))["StreamNames"], json!([]));
}

#[track_caller]
fn check(scene: &Scene, operation: &str, body: &Value, resource: &str) {
    let expected = Authorisation {
        action: format!("kinesis:{operation}"),
        resource: resource.to_owned(),
        further_actions: Vec::new(),
    };
    assert_eq!(scene.engine.authorisation(operation, body).unwrap(), expected);
    let bytes = body.to_string();
    assert_eq!(scene.engine.authorisation_of_body(operation, bytes.as_bytes()).unwrap(), expected);
}

#[test]
fn every_request_has_an_action_and_a_resource() {
    let scene = Scene::with_shards(3);
    check(&scene, "PutRecords", &json!({ "StreamName": "orders", "Records": [{ "Data": "AA==" }] }), ARN);
    check(&scene, "PutRecord", &json!({ "StreamARN": ARN }), ARN);
    check(&scene, "ListStreams", &json!({}), "*");
    check(&scene, "UpdateShardCount", &json!({ "StreamName": "orders" }), "*");
    let iterator = scene.iterator(0, "LATEST", &json!({}));
    check(&scene, "GetRecords", &json!({ "ShardIterator": iterator }), ARN);
    let page = scene.ok("ListShards", &json!({ "StreamName": "orders", "MaxResults": 1 }));
    check(&scene, "ListShards", &json!({ "NextToken": page["NextToken"] }), ARN);

    let registered =
        scene.ok("RegisterStreamConsumer", &json!({ "StreamARN": ARN, "ConsumerName": "reader" }));
    let consumer = text(&registered["Consumer"]["ConsumerARN"]);
    check(&scene, "SubscribeToShard", &json!({ "ConsumerARN": consumer }), &consumer);
    let by_name = json!({ "StreamARN": ARN, "ConsumerName": "reader" });
    check(&scene, "DescribeStreamConsumer", &by_name, &consumer);
    check(&scene, "TagResource", &json!({ "ResourceARN": consumer, "Tags": {} }), &consumer);

    let tagged = json!({ "StreamName": "orders", "Tags": { "team": "data" } });
    let needed = scene.engine.authorisation("CreateStream", &tagged).unwrap();
    assert_eq!(needed.further_actions, ["kinesis:AddTagsToStream"]);
}

#[test]
fn a_request_that_names_nothing_cannot_be_authorised() {
    let scene = Scene::with_shards(1);
    let code = |operation: &str, body: Value| scene.engine.authorisation(operation, &body).unwrap_err().code;
    assert_eq!(code("PutRecords", json!({})), "InvalidArgumentException");
    assert_eq!(code("GetRecords", json!({ "ShardIterator": "AAAA" })), "InvalidArgumentException");
    assert_eq!(code("GetRecords", json!({})), "ValidationException");
    assert_eq!(code("PutRecords", json!({ "StreamName": 7 })), "SerializationException");
    let iterator = scene.iterator(0, "LATEST", &json!({}));
    let other = json!({ "ShardIterator": iterator, "StreamARN": stream_arn("others") });
    assert_eq!(code("GetRecords", other), "InvalidArgumentException");
    let body = scene.engine.authorisation_of_body("PutRecords", b"{").unwrap_err();
    assert_eq!(body.code, "SerializationException");
}

#[test]
fn a_shard_that_is_not_there_is_named() {
    let scene = Scene::with_shards(1);
    assert_eq!(
        scene.fails("GetShardIterator", &iterator_body(7, "LATEST", &json!({}))),
        (
            "ResourceNotFoundException".into(),
            format!("Shard {} in stream orders under account 123456789012 does not exist", shard_id(7))
        )
    );
}
