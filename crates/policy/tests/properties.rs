//! What must hold for every document, tried on documents made up at random.
//!
//! The alphabets are small on purpose: most pairs of statements then overlap, repeat or refuse each other.
#![expect(clippy::unwrap_used, reason = "a test file: its helpers may panic as its tests do")]

use policy::Document;
use policy::compare::{self, Code, VerdictKind};
use policy::evaluate::{self, Context, Decision, Principal, Request};
use policy::lint::{self, Kind};
use policy::trust::{self, DatabricksPartition, Form, TrustSubject};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

const OWN: &str = "arn:aws:iam::123456789012:role/reader";
const OTHER: &str = "arn:aws:iam::123456789012:role/other";
const PARTNER: &str = "arn:aws:iam::210987654321:role/partner";
const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
const ID: &str = "blue-42";

const ACTIONS: [&str; 7] = [
    "*",
    "sts:*",
    "sts:AssumeRole",
    "sts:assumerole",
    "sts:TagSession",
    "kinesis:Get*",
    "kinesis:GetRecords",
];
const RESOURCES: [&str; 5] =
    ["*", "arn:aws:iam::*:role/reader", OWN, OTHER, "arn:aws:iam::123456789012:role/?eader"];
const PRINCIPALS: [&str; 8] =
    ["*", "123456789012", "arn:aws:iam::123456789012:root", OWN, OTHER, PARTNER, MASTER, "AROAEXAMPLE1"];
const OPERATORS: [&str; 9] = [
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringEqualsIfExists",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringNotLike",
    "ArnLike",
    "ArnEquals",
    "Null",
];
const KEYS: [&str; 3] = ["sts:ExternalId", "STS:externalid", "aws:PrincipalArn"];
const VALUES: [&str; 6] = [ID, "blue*", "0000", "true", OWN, "arn:aws:iam::*:role/*"];

/// A scalar or a list of up to three of `items`.
fn one_or_more(items: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        select(items).prop_map(Value::from),
        prop::collection::vec(select(items), 0..4).prop_map(|items| json!(items)),
    ]
}

fn condition() -> impl Strategy<Value = Option<Value>> {
    let block =
        prop::collection::vec((select(&OPERATORS[..]), select(&KEYS[..]), one_or_more(&VALUES)), 0..3);
    prop::option::of(block.prop_map(|parts| {
        let mut operators = Map::new();
        for (operator, key, values) in parts {
            let keys = operators.entry(operator).or_insert_with(|| json!({}));
            keys[key] = values;
        }
        Value::Object(operators)
    }))
}

fn principal() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(json!("*")),
        6 => one_or_more(&PRINCIPALS).prop_map(|names| json!({"AWS": names})),
        1 => one_or_more(&PRINCIPALS).prop_map(|names| json!({"AWS": names, "Service": "ec2.amazonaws.com"})),
    ]
}

/// A statement of a trust policy, a permission policy, or a resource's policy.
fn statement(principals: bool, resources: bool) -> impl Strategy<Value = Value> {
    let who = (prop::bool::weighted(0.1), principal());
    let action = (prop::bool::weighted(0.1), one_or_more(&ACTIONS));
    let resource = (prop::bool::weighted(0.1), one_or_more(&RESOURCES));
    let sid = prop::option::of(select(&["A", "B"][..]));
    (sid, prop::bool::weighted(0.75), who, action, resource, condition()).prop_map(
        move |(sid, allow, (not_who, who), (not_action, action), (not_resource, resource), condition)| {
            let mut statement = Map::new();
            let mut put = |name: &str, value: Value| statement.insert(name.to_owned(), value);
            if let Some(sid) = sid {
                put("Sid", json!(sid));
            }
            put("Effect", json!(if allow { "Allow" } else { "Deny" }));
            if principals {
                put(if not_who { "NotPrincipal" } else { "Principal" }, who);
            }
            put(if not_action { "NotAction" } else { "Action" }, action);
            if resources {
                put(if not_resource { "NotResource" } else { "Resource" }, resource);
            }
            if let Some(condition) = condition {
                put("Condition", condition);
            }
            Value::Object(statement)
        },
    )
}

fn document(principals: bool, resources: bool) -> impl Strategy<Value = Document> {
    let version = select(&[None, Some("2012-10-17"), Some("2012-10-17"), Some("2008-10-17")][..]);
    (version, prop::collection::vec(statement(principals, resources), 0..4)).prop_map(
        |(version, statements)| {
            let mut value = json!({});
            if let Some(version) = version {
                value["Version"] = json!(version);
            }
            value["Statement"] = json!(statements);
            Document::from_value(value).unwrap()
        },
    )
}

/// A trust policy in which something of ours is likely.
fn trust_document() -> impl Strategy<Value = Document> {
    let near = (any::<bool>(), statement(true, false)).prop_map(|(asks, mut statement)| {
        if asks {
            statement["Effect"] = json!("Allow");
            statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": ID}});
        }
        statement
    });
    let ours = select(&Form::ALL[..]).prop_flat_map(|form| {
        let statements: Vec<Value> =
            trust::document(form, &subject()).as_value()["Statement"].as_array().unwrap().clone();
        let count = statements.len();
        subsequence(statements, 0..=count)
    });
    (ours, prop::collection::vec(near, 0..3), any::<prop::sample::Index>()).prop_map(
        |(ours, mut statements, at)| {
            let at = at.index(statements.len() + 1);
            statements.splice(at..at, ours);
            Document::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
        },
    )
}

/// Callers of all kinds; the last two are ours in a trust policy.
const CALLERS: [&str; 7] =
    ["arn:aws:iam::123456789012:user/ana", "123456789012", "ec2.amazonaws.com", OTHER, PARTNER, OWN, MASTER];

#[derive(Clone, Debug)]
struct Asked {
    caller: Principal,
    action: &'static str,
    resource: &'static str,
    context: Context,
}

impl Asked {
    fn request(&self) -> Request<'_> {
        Request {
            principal: &self.caller,
            action: self.action,
            resource: self.resource,
            context: &self.context,
        }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    asked_by(&CALLERS)
}

fn asked_by(callers: &'static [&'static str]) -> impl Strategy<Value = Asked> {
    let caller = select(callers).prop_map(|arn| Principal::from_arn(arn).unwrap());
    let actions = select(&["sts:AssumeRole", "sts:TagSession", "kinesis:GetRecords", "iam:GetRole"][..]);
    let ids = prop::collection::vec(select(&[ID, "blue", "0000", "true"][..]), 0..3);
    (caller, actions, select(&[OWN, OTHER][..]), ids).prop_map(|(caller, action, resource, ids)| Asked {
        caller,
        action,
        resource,
        context: Context::new().with_many("sts:ExternalId", ids),
    })
}

fn subject() -> TrustSubject {
    assert_eq!(DatabricksPartition::Aws.unity_catalog_role(), MASTER);
    TrustSubject::new(OWN, MASTER, ID).unwrap()
}

/// A document as IAM gives it back: lists in another order, single values without brackets.
fn rewritten(value: &Value, in_statements: bool) -> Value {
    match value {
        Value::Array(items) if !in_statements => match items.as_slice() {
            [single] => single.clone(),
            _ => items.iter().rev().cloned().collect(),
        },
        Value::Array(items) => items.iter().map(|item| rewritten(item, false)).collect(),
        Value::Object(members) => {
            let members = members.iter().rev();
            members.map(|(name, member)| (name.clone(), rewritten(member, name == "Statement"))).collect()
        }
        other => other.clone(),
    }
}

/// Each action in a statement of its own.
fn split(document: &Document) -> Document {
    let mut statements = Vec::new();
    for statement in document.statements() {
        let whole = Value::Object(statement.members().clone());
        match statement.actions() {
            Some(actions) if actions.len() > 1 => statements.extend(actions.into_iter().map(|action| {
                let mut part = whole.clone();
                part["Action"] = json!(action);
                part
            })),
            _ => statements.push(whole),
        }
    }
    let mut value = document.as_value().clone();
    value["Statement"] = json!(statements);
    Document::from_value(value).unwrap()
}

fn with(document: &Document, statement: &Value) -> Document {
    let mut value = document.as_value().clone();
    value["Statement"].as_array_mut().unwrap().push(statement.clone());
    Document::from_value(value).unwrap()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[A-Za-z]{0,10}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_and_writing_changes_nothing(base in document(true, true), unknown in any_json()) {
        let mut value = base.into_value();
        value["Unknown"] = unknown.clone();
        if let Some(first) = value["Statement"].get_mut(0) {
            first["Extra"] = unknown;
        }
        let text = value.to_string();
        prop_assert_eq!(Document::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn no_text_makes_it_panic(value in any_json(), text in ".{0,40}") {
        drop(Document::parse(&text));
        drop(Document::parse(&json!({"Statement": value}).to_string()));
        drop(Principal::from_arn(&text));
    }

    #[test]
    fn a_document_is_in_sync_with_itself(document in document(true, true)) {
        let comparison = compare::documents(&document, &document);
        prop_assert_eq!(comparison.verdict, VerdictKind::InSync);
        prop_assert_eq!(comparison.reasons, vec![]);
    }

    #[test]
    fn what_iam_rewrites_is_in_sync(document in document(true, true)) {
        let back = Document::from_value(rewritten(document.as_value(), false)).unwrap();
        let comparison = compare::documents(&document, &back);
        prop_assert_eq!(comparison.verdict, VerdictKind::InSync, "{:?}", comparison.reasons);
    }

    #[test]
    fn dividing_a_statement_is_never_drift(document in document(true, true)) {
        prop_assert!(compare::documents(&document, &split(&document)).verdict < VerdictKind::Drift);
    }

    #[test]
    fn verdicts_do_not_depend_on_which_is_live(left in document(true, true), right in document(true, true)) {
        prop_assert_eq!(compare::documents(&left, &right).verdict, compare::documents(&right, &left).verdict);
    }

    /// The one that counts: what is not called drift decides every request alike. One member of one statement differs, so that
    /// many pairs are near to each other.
    #[test]
    fn no_difference_in_access_is_called_equal(
        base in document(true, true),
        other in statement(true, true),
        member in select(&["Effect", "Principal", "Action", "NotAction", "Resource", "Condition"][..]),
        requests in prop::collection::vec(asked(), 12),
    ) {
        let mut value = base.as_value().clone();
        if let (Some(Value::Object(statement)), Some(changed)) = (value["Statement"].get_mut(0), other.get(member)) {
            let opposite = if member == "NotAction" { "Action".to_owned() } else { format!("Not{member}") };
            statement.remove(&opposite);
            statement.insert(member.to_owned(), changed.clone());
            let other = Document::from_value(value).unwrap();
            if compare::documents(&base, &other).verdict < VerdictKind::Drift {
                for asked in &requests {
                    let decide = |document| evaluate::trust(document, &asked.request()).decision;
                    prop_assert_eq!(decide(&base), decide(&other), "{:?}", asked);
                }
            }
        }
    }

    #[test]
    fn a_refusal_never_lets_anybody_in(document in document(false, true), mut refusal in statement(false, true), asked in asked()) {
        refusal["Effect"] = json!("Deny");
        let before = evaluate::identity(&[&document], None, &asked.request()).decision;
        let after = evaluate::identity(&[&with(&document, &refusal)], None, &asked.request()).decision;
        prop_assert!(after == before || after == Decision::ExplicitDeny);
    }

    #[test]
    fn a_grant_never_keeps_anybody_out(document in document(true, false), mut grant in statement(true, false), asked in asked()) {
        grant["Effect"] = json!("Allow");
        let before = evaluate::trust(&document, &asked.request()).decision;
        let after = evaluate::trust(&with(&document, &grant), &asked.request()).decision;
        prop_assert!(after == before || (before == Decision::ImplicitDeny && after == Decision::Allow));
    }

    #[test]
    fn a_boundary_only_limits(document in document(false, true), boundary in document(false, true), asked in asked()) {
        let free = evaluate::identity(&[&document], None, &asked.request()).decision;
        let bound = evaluate::identity(&[&document], Some(&boundary), &asked.request()).decision;
        prop_assert!(bound != Decision::Allow || free == Decision::Allow);
        prop_assert!(free != Decision::ExplicitDeny || bound == Decision::ExplicitDeny);
    }

    #[test]
    fn strictness_only_limits(trust in document(true, false), own in document(false, true), asked in asked()) {
        let assume = |strict| evaluate::assume_role(&trust, &[&own], None, &asked.request(), strict).decision;
        prop_assert!(assume(true) != Decision::Allow || assume(false) == Decision::Allow);
        prop_assert!(assume(false) != Decision::Allow || evaluate::trust(&trust, &asked.request()).decision == Decision::Allow);
    }

    #[test]
    fn merging_repairs_and_does_so_once(live in trust_document(), form in select(&Form::ALL[..])) {
        let wanted = trust::document(form, &subject());
        let merged = trust::merge(&live, &wanted, &subject(), false);
        prop_assert_eq!(trust::merge(&merged, &wanted, &subject(), false).to_string(), merged.to_string());
        prop_assert_eq!(Document::parse(&merged.to_string()), Ok(merged.clone()));
        let after = compare::trust_policies(&merged, &wanted, &subject());
        let spoiled = after.has(Code::Denied) || after.has(Code::ExternalIdNotEnforced);
        prop_assert!(after.verdict == VerdictKind::InSync || spoiled, "{:#?}", after);
        let alone = trust::merge(&live, &wanted, &subject(), true);
        prop_assert_eq!(compare::trust_policies(&alone, &wanted, &subject()).reasons, vec![]);
    }

    #[test]
    fn merging_keeps_what_is_foreign(live in trust_document(), form in select(&Form::ALL[..])) {
        let wanted = trust::document(form, &subject());
        let merged = trust::merge(&live, &wanted, &subject(), false);
        let texts = |document: &Document| -> Vec<String> {
            document.statements().map(|statement| Value::Object(statement.members().clone()).to_string()).collect()
        };
        // Statements with nothing of ours in them, byte for byte and in their order.
        let mut rest = texts(&merged).into_iter();
        for statement in trust::foreign(&live, &subject()) {
            let names = statement.principals().unwrap_or_default();
            let ours = names.iter().any(|name| [OWN, MASTER, "AROAEXAMPLE1"].contains(&name.value) || name.value == "*" || name.value.contains("123456789012"));
            let text = Value::Object(statement.members().clone()).to_string();
            if !ours || statement.effect() == policy::Effect::Deny {
                prop_assert!(rest.any(|kept| kept == text), "lost {}", text);
            }
        }
    }

    #[test]
    fn merging_changes_nobody_elses_access(live in trust_document(), form in select(&Form::ALL[..]), asked in asked_by(&CALLERS[..5])) {
        let merged = trust::merge(&live, &trust::document(form, &subject()), &subject(), false);
        let decide = |document| evaluate::trust(document, &asked.request()).decision;
        prop_assert_eq!(decide(&live), decide(&merged));
    }

    #[test]
    fn trust_that_is_not_drift_works(live in trust_document(), form in select(&Form::ALL[..])) {
        let wanted = trust::document(form, &subject());
        if compare::trust_policies(&live, &wanted, &subject()).verdict < VerdictKind::Drift {
            for caller in [OWN, MASTER] {
                let principal = Principal::from_arn(caller).unwrap();
                for (id, expected) in [(Some(ID), true), (Some("blue"), caller == OWN), (None, caller == OWN)] {
                    let context = id.map(|id| Context::new().with("sts:ExternalId", id)).unwrap_or_default();
                    let request = Request { principal: &principal, action: "sts:AssumeRole", resource: OWN, context: &context };
                    let decision = evaluate::trust(&live, &request).decision;
                    // Foreign statements may let the role itself in without an id; Unity Catalog never.
                    prop_assert!(decision.is_allow() == expected || (caller == OWN && id != Some(ID)), "{} {:?}", caller, id);
                }
            }
        }
    }

    /// What is not called drift needs no repair: merging would change nobody's access, ours included.
    #[test]
    fn trust_that_is_not_drift_needs_no_repair(
        live in trust_document(),
        form in select(&Form::ALL[..]),
        requests in prop::collection::vec(asked(), 8),
    ) {
        let wanted = trust::document(form, &subject());
        if compare::trust_policies(&live, &wanted, &subject()).verdict < VerdictKind::Drift {
            let merged = trust::merge(&live, &wanted, &subject(), false);
            for asked in &requests {
                let decide = |document| evaluate::trust(document, &asked.request()).decision;
                prop_assert_eq!(decide(&live), decide(&merged), "{:?}", asked);
            }
        }
    }

    #[test]
    fn findings_point_into_the_document(document in document(true, true)) {
        for kind in [Kind::Identity, Kind::Trust { account: None }, Kind::Trust { account: Some("123456789012") }] {
            for finding in lint::lint(&document, kind) {
                prop_assert!(document.as_value().pointer(&finding.pointer).is_some(), "{:?}", finding);
            }
        }
    }

    /// A statement that the lint calls without effect can go without anybody noticing.
    #[test]
    fn what_changes_nothing_can_go(document in document(true, true), requests in prop::collection::vec(asked(), 8)) {
        let idle = lint::lint(&document, Kind::Trust { account: None })
            .into_iter()
            .find(|finding| matches!(finding.code, lint::Code::Unreachable | lint::Code::Redundant));
        if let Some(finding) = idle {
            let index = document.statements().position(|statement| statement.pointer() == finding.pointer).unwrap();
            let mut value = document.as_value().clone();
            value["Statement"].as_array_mut().unwrap().remove(index);
            let without = Document::from_value(value).unwrap();
            for asked in &requests {
                let decide = |document| evaluate::trust(document, &asked.request()).decision;
                prop_assert_eq!(decide(&document), decide(&without), "{:?} {:?}", finding, asked);
            }
        }
    }
}
