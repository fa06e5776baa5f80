//! The external ID that our statements ask for: whether it is the right one, and asked for in a way that keeps others out.

use super::reason::{Code, Reason};
use crate::Document;
use crate::normal::{self, Guard};
use crate::statement::Statement;
use crate::trust::ownership::{self, EXTERNAL_ID, Role};
use crate::trust::{PLACEHOLDER_EXTERNAL_ID, TrustSubject};

/// What is wrong with the external ID of our statements, and to whom of ours it matters.
pub(super) fn check<'a>(live: &Document, own: &'a TrustSubject) -> Vec<(Reason, Vec<&'a str>)> {
    live.statements()
        .filter_map(|statement| {
            let roles = ownership::roles(&statement, own);
            let whom: Vec<_> = roles
                .iter()
                .filter_map(|(name, role)| match role {
                    Role::UnityCatalog => {
                        (name.value == own.unity_catalog_arn()).then_some(own.unity_catalog_arn())
                    }
                    Role::Itself | Role::Narrowed => Some(own.role_arn()),
                    Role::Dead | Role::Foreign => None,
                })
                .collect();
            wrong(&statement, &whom, own).map(|reason| (reason, whom))
        })
        .collect()
}

fn wrong(statement: &Statement<'_>, whom: &[&str], own: &TrustSubject) -> Option<Reason> {
    if whom.is_empty() {
        return None;
    }
    let whom = if whom.contains(&own.unity_catalog_arn()) { "Unity Catalog" } else { "the role itself" };
    let wanted = own.external_id();
    let mut conditions = statement.conditions();
    conditions.retain(|condition| condition.key.eq_ignore_ascii_case(EXTERNAL_ID));
    let Some(condition) = conditions.first() else {
        return Some(Reason::live(
            Code::MissingExternalId,
            format!("lets {whom} in without an external ID; `sts:ExternalId` should be `{wanted}`"),
            statement.pointer(),
        ));
    };
    let Guard { operator, values, .. } = normal::guard(condition);
    let at = condition.pointer.clone();
    if conditions.len() == 1 && operator == "StringEquals" && values.iter().eq([wanted]) {
        return None;
    }
    if values.contains(PLACEHOLDER_EXTERNAL_ID) && wanted != PLACEHOLDER_EXTERNAL_ID {
        let sentence =
            format!("still asks {whom} for the placeholder `{PLACEHOLDER_EXTERNAL_ID}`, not for `{wanted}`");
        return Some(Reason::live(Code::PlaceholderExternalId, sentence, at));
    }
    if operator != "StringEquals" || conditions.len() > 1 {
        let sentence = format!(
            "compares the external ID of {whom} with `{}`, not with `StringEquals` alone",
            condition.operator
        );
        return Some(Reason::live(Code::ExternalIdOperator, sentence, at));
    }
    let listed: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
    let listed = if listed.is_empty() { "no value at all".to_owned() } else { listed.join(" or ") };
    Some(Reason::live(Code::ExternalId, format!("asks {whom} for {listed}, not for `{wanted}`"), at))
}
