//! `grant`, `bind` and `auth describe`.

use serde_json::{Value, json};

use crate::scene::{NAME, Scene};

#[tokio::test]
async fn grants_are_compared_before_they_are_written() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    let ran = scene.run(&["grant", "--to", "data-engineers", "--to", "data-platform"], &document).await;
    ran.ends_with(0, &["granted ACCESS on credential `kinesis-sensor-credential` to `data-engineers`"]);
    let grants = ran.document()["grants"].clone();
    assert_eq!(grants.as_array().unwrap().len(), 2, "{grants}");
    scene.calls().await;
    scene.run(&["grant", "--to", "data-engineers"], &document).await.ends_with(0, &["unchanged grants"]);
    assert_eq!(scene.calls().await, ["GetGrants"]);
    let ran = scene.run(&["grant", "--to", "data-engineers", "--revoke"], &document).await;
    ran.ends_with(0, &["revoked ACCESS", "from `data-engineers`"]);
    assert_eq!(ran.document()["grants"], json!([{ "principal": "data-platform", "privileges": ["ACCESS"] }]));
}

#[tokio::test]
async fn a_grant_to_nobody_is_refused_with_what_a_principal_is() {
    let scene = Scene::start().await;
    scene.ensured().await;
    let ran = scene.run(&["grant", NAME, "--to", "data-enginers"], "").await;
    ran.ends_with(4, &["PRINCIPAL_DOES_NOT_EXIST", "data-enginers", "application id"]);
    scene.run(&["grant", NAME], "").await.ends_with(2, &["--to"]);
    scene
        .run(&["grant", "nobodys", "--to", "data-engineers"], "")
        .await
        .ends_with(4, &["CREDENTIAL_DOES_NOT_EXIST"]);
}

#[tokio::test]
async fn who_is_granted_access_gets_keys() {
    let scene = Scene::start().await;
    let document: Value = serde_json::from_str(&scene.ensured().await).unwrap();
    scene.role(&document, document["credential"]["external_id"].as_str(), true).await;
    scene.run(&["validate", NAME], "").await.ends_with(0, &[]);
    let stranger = scene.sandbox.workspace().options().stranger.clone();
    let env = [("DATABRICKS_TOKEN", stranger.token.reveal())];
    let refused = scene.run_with(&["token", NAME], &env, "").await;
    refused.ends_with(4, &["PERMISSION_DENIED", "GRANT ACCESS"]);
    scene.run(&["grant", NAME, "--to", &stranger.name], "").await.ends_with(0, &["granted ACCESS"]);
    scene.run_with(&["token", NAME], &env, "").await.ends_with(0, &[]);
}

#[tokio::test]
async fn bind_restricts_to_this_workspace_without_locking_it_out() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    let ran = scene.run(&["bind"], &document).await;
    ran.ends_with(0, &["bound to workspace 1234567890123456", "restricted to its workspaces"]);
    assert_eq!(ran.stdout, document);
    scene.calls().await;
    scene.run(&["bind"], &document).await.ends_with(0, &["unchanged bindings"]);
    let calls = scene.calls().await;
    assert!(calls.iter().all(|call| call.starts_with("Get")), "{calls:?}");
    scene.run(&["bind", "--workspace", "42"], &document).await.ends_with(0, &["bound to workspace 42"]);
    scene
        .run(&["bind", "--workspace", "42", "--unbind"], &document)
        .await
        .ends_with(0, &["unbound from workspace 42"]);
    scene.run(&["bind", "--open"], &document).await.ends_with(0, &["open to all workspaces"]);
    scene.run(&["bind", "--open"], &document).await.ends_with(0, &["unchanged"]);
    scene
        .run(&["bind", "--open", "--workspace", "42"], &document)
        .await
        .ends_with(2, &["cannot be used with"]);
    scene.run(&["bind", "--workspace", "mine"], &document).await.ends_with(2, &["invalid value"]);
}

#[tokio::test]
async fn describe_says_what_won_and_masks_secrets() {
    let scene = Scene::start().await;
    let ran = scene.run(&["auth", "describe"], "").await;
    ran.ends_with(0, &[]);
    let told = ran.document();
    assert_eq!(told["auth_type"], "pat");
    assert_eq!(told["why"], "token is set by environment variable DATABRICKS_TOKEN");
    assert_eq!(told["user"], "me@example.com");
    assert_eq!(told["workspace_id"], "1234567890123456");
    let expected =
        json!({ "setting": "token", "value": "****", "from": "environment variable DATABRICKS_TOKEN" });
    assert_eq!(told["settings"][1], expected);
    assert!(!ran.stdout.contains(&scene.environment["DATABRICKS_TOKEN"]), "{ran:?}");

    scene.calls().await;
    scene.run(&["auth", "describe", "--offline"], "").await.ends_with(0, &[]);
    assert!(scene.calls().await.is_empty());

    let named = [("DATABRICKS_AUTH_TYPE", "pat")];
    let told = scene.run_with(&["auth", "describe", "--offline"], &named, "").await.document();
    assert_eq!(told["why"], "environment variable DATABRICKS_AUTH_TYPE names it");

    let wrong = scene.run_with(&["auth", "describe"], &[("DATABRICKS_TOKEN", "dapi-wrong")], "").await;
    wrong.ends_with(4, &["failed to log in", "DATABRICKS_TOKEN"]);
    assert_eq!(wrong.document()["user"], Value::Null);
    assert!(!format!("{wrong:?}").contains("dapi-wrong"));
}
