//! Every policy that is written, against a JSON schema of what IAM takes, as a validator that knows nothing of these tools sees it.
//!
//! The validator is Python's `jsonschema`; where it is not installed there is nothing to compare with, and the tests say so.
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use std::io::Write;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use serde_json::{Value, json};
use snapbox::cmd::{Command, cargo_bin};

const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";
const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/1-2";
const OWN: &str = "arn:aws:iam::123456789012:role/team/reader";
const OTHER: &str = "arn:aws:iam::210987654321:role/reader";

/// Reads documents from stdin, one a line, and prints what is wrong with each, or `ok`.
const VALIDATE: &str = "
import json, sys
from jsonschema import Draft7Validator
schema = json.load(open(sys.argv[1]))
Draft7Validator.check_schema(schema)
for line in sys.stdin:
    errors = [f'{list(e.absolute_path)}: {e.message}' for e in Draft7Validator(schema).iter_errors(json.loads(line))]
    print('; '.join(errors) or 'ok')
";

/// What the validator says of each document; `None` where there is no validator.
#[expect(clippy::print_stderr, reason = "a test that compared nothing has to say so")]
fn validate(documents: &[Value]) -> Option<Vec<String>> {
    let probe = Process::new("python3").args(["-c", "import jsonschema"]).stderr(Stdio::null()).status();
    if !probe.is_ok_and(|status| status.success()) {
        eprintln!("nothing was compared: python3 has no jsonschema here");
        return None;
    }
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy.schema.json");
    let mut python = Process::new("python3")
        .args(["-c", VALIDATE])
        .arg(schema)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    for document in documents {
        writeln!(stdin, "{document}").unwrap();
    }
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = said.lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), documents.len());
    Some(lines)
}

/// What a command line prints.
fn written(args: &[&str]) -> Value {
    let tool = Command::new(cargo_bin!("iam-policy-gen")).env_clear().stdin("");
    let output = tool.args(args).arg("--quiet").assert().code(0);
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

#[test]
fn every_variant_is_a_policy() {
    let trust = ["trust", "--external-id", "blue-42", "--role", OWN];
    let reads = ["permissions", "--stream", STREAM, "--role", OWN];
    let crosses = ["permissions", "--stream", STREAM, "--role", OTHER, "--cross-account", "--mode", "efo"];
    let consumer = format!("{STREAM}/consumer/c:1700000000");
    let with = |args: &[&str], more: &[&str]| written(&[args, more].concat());
    let mut documents = vec![
        written(&["trust"]),
        with(&trust, &["--form", "databricks"]),
        with(&trust, &["--form", "arn-like"]),
        written(&["trust", "--partition", "aws-us-gov"]),
        with(&reads, &[]),
        with(&reads, &["--mode", "efo", "--kms-key", KEY]),
        with(&crosses, &["--side", "role"]),
        with(&crosses, &["--side", "stream"]),
        with(&crosses, &["--side", "consumer", "--consumer", &consumer]),
        written(&["permissions", "--stream", STREAM, "--producer", "--kms-key", KEY]),
    ];
    let template = with(&trust, &["--format", "cloudformation"]);
    documents.push(template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"].clone());
    let template = with(&reads, &["--format", "cloudformation"]);
    documents.push(template["Resources"]["RolePolicy"]["Properties"]["PolicyDocument"].clone());
    let Some(said) = validate(&documents) else { return };
    for (document, said) in documents.iter().zip(said) {
        assert_eq!(said, "ok", "{document}");
    }
}

/// A schema that took everything would prove nothing.
#[test]
fn the_schema_refuses_what_iam_or_we_refuse() {
    let right = written(&["permissions", "--stream", STREAM, "--role", OWN]);
    let changed = |pointer: &str, value: Value| {
        let mut changed = right.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let mut nameless = right.clone();
    nameless["Statement"][0].as_object_mut().unwrap().remove("Sid");
    let wrong = [
        nameless,
        changed("/Version", json!("2012-10-18")),
        changed("/Statement", json!([])),
        changed("/Statement/0/Sid", json!("Read the stream")),
        changed("/Statement/0/Effect", json!("allow")),
        changed("/Statement/0/Action", json!("kinesis:*")),
        changed("/Statement/0/Resource", json!("*")),
        changed("/Statement/1/Resource", json!("reader")),
    ];
    let Some(said) = validate(&wrong) else { return };
    for (document, said) in wrong.iter().zip(said) {
        assert_ne!(said, "ok", "{document}");
    }
}
