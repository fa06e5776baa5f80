//! The permissions that are generated are enough for what Databricks and a producer do, and none of them can go.
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use policy::Document;
use policy::evaluate::{self, Context, Principal, Request};
use serde_json::Value;
use snapbox::cmd::{Command, cargo_bin};
use tempfile::tempdir;

const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";
const CONSUMER: &str =
    "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings/consumer/databricks_1:1700000000";
const ROLE: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";
const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/0d26daa6";

/// Something that is done: an action on a resource.
type Done = (&'static str, &'static str);

/// What reading by polling takes (Databricks' documentation and its guide), and assuming itself (its validation).
const POLLING: &[Done] = &[
    ("kinesis:DescribeStreamSummary", STREAM),
    ("kinesis:ListShards", STREAM),
    ("kinesis:GetShardIterator", STREAM),
    ("kinesis:GetRecords", STREAM),
    ("sts:AssumeRole", ROLE),
];
/// What enhanced fan-out takes beside it.
const FAN_OUT: &[Done] = &[
    ("kinesis:RegisterStreamConsumer", STREAM),
    ("kinesis:ListStreamConsumers", STREAM),
    ("kinesis:DescribeStreamConsumer", CONSUMER),
    ("kinesis:SubscribeToShard", CONSUMER),
    ("kinesis:DeregisterStreamConsumer", CONSUMER),
];
const PRODUCING: &[Done] = &[("kinesis:PutRecord", STREAM), ("kinesis:PutRecords", STREAM)];

/// What none of the readers may do.
const FORBIDDEN: &[Done] = &[
    ("kinesis:PutRecord", STREAM),
    ("kinesis:DeleteStream", STREAM),
    ("kinesis:GetRecords", "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings-2"),
    ("kinesis:GetRecords", "arn:aws:kinesis:eu-west-1:123456789012:stream/sensor-readings"),
    ("sts:AssumeRole", "arn:aws:iam::123456789012:role/another"),
    ("kms:GenerateDataKey", KEY),
    ("iam:GetRole", ROLE),
];

fn generated(args: &[&str]) -> Value {
    let home = tempdir().unwrap();
    let command = Command::new(cargo_bin!("iam-policy-gen")).env_clear().env("HOME", home.path()).stdin("");
    let output = command.args(["permissions", "--stream", STREAM]).args(args).assert().code(0);
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

fn allows(policy: &Value, (action, resource): Done) -> bool {
    let document = Document::from_value(policy.clone()).unwrap();
    let principal = Principal::from_arn(ROLE).unwrap();
    // Kinesis uses the key on the caller's behalf, and says for which stream.
    let context = Context::new()
        .with("kms:ViaService", "kinesis.eu-central-1.amazonaws.com")
        .with("kms:EncryptionContext:aws:kinesis:arn", STREAM);
    let request = Request { principal: &principal, action, resource, context: &context };
    evaluate::identity(&[&document], None, &request).decision.is_allow()
}

/// Every policy that lacks exactly one of the actions of `policy`, with that action.
fn with_one_dropped(policy: &Value) -> Vec<(String, Value)> {
    let mut variants = Vec::new();
    for (index, statement) in policy["Statement"].as_array().unwrap().iter().enumerate() {
        let actions: Vec<String> = match &statement["Action"] {
            Value::Array(actions) => {
                actions.iter().map(|action| action.as_str().unwrap().to_owned()).collect()
            }
            single => vec![single.as_str().unwrap().to_owned()],
        };
        for dropped in &actions {
            let rest: Vec<&str> =
                actions.iter().filter(|action| *action != dropped).map(String::as_str).collect();
            let mut variant = policy.clone();
            if rest.is_empty() {
                variant["Statement"].as_array_mut().unwrap().remove(index);
            } else {
                variant["Statement"][index]["Action"] = rest.into();
            }
            variants.push((dropped.clone(), variant));
        }
    }
    variants
}

fn check(args: &[&str], needed: &[Done], forbidden: &[Done]) {
    let policy = generated(args);
    for done in needed {
        assert!(allows(&policy, *done), "{args:?}: {done:?} is needed");
    }
    for done in forbidden {
        assert!(!allows(&policy, *done), "{args:?}: {done:?} is not needed");
    }
    let variants = with_one_dropped(&policy);
    assert_eq!(variants.len(), needed.len(), "{args:?}: as many actions as are needed");
    for (dropped, variant) in variants {
        let broken: Vec<&Done> = needed.iter().filter(|done| !allows(&variant, **done)).collect();
        assert!(
            matches!(broken.as_slice(), [(action, _)] if *action == dropped),
            "{args:?} without {dropped}: {broken:?}"
        );
    }
}

#[test]
fn nothing_is_missing_and_nothing_can_go() {
    check(&[], POLLING, FORBIDDEN);
    check(&["--mode", "efo"], &[POLLING, FAN_OUT].concat(), FORBIDDEN);
    check(&["--kms-key", KEY], &[POLLING, &[("kms:Decrypt", KEY)]].concat(), FORBIDDEN);
    let not_for_producers = [POLLING, FAN_OUT, &[("kms:Decrypt", KEY)]].concat();
    check(&["--producer"], PRODUCING, &not_for_producers);
    check(
        &["--producer", "--kms-key", KEY],
        &[PRODUCING, &[("kms:GenerateDataKey", KEY)]].concat(),
        &not_for_producers,
    );
}

#[test]
fn every_statement_says_why_in_its_name() {
    for args in [&[][..], &["--mode", "efo", "--kms-key", KEY], &["--producer", "--kms-key", KEY]] {
        let policy = generated(args);
        for statement in policy["Statement"].as_array().unwrap() {
            assert!(statement["Sid"].is_string(), "{statement}");
        }
    }
}
