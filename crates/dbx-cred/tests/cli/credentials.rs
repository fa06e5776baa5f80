//! `ensure`, `show`, `list`, `delete` and `token` against the sandbox's Unity Catalog.

use serde_json::{Value, json};

use crate::scene::{NAME, ROLE, ROLE_ARN, Scene};

const OTHER_ARN: &str = "arn:aws:iam::123456789012:role/other";

#[tokio::test]
async fn ensure_creates_once_and_then_writes_nothing() {
    let scene = Scene::start().await;
    let document = r#"{"kinbricks":1,"zeta":[1.50],"stream":{"name":"s","arn":"arn:aws:kinesis:eu-central-1:123456789012:stream/s","new":1}}"#;
    let first = scene.run(&["ensure", NAME, "--role", ROLE], document).await;
    first.ends_with(0, &["created credential `kinesis-sensor-credential`", "external ID"]);
    let grown = first.document();
    assert_eq!(grown["credential"]["role_arn"], ROLE_ARN);
    assert_eq!(grown["credential"]["host"], scene.host());
    assert!(
        first.stdout.starts_with(document.trim_end_matches('}')),
        "other members changed: {}",
        first.stdout
    );
    scene.calls().await;

    let second = scene.run(&["ensure"], &first.stdout).await;
    second.ends_with(0, &["unchanged credential"]);
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(scene.calls().await, ["GetCredential"]);
}

#[tokio::test]
async fn another_role_is_an_update_with_a_new_external_id() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    let ran = scene.run(&["ensure", "--role-arn", OTHER_ARN], &document).await;
    ran.ends_with(0, &["updated credential", ROLE_ARN, "trust-sync other"]);
    let (old, new): (Value, Value) = (serde_json::from_str(&document).unwrap(), ran.document());
    assert_eq!(new["credential"]["role_arn"], OTHER_ARN);
    assert_ne!(new["credential"]["external_id"], old["credential"]["external_id"]);
    assert_eq!(new["credential"]["id"], old["credential"]["id"]);
}

#[tokio::test]
async fn a_comment_is_compared_too() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    scene.run(&["ensure", "--comment", "mine"], &document).await.ends_with(0, &["updated"]);
    scene.run(&["ensure", "--comment", "mine"], &document).await.ends_with(0, &["unchanged"]);
    scene.run(&["ensure"], &document).await.ends_with(0, &["unchanged"]);
    let shown = scene.run(&["show", NAME], "").await.document();
    assert_eq!(shown["credential"]["comment"], "mine");
    assert_eq!(shown["credential"]["owner"], "me@example.com");
}

#[tokio::test]
async fn what_is_in_use_is_changed_only_by_force() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    scene.control("POST", "dependants", json!({ "credential": NAME, "dependant": "pipeline sensors" })).await;
    let args = ["ensure", "--role-arn", OTHER_ARN];
    scene.run(&args, &document).await.ends_with(4, &["INVALID_STATE", "pipeline sensors", "--force"]);
    scene.run(&["delete", "--yes"], &document).await.ends_with(4, &["INVALID_STATE", "--force"]);
    scene.run(&["ensure", "--role-arn", OTHER_ARN, "--force"], &document).await.ends_with(0, &["updated"]);
    scene.run(&["delete", "--yes", "--force"], &document).await.ends_with(0, &["deleted"]);
}

#[tokio::test]
async fn delete_takes_its_members_along_and_can_be_repeated() {
    let scene = Scene::start().await;
    let document = scene
        .ensured()
        .await
        .replace("\"kinbricks\":1", "\"kinbricks\":1,\"mine\":true,\"grants\":[],\"proof\":{}");
    scene.run(&["delete"], &document).await.ends_with(2, &["--yes"]);
    let ran = scene.run(&["delete", "--yes"], &document).await;
    ran.ends_with(0, &["deleted credential"]);
    assert_eq!(ran.document(), json!({ "kinbricks": 1, "mine": true }));
    scene.run(&["delete", "--yes"], &document).await.ends_with(0, &["gone already"]);
    scene.run(&["show"], &document).await.ends_with(4, &["there is no credential", "dbx-cred ensure"]);
}

#[tokio::test]
async fn a_document_of_another_workspace_deletes_nothing_here() {
    let scene = Scene::start().await;
    let document = scene.ensured().await.replace(scene.host(), "https://elsewhere.test");
    scene.run(&["delete", "--yes"], &document).await.ends_with(2, &["https://elsewhere.test", "--dbx-host"]);
    let here = scene.host().to_owned();
    let args = ["delete", "--yes", "--dbx-host", here.as_str()];
    scene.run(&args, &document).await.ends_with(0, &["deleted"]);
}

#[tokio::test]
async fn list_follows_the_pages_to_the_end() {
    let scene = Scene::start().await;
    for name in ["c", "a", "b"] {
        scene.run(&["ensure", name, "--role-arn", ROLE_ARN], "").await.ends_with(0, &["created"]);
    }
    scene.control("POST", "settings", json!({ "page_size": 1 })).await;
    scene.calls().await;
    let ran = scene.run(&["list"], "").await;
    let names: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["name"].clone()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(scene.calls().await.len() >= 3);
}

#[tokio::test]
async fn who_may_not_is_told_what_to_ask_for() {
    let scene = Scene::start().await;
    scene.ensured().await;
    let stranger = scene.sandbox.workspace().options().stranger.token.reveal().to_owned();
    let env = [("DATABRICKS_TOKEN", stranger.as_str())];
    let create = scene.run_with(&["ensure", "mine", "--role-arn", ROLE_ARN], &env, "").await;
    create.ends_with(4, &["PERMISSION_DENIED", "GRANT CREATE SERVICE CREDENTIAL ON METASTORE"]);
    let show = scene.run_with(&["show", NAME], &env, "").await;
    show.ends_with(4, &["PERMISSION_DENIED", "DATABRICKS_TOKEN", "owner"]);
    assert!(!show.stderr.contains(&stranger), "{show:?}");
}

#[tokio::test]
async fn tokens_are_keys_of_the_role() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    let before = scene.run(&["token", NAME], "").await;
    before.ends_with(4, &["not configured correctly", "dbx-cred validate kinesis-sensor-credential"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    scene.role(&document, document["credential"]["external_id"].as_str(), true).await;
    scene.run(&["validate", NAME], "").await.ends_with(0, &["is valid"]);

    let process = scene.run(&["token", NAME], "").await.document();
    assert_eq!(process["Version"], 1);
    assert!(process["AccessKeyId"].as_str().unwrap().starts_with("ASIA"), "{process}");
    assert!(process["Expiration"].as_str().unwrap().ends_with('Z'), "{process}");
    let env = scene.run(&["token", NAME, "--format", "env"], "").await;
    assert_eq!(env.stdout.lines().filter(|line| line.starts_with("export AWS_")).count(), 4, "{env:?}");
    let json = scene.run(&["token", NAME, "--format", "json", "--pretty", "--no-cache"], "").await;
    assert!(json.stdout.starts_with("{\n  \"access_key_id\""), "{json:?}");
}

#[tokio::test]
async fn keys_are_kept_for_the_next_run_until_the_credential_changes() {
    let scene = Scene::start().await;
    let document: Value = serde_json::from_str(&scene.ensured().await).unwrap();
    scene.role(&document, document["credential"]["external_id"].as_str(), true).await;
    scene.run(&["validate", NAME], "").await.ends_with(0, &[]);
    scene.calls().await;
    let first = scene.run(&["token", NAME], "").await.stdout;
    assert_eq!(scene.calls().await, ["GenerateTemporaryServiceCredential"]);
    assert_eq!(scene.run(&["token", NAME], "").await.stdout, first);
    assert!(scene.calls().await.is_empty());
    assert_ne!(scene.run(&["token", NAME, "--no-cache"], "").await.stdout, first);
    assert_eq!(scene.calls().await, ["GenerateTemporaryServiceCredential"]);

    scene.run(&["delete", NAME, "--yes"], "").await.ends_with(0, &["deleted"]);
    scene.run(&["token", NAME], "").await.ends_with(4, &["does not exist", "dbx-cred ensure"]);
}

#[tokio::test]
async fn a_stream_of_another_region_is_warned_of() {
    let scene = Scene::start().await;
    let document = r#"{"stream":{"name":"s","arn":"arn:aws:kinesis:us-east-1:123456789012:stream/s"}}"#;
    let ran = scene.run(&["ensure", NAME, "--role", ROLE], document).await;
    ran.ends_with(0, &["created", "warning: the stream is in us-east-1, the workspace in eu-central-1"]);
    let ran =
        scene.run(&["ensure", NAME, "--role", ROLE], &document.replace("us-east-1", "eu-central-1")).await;
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
}
