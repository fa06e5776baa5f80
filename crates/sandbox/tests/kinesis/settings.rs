//! What can be changed on a stream that exists, and what cannot.

use serde_json::{Value, json};

use crate::scene::{Scene, each, stream_arn, text};

fn summary(scene: &Scene) -> Value {
    scene.ok("DescribeStreamSummary", &json!({ "StreamName": "orders" }))["StreamDescriptionSummary"].clone()
}

#[test]
fn retention_goes_up_and_down_between_a_day_and_a_year() {
    let scene = Scene::with_shards(1);
    let hours = |hours: i64| json!({ "StreamName": "orders", "RetentionPeriodHours": hours });
    scene.ok("IncreaseStreamRetentionPeriod", &hours(8_760));
    assert_eq!(summary(&scene)["RetentionPeriodHours"], 8_760);
    assert_eq!(scene.code("DecreaseStreamRetentionPeriod", &hours(48)), "ResourceInUseException");
    scene.settle();
    scene.ok("DecreaseStreamRetentionPeriod", &hours(48));
    scene.settle();
    let refused = |operation: &str, wanted: i64| {
        let (code, message) = scene.fails(operation, &hours(wanted));
        assert_eq!(code, "InvalidArgumentException");
        message
    };
    assert_eq!(
        refused("IncreaseStreamRetentionPeriod", 8_761),
        "Maximum allowed retention period is 8760 hours. Requested retention period (8761 hours) is too long."
    );
    assert_eq!(
        refused("DecreaseStreamRetentionPeriod", 23),
        "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short."
    );
    assert!(refused("IncreaseStreamRetentionPeriod", 47).contains("can not be shorter than existing"));
    assert!(refused("DecreaseStreamRetentionPeriod", 49).contains("can not be longer than existing"));
}

#[test]
fn the_capacity_mode_can_be_switched() {
    let scene = Scene::with_shards(2);
    let mode = |mode: &str| json!({ "StreamARN": stream_arn("orders"), "StreamModeDetails": { "StreamMode": mode } });
    scene.ok("UpdateStreamMode", &mode("ON_DEMAND"));
    assert_eq!(summary(&scene)["StreamStatus"], "UPDATING");
    scene.settle();
    assert_eq!(summary(&scene)["StreamModeDetails"]["StreamMode"], "ON_DEMAND");
    assert_eq!(summary(&scene)["OpenShardCount"], 2);

    let strategy =
        |strategy: &str| json!({ "StreamARN": stream_arn("orders"), "RecordDistributionStrategy": strategy });
    scene.ok("UpdateStreamRecordDistributionStrategy", &strategy("AUTO"));
    assert_eq!(summary(&scene)["RecordDistributionStrategy"], "AUTO");
    assert_eq!(scene.code("UpdateStreamMode", &mode("PROVISIONED")), "ValidationException");
    scene.ok("UpdateStreamRecordDistributionStrategy", &strategy("USER_PARTITION_KEY"));
    scene.ok("UpdateStreamMode", &mode("PROVISIONED"));
    scene.settle();
    assert!(summary(&scene).get("RecordDistributionStrategy").is_none());
    assert_eq!(
        scene.code("UpdateStreamRecordDistributionStrategy", &strategy("AUTO")),
        "ValidationException"
    );
    assert_eq!(
        scene.code("UpdateStreamMode", &json!({ "StreamARN": stream_arn("orders") })),
        "ValidationException"
    );
}

#[test]
fn warm_throughput_is_for_on_demand_streams() {
    let scene = Scene::with_shards(1);
    let warm = json!({ "StreamName": "orders", "WarmThroughputMiBps": 8 });
    assert_eq!(scene.code("UpdateStreamWarmThroughput", &warm), "ValidationException");
    let mode =
        json!({ "StreamARN": stream_arn("orders"), "StreamModeDetails": { "StreamMode": "ON_DEMAND" } });
    scene.ok("UpdateStreamMode", &mode);
    scene.settle();
    let answer = scene.ok("UpdateStreamWarmThroughput", &warm);
    assert_eq!(answer["WarmThroughput"], json!({ "TargetMiBps": 8, "CurrentMiBps": 8 }));
    assert_eq!(summary(&scene)["WarmThroughput"]["CurrentMiBps"], 8);
}

#[test]
fn the_record_size_has_bounds() {
    let scene = Scene::with_shards(1);
    for kib in [1_023, 10_241] {
        let body = json!({ "StreamARN": stream_arn("orders"), "MaxRecordSizeInKiB": kib });
        let (code, message) = scene.fails("UpdateMaxRecordSize", &body);
        assert_eq!(code, "ValidationException");
        assert!(message.contains(&format!("Value '{kib}' at 'maxRecordSizeInKiB'")), "{message}");
    }
}

#[test]
fn tags_are_the_same_through_both_families_of_operations() {
    let scene = Scene::new();
    scene.ok("CreateStream", &json!({ "StreamName": "orders", "ShardCount": 1, "Tags": { "made": "here" } }));
    scene.settle();
    scene.ok("AddTagsToStream", &json!({ "StreamName": "orders", "Tags": { "a": "1", "b": "2" } }));
    scene.ok("TagResource", &json!({ "ResourceARN": stream_arn("orders"), "Tags": { "b": "3", "c": "4" } }));
    let page = scene.ok("ListTagsForStream", &json!({ "StreamName": "orders", "Limit": 2 }));
    assert_eq!(
        (each(&page["Tags"], "Key"), &page["HasMoreTags"]),
        (vec!["a".to_owned(), "b".to_owned()], &json!(true))
    );
    let rest = scene.ok("ListTagsForStream", &json!({ "StreamName": "orders", "ExclusiveStartTagKey": "b" }));
    assert_eq!(each(&rest["Tags"], "Key"), ["c", "made"]);
    scene.ok("UntagResource", &json!({ "ResourceARN": stream_arn("orders"), "TagKeys": ["a"] }));
    scene.ok("RemoveTagsFromStream", &json!({ "StreamName": "orders", "TagKeys": ["made", "never there"] }));
    let left = scene.ok("ListTagsForResource", &json!({ "ResourceARN": stream_arn("orders") }));
    assert_eq!(left, json!({ "Tags": [{ "Key": "b", "Value": "3" }, { "Key": "c", "Value": "4" }] }));
}

#[test]
fn a_resource_has_fifty_tags_at_most() {
    let scene = Scene::with_shards(1);
    let many: Value =
        (0..50).map(|at| (format!("k{at}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    scene.ok("AddTagsToStream", &json!({ "StreamName": "orders", "Tags": many }));
    scene.ok("AddTagsToStream", &json!({ "StreamName": "orders", "Tags": { "k0": "again" } }));
    let one_more = json!({ "StreamName": "orders", "Tags": { "k50": "v" } });
    assert_eq!(scene.code("AddTagsToStream", &one_more), "InvalidArgumentException");
    let mut too_many = many.clone();
    too_many["k50"] = "v".into();
    let create = json!({ "StreamName": "tagged", "ShardCount": 1, "Tags": too_many });
    assert_eq!(scene.code("CreateStream", &create), "InvalidArgumentException");
}

#[test]
fn a_consumer_has_tags_of_its_own() {
    let scene = Scene::with_shards(1);
    let register =
        json!({ "StreamARN": stream_arn("orders"), "ConsumerName": "reader", "Tags": { "for": "tests" } });
    let consumer = text(&scene.ok("RegisterStreamConsumer", &register)["Consumer"]["ConsumerARN"]);
    let tags = scene.ok("ListTagsForResource", &json!({ "ResourceARN": consumer }));
    assert_eq!(each(&tags["Tags"], "Value"), ["tests"]);
    let tags = scene.ok("ListTagsForResource", &json!({ "ResourceARN": stream_arn("orders") }));
    assert_eq!(tags["Tags"], json!([]));
}
