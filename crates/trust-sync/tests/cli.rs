//! The binary: help, exit codes, both streams. Nothing here needs AWS.
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use std::path::Path;

use snapbox::cmd::{Command, OutputAssert, cargo_bin};
use snapbox::str;
use tempfile::tempdir;

/// The binary without the caller's environment, in a folder of its own, with empty stdin.
fn clean(home: &Path) -> Command {
    let command = Command::new(cargo_bin!("trust-sync")).env_clear().env("HOME", home).env("COLUMNS", "100");
    command.env("AWS_EC2_METADATA_DISABLED", "true").current_dir(home).stdin("")
}

fn run(args: &[&str]) -> OutputAssert {
    let home = tempdir().unwrap();
    clean(home.path()).args(args).assert()
}

fn stderr(assert: &OutputAssert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

#[test]
fn help_starts_with_examples_and_ends_with_exit_codes() {
    let output = run(&["--help"]).code(0).stderr_eq("");
    let help = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(help.starts_with("Examples:\n  # the guide's last AWS step"), "{help}");
    assert!(help.trim_end().ends_with("130  interrupted"), "{help}");
}

#[test]
fn no_role_names_the_ways_to_give_one() {
    run(&["--region", "eu-central-1"]).code(2).stdout_eq("").stderr_eq(str![[r#"
trust-sync: no role is given
hint: name it as ROLE, pipe in what `iam-role ensure ROLE` prints, or set KINBRICKS_ROLE or `role` in kinbricks.toml

"#]]);
}

#[test]
fn no_external_id_is_told_without_asking_aws() {
    run(&["reader", "--region", "eu-central-1"]).code(2).stdout_eq("").stderr_eq(str![[r#"
trust-sync: no external ID is given: the connection document has no `credential`
hint: pipe in what `dbx-cred ensure` or `dbx-cred show` prints, or add --external-id ID

"#]]);
    let said = stderr(&run(&["reader", "--undo", "--region", "eu-central-1"]).code(2).stdout_eq(""));
    assert!(said.contains("nothing to undo"), "{said}");
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    for flags in [
        &["--check", "--explain"],
        &["--check", "--undo"],
        &["--undo", "--exclusive"],
        &["--external-id", "0"],
    ] {
        run(&[&["reader"], flags.as_slice()].concat()).code(2).stdout_eq("");
    }
    let line = stderr(&run(&["--errors", "json", "--form", "round"]).code(2).stdout_eq(""));
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[test]
fn no_region_and_no_credentials_say_what_to_type() {
    let said = stderr(&run(&["reader", "--external-id", "blue-42"]).code(2).stdout_eq(""));
    assert!(said.contains("no AWS region is given"), "{said}");
    let args = ["reader", "--external-id", "blue-42", "--region", "eu-central-1", "--errors", "json"];
    let output = run(&args).code(4).stdout_eq("");
    let line: serde_json::Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert_eq!((&line["tool"], &line["kind"]), (&"trust-sync".into(), &"refused".into()));
    assert!(line["hint"].as_str().unwrap().starts_with("run: aws login"));
}

#[test]
fn malformed_input_names_the_place() {
    let home = tempdir().unwrap();
    let broken = |stdin: &str| {
        let args = ["reader", "--region", "eu-central-1"];
        stderr(&clean(home.path()).args(args).stdin(stdin).assert().code(3).stdout_eq(""))
    };
    assert!(broken("{\n \"credential\": }").contains("line 2, column 16"));
    let said = broken(
        r#"{"credential":{"name":"c","role_arn":"nonsense","external_id":"ab","unity_catalog_iam_arn":"x"}}"#,
    );
    assert!(said.contains("`credential`") && said.contains("dbx-cred ensure"), "{said}");
}
