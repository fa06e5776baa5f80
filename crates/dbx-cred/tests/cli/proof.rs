//! `prove`: reading with Databricks' keys, and being refused with them.

use aws_sdk_kinesis::primitives::Blob;
use serde_json::{Value, json};

use crate::scene::{NAME, ROLE_ARN, STREAM_ARN, Scene};

const RECORD: &str = r#"{"timestamp":"2024-01-15T10:00:00","sensor_id":"sensor_01","location":"Freezer A","temperature_celsius":-18.2}"#;

/// A stream with its record: the receipt.
async fn stream(scene: &Scene) -> String {
    let kinesis = scene.kinesis();
    kinesis.create_stream().stream_name("sensor-readings").shard_count(2).send().await.unwrap();
    loop {
        let summary = kinesis.describe_stream_summary().stream_name("sensor-readings").send().await.unwrap();
        if summary.stream_description_summary().unwrap().stream_status().as_str() == "ACTIVE" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let put = kinesis.put_record().stream_name("sensor-readings").partition_key("sensor_01");
    let put = put.data(Blob::new(RECORD)).send().await.unwrap();
    json!({ "line": 1, "shard_id": put.shard_id(), "sequence_number": put.sequence_number() }).to_string()
}

/// A credential whose role has these permissions, and the document.
async fn connected(scene: &Scene, statements: Option<Value>) -> String {
    let mut document: Value = serde_json::from_str(&scene.ensured().await).unwrap();
    document["stream"] = json!({ "name": "sensor-readings", "arn": STREAM_ARN });
    let external_id = document["credential"]["external_id"].as_str();
    match statements {
        None => scene.role(&document, external_id, true).await,
        Some(statements) => scene.role_with(&document, external_id, &statements).await,
    }
    document.to_string()
}

fn result<'a>(document: &'a Value, step: &str) -> &'a str {
    let steps = document["proof"]["steps"].as_array().unwrap();
    steps.iter().find(|line| line["step"] == step).unwrap()["result"].as_str().unwrap()
}

#[tokio::test]
async fn the_very_record_is_read_back_and_everything_else_is_refused() {
    let scene = Scene::start().await;
    let receipt = stream(&scene).await;
    std::fs::write(scene.home.path().join("receipts.ndjson"), format!("{receipt}\n")).unwrap();
    let document = connected(&scene, None).await;
    scene.run(&["validate"], &document).await.ends_with(0, &[]);
    let ran = scene.run(&["prove", "--receipt", "receipts.ndjson", "--data", RECORD], &document).await;
    ran.ends_with(0, &["find-stream works", "put-record is refused", "proved"]);
    let proved = ran.document();
    assert_eq!(proved["proof"]["verdict"], "pass");
    let steps = proved["proof"]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 7);
    assert!(steps.iter().all(|step| step["result"] == "PASS"), "{steps:?}");
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    let record = &proved["proof"]["record"];
    assert_eq!(record["sequence_number"], receipt["sequence_number"]);
    assert_eq!(
        (&record["partition_key"], &record["size_bytes"]),
        (&"sensor_01".into(), &RECORD.len().into())
    );
    let caller = proved["proof"]["caller"].as_str().unwrap();
    assert!(
        caller.starts_with("arn:aws:sts::123456789012:assumed-role/databricks-kinesis-role/"),
        "{caller}"
    );
}

#[tokio::test]
async fn it_needs_no_aws_keys_of_ones_own_and_uses_none() {
    let scene = Scene::start().await;
    stream(&scene).await;
    let document = connected(&scene, None).await;
    scene.run(&["validate"], &document).await.ends_with(0, &[]);
    let without = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_REGION", ""),
        ("AWS_DEFAULT_REGION", ""),
    ];
    scene.run_with(&["prove"], &without, &document).await.ends_with(0, &["proved"]);
    let broken = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_PROFILE", "nobody")];
    scene.run_with(&["prove"], &broken, &document).await.ends_with(0, &["proved"]);
}

#[tokio::test]
async fn permissions_that_are_too_wide_are_found_without_writing_anything() {
    let scene = Scene::start().await;
    stream(&scene).await;
    let wide = json!([{ "Effect": "Allow", "Action": "kinesis:*", "Resource": "*" },
                      { "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE_ARN }]);
    let document = connected(&scene, Some(wide)).await;
    scene.run(&["validate"], &document).await.ends_with(0, &[]);
    let ran = scene.run(&["prove"], &document).await;
    ran.ends_with(
        1,
        &["put-record: this is allowed", "another-stream: this is allowed", "iam-policy-gen permissions"],
    );
    let proved = ran.document();
    assert_eq!((result(&proved, "put-record"), result(&proved, "another-stream")), ("FAIL", "FAIL"));
    assert_eq!(result(&proved, "read-record"), "PASS");
    let again = scene.run(&["prove", "--data", "proof"], &document).await;
    again.ends_with(1, &["no record holds the given data"]);
}

#[tokio::test]
async fn permissions_that_are_too_narrow_name_the_action() {
    let scene = Scene::start().await;
    stream(&scene).await;
    let narrow = json!([{ "Effect": "Allow", "Action": ["kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:GetShardIterator"],
                          "Resource": STREAM_ARN },
                        { "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE_ARN }]);
    let document = connected(&scene, Some(narrow)).await;
    scene.run(&["validate"], &document).await.ends_with(0, &[]);
    let ran = scene.run(&["prove"], &document).await;
    ran.ends_with(1, &["read-record: ", "kinesis:GetRecords"]);
    assert_eq!(result(&ran.document(), "find-stream"), "PASS");
}

#[tokio::test]
async fn a_stream_without_records_proves_nothing_and_says_how_to_put_one() {
    let scene = Scene::start().await;
    let kinesis = scene.kinesis();
    kinesis.create_stream().stream_name("sensor-readings").shard_count(1).send().await.unwrap();
    let document = connected(&scene, None).await;
    scene.run(&["validate"], &document).await.ends_with(0, &[]);
    let ran = scene.run(&["prove"], &document).await;
    ran.ends_with(1, &["read-record could not be tried", "kput sensor-readings"]);
    assert_eq!(ran.document()["proof"]["verdict"], "unproven");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    scene.run(&["prove"], &document).await.ends_with(2, &["no stream is given", "--stream", "kstream show"]);
    scene
        .run(&["prove", "--stream", "sensors"], &document)
        .await
        .ends_with(2, &["`sensors` is not a stream ARN"]);
    let args = ["prove", "--stream", STREAM_ARN, "--receipt", "nowhere"];
    scene.run(&args, &document).await.ends_with(2, &["failed to read the receipts in `nowhere`", "kput"]);
    std::fs::write(scene.home.path().join("empty"), "").unwrap();
    let args = ["prove", "--stream", STREAM_ARN, "--receipt", "empty"];
    scene.run(&args, &document).await.ends_with(3, &["holds no receipt"]);
    let args = ["prove", NAME, "--stream", STREAM_ARN];
    scene.run(&args, "").await.ends_with(4, &["not configured correctly", "dbx-cred validate"]);
}
