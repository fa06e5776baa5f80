//! What answers, what refuses, what is not there.

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use serde_json::json;

use crate::scene::Scene;

/// Makes a role that Databricks' own role may enter and that may do nothing.
fn visitor(scene: &Scene) {
    let env = &scene.environment;
    let keys = Credentials::from_keys(&env["AWS_ACCESS_KEY_ID"], &env["AWS_SECRET_ACCESS_KEY"], None);
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(&env["AWS_ENDPOINT_URL_IAM"])
        .credentials_provider(keys)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let trust = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal":
        { "AWS": "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL" } } });
    let client = aws_sdk_iam::Client::from_conf(config);
    let request = client.create_role().role_name("visitor").assume_role_policy_document(trust.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(request.send()).unwrap();
}

#[test]
fn a_session_that_may_do_nothing_reaches_everything_and_is_told_what_is_refused() {
    let scene = Scene::start();
    visitor(&scene);
    let session = scene.session();
    let session: Vec<(&str, &str)> = session.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let ran = scene.run_with(&[], &session, "");
    ran.ends_with(
        0,
        &[
            "you are arn:aws:sts::123456789012:assumed-role/visitor/visit in account 123456789012",
            "but refuses kinesis:ListStreams: AccessDeniedException",
            "but refuses iam:ListRoles: AccessDenied",
        ],
    );
    assert!(!ran.stderr.contains("root user"), "{ran:?}");
    assert_eq!(ran.document()["identity"]["root"], false);
}

#[test]
fn a_service_that_is_not_there_is_named_and_the_document_still_comes_out() {
    let scene = Scene::start();
    let ran = scene.run_with(&[], &[("AWS_ENDPOINT_URL_KINESIS", "http://127.0.0.1:9")], "");
    ran.ends_with(1, &["warning: Kinesis cannot be reached: ", "IAM answers in"]);
    assert_eq!(ran.document()["identity"]["account"], "123456789012");
}

#[test]
fn without_sts_nothing_is_known() {
    let scene = Scene::start();
    let ran = scene.run_with(&[], &[("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")], "");
    ran.ends_with(5, &["failed to ask AWS who you are", "could not be reached", "AWS_ENDPOINT_URL_STS"]);
    assert_eq!(ran.stdout, "");
    scene.fault(&json!({ "operation": "GetCallerIdentity", "times": 9, "latency_ms": 60_000 }));
    scene.run(&["--timeout", "200ms"], "").ends_with(5, &["no answer in time"]);
}
