//! Any text at all, taken as a policy document: whatever is accepted must survive everything this crate does with documents.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::Document;
use policy::compare::{self, VerdictKind};
use policy::evaluate::{self, Context, Principal, Request};
use policy::lint::{self, Kind};
use policy::trust::{self, DatabricksPartition, Form, TrustSubject};

const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

fuzz_target!(|text: &str| {
    let Ok(document) = Document::parse(text) else { return };
    is_lossless(&document, text);
    is_in_sync_with_itself(&document);
    has_findings_that_point_somewhere(&document);
    can_be_merged(&document);
    can_be_asked(&document);
});

fn is_lossless(document: &Document, text: &str) {
    let written = document.to_string();
    assert_eq!(Document::parse(&written).as_ref(), Ok(document));
    let value: serde_json::Value = serde_json::from_str(text).expect("it has been read before");
    assert_eq!(value.to_string(), written);
}

fn is_in_sync_with_itself(document: &Document) {
    let comparison = compare::documents(document, document);
    assert_eq!((comparison.verdict, comparison.reasons), (VerdictKind::InSync, vec![]));
}

fn has_findings_that_point_somewhere(document: &Document) {
    let account = Some("123456789012");
    for kind in [Kind::Identity, Kind::Trust { account }, Kind::Resource { account }] {
        for finding in lint::lint(document, kind) {
            assert!(document.as_value().pointer(&finding.pointer).is_some(), "{finding:?}");
        }
    }
}

fn can_be_merged(document: &Document) {
    let master = DatabricksPartition::Aws.unity_catalog_role();
    let subject = TrustSubject::new(ROLE, master, "0d26daa6").expect("it is a role");
    for form in Form::ALL {
        let wanted = trust::document(form, &subject);
        let merged = trust::merge(document, &wanted, &subject, false);
        assert_eq!(Document::parse(&merged.to_string()).as_ref(), Ok(&merged));
        assert_eq!(trust::merge(&merged, &wanted, &subject, false), merged);
        let after = compare::trust_policies(&merged, &wanted, &subject);
        let beyond_us = [compare::Code::Denied, compare::Code::ExternalIdNotEnforced];
        assert!(
            after.verdict < VerdictKind::Drift || beyond_us.iter().any(|code| after.has(*code)),
            "{after:#?}"
        );
    }
}

fn can_be_asked(document: &Document) {
    let principal = Principal::from_arn(ROLE).expect("it is a role");
    let context = Context::new().with("sts:ExternalId", "0d26daa6");
    let request =
        Request { principal: &principal, action: "sts:AssumeRole", resource: ROLE, context: &context };
    for strict in [false, true] {
        let verdict = evaluate::assume_role(document, &[document], Some(document), &request, strict);
        let place = verdict.statement.map(|statement| statement.pointer);
        assert!(place.is_none_or(|place| document.as_value().pointer(&place).is_some()));
    }
}
