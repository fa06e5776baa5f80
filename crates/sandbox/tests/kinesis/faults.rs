//! Faults on demand: what a test injects is what a client sees.

use sandbox::kinesis::Fault;
use serde_json::{Value, json};

use crate::scene::{Scene, payloads, shard_id, text};

fn inject(scene: &Scene, fault: Value) {
    scene.engine.inject(serde_json::from_value::<Fault>(fault).unwrap());
}

fn batch(count: usize) -> Value {
    json!({ "StreamName": "orders", "Records": vec![json!({ "PartitionKey": "a", "Data": "AAAA" }); count] })
}

#[test]
fn half_a_batch_fails_and_the_other_half_is_stored() {
    let scene = Scene::with_shards(1);
    inject(&scene, json!({ "fault": "fail_records", "count": 3, "every": 2, "code": "InternalFailure" }));
    let answer = scene.ok("PutRecords", &batch(8));
    assert_eq!(answer["FailedRecordCount"], 3);
    let failed: Vec<bool> = answer["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record.get("ErrorCode").is_some())
        .collect();
    assert_eq!(failed, [false, true, false, true, false, true, false, false]);
    assert_eq!(
        answer["Records"][1],
        json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "Internal service failure." })
    );
    assert_eq!(scene.read(0, "TRIM_HORIZON", &json!({})).len(), 5);
}

#[test]
fn a_request_fails_before_anything_is_done_or_its_answer_is_lost_after() {
    let scene = Scene::with_shards(1);
    inject(
        &scene,
        json!({ "fault": "fail_requests", "operation": "PutRecords", "count": 1, "code": "ServiceUnavailable" }),
    );
    let refused = scene.call("PutRecords", &batch(1)).unwrap_err();
    assert_eq!((refused.status, refused.code.as_ref()), (503, "ServiceUnavailable"));
    assert_eq!(scene.read(0, "TRIM_HORIZON", &json!({})).len(), 0);

    inject(
        &scene,
        json!({ "fault": "lose_answers", "operation": "PutRecords", "count": 1, "code": "InternalFailureException" }),
    );
    assert_eq!(scene.call("PutRecords", &batch(1)).unwrap_err().status, 500);
    assert_eq!(scene.read(0, "TRIM_HORIZON", &json!({})).len(), 1, "the record is stored all the same");
    scene.ok("PutRecords", &batch(1));
}

#[test]
fn iterators_expire_on_command_and_new_ones_work() {
    let scene = Scene::with_shards(1);
    let iterator = scene.iterator(0, "TRIM_HORIZON", &json!({}));
    inject(&scene, json!({ "fault": "expire_iterators" }));
    assert_eq!(scene.code("GetRecords", &json!({ "ShardIterator": iterator })), "ExpiredIteratorException");
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    scene.get(&text(&page["NextShardIterator"]));
}

#[test]
fn an_empty_page_is_not_the_end() {
    let scene = Scene::with_shards(1);
    scene.put("a", "waits");
    inject(&scene, json!({ "fault": "empty_pages", "count": 1 }));
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert_eq!(payloads(&page).len(), 0);
    assert!(page["MillisBehindLatest"].as_u64().unwrap() > 0);
    assert_eq!(payloads(&scene.get(&text(&page["NextShardIterator"]))), ["waits"]);
}

#[test]
fn children_can_be_hidden_and_shown_again() {
    let scene = Scene::with_shards(2);
    scene.ok(
        "MergeShards",
        &json!({ "StreamName": "orders", "ShardToMerge": shard_id(0), "AdjacentShardToMerge": shard_id(1) }),
    );
    scene.settle();
    inject(&scene, json!({ "fault": "hide_child_shards", "hidden": true }));
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert_eq!((page.get("ChildShards"), page.get("NextShardIterator")), (None, None));
    inject(&scene, json!({ "fault": "clear" }));
    let page = scene.get(&scene.iterator(0, "TRIM_HORIZON", &json!({})));
    assert!(page.get("ChildShards").is_some());
}
