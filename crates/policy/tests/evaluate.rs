//! Vectors for the evaluation of requests: conditions, elements, and who may assume a role.
#![expect(clippy::unwrap_used, reason = "a test file: its helpers may panic as its tests do")]

use policy::Document;
use policy::evaluate::{self, Context, Decision, Principal, Request, Source, Verdict, Via};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
const CALLER: &str = "arn:aws:iam::123456789012:role/caller";
const FOREIGN: &str = "arn:aws:iam::414351767826:role/master";
const USER: &str = "arn:aws:iam::123456789012:user/ana";

use Decision::{Allow, ExplicitDeny, ImplicitDeny};

fn policy(statements: &Value) -> Document {
    Document::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

fn identity(statements: &Value, action: &str, resource: &str, context: &Context) -> Decision {
    let principal = Principal::from_arn(CALLER).unwrap();
    let request = Request { principal: &principal, action, resource, context };
    evaluate::identity(&[&policy(statements)], None, &request).decision
}

/// Whether a condition holds: as part of a grant that it then lets through.
#[track_caller]
fn condition(operator: &str, wanted: &Value, found: &[&str], expected: bool) {
    let statement = json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {operator: {"my:Key": wanted}}});
    let context = Context::new().with_many("MY:key", found.iter().copied());
    let decision = identity(&statement, "a:b", "*", &context);
    assert_eq!(decision.is_allow(), expected, "{operator} {wanted} on {found:?}");
}

#[test]
fn strings() {
    condition("StringEquals", &json!("x"), &["x"], true);
    condition("StringEquals", &json!("x"), &["X"], false);
    condition("StringEquals", &json!(["x", "y"]), &["y"], true);
    condition("StringEquals", &json!("*"), &["x"], false);
    condition("StringEquals", &json!([]), &["x"], false);
    condition("StringEquals", &json!(true), &["true"], true);
    condition("StringNotEquals", &json!(["x", "y"]), &["y"], false);
    condition("StringNotEquals", &json!(["x", "y"]), &["z"], true);
    condition("StringEqualsIgnoreCase", &json!("É"), &["é"], true);
    condition("StringNotEqualsIgnoreCase", &json!("x"), &["X"], false);
    condition("StringLike", &json!("a?c*"), &["abcd"], true);
    condition("StringLike", &json!("a${*}"), &["ab"], false);
    condition("StringLike", &json!("a${*}"), &["a*"], true);
    condition("StringNotLike", &json!("a*"), &["abc"], false);
}

#[test]
fn a_missing_key() {
    condition("StringEquals", &json!("x"), &[], false);
    condition("StringEqualsIfExists", &json!("x"), &[], true);
    condition("StringEqualsIfExists", &json!("x"), &["y"], false);
    condition("StringNotEquals", &json!("x"), &[], true);
    condition("NotIpAddress", &json!("10.0.0.0/8"), &[], true);
    condition("Bool", &json!("false"), &[], false);
    condition("Null", &json!("true"), &[], true);
    condition("Null", &json!(true), &["x"], false);
    condition("Null", &json!("false"), &["x"], true);
    condition("Null", &json!("false"), &[], false);
}

#[test]
fn sets() {
    condition("ForAllValues:StringEquals", &json!(["x", "y"]), &["x", "y"], true);
    condition("ForAllValues:StringEquals", &json!(["x", "y"]), &["x", "z"], false);
    condition("ForAllValues:StringEquals", &json!("x"), &[], true);
    condition("ForAnyValue:StringEquals", &json!("x"), &["z", "x"], true);
    condition("ForAnyValue:StringEquals", &json!("x"), &["z"], false);
    condition("ForAnyValue:StringEquals", &json!("x"), &[], false);
    condition("ForAnyValue:StringEqualsIfExists", &json!("x"), &[], true);
    condition("ForAllValues:StringNotEquals", &json!("x"), &["y", "x"], false);
    condition("ForAnyValue:StringNotEquals", &json!("x"), &["y", "x"], true);
    condition("forallvalues:stringlike", &json!("x*"), &["x1", "x2"], true);
}

#[test]
fn quantities() {
    condition("NumericEquals", &json!(10), &["10.0"], true);
    condition("NumericNotEquals", &json!(10), &["11"], true);
    condition("NumericLessThan", &json!("10"), &["9"], true);
    condition("NumericLessThan", &json!("10"), &["10"], false);
    condition("NumericLessThanEquals", &json!("10"), &["10"], true);
    condition("NumericGreaterThan", &json!("10"), &["ten"], false);
    condition("NumericGreaterThanEquals", &json!("-1"), &["-1"], true);
    condition("DateLessThan", &json!("2026-01-01T00:00:00Z"), &["2025-12-31T23:59:59Z"], true);
    condition("DateGreaterThanEquals", &json!("2026-01-01"), &["2026-01-01T00:00:00Z"], true);
    condition("DateGreaterThan", &json!("2026-01-01"), &["soon"], false);
    condition("DateEquals", &json!("2026-01-01"), &["1767225600"], true);
    condition("DateNotEquals", &json!("2026-01-01"), &["1767225600"], false);
    condition("DateLessThanEquals", &json!("2026-01-01"), &["2026-01-02"], false);
    condition("Bool", &json!(true), &["TRUE"], true);
    condition("Bool", &json!("true"), &["false"], false);
    condition("BinaryEquals", &json!("QUI="), &["QUI="], true);
    condition("IpAddress", &json!(["192.0.2.0/24", "203.0.113.0/24"]), &["203.0.113.7"], true);
    condition("NotIpAddress", &json!("203.0.113.0/24"), &["203.0.113.7"], false);
}

#[test]
fn arns() {
    for operator in ["ArnLike", "ArnEquals"] {
        condition(operator, &json!(ROLE), &[ROLE], true);
        condition(operator, &json!("arn:aws:iam::*:role/*"), &[ROLE], true);
        condition(operator, &json!("arn:aws:*"), &[ROLE], false);
    }
    for operator in ["ArnNotLike", "ArnNotEquals"] {
        condition(operator, &json!("arn:aws:iam::*:role/*"), &[ROLE], false);
        condition(operator, &json!("arn:aws:iam::*:user/*"), &[ROLE], true);
    }
    condition("StringLike", &json!("arn:aws:*"), &[ROLE], true);
}

#[test]
fn what_cannot_be_judged_never_helps_the_caller() {
    let with = |effect: &str, operator: &str, value: &str| {
        json!([{"Effect": "Allow", "Action": "*", "Resource": if effect == "Deny" { "*" } else { "arn:none" }},
            {"Effect": effect, "Action": "a:b", "Resource": "*", "Condition": {operator: {"my:Key": value}}}])
    };
    let context = Context::new().with("my:Key", "x");
    for (operator, value) in
        [("StringEqual", "x"), ("StringEquals", "${aws:nothing}"), ("StringNotEquals", "${aws:nothing}")]
    {
        assert_eq!(
            identity(&with("Allow", operator, value), "a:b", "r", &context),
            ImplicitDeny,
            "{operator} {value}"
        );
        assert_eq!(
            identity(&with("Deny", operator, value), "a:b", "r", &context),
            ExplicitDeny,
            "{operator} {value}"
        );
    }
}

#[test]
fn elements() {
    let none = Context::new();
    let check = |statement: Value, action: &str, resource: &str, expected: Decision| {
        assert_eq!(
            identity(&statement, action, resource, &none),
            expected,
            "{statement} {action} {resource}"
        );
    };
    check(
        json!({"Effect": "Allow", "Action": "kinesis:GET*", "Resource": "*"}),
        "kinesis:GetRecords",
        "r",
        Allow,
    );
    check(
        json!({"Effect": "Allow", "Action": "kinesis:Get?ecords", "Resource": "*"}),
        "kinesis:GetRecords",
        "r",
        Allow,
    );
    check(
        json!({"Effect": "Allow", "Action": "kinesis:Get", "Resource": "*"}),
        "kinesis:GetRecords",
        "r",
        ImplicitDeny,
    );
    check(json!({"Effect": "Allow", "Action": "*", "Resource": "arn:R"}), "a:b", "arn:r", ImplicitDeny);
    check(json!({"Effect": "Allow", "Action": [], "Resource": "*"}), "a:b", "r", ImplicitDeny);
    check(json!({"Effect": "Allow", "Action": "*"}), "a:b", "r", ImplicitDeny);
    check(json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), "a:b", "r", Allow);
    check(json!({"Effect": "Allow", "NotAction": "A:*", "Resource": "*"}), "a:b", "r", ImplicitDeny);
    check(json!({"Effect": "Allow", "Action": "*", "NotResource": ["r*", "s"]}), "a:b", "t", Allow);
    check(json!({"Effect": "Allow", "Action": "*", "NotResource": ["r*", "s"]}), "a:b", "rr", ImplicitDeny);
    check(
        json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "NotAction": "a:*", "Resource": "*"}]),
        "b:c",
        "r",
        ExplicitDeny,
    );
    check(
        json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}, {"Effect": "Allow", "Action": "*", "Resource": "*"}]),
        "b:c",
        "r",
        ExplicitDeny,
    );
    check(json!([]), "a:b", "r", ImplicitDeny);
}

#[test]
fn variables_need_the_new_version() {
    let principal = Principal::from_arn(USER).unwrap();
    let context = Context::new();
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username}/*"});
    for (version, expected) in [(json!("2012-10-17"), Allow), (json!("2008-10-17"), ImplicitDeny)] {
        let document = Document::from_value(json!({"Version": version, "Statement": statement})).unwrap();
        let request = Request {
            principal: &principal,
            action: "s3:Get",
            resource: "arn:aws:s3:::b/ana/x",
            context: &context,
        };
        assert_eq!(evaluate::identity(&[&document], None, &request).decision, expected);
    }
}

#[test]
fn what_follows_from_the_principal() {
    let session =
        Principal::session("arn:aws:iam::123456789012:role/team/reader", Some("AROAEXAMPLE1"), "me");
    let holds = |principal: &Principal, key: &str, value: &str| {
        let document = policy(
            &json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {key: value}}}),
        );
        let request = Request { principal, action: "a:b", resource: "*", context: &Context::new() };
        evaluate::identity(&[&document], None, &request).decision.is_allow()
    };
    // The role's ARN, not the session's.
    assert!(holds(&session, "aws:PrincipalArn", "arn:aws:iam::123456789012:role/team/reader"));
    assert!(holds(&session, "aws:userid", "AROAEXAMPLE1:me"));
    assert!(holds(&session, "aws:PrincipalAccount", "123456789012"));
    assert!(holds(&session, "aws:PrincipalType", "AssumedRole"));
    assert!(!holds(&session, "aws:username", "me"));
    let root = Principal::from_arn("123456789012").unwrap();
    assert!(holds(&root, "aws:userid", "123456789012"));
    assert!(holds(&root, "aws:PrincipalArn", "arn:aws:iam::123456789012:root"));
    let service = Principal::from_arn("ec2.amazonaws.com").unwrap();
    assert!(holds(&service, "aws:PrincipalIsAWSService", "true"));
    let overridden = Context::new().with("AWS:PRINCIPALARN", "arn:other");
    let document = policy(
        &json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalArn": "arn:other"}}}),
    );
    let request = Request { principal: &session, action: "a:b", resource: "*", context: &overridden };
    assert_eq!(evaluate::identity(&[&document], None, &request).decision, Allow);
}

fn trust(statements: &Value, caller: &str) -> Verdict {
    let principal = Principal::from_arn(caller).unwrap();
    let context = Context::new().with("sts:ExternalId", "blue");
    let request =
        Request { principal: &principal, action: "sts:AssumeRole", resource: ROLE, context: &context };
    evaluate::trust(&policy(statements), &request)
}

fn lets(principal: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
}

#[test]
fn trust_policies() {
    let decision = |statements: Value, caller: &str| trust(&statements, caller).decision;
    assert_eq!(trust(&lets(&json!({"AWS": CALLER})), CALLER).via, Some(Via::Direct));
    assert_eq!(trust(&lets(&json!({"AWS": "123456789012"})), CALLER).via, Some(Via::Account));
    assert_eq!(trust(&lets(&json!("*")), CALLER).via, Some(Via::Everyone));
    assert_eq!(trust(&lets(&json!({"AWS": ["123456789012", CALLER]})), CALLER).via, Some(Via::Direct));
    // The statement that names the caller most directly decides, wherever it stands.
    let both = trust(&json!([lets(&json!({"AWS": "123456789012"})), lets(&json!({"AWS": CALLER}))]), CALLER);
    assert_eq!((both.via, both.statement.unwrap().index), (Some(Via::Direct), 1));
    assert_eq!(decision(lets(&json!({"AWS": "arn:aws:iam::123456789012:role/*"})), CALLER), ImplicitDeny);
    assert_eq!(decision(lets(&json!({"AWS": "AROAEXAMPLE1"})), CALLER), ImplicitDeny);
    assert_eq!(decision(lets(&json!({"Service": "ec2.amazonaws.com"})), "ec2.amazonaws.com"), Allow);
    assert_eq!(decision(lets(&json!({"AWS": []})), CALLER), ImplicitDeny);
    assert_eq!(decision(json!({"Effect": "Allow", "Action": "sts:AssumeRole"}), CALLER), ImplicitDeny);
    let deny = |member: &str, principal: Value| json!([lets(&json!("*")), {"Effect": "Deny", member: principal, "Action": "*"}]);
    assert_eq!(decision(deny("Principal", json!({"AWS": CALLER})), CALLER), ExplicitDeny);
    assert_eq!(decision(deny("Principal", json!({"AWS": CALLER})), FOREIGN), Allow);
    assert_eq!(decision(deny("NotPrincipal", json!({"AWS": CALLER})), CALLER), Allow);
    assert_eq!(decision(deny("NotPrincipal", json!({"AWS": CALLER})), FOREIGN), ExplicitDeny);
    // The account's name does not spare its roles.
    assert_eq!(decision(deny("NotPrincipal", json!({"AWS": "123456789012"})), CALLER), ExplicitDeny);
}

/// A role to be assumed: by whom, trusted how, with which policy and boundary of the caller's own.
fn assume(
    caller: &str,
    principal: &Value,
    own: Option<Value>,
    boundary: Option<Value>,
    strict: bool,
) -> Verdict {
    let principal_policy = own.map(|statements| policy(&statements));
    let boundary = boundary.map(|statements| policy(&statements));
    let caller = Principal::from_arn(caller).unwrap();
    let context = Context::new();
    let request = Request { principal: &caller, action: "sts:AssumeRole", resource: ROLE, context: &context };
    let policies: Vec<_> = principal_policy.iter().collect();
    evaluate::assume_role(&policy(&lets(principal)), &policies, boundary.as_ref(), &request, strict)
}

#[test]
fn assuming_a_role() {
    let grant = || Some(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}));
    let refusal = || Some(json!({"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"}));
    let nothing = || Some(json!([]));
    let everything = || Some(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    let by = |value: &str| json!({"AWS": value});
    let cases = [
        ("same account, named", CALLER, by(CALLER), None, None, false, Allow),
        ("same account, named, strict", CALLER, by(CALLER), None, None, true, ImplicitDeny),
        ("same account, named, strict, granted", CALLER, by(CALLER), grant(), None, true, Allow),
        ("same account, through the account", CALLER, by("123456789012"), None, None, false, ImplicitDeny),
        (
            "same account, through the account, granted",
            CALLER,
            by("123456789012"),
            grant(),
            None,
            false,
            Allow,
        ),
        ("same account, everyone", CALLER, json!("*"), None, None, false, Allow),
        ("not trusted", CALLER, by(FOREIGN), everything(), None, false, ImplicitDeny),
        ("foreign, named", FOREIGN, by(FOREIGN), None, None, false, ImplicitDeny),
        ("foreign, named, granted", FOREIGN, by(FOREIGN), grant(), None, false, Allow),
        ("foreign, everyone", FOREIGN, json!("*"), None, None, false, ImplicitDeny),
        ("refused", CALLER, by(CALLER), refusal(), None, false, ExplicitDeny),
        ("boundary refuses", CALLER, by(CALLER), grant(), refusal(), false, ExplicitDeny),
        ("boundary limits a role", CALLER, by(CALLER), grant(), nothing(), false, ImplicitDeny),
        ("boundary lets a role", CALLER, by(CALLER), grant(), everything(), false, Allow),
        ("boundary alone grants nothing", FOREIGN, by(FOREIGN), None, everything(), false, ImplicitDeny),
        ("boundary does not limit a named user", USER, by(USER), None, nothing(), false, Allow),
        ("a service", "ec2.amazonaws.com", json!({"Service": "ec2.amazonaws.com"}), None, None, true, Allow),
        ("unsigned", "*", json!("*"), None, None, false, ImplicitDeny),
    ];
    for (name, caller, principal, own, boundary, strict, expected) in cases {
        let verdict = assume(caller, &principal, own, boundary, strict);
        assert_eq!(verdict.decision, expected, "{name}: {}", verdict.why);
    }
}

#[test]
fn a_session_policy_that_names_the_role_denies_its_sessions() {
    let verdict = trust(
        &json!([lets(&json!({"AWS": ROLE})), {"Sid": "NoReader", "Effect": "Deny", "Principal": {"AWS": ROLE}, "Action": "sts:*"}]),
        "arn:aws:sts::123456789012:assumed-role/reader/me",
    );
    assert_eq!(verdict.decision, ExplicitDeny);
    assert_eq!(
        verdict.why,
        "statement `NoReader` of the trust policy denies `sts:AssumeRole` to a session of `arn:aws:iam::123456789012:role/reader`"
    );
}

#[test]
fn grounds_name_the_nearest_miss() {
    let mut statement = lets(&json!({"AWS": CALLER}));
    statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": "red"}});
    let verdict = trust(&json!([lets(&json!({"AWS": FOREIGN})), statement]), CALLER);
    assert_eq!(verdict.decision, ImplicitDeny);
    assert_eq!(verdict.statement.as_ref().unwrap().pointer, "/Statement/1");
    assert_eq!(
        verdict.why,
        "no statement allows `sts:AssumeRole` on `arn:aws:iam::123456789012:role/reader` to a session of \
         `arn:aws:iam::123456789012:role/caller`; statement 1 of the trust policy comes nearest, but its condition \
         `StringEquals` on `sts:ExternalId` wants `red` and the request has `blue`"
    );
    let boundary = assume(
        FOREIGN,
        &json!({"AWS": FOREIGN}),
        Some(json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
        Some(json!([])),
        false,
    );
    assert!(
        boundary
            .why
            .starts_with("the trust policy allows it, but the permissions boundary does not allow it"),
        "{}",
        boundary.why
    );
    let limit = assume(
        CALLER,
        &json!({"AWS": CALLER}),
        None,
        Some(json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})),
        false,
    );
    assert_eq!(limit.statement.unwrap().source, Source::Boundary);
}

#[test]
fn a_verdict_is_printed_as_documented() {
    let verdict = trust(&json!([lets(&json!({"AWS": CALLER}))]), CALLER);
    assert_eq!(
        serde_json::to_value(&verdict).unwrap(),
        json!({
            "decision": "allow",
            "statement": {"source": "trust", "index": 0, "sid": null, "pointer": "/Statement/0"},
            "why": "statement 0 of the trust policy allows `sts:AssumeRole` to a session of `arn:aws:iam::123456789012:role/caller`",
            "via": "direct"
        })
    );
    assert_eq!(serde_json::to_value(Source::Identity(1)).unwrap(), json!({"identity": 1}));
}
