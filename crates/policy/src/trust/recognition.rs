//! Telling from a trust policy alone that it is one Databricks needs, and what it is about.

use super::ownership::{EXTERNAL_ID, PRINCIPAL_ARN};
use super::partition::is_unity_catalog_role;
use super::{Form, TrustSubject, document};
use crate::Document;
use crate::compare::{self, VerdictKind};

/// What `trust` is about when it means what [`document`] writes, in either form; `None` for every other policy, and for one
/// that still asks for the placeholder.
pub fn recognize(trust: &Document) -> Option<TrustSubject> {
    let principals = || trust.statements().filter_map(|statement| statement.principals()).flatten();
    let value = |key: &str| {
        let conditions = trust.statements().flat_map(|statement| statement.conditions());
        let mut ours = conditions.filter(|condition| condition.key.eq_ignore_ascii_case(key));
        ours.find_map(|condition| condition.values.first().map(ToString::to_string))
    };
    let master = principals().find(|name| is_unity_catalog_role(name.value))?.value;
    let other = principals().find(|name| name.value != master && !name.value.ends_with(":root"));
    let role = value(PRINCIPAL_ARN).or_else(|| other.map(|name| name.value.to_owned()))?;
    let subject = TrustSubject::new(&role, master, &value(EXTERNAL_ID)?).ok()?;
    let is_meant = |form| compare::documents(trust, &document(form, &subject)).verdict != VerdictKind::Drift;
    (!subject.has_placeholder() && Form::ALL.into_iter().any(is_meant)).then_some(subject)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::{DatabricksPartition, before_role_exists};

    fn subject(external_id: &str) -> TrustSubject {
        let master = DatabricksPartition::Aws.unity_catalog_role();
        TrustSubject::new("arn:aws:iam::123456789012:role/team/reader", master, external_id).unwrap()
    }

    #[test]
    fn both_forms_say_what_they_are_about() {
        for form in Form::ALL {
            assert_eq!(recognize(&document(form, &subject("blue-42"))), Some(subject("blue-42")));
        }
    }

    #[test]
    fn what_is_not_ready_or_not_ours_alone_is_not_recognized() {
        assert_eq!(recognize(&document(Form::Databricks, &subject("0000"))), None);
        assert_eq!(recognize(&before_role_exists(&subject("blue-42"))), None);
        let text = document(Form::Databricks, &subject("blue-42")).to_string();
        let loose = Document::parse(&text.replace("StringEquals", "StringLike")).unwrap();
        assert_eq!(recognize(&loose), None);
    }
}
