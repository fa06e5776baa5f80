//! Vectors for the comparison of documents: pairs, the verdict they deserve, and the codes that must say so.
#![expect(clippy::unwrap_used, reason = "a test file: its helpers may panic as its tests do")]

use policy::Document;
use policy::compare::{self, Code, VerdictKind};
use serde_json::{Value, json};

const OWN: &str = "arn:aws:iam::123456789012:role/reader";
const ROOT: &str = "arn:aws:iam::123456789012:root";
const PARTNER: &str = "arn:aws:iam::210987654321:role/partner";

/// Both ways round: a verdict does not depend on which policy is live.
#[track_caller]
fn documents(name: &str, live: &Value, wanted: &Value, verdict: VerdictKind, codes: &[Code]) {
    let (live, wanted) =
        (Document::from_value(live.clone()).unwrap(), Document::from_value(wanted.clone()).unwrap());
    let comparison = compare::documents(&live, &wanted);
    let found: Vec<_> = comparison.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!((comparison.verdict, found.as_slice()), (verdict, codes), "{name}: {:#?}", comparison.reasons);
    assert_eq!(compare::documents(&wanted, &live).verdict, verdict, "{name}, the other way round");
}

/// Two statements, each completed to a whole one about `kinesis:GetRecords` on everything.
#[track_caller]
fn statements(name: &str, live: &Value, wanted: &Value, verdict: VerdictKind, codes: &[Code]) {
    let complete = |more: &Value| {
        let mut statement = json!({"Effect": "Allow", "Action": "kinesis:GetRecords", "Resource": "*"});
        for (member, value) in more.as_object().unwrap() {
            statement[member] = value.clone();
        }
        json!({"Version": "2012-10-17", "Statement": [statement]})
    };
    documents(name, &complete(live), &complete(wanted), verdict, codes);
}

use VerdictKind::{Cosmetic, Drift, InSync};

#[test]
fn what_iam_rewrites_is_in_sync() {
    statements("nothing", &json!({}), &json!({}), InSync, &[]);
    statements("one-element list", &json!({"Action": ["kinesis:GetRecords"]}), &json!({}), InSync, &[]);
    statements(
        "order of a list",
        &json!({"Action": ["a:b", "a:c"]}),
        &json!({"Action": ["a:c", "a:b"]}),
        InSync,
        &[],
    );
    statements(
        "order of principals",
        &json!({"Principal": {"AWS": [OWN, PARTNER]}}),
        &json!({"Principal": {"AWS": [PARTNER, OWN]}}),
        InSync,
        &[],
    );
    statements(
        "account id",
        &json!({"Principal": {"AWS": "123456789012"}}),
        &json!({"Principal": {"AWS": ROOT}}),
        InSync,
        &[],
    );
    statements("everyone", &json!({"Principal": "*"}), &json!({"Principal": {"AWS": "*"}}), InSync, &[]);
    statements(
        "boolean",
        &json!({"Condition": {"Bool": {"aws:SecureTransport": true}}}),
        &json!({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
        InSync,
        &[],
    );
    statements(
        "number",
        &json!({"Condition": {"NumericLessThan": {"s:n": 5}}}),
        &json!({"Condition": {"NumericLessThan": {"s:n": ["5"]}}}),
        InSync,
        &[],
    );
    documents(
        "one statement object",
        &json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}),
        &json!({"Statement": [{"Action": "*", "Resource": "*", "Effect": "Deny"}]}),
        InSync,
        &[],
    );
    documents("no statements", &json!({"Statement": []}), &json!({"Statement": []}), InSync, &[]);
}

#[test]
fn writing_is_cosmetic() {
    statements("Sid", &json!({"Sid": "A"}), &json!({"Sid": "B"}), Cosmetic, &[Code::Sid]);
    statements("Sid or none", &json!({"Sid": "A"}), &json!({}), Cosmetic, &[Code::Sid]);
    statements(
        "case of an action",
        &json!({"Action": "Kinesis:getrecords"}),
        &json!({}),
        Cosmetic,
        &[Code::Layout],
    );
    statements(
        "repeated action",
        &json!({"Action": ["kinesis:GetRecords", "kinesis:GetRecords"]}),
        &json!({}),
        Cosmetic,
        &[Code::Layout],
    );
    statements(
        "repeated principal",
        &json!({"Principal": {"AWS": [OWN, OWN]}}),
        &json!({"Principal": {"AWS": OWN}}),
        Cosmetic,
        &[Code::Layout],
    );
    statements(
        "case of a condition key",
        &json!({"Condition": {"StringEquals": {"AWS:userid": "x"}}}),
        &json!({"Condition": {"StringEquals": {"aws:UserId": "x"}}}),
        Cosmetic,
        &[Code::Layout],
    );
    statements(
        "ArnEquals",
        &json!({"Condition": {"ArnEquals": {"aws:PrincipalArn": OWN}}}),
        &json!({"Condition": {"ArnLike": {"aws:PrincipalArn": OWN}}}),
        Cosmetic,
        &[Code::Layout],
    );
    statements("empty condition", &json!({"Condition": {}}), &json!({}), Cosmetic, &[Code::Layout]);
    statements(
        "covered action",
        &json!({"Action": ["kinesis:Get*", "kinesis:GetRecords"]}),
        &json!({"Action": "kinesis:Get*"}),
        Cosmetic,
        &[Code::Layout],
    );
    let split = json!({"Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": "*"}, {"Effect": "Allow", "Action": "a:c", "Resource": "*"}]});
    let turned = json!({"Statement": [{"Effect": "Allow", "Action": "a:c", "Resource": "*"}, {"Effect": "Allow", "Action": "a:b", "Resource": "*"}]});
    let merged = json!({"Statement": {"Effect": "Allow", "Action": ["a:b", "a:c"], "Resource": "*"}});
    documents("split", &split, &merged, Cosmetic, &[Code::Layout]);
    documents("order of statements", &split, &turned, Cosmetic, &[Code::Order]);
    documents(
        "repeated statement",
        &json!({"Statement": [merged["Statement"], merged["Statement"]]}),
        &merged,
        Cosmetic,
        &[Code::Layout],
    );
    documents("Id", &json!({"Id": "x", "Statement": []}), &json!({"Statement": []}), Cosmetic, &[Code::Id]);
    documents(
        "Version absent",
        &json!({"Statement": []}),
        &json!({"Version": "2012-10-17", "Statement": []}),
        Cosmetic,
        &[Code::Version],
    );
}

#[test]
fn meaning_is_drift() {
    let conditioned = |operator: &str, value: Value| json!({"Condition": {operator: {"aws:userid": value}}});
    statements("effect", &json!({"Effect": "Deny"}), &json!({}), Drift, &[Code::Narrower, Code::Narrower]);
    statements("wider action", &json!({"Action": "kinesis:*"}), &json!({}), Drift, &[Code::Wider]);
    statements(
        "narrower action",
        &json!({}),
        &json!({"Action": ["kinesis:GetRecords", "kinesis:ListShards"]}),
        Drift,
        &[Code::Narrower],
    );
    statements(
        "a `?` is not a letter",
        &json!({"Action": "kinesis:GetRecord?"}),
        &json!({}),
        Drift,
        &[Code::Wider],
    );
    statements(
        "resource",
        &json!({"Resource": "arn:aws:kinesis:eu-central-1:123456789012:stream/a"}),
        &json!({}),
        Drift,
        &[Code::Narrower],
    );
    statements(
        "case of a resource",
        &json!({"Resource": "arn:a:b"}),
        &json!({"Resource": "arn:a:B"}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements("NotAction", &json!({"Action": "a:b"}), &json!({}), Drift, &[Code::Wider, Code::Narrower]);
    statements(
        "NotResource",
        &json!({"Resource": "arn:a"}),
        &json!({"Resource": ["arn:b"]}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "everyone is not no one",
        &json!({"Principal": "*"}),
        &json!({}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "everyone is not nobody",
        &json!({"Principal": "*"}),
        &json!({"Principal": {"AWS": []}}),
        Drift,
        &[Code::Wider],
    );
    statements(
        "everyone is wider",
        &json!({"Principal": "*"}),
        &json!({"Principal": {"AWS": OWN}}),
        Drift,
        &[Code::Wider],
    );
    statements(
        "a session is not its role",
        &json!({"Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/reader/s"}}),
        &json!({"Principal": {"AWS": OWN}}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "an account is not its role",
        &json!({"Principal": {"AWS": ROOT}}),
        &json!({"Principal": {"AWS": OWN}}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "another partition",
        &json!({"Principal": {"AWS": "arn:aws-us-gov:iam::123456789012:root"}}),
        &json!({"Principal": {"AWS": ROOT}}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "kind of principal",
        &json!({"Principal": {"Service": "x"}}),
        &json!({"Principal": {"Federated": "x"}}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "case of a principal",
        &json!({"Principal": {"AWS": "arn:aws:iam::123456789012:role/Reader"}}),
        &json!({"Principal": {"AWS": OWN}}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "a dead id",
        &json!({"Principal": {"AWS": "AROAEXAMPLE1"}}),
        &json!({"Principal": {"AWS": OWN}}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements("no condition", &json!({}), &conditioned("StringEquals", json!("x")), Drift, &[Code::Wider]);
    statements(
        "condition value",
        &conditioned("StringEquals", json!("X")),
        &conditioned("StringEquals", json!("x")),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "more values",
        &conditioned("StringEquals", json!(["x", "y"])),
        &conditioned("StringEquals", json!("x")),
        Drift,
        &[Code::Wider],
    );
    statements(
        "more values refused",
        &conditioned("StringNotEquals", json!(["x", "y"])),
        &conditioned("StringNotEquals", json!("x")),
        Drift,
        &[Code::Narrower],
    );
    statements(
        "no values",
        &conditioned("StringEquals", json!([])),
        &conditioned("StringEquals", json!("x")),
        Drift,
        &[Code::Narrower],
    );
    statements(
        "operator",
        &conditioned("StringLike", json!("x")),
        &conditioned("StringEquals", json!("x")),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "IfExists",
        &conditioned("StringEqualsIfExists", json!("x")),
        &conditioned("StringEquals", json!("x")),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "quantifier",
        &conditioned("ForAllValues:StringEquals", json!("x")),
        &conditioned("StringEquals", json!("x")),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "Null",
        &conditioned("Null", json!("true")),
        &conditioned("Null", json!("false")),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements(
        "unknown operator",
        &conditioned("StringEqual", json!("x")),
        &conditioned("StringEquals", json!("x")),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    statements("unknown member", &json!({"Odd": 1}), &json!({}), Drift, &[Code::Wider, Code::Narrower]);
    statements(
        "variable",
        &json!({"Resource": "arn:${aws:userid}"}),
        &json!({"Resource": "arn:*"}),
        Drift,
        &[Code::Wider, Code::Narrower],
    );
    let variable = json!({"Effect": "Allow", "Action": "a:b", "Resource": "${aws:userid}"});
    documents(
        "variables without their version",
        &json!({"Statement": [variable]}),
        &json!({"Version": "2012-10-17", "Statement": [variable]}),
        Drift,
        &[Code::Variables],
    );
    let deny = json!({"Effect": "Deny", "Action": "a:b", "Resource": "*"});
    documents(
        "a refusal gone",
        &json!({"Statement": []}),
        &json!({"Statement": [deny]}),
        Drift,
        &[Code::Wider],
    );
    documents(
        "a refusal narrowed",
        &json!({"Statement": [{"Effect": "Deny", "Action": "a:b", "Resource": "r"}]}),
        &json!({"Statement": [deny]}),
        Drift,
        &[Code::Wider],
    );
}

#[test]
fn a_statement_too_large_to_take_apart_is_still_compared() {
    let many = |count: usize| (0..count).map(|number| format!("a:b{number}")).collect::<Vec<_>>();
    let large = |actions: usize| json!({"Action": many(actions), "Resource": many(2000)});
    statements("large", &large(2000), &large(2000), InSync, &[]);
    statements("large and one less", &large(2000), &large(1999), Drift, &[Code::Wider]);
    statements("large and everything", &large(2000), &json!({"Action": "*"}), Drift, &[Code::Narrower]);
}
