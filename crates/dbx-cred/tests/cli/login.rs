//! Every way to log in, against the sandbox's own OAuth and a stand-in for the Databricks CLI.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::scene::{NAME, STREAM_ARN, Scene};

/// Unsets the exported token.
const NO_TOKEN: (&str, &str) = ("DATABRICKS_TOKEN", "");

#[tokio::test]
async fn a_service_principal_logs_in_with_its_secret() {
    let scene = Scene::start().await;
    let robot = scene.sandbox.workspace().options().automation.clone();
    let secret = robot.client_secret().unwrap().reveal().to_owned();
    let id = [NO_TOKEN, ("DATABRICKS_CLIENT_ID", &robot.name)];
    let good = [id[0], id[1], ("DATABRICKS_CLIENT_SECRET", secret.as_str())];
    scene.calls().await;
    scene.run_with(&["list"], &good, "").await.ends_with(0, &[]);
    assert_eq!(scene.calls().await, ["GetOAuthMetadata", "CreateToken", "ListCredentials"]);

    let bad = [id[0], id[1], ("DATABRICKS_CLIENT_SECRET", "dose-wrong")];
    let ran = scene.run_with(&["list"], &bad, "").await;
    ran.ends_with(4, &["failed to log in", "invalid_client", "DATABRICKS_CLIENT_SECRET", "new secret"]);
    assert!(!ran.stderr.contains("dose-wrong"), "{ran:?}");
}

#[tokio::test]
async fn a_token_that_expired_on_its_way_is_replaced_once() {
    let scene = Scene::start().await;
    let robot = scene.sandbox.workspace().options().automation.clone();
    let secret = robot.client_secret().unwrap().reveal().to_owned();
    let login =
        [NO_TOKEN, ("DATABRICKS_CLIENT_ID", &robot.name), ("DATABRICKS_CLIENT_SECRET", secret.as_str())];
    scene.fault(json!({ "operation": "ListCredentials", "status": 401 })).await;
    scene.run_with(&["list"], &login, "").await.ends_with(0, &[]);
    scene.fault(json!({ "operation": "ListCredentials", "times": 9, "status": 401 })).await;
    scene.calls().await;
    scene.run_with(&["list"], &login, "").await.ends_with(4, &["UNAUTHENTICATED", "OAuth client"]);
    let calls = scene.calls().await;
    assert_eq!(calls.iter().filter(|call| *call == "ListCredentials").count(), 2, "{calls:?}");
}

#[tokio::test]
async fn a_profile_holds_host_and_token() {
    let scene = Scene::start().await;
    let token = &scene.environment["DATABRICKS_TOKEN"];
    let text =
        format!("[__settings__]\ndefault_profile = box\n\n[box]\nhost = {}\ntoken = {token}\n", scene.host());
    fs::write(scene.home.path().join("cfg"), text).unwrap();
    let file = scene.home.path().join("cfg");
    let env = [NO_TOKEN, ("DATABRICKS_HOST", ""), ("DATABRICKS_CONFIG_FILE", file.to_str().unwrap())];
    scene.run_with(&["list"], &env, "").await.ends_with(0, &[]);
    scene.run_with(&["list", "--dbx-profile", "box"], &env, "").await.ends_with(0, &[]);
    let other = [("DATABRICKS_TOKEN", "dapi-other"), env[1], env[2]];
    let beaten = scene.run_with(&["list", "--dbx-profile", "box"], &other, "").await;
    beaten.ends_with(4, &["warning: DATABRICKS_TOKEN in the environment beats what profile `box` says"]);
    let wrong = scene.run_with(&["list", "--dbx-profile", "bx"], &env, "").await;
    wrong.ends_with(2, &["there is no profile `bx`", "it has box"]);
}

#[tokio::test]
async fn identity_tokens_are_traded() {
    let scene = Scene::start().await;
    let subject = "repo:acme/pipeline:ref:refs/heads/main";
    let made = scene
        .control(
            "POST",
            "principals",
            json!({ "service_principal": "ci", "federated_subject": subject, "metastore_admin": true }),
        )
        .await;
    let client_id = made["name"].as_str().or(made["client_id"].as_str()).unwrap().to_owned();
    let audience = format!("{}/oidc/v1/token", scene.host());
    let issued =
        scene.control("POST", "identity-tokens", json!({ "subject": subject, "audience": audience })).await;
    let jwt = issued["value"].as_str().unwrap().to_owned();
    let id = ("DATABRICKS_CLIENT_ID", client_id.as_str());

    scene.run_with(&["list"], &[NO_TOKEN, id, ("DATABRICKS_OIDC_TOKEN", &jwt)], "").await.ends_with(0, &[]);

    let file = scene.home.path().join("jwt");
    fs::write(&file, format!("{jwt}\n")).unwrap();
    let path = ("DATABRICKS_OIDC_TOKEN_FILEPATH", file.to_str().unwrap());
    scene.run_with(&["list"], &[NO_TOKEN, id, path], "").await.ends_with(0, &[]);

    let url = format!("{}/_sandbox/databricks/identity-token?x=1", scene.host());
    let github = [
        NO_TOKEN,
        id,
        ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", scene.environment["DATABRICKS_TOKEN"].as_str()),
    ];
    scene.run_with(&["list"], &github, "").await.ends_with(0, &[]);

    let forged = [NO_TOKEN, id, ("DATABRICKS_OIDC_TOKEN", "e.e.e")];
    scene.run_with(&["list"], &forged, "").await.ends_with(4, &["invalid_grant", "federation policy"]);
}

#[tokio::test]
async fn the_databricks_cli_is_asked_for_its_token() {
    let scene = Scene::start().await;
    let cli = scene.home.path().join("databricks");
    let write = |script: &str| {
        fs::write(&cli, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&cli, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let env = [NO_TOKEN, ("DATABRICKS_CLI_PATH", cli.to_str().unwrap())];
    let token = &scene.environment["DATABRICKS_TOKEN"];
    let (host, expiry) = (scene.host(), "2099-01-01T00:00:00.123456789Z");
    write(&format!(
        r#"[ "$*" = "auth token --host {host}" ] && echo '{{"access_token":"{token}","token_type":"Bearer","expiry":"{expiry}"}}'"#
    ));
    scene.run_with(&["list"], &env, "").await.ends_with(0, &[]);

    write("echo 'Error: no login for this host' >&2; exit 1");
    let hint = format!("hint: databricks auth login --host {host}");
    scene.run_with(&["list"], &env, "").await.ends_with(4, &["no login for this host", &hint]);

    write("echo dapi-secret");
    let ran = scene.run_with(&["list"], &env, "").await;
    ran.ends_with(4, &["0.207.1"]);
    assert!(!ran.stderr.contains("dapi-secret"), "{ran:?}");
    fs::remove_file(&cli).unwrap();
    scene.run_with(&["list"], &env, "").await.ends_with(4, &["install the Databricks CLI"]);
}

#[tokio::test]
async fn nothing_but_token_shows_a_secret() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    let value: serde_json::Value = serde_json::from_str(&document).unwrap();
    scene.role(&value, value["credential"]["external_id"].as_str(), true).await;
    scene.run(&["validate"], &document).await.ends_with(0, &[]);
    let keys = scene.run(&["token", NAME, "--format", "json"], "").await.document();
    let token = &scene.environment["DATABRICKS_TOKEN"];
    let stream = ["prove", "--stream", STREAM_ARN];
    for args in [&["list"][..], &["show"], &["validate"], &["auth", "describe"], &["ensure"], &stream] {
        let ran = scene.run(&[args, &["--verbose"]].concat(), &document).await;
        let shown = format!("{ran:?}");
        assert!(!shown.contains(token), "{args:?}");
        for key in ["secret_access_key", "session_token"] {
            assert!(!shown.contains(keys[key].as_str().unwrap()), "{args:?}");
        }
    }
}
