//! `validate`: what the sandbox finds by really assuming the role, and how long it is worth waiting.

use serde_json::{Value, json};

use crate::scene::{NAME, Scene};

/// How long a validation that must fail may wait. Each request has this long too, and a second attempt must fit in, also on
/// a machine that has much else to do.
const LIMIT: &str = "5s";

async fn ensured(scene: &Scene) -> Value {
    serde_json::from_str(&scene.ensured().await).unwrap()
}

fn results(document: &Value) -> Vec<&str> {
    let checks = document["validation"]["checks"].as_array().unwrap();
    checks.iter().map(|check| check["result"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_good_role_passes_as_soon_as_iam_has_spread_it() {
    let scene = Scene::start().await;
    let document = ensured(&scene).await;
    scene.role(&document, document["credential"]["external_id"].as_str(), true).await;
    let ran = scene.run(&["validate"], &document.to_string()).await;
    ran.ends_with(0, &["ASSUME_ROLE passed", "SELF_ASSUME_ROLE passed", "is valid"]);
    let grown = ran.document();
    assert_eq!(grown["validation"]["verdict"], "pass");
    assert_eq!(results(&grown), ["PASS", "PASS", "PASS"]);
    assert_eq!(grown["credential"], document["credential"]);
}

#[tokio::test]
async fn the_placeholder_fails_and_the_document_says_that_waiting_is_vain() {
    let scene = Scene::start().await;
    let mut document = ensured(&scene).await;
    scene.role(&document, Some("0000"), true).await;
    document["policies"]["trust"] =
        json!({ "Statement": [{ "Condition": { "StringEquals": { "sts:ExternalId": "0000" } } }] });
    scene.calls().await;
    let ran = scene.run(&["validate"], &document.to_string()).await;
    ran.ends_with(
        1,
        &["ASSUME_ROLE failed", "trust-sync databricks-kinesis-role", "waiting cannot help", "0000"],
    );
    assert_eq!(scene.calls().await, ["GetCredential", "ValidateCredential"]);
    let grown = ran.document();
    assert_eq!(
        (&grown["validation"]["verdict"], &grown["validation"]["attempts"]),
        (&"fail".into(), &1.into())
    );
}

#[tokio::test]
async fn once_asks_once_and_time_runs_out_with_the_reason() {
    let scene = Scene::start().await;
    let document = ensured(&scene).await.to_string();
    scene.calls().await;
    scene.run(&["validate", "--once"], &document).await.ends_with(1, &["one attempt"]);
    assert_eq!(scene.calls().await, ["GetCredential", "ValidateCredential"]);
    let ran = scene.run(&["validate", "--timeout", LIMIT], &document).await;
    ran.ends_with(1, &["waiting for IAM", "ASSUME_ROLE failed", "attempts in"]);
    assert!(ran.document()["validation"]["attempts"].as_u64().unwrap() > 1);
}

#[tokio::test]
async fn a_role_without_self_assume_says_which_half_is_missing() {
    let scene = Scene::start().await;
    let document = ensured(&scene).await;
    scene.role(&document, document["credential"]["external_id"].as_str(), false).await;
    let ran = scene.run(&["validate", "--timeout", LIMIT], &document.to_string()).await;
    ran.ends_with(1, &["SELF_ASSUME_ROLE failed", "non self-assuming", "iam-policy-gen permissions"]);
    assert_eq!(results(&ran.document()), ["PASS", "PASS", "FAIL"]);
}

#[tokio::test]
async fn a_role_that_asks_for_no_external_id_fails() {
    let scene = Scene::start().await;
    let document = ensured(&scene).await;
    scene.role(&document, None, true).await;
    let ran = scene.run(&["validate", "--timeout", LIMIT], &document.to_string()).await;
    ran.ends_with(1, &["EXTERNAL_ID_CONDITION failed", "without the external ID"]);
}

#[tokio::test]
async fn what_is_not_there_is_no_verdict() {
    let scene = Scene::start().await;
    let ran = scene.run(&["validate", NAME], "").await;
    ran.ends_with(4, &["there is no credential `kinesis-sensor-credential`", "dbx-cred ensure"]);
    assert_eq!(ran.stdout, "");
}
