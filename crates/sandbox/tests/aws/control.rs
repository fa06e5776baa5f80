//! The control endpoint: faults on request, and the list of what was called.

use serde_json::{Value, json};

use crate::world::{ROOT, World, exchange, trust};

#[tokio::test]
async fn calls_are_listed_with_caller_and_outcome() {
    let world = World::start().await;
    world.role("reader", &trust(&[ROOT])).await;
    assert_eq!(world.iam("GetRole", &[("RoleName", "nobody")]).await.status, 404);
    let (_, listed) = world.control("GET", "requests", &Value::Null).await;
    assert_eq!(
        listed,
        json!({ "requests": [
            { "service": "iam", "operation": "CreateRole", "caller": ROOT, "outcome": "ok", "status": 200 },
            { "service": "iam", "operation": "GetRole", "caller": ROOT, "outcome": "NoSuchEntity", "status": 404 },
        ] })
    );
    assert_eq!(world.control("DELETE", "requests", &Value::Null).await.0, 200);
    let (_, listed) = world.control("GET", "requests", &Value::Null).await;
    assert_eq!(listed, json!({ "requests": [] }));
}

#[tokio::test]
async fn an_operation_fails_as_often_as_it_was_asked_to() {
    let world = World::start().await;
    let fault = json!({ "operation": "ListRoles", "times": 2, "code": "ServiceFailure", "status": 500, "message": "oh" });
    assert_eq!(world.control("POST", "faults", &fault).await.0, 200);
    for _ in 0..2 {
        let answer = world.iam("ListRoles", &[]).await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.error(), ("ServiceFailure".to_owned(), "oh".to_owned()));
        assert_eq!(world.iam("ListPolicies", &[]).await.status, 200);
    }
    assert_eq!(world.iam("ListRoles", &[]).await.status, 200);
}

#[tokio::test]
async fn an_answer_can_be_lost_after_the_work_was_done() {
    let world = World::start().await;
    let fault = json!({ "operation": "CreateRole", "after": true, "code": "ServiceFailure", "status": 503 });
    world.control("POST", "faults", &fault).await;
    let document = trust(&[ROOT]).to_string();
    let create = [("RoleName", "reader"), ("AssumeRolePolicyDocument", document.as_str())];
    assert_eq!(world.iam("CreateRole", &create).await.status, 503);
    assert_eq!(world.iam("CreateRole", &create).await.code(), "EntityAlreadyExists");
}

#[tokio::test]
async fn a_connection_can_be_reset() {
    let world = World::start().await;
    world.control("POST", "faults", &json!({ "operation": "*", "reset": true })).await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let signed = world.sign("sts", "us-east-1", &world.root, Vec::new(), body);
    let address = world.address("sts");
    assert!(exchange(address, "POST", "/", &signed, body).await.is_none(), "no answer at all");
    assert_eq!(exchange(address, "POST", "/", &signed, body).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn the_delay_of_iam_can_be_changed() {
    let world = World::start().await;
    assert_eq!(world.control("POST", "iam-delay", &json!({ "delay_ms": 0 })).await.0, 200);
    let document = trust(&[ROOT]).to_string();
    world.iam("CreateRole", &[("RoleName", "reader"), ("AssumeRolePolicyDocument", &document)]).await;
    let own = trust(&["arn:aws:iam::123456789012:role/reader"]).to_string();
    let update = [("RoleName", "reader"), ("PolicyDocument", own.as_str())];
    assert_eq!(world.iam("UpdateAssumeRolePolicy", &update).await.status, 200, "visible at once");
}

#[tokio::test]
async fn records_can_be_made_to_fail() {
    let world = World::start().await;
    world.kinesis(&world.root, "CreateStream", &json!({ "StreamName": "orders", "ShardCount": 1 })).await;
    world.wait();
    let fault = json!({ "fault": "fail_records", "count": 1, "every": 2 });
    assert_eq!(world.control("POST", "kinesis-faults", &fault).await.0, 200);
    let record = json!({ "Data": "YQ==", "PartitionKey": "a" });
    let put = json!({ "StreamName": "orders", "Records": [record, record, record] });
    let answer = world.kinesis(&world.root, "PutRecords", &put).await;
    let answer: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(answer["FailedRecordCount"], 1, "{answer}");
}

#[tokio::test]
async fn what_it_does_not_understand_it_says() {
    let world = World::start().await;
    let (status, answer) = world.control("POST", "nothing", &json!({})).await;
    assert_eq!((status, answer["error"].as_str()), (404, Some("there is no `POST /_sandbox/nothing`")));
    for (path, wrong) in [
        ("faults", json!({ "operation": "X", "tmies": 1 })),
        ("faults", json!({ "operation": "X" })),
        ("iam-delay", json!({ "delay_ms": "soon" })),
        ("kinesis-faults", json!({ "fault": "explode" })),
    ] {
        let (status, answer) = world.control("POST", path, &wrong).await;
        assert_eq!(status, 400, "{wrong}");
        assert!(answer["error"].is_string(), "{wrong}: {answer}");
    }
}

#[tokio::test]
async fn the_workspaces_control_is_at_the_same_address() {
    let world = World::start().await;
    let (status, answer) = world.control("GET", "databricks/requests", &json!({})).await;
    assert_eq!(status, 200, "{answer}");
}
