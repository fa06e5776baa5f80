//! The process contract: what every tool does with arguments, streams and exit codes.

use std::io::Write;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use snapbox::{assert_data_eq, str};

use crate::scene::{STREAM, Scene, bare, wait_for};

/// Keys that nobody checks, for runs that end before a request is made.
const SOMEBODY: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_REGION", "eu-central-1"),
];

#[test]
fn no_arguments_is_a_usage_error_that_names_the_commands() {
    let ran = bare(&[], &[], "");
    ran.ends_with(2, &["ensure", "show", "list", "wait", "cost", "delete"]);
    assert_eq!(ran.stdout, "");
}

#[test]
fn help_starts_with_examples_and_ends_with_the_exit_codes() {
    let ran = bare(&["--help"], &[], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("Examples:\n  kstream ensure sensor-readings "), "{}", ran.stdout);
    assert!(ran.stdout.trim_end().ends_with("130  interrupted"), "{}", ran.stdout);
}

#[test]
fn what_is_missing_names_the_argument_and_the_tool() {
    for command in ["ensure", "show", "wait", "cost"] {
        bare(&[command], &SOMEBODY, "").ends_with(2, &["no stream is given", "STREAM", "KINBRICKS_STREAM"]);
    }
}

#[test]
fn a_deletion_takes_no_stream_from_the_environment() {
    let env = [SOMEBODY.as_slice(), &[("KINBRICKS_STREAM", "precious")]].concat();
    bare(&["delete", "--yes"], &env, "")
        .ends_with(2, &["no stream is given to delete", "--doc connection.json"]);
}

#[test]
fn bad_values_are_refused_before_anything_is_sent() {
    for (args, said) in [
        (&["ensure", "two words"][..], "`two words` is not a stream name"),
        (&["ensure", "arn:aws:s3:::bucket"], "`arn:aws:s3:::bucket` is not a stream ARN"),
        (&["ensure", "s", "--shards", "0"], "0"),
        (&["ensure", "s", "--shards", "2", "--on-demand"], "cannot be used with"),
        (&["ensure", "s", "--retention-hours", "23"], "24..=8760"),
        (&["ensure", "s", "--max-record-size-kib", "10241"], "1024..=10240"),
        (&["ensure", "s", "--tag", "novalue"], "KEY=VALUE"),
        (&["cost", "s", "--records-per-second", "5"], "--record-bytes"),
        (&["show", "s", "--region", "Frankfurt"], "`Frankfurt` is not an AWS region"),
        (&["show", "s", "--timeout", "soon"], "`soon` is no duration"),
    ] {
        bare(args, &SOMEBODY, "").ends_with(2, &[said]);
    }
}

#[test]
fn a_malformed_document_is_the_neighbours_fault() {
    for command in [&["ensure", "s"][..], &["show"], &["wait"], &["cost"], &["delete", "--yes"]] {
        bare(command, &SOMEBODY, "{\n  oops").ends_with(3, &["line 2, column 3"]);
    }
    bare(&["show"], &SOMEBODY, r#"{"kinbricks":2}"#).ends_with(3, &["version 2"]);
    bare(&["show"], &SOMEBODY, "[]").ends_with(3, &["an array, not an object"]);
    bare(&["show"], &SOMEBODY, r#"{"stream":{"name":"s","arn":"x"}}"#)
        .ends_with(3, &["`stream` cannot be used", "`x` is not a stream ARN"]);
}

#[test]
fn without_credentials_it_says_how_to_sign_in() {
    let env = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_REGION", "eu-central-1")];
    let ran = bare(&["show", "s"], &env, "");
    assert_eq!(ran.code, 4);
    assert_data_eq!(
        ran.stderr,
        str![[r#"
kstream: failed to describe stream `s`: no AWS credentials were found in the environment or the AWS files
hint: run: aws login --profile NAME, then add --profile NAME or set AWS_PROFILE

"#]]
    );
}

#[test]
fn without_a_region_it_says_how_to_give_one() {
    let ran = bare(&["list"], &SOMEBODY[..2], "");
    ran.ends_with(2, &["no AWS region is given", "--region eu-central-1"]);
}

#[test]
fn errors_can_be_one_json_line() {
    let scene = Scene::start();
    let ran = scene.run(&["show", "nowhere", "--errors", "json"], "");
    ran.ends_with(4, &[]);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    let line: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(line["tool"], "kstream");
    assert_eq!(line["kind"], "refused");
    assert_eq!(line["code"], "ResourceNotFoundException");
    let usage = bare(&["ensure", "--errors=json", "--shards", "many"], &[], "");
    assert_eq!(usage.code, 2);
    assert!(serde_json::from_str::<Value>(&usage.stderr).is_ok(), "{usage:?}");
}

#[test]
fn settings_explain_themselves() {
    let ran = bare(&["show", "--explain-config"], &[("KINBRICKS_STREAM", "s")], "");
    assert_eq!(ran.code, 0);
    assert!(
        ran.stdout
            .contains(r#"{"setting":"stream","value":"s","from":"environment variable KINBRICKS_STREAM"}"#),
        "{ran:?}"
    );
}

#[test]
fn a_full_disk_is_seen() {
    let scene = Scene::start();
    scene.ensured();
    for args in ["list", "show sensor-readings", "cost sensor-readings", "ensure sensor-readings"] {
        scene.shell(&format!("$TOOL {args} > /dev/full")).ends_with(3, &["failed to write to stdout"]);
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_failure_but_an_undelivered_change_is() {
    let scene = Scene::start();
    scene.ensured();
    // `true` reads nothing, and is waited for: the pipe is closed for sure when the tool writes.
    scene.shell("exec 3> >(exec true); wait $!; $TOOL list >&3").ends_with(0, &[]);
    scene.shell("exec 3> >(exec true); wait $!; $TOOL cost sensor-readings >&3").ends_with(0, &[]);
    scene.shell("exec 3> >(exec true); wait $!; $TOOL show sensor-readings >&3").ends_with(0, &[]);
    scene.shell("exec 3> >(exec true); wait $!; $TOOL ensure sensor-readings >&3").ends_with(3, &[]);
    scene.shell("set -o pipefail; $TOOL list | head -1").ends_with(0, &[]);
}

#[test]
fn a_signal_ends_a_wait_at_once_and_says_how_to_go_on() {
    for signal in [Signal::INT, Signal::TERM] {
        // A scene each: a late call of the run before must not pass for one of this run, which may not listen yet.
        let scene = Scene::with_delay(Duration::from_hours(1));
        let mut child = scene.spawn(&["ensure", STREAM]);
        drop(child.stdin.take());
        wait_for(|| scene.was_called("CreateStream"));
        kill_process(Pid::from_child(&child), signal).unwrap();
        let started = Instant::now();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(stderr.contains("interrupted\nhint: run the same command again"), "{stderr}");
        // Of the five minutes that it would have waited.
        assert!(started.elapsed() < Duration::from_mins(1));
    }
}

#[test]
fn a_signal_also_ends_the_wait_for_a_neighbour_that_writes_nothing() {
    let scene = Scene::start();
    let mut child = scene.spawn(&["ensure", STREAM]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{").unwrap();
    // The handlers are in place a moment after the start; until then a signal ends the process by itself.
    let status = format!("/proc/{}/status", child.id());
    wait_for(|| {
        let text = std::fs::read_to_string(&status).unwrap();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
        u64::from_str_radix(&caught, 16).unwrap() & 0b10 != 0
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(scene.calls(), []);
    drop(stdin);
}
