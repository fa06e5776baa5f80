//! Putting our statements into a live trust policy without touching anybody else's.

use serde_json::Value;

use super::ownership::{self, Role};
use super::subject::TrustSubject;
use crate::Document;
use crate::statement::Statement;

/// The document to write: `live` with our statements replaced by those of `wanted`.
///
/// Foreign statements stay as they are and in their order; a foreign principal in a statement of ours keeps its grant, in a
/// statement without ours. With `exclusive` only `wanted` remains. Merging a second time changes nothing.
pub fn merge(live: &Document, wanted: &Document, subject: &TrustSubject, exclusive: bool) -> Document {
    if exclusive {
        return wanted.clone();
    }
    let ours: Vec<Value> = wanted.statements().map(as_value).collect();
    let mut kept = Vec::new();
    let mut place = None;
    for statement in live.statements() {
        let rest = without_ours(&statement, &ours, subject);
        if rest.as_ref() != Some(&as_value(statement)) {
            place = place.or(Some(kept.len()));
        }
        kept.extend(rest);
    }
    let place = place.unwrap_or(kept.len());
    // A newer version gives `${…}` in foreign statements a meaning they did not have.
    let bound_to_version = kept.iter().any(|statement| statement.to_string().contains("${"));
    kept.splice(place..place, ours);

    let mut value = live.as_value().clone();
    if let Value::Object(members) = &mut value {
        if let Some(version) = wanted.version().filter(|_| !bound_to_version) {
            if members.contains_key("Version") {
                members.insert("Version".to_owned(), version.into());
            } else {
                members.shift_insert(0, "Version".to_owned(), version.into());
            }
        }
        members.insert("Statement".to_owned(), Value::Array(kept));
    }
    Document::known(value)
}

/// The statements, or parts of statements, in a live trust policy that are not ours.
pub fn foreign<'a>(live: &'a Document, subject: &TrustSubject) -> Vec<Statement<'a>> {
    live.statements().filter(|statement| is_partly_foreign(statement, subject)).collect()
}

fn is_partly_foreign(statement: &Statement<'_>, subject: &TrustSubject) -> bool {
    match statement.principals() {
        // No principal at all, or all but some: never something we write.
        None => true,
        // A statement about nobody is a leftover, and not ours either.
        Some(named) if named.is_empty() => true,
        Some(_) => ownership::roles(statement, subject).iter().any(|(_, role)| *role == Role::Foreign),
    }
}

/// What remains of a statement without our principals: nothing, part of it, or all.
fn without_ours(statement: &Statement<'_>, ours: &[Value], subject: &TrustSubject) -> Option<Value> {
    let value = as_value(*statement);
    if ours.contains(&value) || !is_partly_foreign(statement, subject) {
        return None;
    }
    let roles = ownership::roles(statement, subject);
    let owned: Vec<_> =
        roles.iter().filter(|(_, role)| *role != Role::Foreign).map(|(name, _)| name).collect();
    if owned.is_empty() {
        return Some(value);
    }
    let mut value = value;
    if let Some(Value::Object(kinds)) = value.get_mut("Principal") {
        for (kind, names) in kinds.iter_mut() {
            let is_owned = |name: &Value| {
                owned.iter().any(|own| own.kind.name() == kind && name.as_str() == Some(own.value))
            };
            match names {
                Value::Array(names) => names.retain(|name| !is_owned(name)),
                single if is_owned(single) => *single = Value::Array(Vec::new()),
                _ => {}
            }
        }
        kinds.retain(|_, names| names.as_array().is_none_or(|names| !names.is_empty()));
    }
    Some(value)
}

fn as_value(statement: Statement<'_>) -> Value {
    Value::Object(statement.members().clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::trust::{self, Form};

    const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
    const OWN: &str = "arn:aws:iam::123456789012:role/reader";
    const PARTNER: &str = "arn:aws:iam::210987654321:role/partner";

    fn subject() -> TrustSubject {
        TrustSubject::new(OWN, MASTER, "blue-42").unwrap()
    }

    fn merged(live: Value, form: Form) -> Value {
        let live = Document::from_value(live).unwrap();
        let wanted = trust::document(form, &subject());
        let once = merge(&live, &wanted, &subject(), false);
        assert_eq!(merge(&once, &wanted, &subject(), false), once, "merging twice");
        Document::from_value(once.into_value()).unwrap().into_value()
    }

    #[test]
    fn foreign_statements_stay_where_they_are() {
        let before = json!({"Sid": "Ec2", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole", "Odd": 1.0});
        let after = json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {"Bool": {"aws:SecureTransport": false}}});
        let ours = json!({"Effect": "Allow", "Principal": {"AWS": MASTER}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "0000"}}});
        let live = json!({"Id": "kept", "Version": "2012-10-17", "Statement": [before, ours, after]});
        let document = merged(live, Form::Databricks);
        assert_eq!(document["Id"], "kept");
        assert_eq!(document["Statement"].as_array().unwrap().len(), 3);
        assert_eq!(document["Statement"][0].to_string(), before.to_string());
        assert_eq!(document["Statement"][1]["Principal"]["AWS"], json!([MASTER, OWN]));
        assert_eq!(document["Statement"][2].to_string(), after.to_string());
    }

    #[test]
    fn a_foreign_principal_in_our_statement_keeps_its_grant() {
        let live = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": [MASTER, PARTNER, "AROAEXAMPLE1"], "Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "0000"}}}});
        let document = merged(live, Form::ArnLike);
        assert_eq!(document["Version"], "2012-10-17");
        assert_eq!(document["Statement"].as_array().unwrap().len(), 3);
        assert_eq!(
            document["Statement"][2]["Principal"],
            json!({"AWS": [PARTNER], "Service": "ec2.amazonaws.com"})
        );
    }

    #[test]
    fn every_spelling_of_ours_is_replaced() {
        for principal in
            [json!({"AWS": "AROAEXAMPLE1"}), json!({"AWS": [OWN]}), json!({"AWS": [MASTER, "AIDAEXAMPLE1"]})]
        {
            let live = json!({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"STS:externalid": ["blue-42"]}}}]});
            assert_eq!(
                merged(live, Form::Databricks),
                trust::document(Form::Databricks, &subject()).into_value()
            );
        }
        for principal in ["*", "123456789012", "arn:aws:iam::123456789012:root"] {
            let live = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole",
                "Condition": {"ArnEquals": {"aws:PrincipalArn": OWN}}}]});
            assert_eq!(merged(live, Form::ArnLike), trust::document(Form::ArnLike, &subject()).into_value());
        }
    }

    #[test]
    fn a_wider_condition_is_somebody_elses() {
        let live = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole",
            "Condition": {"ArnLike": {"aws:PrincipalArn": [OWN, PARTNER]}}}]});
        assert_eq!(merged(live, Form::Databricks)["Statement"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn variables_in_foreign_statements_keep_the_old_version() {
        let live = json!({"Statement": [{"Effect": "Allow", "Principal": {"AWS": PARTNER}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:userid": "${aws:userid}"}}}]});
        assert_eq!(merged(live, Form::Databricks).get("Version"), None);
    }

    #[test]
    fn exclusive_leaves_only_what_is_wanted() {
        let live =
            Document::from_value(json!({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*"}]}))
                .unwrap();
        let wanted = trust::document(Form::Databricks, &subject());
        assert_eq!(merge(&live, &wanted, &subject(), true), wanted);
        assert_eq!(foreign(&live, &subject()).len(), 1);
    }
}
