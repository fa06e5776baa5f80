//! Vectors for the comparison of trust policies, and for the repair of what they find.
#![expect(clippy::unwrap_used, reason = "a test file: its helpers may panic as its tests do")]

use policy::Document;
use policy::compare::{self, Code, VerdictKind};
use policy::trust::{self, DatabricksPartition, Form, TrustSubject};
use serde_json::{Value, json};

const OWN: &str = "arn:aws:iam::123456789012:role/reader";
const ROOT: &str = "arn:aws:iam::123456789012:root";
const PARTNER: &str = "arn:aws:iam::210987654321:role/partner";
const ID: &str = "0d26daa6-5e44-4c97-a497-ef015f91254a";

use VerdictKind::{Cosmetic, Drift, InSync};

fn policy(statements: &Value) -> Document {
    Document::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

fn subject() -> TrustSubject {
    TrustSubject::new(OWN, DatabricksPartition::Aws.unity_catalog_role(), ID).unwrap()
}

fn master() -> &'static str {
    DatabricksPartition::Aws.unity_catalog_role()
}

#[track_caller]
fn trust(name: &str, live: &Value, verdict: VerdictKind, codes: &[Code]) {
    let wanted = trust::document(Form::Databricks, &subject());
    let live = policy(live);
    let comparison = compare::trust_policies(&live, &wanted, &subject());
    let found: Vec<_> = comparison.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!((comparison.verdict, found.as_slice()), (verdict, codes), "{name}: {:#?}", comparison.reasons);
    for reason in &comparison.reasons {
        assert!(live.as_value().pointer(&reason.pointer).is_some(), "{name}: {reason:?} points nowhere");
    }
    let repaired = trust::merge(&live, &wanted, &subject(), false);
    let after = compare::trust_policies(&repaired, &wanted, &subject());
    let beyond_repair = [Code::Denied, Code::ExternalIdNotEnforced];
    assert!(
        after.verdict == InSync || beyond_repair.iter().any(|code| after.has(*code)),
        "{name}, after the repair: {after:#?}"
    );
}

/// A statement that lets `principals` assume the role, with `condition`.
fn assume(principals: &Value, condition: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole", "Condition": condition})
}

/// The same as the tools call it.
fn named(mut statement: Value) -> Value {
    statement["Sid"] = "UnityCatalogAndSelfAssumeRole".into();
    statement
}

fn asks(id: impl Into<Value>) -> Value {
    json!({"StringEquals": {"sts:ExternalId": id.into()}})
}

#[test]
fn trust_that_is_right() {
    let both = json!([master(), OWN]);
    trust("as written", &json!([named(assume(&both, &asks(ID)))]), InSync, &[]);
    let given_back = named(assume(&json!([OWN, master()]), &asks(vec![ID])));
    trust("as IAM gives it back", &json!(given_back), InSync, &[]);
    trust("as Databricks' console shows it", &json!([assume(&both, &asks(ID))]), Cosmetic, &[Code::Sid]);
    trust(
        "key spelled otherwise",
        &json!([assume(&both, &json!({"StringEquals": {"STS:ExternalID": ID}}))]),
        Cosmetic,
        &[Code::Layout],
    );
    trust(
        "two statements",
        &json!([assume(&json!(master()), &asks(ID)), assume(&json!(OWN), &asks(ID))]),
        Cosmetic,
        &[Code::Layout],
    );
    let narrowed = |principal: &str, operator: &str| {
        let mut condition = asks(ID);
        condition[operator]["aws:PrincipalArn"] = OWN.into();
        json!([assume(&json!(master()), &asks(ID)), assume(&json!(principal), &condition)])
    };
    for principal in [ROOT, "123456789012", "*"] {
        for operator in ["ArnLike", "ArnEquals", "StringEquals", "StringLike"] {
            trust("the other form", &narrowed(principal, operator), Cosmetic, &[Code::SelfAssumeForm]);
        }
    }
}

#[test]
fn trust_that_is_wrong() {
    let both = json!([master(), OWN]);
    let other_master = DatabricksPartition::AwsUsGov.unity_catalog_role();
    trust(
        "no external ID",
        &json!([{"Effect": "Allow", "Principal": {"AWS": both}, "Action": "sts:AssumeRole"}]),
        Drift,
        &[Code::MissingExternalId],
    );
    trust("placeholder", &json!([assume(&both, &asks("0000"))]), Drift, &[Code::PlaceholderExternalId]);
    trust(
        "placeholder beside",
        &json!([assume(&both, &asks(vec!["0000", ID]))]),
        Drift,
        &[Code::PlaceholderExternalId],
    );
    trust("another external ID", &json!([assume(&both, &asks("other"))]), Drift, &[Code::ExternalId]);
    trust(
        "external ID in other case",
        &json!([assume(&both, &asks(ID.to_uppercase()))]),
        Drift,
        &[Code::ExternalId],
    );
    trust("two external IDs", &json!([assume(&both, &asks(vec![ID, "other"]))]), Drift, &[Code::ExternalId]);
    trust("no value", &json!([assume(&both, &asks(Vec::<String>::new()))]), Drift, &[Code::ExternalId]);
    for operator in [
        "StringLike",
        "StringEqualsIgnoreCase",
        "StringEqualsIfExists",
        "ForAllValues:StringEquals",
        "StringNotEquals",
    ] {
        trust(
            operator,
            &json!([assume(&both, &json!({operator: {"sts:ExternalId": ID}}))]),
            Drift,
            &[Code::ExternalIdOperator],
        );
    }
    trust("not itself", &json!([assume(&json!(master()), &asks(ID))]), Drift, &[Code::MissingSelfAssume]);
    trust("itself alone", &json!([assume(&json!(OWN), &asks(ID))]), Drift, &[Code::MissingUnityCatalog]);
    trust("nobody", &json!([]), Drift, &[Code::MissingUnityCatalog, Code::MissingSelfAssume]);
    trust(
        "itself without external ID",
        &json!([assume(&json!(master()), &asks(ID)), {"Effect": "Allow", "Principal": {"AWS": OWN}, "Action": "sts:AssumeRole"}]),
        Drift,
        &[Code::MissingExternalId],
    );
    trust(
        "dead self",
        &json!([assume(&json!([master(), "AROAEXAMPLE1"]), &asks(ID))]),
        Drift,
        &[Code::DeadPrincipal, Code::MissingSelfAssume],
    );
    trust(
        "dead master",
        &json!([assume(&json!(["AROAEXAMPLE1", OWN]), &asks(ID))]),
        Drift,
        &[Code::DeadPrincipal, Code::MissingUnityCatalog],
    );
    trust(
        "all dead",
        &json!([assume(&json!(["AROAEXAMPLE1", "AROAEXAMPLE2"]), &asks("0000"))]),
        Drift,
        &[Code::DeadPrincipal, Code::DeadPrincipal, Code::MissingUnityCatalog, Code::MissingSelfAssume],
    );
    trust(
        "another master",
        &json!([assume(&json!([other_master, OWN]), &asks(ID))]),
        Drift,
        &[Code::UnityCatalogRole, Code::MissingUnityCatalog],
    );
    trust(
        "wider action",
        &json!([{"Effect": "Allow", "Principal": {"AWS": both}, "Action": "sts:*", "Condition": asks(ID)}]),
        Drift,
        &[Code::Wider, Code::Wider],
    );
    trust(
        "another action",
        &json!([{"Effect": "Allow", "Principal": {"AWS": both}, "Action": "sts:TagSession", "Condition": asks(ID)}]),
        Drift,
        &[Code::Wider, Code::Wider, Code::Narrower, Code::Narrower],
    );
    trust(
        "one condition more",
        &json!([assume(
            &both,
            &json!({"StringEquals": {"sts:ExternalId": ID, "aws:RequestedRegion": "eu-central-1"}})
        )]),
        Drift,
        &[Code::Narrower, Code::Narrower],
    );
    trust(
        "never itself",
        &json!([
            assume(&json!(master()), &asks(ID)),
            assume(
                &json!(ROOT),
                &json!({"StringEquals": {"sts:ExternalId": ID}, "ArnLike": {"aws:PrincipalArn": OWN}, "ArnNotLike": {"aws:PrincipalArn": OWN}})
            )
        ]),
        Drift,
        &[Code::Narrower, Code::SelfAssumeForm],
    );
}

#[test]
fn foreign_statements_are_told_and_count_only_when_they_spoil_the_answer() {
    let ours = named(assume(&json!([master(), OWN]), &asks(ID)));
    let partner = assume(&json!(PARTNER), &asks("theirs"));
    trust("a partner", &json!([partner, ours]), InSync, &[Code::ForeignStatement]);
    trust(
        "a service",
        &json!([ours, {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]),
        InSync,
        &[Code::ForeignStatement],
    );
    trust(
        "a partner in our statement",
        &json!([assume(&json!([master(), OWN, PARTNER]), &asks(ID))]),
        Cosmetic,
        &[Code::Layout, Code::ForeignStatement],
    );
    trust(
        "a refusal of others",
        &json!([ours, {"Effect": "Deny", "Principal": {"AWS": PARTNER}, "Action": "*"}]),
        InSync,
        &[Code::ForeignStatement],
    );
    trust(
        "a refusal without TLS",
        &json!([ours, {"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}}]),
        InSync,
        &[Code::ForeignStatement],
    );
    trust(
        "a refusal of Unity Catalog",
        &json!([ours, {"Effect": "Deny", "Principal": {"AWS": master()}, "Action": "sts:*"}]),
        Drift,
        &[Code::Denied, Code::ForeignStatement],
    );
    trust(
        "a refusal of all others",
        &json!([ours, {"Effect": "Deny", "NotPrincipal": {"AWS": master()}, "Action": "sts:*"}]),
        Drift,
        &[Code::Denied, Code::ForeignStatement],
    );
    trust(
        "everyone",
        &json!([ours, {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]),
        Drift,
        &[Code::ExternalIdNotEnforced, Code::ForeignStatement],
    );
    trust(
        "an external ID like ours",
        &json!([ours, assume(&json!("*"), &json!({"StringLike": {"sts:ExternalId": format!("{ID}*")}}))]),
        Drift,
        &[Code::ExternalIdNotEnforced, Code::ForeignStatement],
    );
    trust(
        "the whole account is not the role",
        &json!([assume(&json!(master()), &asks(ID)), assume(&json!(ROOT), &asks(ID))]),
        Drift,
        &[Code::MissingSelfAssume, Code::ForeignStatement],
    );
}

#[test]
fn exclusive_counts_foreign_statements() {
    let live = policy(&json!([
        named(assume(&json!([master(), OWN]), &asks(ID))),
        assume(&json!(PARTNER), &asks("theirs"))
    ]));
    let wanted = trust::document(Form::Databricks, &subject());
    let comparison = compare::trust_policies(&live, &wanted, &subject());
    assert_eq!(comparison.verdict, InSync);
    assert_eq!(comparison.exclusive().verdict, Drift);
    let repaired = trust::merge(&live, &wanted, &subject(), true);
    assert_eq!(compare::trust_policies(&repaired, &wanted, &subject()).exclusive().verdict, InSync);
}

#[test]
fn a_comparison_is_printed_as_documented() {
    let live = policy(&json!([assume(&json!([master(), OWN]), &asks("0000"))]));
    let comparison =
        compare::trust_policies(&live, &trust::document(Form::Databricks, &subject()), &subject());
    assert_eq!(
        serde_json::to_value(&comparison).unwrap(),
        json!({"verdict": "drift", "reasons": [{
            "code": "placeholder-external-id",
            "sentence": format!("still asks Unity Catalog for the placeholder `0000`, not for `{ID}`"),
            "pointer": "/Statement/0/Condition/StringEquals/sts:ExternalId",
            "document": "live"
        }]})
    );
}

#[test]
fn codes_are_written_in_one_way() {
    let mut seen = Vec::new();
    for code in Code::ALL {
        let text = code.as_str();
        assert!(text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{text}");
        assert!(!seen.contains(&text), "{text} twice");
        seen.push(text);
    }
}

#[test]
fn variables_of_others_keep_their_version_and_do_not_count() {
    let foreign = assume(&json!(PARTNER), &json!({"StringEquals": {"aws:userid": "${aws:userid}"}}));
    let ours = named(assume(&json!([master(), OWN]), &asks(ID)));
    let live = Document::from_value(json!({ "Statement": [foreign, ours] })).unwrap();
    let wanted = trust::document(Form::Databricks, &subject());
    let comparison = compare::trust_policies(&live, &wanted, &subject());
    assert_eq!(comparison.verdict, Cosmetic);
    assert!(comparison.has(Code::Version));
    assert_eq!(trust::merge(&live, &wanted, &subject(), false), live);
}

#[test]
fn one_reason_does_not_hide_another() {
    let condition =
        json!({"StringEquals": {"sts:ExternalId": ID}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}});
    let narrowed = json!([assume(&json!([master(), OWN, "AROAEXAMPLE1"]), &condition)]);
    let wanted = trust::document(Form::Databricks, &subject());
    let comparison = compare::trust_policies(&policy(&narrowed), &wanted, &subject());
    assert!(comparison.has(Code::DeadPrincipal) && comparison.has(Code::Narrower), "{comparison:#?}");
}

#[test]
fn the_role_itself_is_too_much_where_it_is_not_wanted() {
    let live = trust::document(Form::Databricks, &subject());
    let comparison = compare::trust_policies(&live, &trust::before_role_exists(&subject()), &subject());
    assert_eq!(comparison.verdict, Drift);
    assert!(comparison.has(Code::Wider), "{comparison:#?}");
}

#[test]
fn sentences_keep_the_spelling_of_the_policy() {
    let live = policy(
        &json!([{"Effect": "Allow", "Principal": {"AWS": [master(), OWN]}, "Action": ["sts:AssumeRole", "sts:TagSession"], "Condition": asks(ID)}]),
    );
    let comparison =
        compare::trust_policies(&live, &trust::document(Form::Databricks, &subject()), &subject());
    let sentences: Vec<_> = comparison.reasons.iter().map(|reason| reason.sentence.as_str()).collect();
    let expected = |whom: &str| {
        format!(
            "the live policy allows `sts:TagSession` to `{whom}` where `StringEquals` on `sts:ExternalId` finds `{ID}`, which is not wanted"
        )
    };
    assert_eq!(sentences, [expected(OWN), expected(master())]);
}
