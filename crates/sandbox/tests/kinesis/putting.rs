//! Records go in: sizes, keys, routes and numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::scene::{Scene, each, payloads, shard_id, stream_arn, text};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

fn blob(bytes: usize) -> String {
    STANDARD.encode(vec![7; bytes])
}

fn entry(key: &str, bytes: usize) -> Value {
    json!({ "PartitionKey": key, "Data": blob(bytes) })
}

fn batch(records: &[Value]) -> Value {
    json!({ "StreamName": "orders", "Records": records })
}

#[test]
fn sequence_numbers_are_56_digits_and_grow() {
    let scene = Scene::with_shards(1);
    let answer = scene.ok("PutRecords", &batch(&vec![entry("k", 1); 500]));
    assert_eq!(answer["FailedRecordCount"], 0);
    let mut numbers = each(&answer["Records"], "SequenceNumber");
    numbers.push(scene.put("k", "one more"));
    assert!(
        numbers.iter().all(|number| number.len() == 56 && number.bytes().all(|digit| digit.is_ascii_digit()))
    );
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn a_record_goes_where_the_hash_of_its_key_says() {
    let scene = Scene::with_shards(2);
    // MD5("a") begins with 0c, MD5("b") with 92.
    let answer = scene.ok("PutRecords", &batch(&[entry("a", 1), entry("b", 1), entry("a", 1)]));
    assert_eq!(each(&answer["Records"], "ShardId"), [shard_id(0), shard_id(1), shard_id(0)]);

    let mut explicit = entry("a", 1);
    explicit["ExplicitHashKey"] = u128::MAX.to_string().into();
    let answer = scene.ok("PutRecords", &batch(&[explicit.clone()]));
    assert_eq!(each(&answer["Records"], "ShardId"), [shard_id(1)]);

    explicit["ExplicitHashKey"] = "340282366920938463463374607431768211456".into();
    let (code, message) = scene.fails("PutRecords", &batch(&[explicit.clone()]));
    assert_eq!(code, "InvalidArgumentException");
    assert!(message.contains("must be in the range: [0, 2^128-1]"), "{message}");
    explicit["ExplicitHashKey"] = "-1".into();
    assert_eq!(scene.code("PutRecords", &batch(&[explicit])), "ValidationException");
}

#[test]
fn a_partition_key_has_256_characters_at_most_not_bytes() {
    let scene = Scene::with_shards(1);
    scene.put(&"ß".repeat(256), "long key");
    let (code, message) = scene.fails("PutRecords", &batch(&[entry("k", 1), entry(&"ß".repeat(257), 1)]));
    assert_eq!(code, "ValidationException");
    assert!(message.starts_with("1 validation error detected: Value 'ß"), "{message}");
    assert!(
        message.ends_with(
            "at 'records.2.member.partitionKey' failed to satisfy constraint: \
             Member must have length less than or equal to 256"
        ),
        "{message}"
    );
    let (_, message) = scene.fails("PutRecords", &batch(&[json!({ "Data": "" })]));
    assert_eq!(
        message,
        "1 validation error detected: Value null at 'records.1.member.partitionKey' failed to satisfy constraint: \
         Member must not be null"
    );
}

#[test]
fn the_largest_record_is_a_setting_of_the_stream() {
    let scene = Scene::with_shards(1);
    let fits =
        |bytes: usize| scene.call("PutRecords", &batch(&[entry("", bytes)])).map_err(|error| error.message);
    assert!(fits(1).unwrap_err().contains("greater than or equal to 1"), "an empty key is no key");

    let fits =
        |bytes: usize| scene.call("PutRecords", &batch(&[entry("k", bytes)])).map_err(|error| error.message);
    assert!(fits(MIB - 1).is_ok());
    assert!(fits(MIB).unwrap_err().contains("together"), "the key counts too");
    assert_eq!(
        fits(MIB + 1).unwrap_err(),
        "1 validation error detected: Value at 'records.1.member.data' failed to satisfy constraint: \
         Member must have length less than or equal to 1048576"
    );

    let larger = json!({ "StreamARN": stream_arn("orders"), "MaxRecordSizeInKiB": 10_240 });
    scene.ok("UpdateMaxRecordSize", &larger);
    scene.settle();
    assert!(fits(10 * MIB - 1).is_ok());
    assert!(fits(10 * MIB + 1).is_err());
}

#[test]
fn a_batch_has_500_records_and_10_mib_at_most_and_is_refused_whole() {
    let scene = Scene::with_shards(1);
    let (code, message) = scene.fails("PutRecords", &batch(&vec![entry("k", 1); 501]));
    assert_eq!(code, "ValidationException");
    assert!(message.ends_with("Member must have length less than or equal to 500"), "{message}");
    assert_eq!(scene.code("PutRecords", &batch(&[])), "ValidationException");

    let mut records = vec![entry("k", MIB - 1); 10];
    scene.ok("PutRecords", &batch(&records));
    records.push(entry("k", 1));
    assert_eq!(
        scene.fails("PutRecords", &batch(&records)),
        ("InvalidArgumentException".into(), "Records size exceeds 10 MB limit".into())
    );
    assert_eq!(scene.read(0, "TRIM_HORIZON", &json!({})).len(), 10);
}

#[test]
fn what_is_put_is_what_is_got() {
    let scene = Scene::with_shards(1);
    scene.put("key \"with\" \u{1F600}", "payload \u{0} \u{1F600}");
    scene.put("k", "");
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert_eq!(payloads(&page), ["payload \u{0} \u{1F600}", ""]);
    assert_eq!(each(&page["Records"], "PartitionKey"), ["key \"with\" \u{1F600}", "k"]);
    assert!(
        (page["Records"][0]["ApproximateArrivalTimestamp"].as_f64().unwrap() - scene.now_seconds()).abs()
            < 1e-3
    );
}

#[test]
fn a_body_that_is_wrong_is_told_apart_from_a_value_that_is() {
    let scene = Scene::with_shards(1);
    for body in [
        json!({ "StreamName": "orders", "Records": "none" }),
        json!({ "StreamName": "orders", "Records": [{ "PartitionKey": 7, "Data": "" }] }),
        json!({ "StreamName": "orders", "Records": [{ "PartitionKey": "k", "Data": "not base64!" }] }),
    ] {
        assert_eq!(scene.code("PutRecords", &body), "SerializationException", "{body}");
    }
    let raw = scene.engine.call("PutRecords", b"{\"StreamName\":", &scene.caller).unwrap_err();
    assert_eq!(raw.code, "SerializationException");
    assert_eq!(
        scene.fails("PutRecord", &json!({ "StreamName": "orders", "PartitionKey": "k" })).1,
        "1 validation error detected: Value null at 'data' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn a_stream_that_distributes_by_itself_needs_no_key() {
    let scene = Scene::new();
    scene.ok(
        "CreateStream",
        &json!({
            "StreamName": "orders",
            "StreamModeDetails": { "StreamMode": "ON_DEMAND" },
            "RecordDistributionStrategy": "AUTO",
        }),
    );
    scene.settle();
    let answer = scene.ok("PutRecords", &batch(&vec![json!({ "Data": "AA==" }); 8]));
    let mut shards = each(&answer["Records"], "ShardId");
    shards.sort();
    assert_eq!(shards.iter().filter(|shard| **shard == shard_id(2)).count(), 2, "spread evenly");
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert_eq!(page["Records"][0].get("PartitionKey"), None);
    let ordered = json!({ "StreamName": "orders", "Data": "", "SequenceNumberForOrdering": answer["Records"][0]["SequenceNumber"] });
    assert_eq!(scene.code("PutRecord", &ordered), "InvalidArgumentException");
}

#[test]
fn a_number_for_ordering_must_be_of_this_stream() {
    let scene = Scene::with_shards(1);
    let number = scene.put("k", "first");
    let mut body = json!({ "StreamName": "orders", "PartitionKey": "k", "Data": "", "SequenceNumberForOrdering": number });
    let next = text(&scene.ok("PutRecord", &body)["SequenceNumber"]);
    assert!(next > number);
    body["SequenceNumberForOrdering"] = "12345".into();
    assert_eq!(scene.code("PutRecord", &body), "InvalidArgumentException");
}

#[test]
fn a_dry_run_checks_everything_and_stores_nothing() {
    let scene = Scene::with_shards(1);
    let mut good = batch(&[entry("k", 1)]);
    good["DryRun"] = true.into();
    assert_eq!(scene.code("PutRecords", &good), "DryRunOperationException");
    let single = json!({ "StreamName": "orders", "PartitionKey": "k", "Data": "", "DryRun": true });
    assert_eq!(scene.code("PutRecord", &single), "DryRunOperationException");
    let mut large = batch(&[entry("k", MIB + 1)]);
    large["DryRun"] = true.into();
    assert_eq!(scene.code("PutRecords", &large), "ValidationException");
    good["StreamName"] = "others".into();
    assert_eq!(scene.code("PutRecords", &good), "ResourceNotFoundException");
    assert_eq!(scene.read(0, "TRIM_HORIZON", &json!({})), Vec::<String>::new());
}

#[test]
fn encryption_is_told_on_the_way_in_and_out() {
    let scene = Scene::with_shards(1);
    scene.put("k", "before");
    let key = json!({ "StreamName": "orders", "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis" });
    scene.ok("StartStreamEncryption", &key);
    scene.settle();
    let answer = scene.ok("PutRecords", &batch(&[entry("k", 1)]));
    assert_eq!(answer["EncryptionType"], "KMS");
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert_eq!(page["Records"][0].get("EncryptionType"), None);
    assert_eq!(page["Records"][1]["EncryptionType"], "KMS");
    scene.ok("StopStreamEncryption", &key);
    scene.settle();
    let summary = scene.ok("DescribeStreamSummary", &json!({ "StreamName": "orders" }));
    assert_eq!(summary["StreamDescriptionSummary"]["EncryptionType"], "NONE");
}
