//! The process contract: what every tool does with arguments, streams and exit codes.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::scene::{Scene, bare};

/// Keys that nobody checks, for runs that end before a request is made.
const SOMEBODY: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_REGION", "eu-central-1"),
];

#[test]
fn help_starts_with_examples_and_ends_with_the_exit_codes() {
    let ran = bare(&["--help"], &[], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("Examples:\n  aws-check "), "{}", ran.stdout);
    assert!(ran.stdout.contains("aws-check --doctor < connection.json"), "{}", ran.stdout);
    assert!(ran.stdout.trim_end().ends_with("130  interrupted"), "{}", ran.stdout);
}

#[test]
fn without_arguments_it_says_who_you_are_and_passes_the_document_on() {
    let scene = Scene::start();
    let ran = scene.run(&[], r#"{"later":[1.0]}"#);
    ran.ends_with(
        0,
        &[
            "aws-check: you are arn:aws:iam::123456789012:root in account 123456789012\n",
            "aws-check: the region is eu-central-1, from environment variable AWS_REGION\n",
            "aws-check: warning: you are the root user",
            "aws-check: Kinesis answers in ",
            "aws-check: IAM answers in ",
        ],
    );
    assert_data_eq!(
        &ran.stdout,
        str![[r#"
{"kinbricks":1,"later":[1.0],"identity":{"account":"123456789012","arn":"arn:aws:iam::123456789012:root","partition":"aws","region":"eu-central-1","root":true,"region_from":"environment variable AWS_REGION","credentials":{"source":"environment","profile":null,"expires_at":null}}}

"#]]
    );
    assert!(scene.run(&["--pretty", "--quiet"], "").stdout.starts_with("{\n  \"kinbricks\": 1,\n"));
}

#[test]
fn a_malformed_document_is_the_neighbours_fault() {
    for args in [&[][..], &["--doctor"]] {
        bare(args, &SOMEBODY, "{\n  oops").ends_with(3, &["line 2, column 3"]);
        bare(args, &SOMEBODY, "[]").ends_with(3, &["an array"]);
        bare(args, &SOMEBODY, r#"{"kinbricks":2}"#).ends_with(3, &["version 2"]);
    }
    bare(&["--doc", "nowhere.json"], &SOMEBODY, "").ends_with(2, &["nowhere.json"]);
}

#[test]
fn bad_arguments_are_usage_errors() {
    bare(&["--doctor", "--no-reach"], &SOMEBODY, "").ends_with(2, &["cannot be used with"]);
    bare(&["--region", "Frankfurt"], &SOMEBODY, "").ends_with(2, &["`Frankfurt` is not an AWS region"]);
    bare(&["somebody"], &SOMEBODY, "").ends_with(2, &["somebody"]);
}

#[test]
fn errors_can_be_one_json_line() {
    let ran = bare(&["--errors", "json"], &[("AWS_EC2_METADATA_DISABLED", "true"), SOMEBODY[2]], "");
    ran.ends_with(4, &[]);
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    let line: Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!((&line["tool"], &line["kind"]), (&json!("aws-check"), &json!("refused")));
    assert_eq!(ran.stdout, "");
}

#[test]
fn settings_explain_themselves() {
    let ran = bare(&["--explain-config"], &[("AWS_DEFAULT_REGION", "eu-central-1")], "");
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains(r#""from":"environment variable AWS_DEFAULT_REGION""#), "{ran:?}");
}

#[test]
fn a_full_disk_is_seen_and_a_reader_that_leaves_early_is_no_failure() {
    let scene = Scene::start();
    scene.shell("$TOOL --no-reach > /dev/full").ends_with(3, &["failed to write to stdout"]);
    // `true` reads nothing, and is waited for: the pipe is closed for sure when the tool writes.
    scene.shell("exec 3> >(exec true); wait $!; $TOOL --no-reach >&3").ends_with(0, &[]);
}

#[test]
fn a_signal_ends_it_at_once() {
    let scene = Scene::start();
    scene.fault(&json!({ "operation": "GetCallerIdentity", "times": 9, "latency_ms": 60_000 }));
    let mut child = scene.spawn(&[]);
    drop(child.stdin.take());
    // The handlers are in place a moment after the start; until then a signal ends the process by itself.
    let status = format!("/proc/{}/status", child.id());
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        let text = std::fs::read_to_string(&status).unwrap();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
        if u64::from_str_radix(&caught, 16).unwrap() & 0b10 != 0 {
            break;
        }
        assert!(Instant::now() < until, "it never came to that");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
}
