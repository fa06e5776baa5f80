//! The process contract: what every tool does with arguments, streams and exit codes.

use snapbox::{assert_data_eq, str};

use crate::scene::{NAME, ROLE_ARN, Scene, bare};

#[test]
fn no_arguments_is_a_usage_error_that_names_the_commands() {
    let ran = bare(&[], &[], "");
    ran.ends_with(2, &["ensure, show, list, validate, token"]);
    assert_eq!(ran.stdout, "");
}

#[test]
fn help_starts_with_examples_and_ends_with_the_exit_codes() {
    let ran = bare(&["--help"], &[], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("Examples:\n  dbx-cred ensure "), "{}", ran.stdout);
    assert!(ran.stdout.trim_end().ends_with("130  interrupted"), "{}", ran.stdout);
}

#[test]
fn without_a_login_it_says_how_to_log_in() {
    let ran = bare(&["list"], &[], "");
    ran.ends_with(4, &[]);
    assert_data_eq!(
        ran.stderr,
        str![[r#"
dbx-cred: there is no login to Databricks
hint: run: databricks auth login --host https://YOUR-WORKSPACE, or set DATABRICKS_HOST and DATABRICKS_TOKEN

"#]]
    );
}

#[test]
fn what_is_missing_names_the_flag_and_the_tool() {
    let token = [("DATABRICKS_TOKEN", "dapi-1"), ("DATABRICKS_HOST", "http://127.0.0.1:1")];
    bare(&["list"], &token[..1], "").ends_with(2, &["no Databricks workspace is given", "--dbx-host"]);
    bare(&["show"], &token, "").ends_with(2, &["no credential is given", "CREDENTIAL", "dbx-cred ensure"]);
    bare(&["ensure", "c"], &token, "").ends_with(2, &["no role is given", "--role-arn", "iam-role ensure"]);
    bare(&["ensure", "c", "--role", "r"], &token, "")
        .ends_with(2, &["the account of role `r`", "kstream ensure"]);
    bare(&["ensure", "a b", "--role-arn", ROLE_ARN], &token, "")
        .ends_with(2, &["`a b` is not a credential name"]);
    bare(&["delete", "c"], &token, "").ends_with(2, &["dbx-cred delete c --yes"]);
}

#[test]
fn a_malformed_document_is_the_neighbours_fault() {
    let token = [("DATABRICKS_TOKEN", "dapi-1"), ("DATABRICKS_HOST", "http://127.0.0.1:1")];
    for command in [&["ensure", "c"][..], &["show"], &["validate"], &["delete", "--yes"]] {
        bare(command, &token, "{\n  oops").ends_with(3, &["line 2, column 3"]);
    }
    bare(&["validate"], &token, r#"{"kinbricks":2}"#).ends_with(3, &["version 2"]);
}

#[test]
fn errors_can_be_one_json_line() {
    let ran = bare(&["list", "--errors", "json"], &[], "");
    ran.ends_with(4, &[]);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    let line: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((&line["tool"], &line["kind"]), (&"dbx-cred".into(), &"refused".into()));
    let usage = bare(&["ensure", "--role-arn", "--errors=json"], &[("KINBRICKS_ERRORS", "json")], "");
    assert_eq!(usage.code, 2);
    assert!(serde_json::from_str::<serde_json::Value>(&usage.stderr).is_ok(), "{usage:?}");
}

#[test]
fn settings_explain_themselves() {
    let env = [("KINBRICKS_CREDENTIAL", "c"), ("DATABRICKS_HOST", "https://h.test")];
    let ran = bare(&["show", "--explain-config"], &env, "");
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout.contains(
            r#"{"setting":"credential","value":"c","from":"environment variable KINBRICKS_CREDENTIAL"}"#
        ),
        "{ran:?}"
    );
}

#[tokio::test]
async fn a_full_disk_is_seen() {
    let scene = Scene::start().await;
    scene.ensured().await;
    for args in ["list", "show kinesis-sensor-credential"] {
        let ran = shell(&scene, &format!("$TOOL {args} < /dev/null > /dev/full")).await;
        assert_eq!(ran.0, 3, "{ran:?}");
        assert!(ran.1.contains("failed to write to stdout"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_reader_that_leaves_early_is_no_failure_but_an_undelivered_change_is() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    std::fs::write(scene.home.path().join("c.json"), document).unwrap();
    // `true` reads nothing, and is waited for: the pipe is closed for sure when the tool writes.
    let ran = shell(&scene, "exec 3> >(exec true); wait $!; $TOOL list >&3").await;
    assert_eq!(ran.0, 0, "{ran:?}");
    let ran = shell(&scene, "exec 3> >(exec true); wait $!; $TOOL ensure --doc c.json >&3").await;
    assert_eq!(ran.0, 3, "{ran:?}");
}

/// Runs a line of bash with the sandbox's environment and `$TOOL`: the exit code and stderr.
async fn shell(scene: &Scene, line: &str) -> (i32, String) {
    let (environment, home) = (scene.environment.clone(), scene.home.path().to_owned());
    let line = line.to_owned();
    tokio::task::spawn_blocking(move || {
        let output = std::process::Command::new("/bin/bash")
            .args(["-c", &line])
            .env_clear()
            .envs(environment)
            .env("PATH", "/usr/bin:/bin")
            .env("TOOL", snapbox::cmd::cargo_bin!("dbx-cred"))
            .env("HOME", &home)
            .current_dir(&home)
            .output()
            .unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn token_leaves_stdin_to_the_tool_that_runs_it() {
    let scene = Scene::start().await;
    let ran = scene.run(&["token", NAME], "not a document").await;
    ran.ends_with(4, &["does not exist", NAME]);
}
