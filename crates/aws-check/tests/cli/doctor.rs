//! The doctor on its own: what it asks for, what it cannot see, and how it works with `dbx-cred` beside it. That its diagnoses
//! are right is what the matrix of broken set-ups is for.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::scene::{Scene, program, write_program};

const STREAM: &str = r#""stream":{"name":"sensor-readings","arn":"arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings"}"#;
const ROLE: &str = r#""role":{"name":"databricks-kinesis-role","arn":"arn:aws:iam::123456789012:role/databricks-kinesis-role"}"#;
const CREDENTIAL: &str = r#""credential":{"name":"c","role_arn":"arn:aws:iam::123456789012:role/databricks-kinesis-role","external_id":"blue-42","unity_catalog_iam_arn":"arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"}"#;

fn document(members: &[&str]) -> String {
    format!("{{{}}}", members.join(","))
}

fn states(document: &Value) -> Vec<&str> {
    let links = document["doctor"]["links"].as_array().unwrap();
    links.iter().map(|link| link["state"].as_str().unwrap()).collect()
}

/// A copy of the binary with a `dbx-cred` beside it that is this shell script.
fn beside(scene: &Scene, script: &str) -> PathBuf {
    let folder = scene.home.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    let copy = folder.join("aws-check");
    // By another process, as in `write_program`.
    let copied = Command::new("/bin/cp").arg(program()).arg(&copy).status().unwrap();
    assert!(copied.success());
    write_program(&folder.join("dbx-cred"), &format!("#!/bin/sh\n{script}\n"));
    copy
}

/// A role that is as it should be, for the credential of these tests.
fn role(scene: &Scene) {
    let env = &scene.environment;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let keys = aws_sdk_iam::config::Credentials::from_keys(
        &env["AWS_ACCESS_KEY_ID"],
        &env["AWS_SECRET_ACCESS_KEY"],
        None,
    );
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(aws_sdk_iam::config::BehaviorVersion::latest())
        .region(aws_sdk_iam::config::Region::new("eu-central-1"))
        .endpoint_url(&env["AWS_ENDPOINT_URL_IAM"])
        .credentials_provider(keys)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let client = aws_sdk_iam::Client::from_conf(config);
    let id = json!({ "sts:ExternalId": "blue-42" });
    let own = "arn:aws:iam::123456789012:role/databricks-kinesis-role";
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "sts:AssumeRole", "Condition": { "StringEquals": id }, "Principal":
            { "AWS": "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL" } },
        { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": "arn:aws:iam::123456789012:root" },
            "Condition": { "StringEquals": id, "ArnLike": { "aws:PrincipalArn": own } } },
    ] });
    let permissions = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "kinesis:*", "Resource": "*" },
        { "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": own },
    ] });
    let name = "databricks-kinesis-role";
    let create = client.create_role().role_name(name).assume_role_policy_document(trust.to_string());
    runtime.block_on(create.send()).unwrap();
    let put =
        client.put_role_policy().role_name(name).policy_name("read").policy_document(permissions.to_string());
    runtime.block_on(put.send()).unwrap();
}

#[test]
fn without_anything_to_examine_it_says_what_to_give() {
    let scene = Scene::start();
    for stdin in ["", "{}", r#"{"identity":null}"#] {
        scene
            .run(&["--doctor"], stdin)
            .ends_with(2, &["nothing to examine", "aws-check --doctor < connection.json"]);
    }
    assert_eq!(scene.calls(), Vec::<String>::new());
}

#[test]
fn the_walk_stops_at_the_first_broken_link_and_says_what_repairs_it() {
    let scene = Scene::start();
    let ran = scene.run(&["--doctor"], &document(&[STREAM, ROLE, CREDENTIAL]));
    ran.ends_with(
        1,
        &[
            "aws-check: identity: ok, ",
            "aws-check: stream: BROKEN, there is no stream `sensor-readings` in eu-central-1 any more\n",
            "aws-check: role: not looked at\n",
            "aws-check: repair it with: kstream ensure < connection.json > repaired.json\n",
        ],
    );
    let document = ran.document();
    let doctor = &document["doctor"];
    assert_eq!((&doctor["verdict"], &doctor["link"]), (&json!("broken"), &json!("stream")));
    assert_eq!(doctor["fix"], "kstream ensure < connection.json > repaired.json");
    assert_eq!(states(&document)[..3], ["ok", "broken", "not-looked-at"]);
    assert_eq!(scene.calls(), ["GetCallerIdentity", "DescribeStreamSummary"]);
}

#[test]
fn a_document_of_a_chain_that_was_not_finished_shows_the_next_step() {
    let scene = Scene::start();
    scene.stream();
    scene.run(&["--doctor"], &document(&[STREAM])).ends_with(
        1,
        &[
            "role: BROKEN, the document names no role",
            "iam-policy-gen permissions | iam-role ensure databricks-kinesis-role",
        ],
    );
    role(&scene);
    scene.run(&["--doctor"], &document(&[STREAM, ROLE])).ends_with(
        1,
        &[
            "trust: could not be looked at",
            "permissions: ok",
            "credential: BROKEN, the document names no credential",
            "dbx-cred ensure kinesis-sensor-credential < connection.json | trust-sync > repaired.json",
        ],
    );
}

#[test]
fn the_file_of_the_document_is_the_one_to_repair_from() {
    let scene = Scene::start();
    fs::write(scene.home.path().join("my own.json"), document(&[STREAM])).unwrap();
    scene
        .run(&["--doctor", "--doc", "my own.json"], "")
        .ends_with(1, &["kstream ensure < 'my own.json' > repaired.json"]);
}

#[test]
fn without_dbx_cred_it_says_so_and_goes_on() {
    let scene = Scene::start();
    scene.stream();
    role(&scene);
    // A copy in a folder of its own has no neighbours, and PATH is empty.
    let copy = beside(&scene, "");
    fs::remove_file(copy.with_file_name("dbx-cred")).unwrap();
    let ran = scene.run_program(&copy, &["--doctor"], &[], &document(&[STREAM, ROLE, CREDENTIAL]));
    ran.ends_with(
        1,
        &[
            "permissions: ok",
            "credential: could not be looked at: dbx-cred is not installed",
            "nobody could look at: credential, validation",
        ],
    );
    assert_eq!(ran.document()["doctor"]["verdict"], "unproven");
    assert_eq!(states(&ran.document()), ["ok", "ok", "ok", "ok", "ok", "unseen", "unseen"]);
}

#[test]
fn a_login_that_is_missing_is_not_a_credential_that_is_missing() {
    let scene = Scene::start();
    scene.stream();
    role(&scene);
    let script = r#"echo '{"tool":"dbx-cred","kind":"refused","code":null,"message":"there is no login to Databricks","hint":"run: databricks auth login","causes":[]}' >&2; exit 4"#;
    let copy = beside(&scene, script);
    let ran = scene.run_program(&copy, &["--doctor"], &[], &document(&[STREAM, ROLE, CREDENTIAL]));
    ran.ends_with(
        1,
        &["credential: could not be looked at: there is no login", "to see it, run: databricks auth login"],
    );
    assert_eq!(ran.document()["doctor"]["verdict"], "unproven");
}

#[test]
fn a_neighbour_that_prints_nonsense_proves_nothing() {
    let scene = Scene::start();
    scene.stream();
    role(&scene);
    for script in ["echo nonsense", "kill -9 $$", "cat > /dev/null; exit 7"] {
        let copy = beside(&scene, script);
        let ran = scene.run_program(&copy, &["--doctor"], &[], &document(&[STREAM, ROLE, CREDENTIAL]));
        ran.ends_with(1, &["credential: could not be looked at: "]);
        assert_eq!(ran.document()["doctor"]["verdict"], "unproven", "{script}");
    }
}

#[test]
fn what_the_caller_may_not_look_at_is_not_called_broken() {
    let scene = Scene::start();
    scene.stream();
    role(&scene);
    scene.fault(&json!({ "operation": "GetRole", "code": "AccessDenied", "status": 403,
        "message": "User: x is not authorized to perform: iam:GetRole" }));
    let copy = beside(&scene, "exit 5");
    let ran = scene.run_program(&copy, &["--doctor"], &[], &document(&[STREAM, ROLE, CREDENTIAL]));
    ran.ends_with(1, &["role: could not be looked at: ", "iam:GetRole", "trust: could not be looked at"]);
    assert_eq!(ran.document()["doctor"]["verdict"], "unproven");
    assert_eq!(ran.document()["doctor"]["link"], "role");
}

#[test]
fn databricks_word_is_final_when_every_policy_looks_right() {
    let scene = Scene::start();
    scene.stream();
    role(&scene);
    let script = r#"case "$1" in
show) echo '{"credential":{"name":"c","role_arn":"arn:aws:iam::123456789012:role/databricks-kinesis-role","external_id":"blue-42","purpose":"SERVICE"}}' ;;
validate) echo '{"validation":{"verdict":"fail","attempts":1,"waited_ms":1,"checks":[{"operation":"ASSUME_ROLE","result":"FAIL","message":"Not today."}]}}'; exit 1 ;;
esac"#;
    let copy = beside(&scene, script);
    let ran = scene.run_program(&copy, &["--doctor"], &[], &document(&[STREAM, ROLE, CREDENTIAL]));
    ran.ends_with(
        1,
        &[
            "validation: BROKEN, Databricks' check ASSUME_ROLE fails: Not today; every policy looks right, so IAM may still be spreading it",
            "repair it with: dbx-cred validate < connection.json > repaired.json",
        ],
    );
}
