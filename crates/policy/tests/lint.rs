//! Vectors for the lint: a statement or document, and the codes it deserves with their places. Every code appears.
#![expect(clippy::unwrap_used, reason = "a test file: its helpers may panic as its tests do")]

use policy::Document;
use policy::lint::{self, Code, Kind, Severity};
use policy::permissions::{self, Mode, Spec};
use policy::trust::{self, DatabricksPartition, Form, TrustSubject};
use serde_json::{Value, json};

const ACCOUNT: &str = "123456789012";
const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/s";
const OWN: &str = "arn:aws:iam::123456789012:role/reader";
const TRUST: Kind<'_> = Kind::Trust { account: Some(ACCOUNT) };

#[track_caller]
fn document(kind: Kind<'_>, document: &Value, expected: &[(Code, &str)]) {
    let found = lint::lint(&Document::from_value(document.clone()).unwrap(), kind);
    let codes: Vec<_> = found.iter().map(|finding| (finding.code, finding.pointer.as_str())).collect();
    assert_eq!(codes, expected, "{document}: {found:#?}");
    for finding in &found {
        assert!(document.pointer(&finding.pointer).is_some(), "{finding:?} points nowhere");
        assert!(!finding.message.ends_with('.') && !finding.hint.is_empty(), "{finding:?}");
    }
}

/// A statement of a permission policy; places are relative to it.
#[track_caller]
fn permission(more: &Value, expected: &[(Code, &str)]) {
    statement(
        Kind::Identity,
        json!({"Effect": "Allow", "Action": "kinesis:GetRecords", "Resource": STREAM}),
        more,
        expected,
    );
}

/// A statement of a trust policy; places are relative to it.
#[track_caller]
fn trust(more: &Value, expected: &[(Code, &str)]) {
    statement(
        TRUST,
        json!({"Effect": "Allow", "Principal": {"AWS": OWN}, "Action": "sts:AssumeRole"}),
        more,
        expected,
    );
}

#[track_caller]
fn statement(kind: Kind<'_>, mut base: Value, more: &Value, expected: &[(Code, &str)]) {
    for (member, value) in more.as_object().unwrap() {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(member);
        } else {
            base[member] = value.clone();
        }
    }
    let places: Vec<_> = expected.iter().map(|(code, at)| (*code, format!("/Statement/0{at}"))).collect();
    let expected: Vec<_> = places.iter().map(|(code, at)| (*code, at.as_str())).collect();
    document(kind, &json!({"Version": "2012-10-17", "Statement": [base]}), &expected);
}

#[test]
fn what_we_write_is_clean() {
    for partition in DatabricksPartition::ALL {
        let role = format!("arn:{}:iam::{ACCOUNT}:role/reader", partition.arn_partition());
        let subject = TrustSubject::new(&role, partition.unity_catalog_role(), "0d26daa6").unwrap();
        for form in Form::ALL {
            assert_eq!(lint::lint(&trust::document(form, &subject), TRUST), []);
        }
        assert_eq!(lint::lint(&trust::before_role_exists(&subject), Kind::Trust { account: None }), []);
    }
    let key = "arn:aws:kms:eu-central-1:123456789012:key/k";
    for mode in [Mode::Polling, Mode::Efo] {
        let spec = Spec::reader(STREAM, OWN).unwrap().with_mode(mode).with_kms_key(key).unwrap();
        assert_eq!(lint::lint(&permissions::document(&spec), Kind::Identity), []);
    }
    let spec = Spec::producer(STREAM).unwrap().with_kms_key(key).unwrap();
    assert_eq!(lint::lint(&permissions::document(&spec), Kind::Identity), []);
}

#[test]
fn documents() {
    let one = |more: Value| {
        let mut document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kinesis:GetRecords", "Resource": STREAM}});
        for (member, value) in more.as_object().unwrap() {
            document[member] = value.clone();
        }
        document
    };
    document(Kind::Identity, &one(json!({})), &[]);
    document(Kind::Identity, &one(json!({"Statement": []})), &[(Code::NoStatement, "/Statement")]);
    document(Kind::Identity, &one(json!({"Version": "2012-10-18"})), &[(Code::UnknownVersion, "/Version")]);
    document(Kind::Identity, &one(json!({"Version": "2008-10-17"})), &[(Code::OldVersion, "/Version")]);
    document(
        Kind::Identity,
        &json!({"Statement": [{"Effect": "Allow", "Action": "kinesis:GetRecords", "Resource": "arn:aws:kinesis:*:*:stream/${aws:username}"}]}),
        &[(Code::VariablesNotReplaced, "")],
    );
    document(Kind::Identity, &one(json!({"Comment": "x"})), &[(Code::UnknownMember, "/Comment")]);
    let named = |sid: &str, action: &str| json!({"Sid": sid, "Effect": "Allow", "Action": action, "Resource": STREAM});
    document(
        Kind::Identity,
        &one(json!({"Statement": [named("A", "kinesis:GetRecords"), named("A", "kinesis:ListShards")]})),
        &[(Code::DuplicateSid, "/Statement/1/Sid")],
    );
    document(Kind::Identity, &one(json!({"Id": "a—b"})), &[(Code::ForbiddenCharacter, "/Id")]);
    document(Kind::Identity, &one(json!({"Id": "Größe"})), &[]);
}

#[test]
fn sizes() {
    let long = |name_chars: usize| {
        let role = format!("arn:aws:iam::123456789012:role/{}", "x".repeat(name_chars));
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"}]})
    };
    let frame = lint::counted_chars(&Document::from_value(long(0)).unwrap());
    document(TRUST, &long(lint::TRUST_POLICY_QUOTA_CHARS - frame), &[]);
    document(TRUST, &long(lint::TRUST_POLICY_QUOTA_CHARS - frame + 1), &[(Code::OverQuota, "")]);
    document(TRUST, &long(lint::WIRE_LIMIT_CHARS), &[(Code::TooLong, "")]);
    let spaced = Document::parse(" { \"Statement\" : [ ] , \"Id\" : \"a b\" } ").unwrap();
    assert_eq!(lint::counted_chars(&spaced), r#"{"Statement":[],"Id":"ab"}"#.len());
}

#[test]
fn grammar() {
    permission(&json!({"Remark": 1}), &[(Code::UnknownMember, "/Remark")]);
    permission(&json!({"Sid": "Read-Stream"}), &[(Code::SidCharacters, "/Sid")]);
    permission(&json!({"Action": []}), &[(Code::EmptyList, "/Action")]);
    permission(&json!({"Action": "GetRecords"}), &[(Code::ActionSyntax, "/Action")]);
    permission(
        &json!({"Action": ["kinesis:GetRecords", "kinesis: ListShards"]}),
        &[(Code::ActionSyntax, "/Action/1"), (Code::UnknownAction, "/Action/1")],
    );
    permission(&json!({"Principal": "*"}), &[(Code::PrincipalMisplaced, "")]);
    permission(&json!({"Resource": null}), &[(Code::ResourceMisplaced, "")]);
    trust(&json!({"Resource": "*"}), &[(Code::ResourceMisplaced, "")]);
    trust(&json!({"Principal": null}), &[(Code::PrincipalMisplaced, "")]);
    trust(&json!({"Principal": {"Robot": "x"}}), &[(Code::InvalidPrincipal, "/Principal/Robot")]);
}

#[test]
fn conditions() {
    let at = |operator: &str, key: &str, value: Value| json!({"Condition": {operator: {key: value}}});
    permission(
        &at("StringEqual", "aws:userid", json!("x")),
        &[(Code::UnknownOperator, "/Condition/StringEqual/aws:userid")],
    );
    permission(
        &at("StringEquals", "aws:userid", json!([])),
        &[(Code::EmptyList, "/Condition/StringEquals/aws:userid")],
    );
    permission(
        &at("StringEquals", "sts:ExternalID2", json!("x")),
        &[(Code::UnknownConditionKey, "/Condition/StringEquals/sts:ExternalID2")],
    );
    for (operator, wrong, right) in [
        ("NumericLessThan", "many", "5"),
        ("DateLessThan", "tomorrow", "2026-12-31T00:00:00Z"),
        ("Bool", "yes", "TRUE"),
        ("Null", "maybe", "false"),
        ("IpAddress", "10.0.0.0/99", "10.0.0.0/8"),
        ("ArnLike", "role/x", OWN),
    ] {
        let place = format!("/Condition/{operator}/aws:x");
        permission(&at(operator, "aws:x", json!(wrong)), &[(Code::ConditionValue, &place)]);
        permission(&at(operator, "aws:x", json!(right)), &[]);
    }
}

#[test]
fn external_ids() {
    let master = DatabricksPartition::Aws.unity_catalog_role();
    let asks = |operator: &str, id: &str| json!({"Principal": {"AWS": master}, "Condition": {operator: {"sts:ExternalId": id}}});
    let place = |operator: &str| format!("/Condition/{operator}/sts:ExternalId");
    trust(&asks("StringEquals", "0d26daa6"), &[]);
    trust(&asks("StringEquals", "0000"), &[(Code::PlaceholderExternalId, &place("StringEquals"))]);
    trust(&asks("StringEquals", "\"0d26daa6\""), &[(Code::InvalidExternalId, &place("StringEquals"))]);
    trust(&asks("StringLike", "*"), &[(Code::LooseExternalId, &place("StringLike"))]);
    for operator in ["StringEqualsIfExists", "ForAllValues:StringEquals", "StringNotEquals"] {
        trust(
            &asks(operator, "0d26daa6"),
            &[(Code::LooseExternalId, &place(operator)), (Code::MissingExternalId, "/Principal/AWS")],
        );
    }
    trust(&json!({"Principal": {"AWS": master}}), &[(Code::MissingExternalId, "/Principal/AWS")]);
    trust(&json!({"Principal": {"AWS": master}, "Effect": "Deny"}), &[]);
}

#[test]
fn principals() {
    let of = |value: Value| json!({"Principal": {"AWS": value}});
    trust(&of(json!("*")), &[(Code::EveryonePrincipal, "/Principal/AWS")]);
    trust(&json!({"Principal": "*"}), &[(Code::EveryonePrincipal, "/Principal")]);
    trust(&json!({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}), &[]);
    trust(
        &json!({"Principal": "*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}),
        &[(Code::EveryonePrincipal, "/Principal")],
    );
    trust(&of(json!(ACCOUNT)), &[]);
    trust(
        &of(json!("210987654321")),
        &[(Code::ForeignRoot, "/Principal/AWS"), (Code::MissingExternalId, "/Principal/AWS")],
    );
    trust(
        &of(json!([OWN, "arn:aws:iam::210987654321:role/partner"])),
        &[(Code::MissingExternalId, "/Principal/AWS/1")],
    );
    trust(&of(json!("AROAEXAMPLE1")), &[(Code::DeadPrincipal, "/Principal/AWS")]);
    trust(&of(json!("arn:aws:iam::123456789012:role/*")), &[(Code::WildcardInPrincipal, "/Principal/AWS")]);
    trust(
        &of(json!("arn:aws:iam::123456789012:group/readers")),
        &[(Code::InvalidPrincipal, "/Principal/AWS")],
    );
    trust(&of(json!("reader")), &[(Code::InvalidPrincipal, "/Principal/AWS")]);
    trust(
        &of(json!([OWN, "arn:aws-us-gov:iam::123456789012:role/reader"])),
        &[(Code::PartitionMismatch, "/Principal/AWS/1")],
    );
    trust(
        &json!({"Principal": null, "NotPrincipal": {"AWS": OWN}}),
        &[(Code::NotPrincipal, "/NotPrincipal")],
    );
    trust(&json!({"Action": ["sts:AssumeRole", "sts:TagSession"]}), &[]);
    trust(&json!({"Action": "sts:Assume*"}), &[]);
    trust(
        &json!({"Action": ["sts:AssumeRole", "kinesis:GetRecords"]}),
        &[(Code::NotATrustAction, "/Action/1")],
    );
    trust(&json!({"Principal": {"Service": "ec2.amazonaws.com"}}), &[]);
}

#[test]
fn actions_and_resources() {
    let consumer = format!("{STREAM}/consumer/*");
    permission(&json!({"Action": "kinesis:GetRecord"}), &[(Code::UnknownAction, "/Action")]);
    permission(&json!({"Action": "sts:AsumeRole"}), &[(Code::UnknownAction, "/Action")]);
    permission(&json!({"Action": "kms:Encrypt", "Resource": "*"}), &[]);
    permission(&json!({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}), &[]);
    permission(
        &json!({"Resource": "sensor-readings"}),
        &[(Code::ResourceSyntax, "/Resource"), (Code::ActionResourceMismatch, "/Action")],
    );
    permission(
        &json!({"Resource": "arn:aws:kinesis:*:123456789012:MyStream"}),
        &[(Code::ActionResourceMismatch, "/Action")],
    );
    permission(
        &json!({"Action": ["kinesis:ListStreams", "kinesis:SubscribeToShard", "kinesis:GetRecords"]}),
        &[(Code::ActionNeedsStar, "/Action/0"), (Code::ActionResourceMismatch, "/Action/1")],
    );
    permission(&json!({"Action": "kinesis:ListStreams", "Resource": "*"}), &[]);
    permission(&json!({"Action": "kinesis:UpdateShardCount"}), &[]);
    permission(&json!({"Resource": [STREAM, consumer]}), &[(Code::UnusedResource, "/Resource/1")]);
    permission(
        &json!({"Action": ["kinesis:Get*", "kinesis:Subscribe*"], "Resource": [STREAM, consumer]}),
        &[],
    );
    permission(&json!({"Action": "kinesis:Subscribe*"}), &[(Code::ActionResourceMismatch, "/Action")]);
    permission(&json!({"Action": "sts:AssumeRole", "Resource": OWN}), &[]);
}

#[test]
fn policies_on_resources() {
    let kind = Kind::Resource { account: Some(ACCOUNT) };
    let base = || json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:role/partner"}, "Action": "kinesis:GetRecords", "Resource": STREAM});
    statement(kind, base(), &json!({}), &[]);
    statement(kind, base(), &json!({"Resource": null}), &[(Code::ResourceMisplaced, "")]);
    statement(kind, base(), &json!({"Principal": null}), &[(Code::PrincipalMisplaced, "")]);
    statement(kind, base(), &json!({"Principal": "*"}), &[(Code::EveryonePrincipal, "/Principal")]);
    statement(
        kind,
        base(),
        &json!({"Action": "kinesis:SubscribeToShard"}),
        &[(Code::ActionResourceMismatch, "/Action")],
    );
}

#[test]
fn what_a_document_is_for() {
    let guess =
        |statement: Value| Kind::guess(&Document::from_value(json!({ "Statement": statement })).unwrap());
    let both = json!({"Effect": "Allow", "Principal": "*", "Action": "a:b", "Resource": "*"});
    assert_eq!(guess(both), Kind::Resource { account: None });
    assert_eq!(
        guess(json!({"Effect": "Allow", "Principal": "*", "Action": "a:b"})),
        Kind::Trust { account: None }
    );
    assert_eq!(guess(json!({"Effect": "Allow", "Action": "a:b", "Resource": "*"})), Kind::Identity);
    assert_eq!(guess(json!([])), Kind::Identity);
}

#[test]
fn too_much() {
    permission(&json!({"Action": "*", "Resource": "*"}), &[(Code::AllowsEverything, "/Action")]);
    permission(&json!({"Action": "kinesis:*"}), &[(Code::AllowsService, "/Action")]);
    permission(&json!({"Action": "kinesis:*", "Effect": "Deny"}), &[]);
    permission(&json!({"Action": "sts:Assume*", "Resource": "*"}), &[(Code::AssumesAnyRole, "/Action")]);
    permission(&json!({"Action": null, "NotAction": "iam:*"}), &[(Code::AllowsNotAction, "/NotAction")]);
    permission(
        &json!({"Resource": null, "NotResource": STREAM}),
        &[(Code::AllowsNotResource, "/NotResource")],
    );
}

#[test]
fn statements_that_change_nothing() {
    let both = |first: Value, second: Value, expected: &[(Code, &str)]| {
        document(Kind::Identity, &json!({"Version": "2012-10-17", "Statement": [first, second]}), expected);
    };
    let of = |effect: &str, action: &str| json!({"Effect": effect, "Action": action, "Resource": STREAM});
    both(
        of("Allow", "kinesis:GetRecords"),
        of("Deny", "kinesis:Get*"),
        &[(Code::Unreachable, "/Statement/0")],
    );
    both(of("Allow", "kinesis:Get*"), of("Deny", "kinesis:GetRecords"), &[]);
    both(
        of("Allow", "kinesis:GetRecords"),
        of("Allow", "kinesis:Get*"),
        &[(Code::Redundant, "/Statement/0")],
    );
    both(
        of("Allow", "kinesis:GetRecords"),
        of("Allow", "kinesis:GetRecords"),
        &[(Code::Redundant, "/Statement/1")],
    );
    let mut guarded = of("Deny", "kinesis:Get*");
    guarded["Condition"] = json!({"Bool": {"aws:SecureTransport": "false"}});
    both(of("Allow", "kinesis:GetRecords"), guarded, &[]);
}

#[test]
fn every_code_has_a_vector() {
    let vectors = include_str!("lint.rs");
    for code in Code::ALL {
        assert!(
            vectors.contains(&format!("Code::{code:?}, \""))
                || vectors.contains(&format!("Code::{code:?}, &")),
            "{code} has none"
        );
    }
}

#[test]
fn a_finding_is_printed_as_documented() {
    let policy = Document::parse(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kinesis:GetRecord","Resource":"*"}}"#).unwrap();
    let found = lint::lint(&policy, Kind::Identity);
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        json!([{
            "code": "unknown-action",
            "severity": "warning",
            "pointer": "/Statement/Action",
            "message": "there is no action `kinesis:GetRecord`, so this grants nothing",
            "hint": "did you mean `kinesis:GetRecords`?"
        }])
    );
    assert!(Severity::Error > Severity::Security && Severity::Security > Severity::Warning);
}
