//! The binary: help, exit codes, both streams. Nothing here needs AWS.
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use std::fs;
use std::path::Path;

use snapbox::cmd::{Command, OutputAssert, cargo_bin};
use snapbox::str;
use tempfile::tempdir;

/// The binary without the caller's environment, in a folder of its own, with empty stdin.
fn clean(home: &Path) -> Command {
    let command = Command::new(cargo_bin!("iam-role")).env_clear().env("HOME", home).env("COLUMNS", "100");
    command.env("AWS_EC2_METADATA_DISABLED", "true").current_dir(home).stdin("")
}

fn run(args: &[&str]) -> OutputAssert {
    let home = tempdir().unwrap();
    clean(home.path()).args(args).assert()
}

fn stderr(assert: &OutputAssert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

const POLICIES: &str = r#"{"policies":{"permissions":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::123456789012:role/reader"}]}}}"#;

#[test]
fn help_starts_with_examples_and_ends_with_exit_codes() {
    let output = run(&["--help"]).code(0).stderr_eq("");
    let help = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(help.starts_with("Examples:\n  # the guide's order"), "{help}");
    assert!(help.trim_end().ends_with("130  interrupted"), "{help}");
    for command in ["ensure", "show", "delete"] {
        run(&[command, "--help"]).code(0).stderr_eq("");
    }
}

#[test]
fn no_command_is_a_usage_error() {
    run(&[]).code(2).stdout_eq("");
    run(&["ensure", "--tag", "no-value"]).code(2).stdout_eq("");
    run(&["ensure", "--boundary", "nonsense"]).code(2).stdout_eq("");
    run(&["ensure", "two words", "--region", "eu-central-1"]).code(2).stdout_eq("");
    let line = stderr(&run(&["--errors", "json", "nonsense"]).code(2).stdout_eq(""));
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[test]
fn what_is_missing_names_the_flag_and_the_tool() {
    run(&["ensure", "--region", "eu-central-1"]).code(2).stdout_eq("").stderr_eq(str![[r#"
iam-role: no role is given
hint: name it as ROLE, pipe in what `iam-role ensure ROLE` prints, or set KINBRICKS_ROLE or `role` in kinbricks.toml

"#]]);
    run(&["ensure", "reader", "--region", "eu-central-1"]).code(2).stdout_eq("").stderr_eq(str![[r#"
iam-role: no permissions given: the connection document has no `policies.permissions`
hint: pipe in what `iam-policy-gen permissions` prints, or add --permissions FILE

"#]]);
    let said = stderr(&run(&["show", "reader"]).code(2).stdout_eq(""));
    assert!(said.contains("no AWS region is given") && said.contains("--region eu-central-1"), "{said}");
}

#[test]
fn permissions_for_another_role_are_refused_before_anything_is_asked() {
    let home = tempdir().unwrap();
    clean(home.path())
        .args(["ensure", "writer", "--region", "eu-central-1"])
        .stdin(POLICIES)
        .assert()
        .code(2)
        .stdout_eq("")
        .stderr_eq(str![[r#"
iam-role: the permissions let `arn:aws:iam::123456789012:role/reader` assume itself, not role `writer`
hint: write them for this role: … | iam-policy-gen permissions --role writer | iam-role ensure writer

"#]]);
}

#[test]
fn delete_wants_a_yes() {
    run(&["delete", "reader", "--region", "eu-central-1"]).code(2).stdout_eq("").stderr_eq(str![[r#"
iam-role: deleting role `reader` takes Databricks' access away, and a role made anew under this name is another one
hint: iam-role delete reader --yes

"#]]);
}

#[test]
fn malformed_input_names_the_place() {
    let home = tempdir().unwrap();
    let broken = |stdin: &str| {
        clean(home.path())
            .args(["ensure", "reader", "--region", "eu-central-1"])
            .stdin(stdin)
            .assert()
            .code(3)
            .stdout_eq("")
    };
    assert!(stderr(&broken("{\n \"policies\": }")).contains("line 2, column 14"));
    let said = stderr(&broken(
        r#"{"policies":{"permissions":{"Statement":[{"Effect":"allow","Action":"*","Resource":"*"}]}}}"#,
    ));
    assert!(said.contains("`policies.permissions`") && said.contains("/Statement/0/Effect"), "{said}");
    fs::write(home.path().join("bad.json"), "{\"Statement\":7}").unwrap();
    let args = ["ensure", "reader", "--region", "eu-central-1", "--permissions"];
    let with_file = |file: &str| clean(home.path()).args(args).arg(file).assert().code(2).stdout_eq("");
    assert!(stderr(&with_file("bad.json")).contains("the file `bad.json` cannot be used"));
    assert!(stderr(&with_file("none.json")).contains("failed to read the policy `none.json`"));
}

#[test]
fn no_credentials_is_refused_with_a_way_to_sign_in() {
    let output = run(&["show", "reader", "--region", "eu-central-1"]).code(4).stdout_eq("");
    let said = stderr(&output);
    assert!(said.contains("failed to read role `reader`") && said.contains("hint: run: aws login"), "{said}");
    let output =
        run(&["show", "reader", "--region", "eu-central-1", "--errors", "json"]).code(4).stdout_eq("");
    let line: serde_json::Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert_eq!((&line["tool"], &line["kind"]), (&"iam-role".into(), &"refused".into()));
}

#[test]
fn settings_can_be_explained() {
    let home = tempdir().unwrap();
    let output = clean(home.path())
        .env("KINBRICKS_ROLE", "reader")
        .args(["show", "--explain-config"])
        .assert()
        .code(0);
    let stdout = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        stdout
            .contains(r#"{"setting":"role","value":"reader","from":"environment variable KINBRICKS_ROLE"}"#),
        "{stdout}"
    );
}
