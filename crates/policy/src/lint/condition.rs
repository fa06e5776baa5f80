//! Conditions that cannot mean what they say, and external IDs that keep nobody out.

use super::{Code, Finding};
use crate::catalog;
use crate::evaluate;
use crate::operator::{Operator, Quantifier, Test};
use crate::statement::{Condition, Effect, Statement};
use crate::trust::ownership::EXTERNAL_ID;
use crate::trust::{self, PLACEHOLDER_EXTERNAL_ID};

pub(super) fn check(statement: &Statement<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for condition in statement.conditions() {
        if condition.values.is_empty() {
            findings.push(Finding::new(
                Code::EmptyList,
                &condition.pointer,
                "the condition has no value to compare with",
                "give it one",
            ));
        }
        if catalog::has_condition_key(condition.key) == Some(false) {
            let message = format!("there is no condition key `{}`, so no request ever has it", condition.key);
            findings.push(Finding::new(
                Code::UnknownConditionKey,
                &condition.pointer,
                message,
                "check its spelling; the external ID is `sts:ExternalId`",
            ));
        }
        let Some(operator) = Operator::parse(condition.operator) else {
            findings.push(unknown_operator(&condition));
            continue;
        };
        findings.extend(value(&condition, operator));
        if condition.key.eq_ignore_ascii_case(EXTERNAL_ID) && statement.effect() == Effect::Allow {
            findings.extend(external_id(&condition, operator));
        }
    }
    findings
}

fn unknown_operator(condition: &Condition<'_>) -> Finding {
    let message = format!("IAM knows no condition operator `{}`", condition.operator);
    Finding::new(
        Code::UnknownOperator,
        &condition.pointer,
        message,
        "most conditions want `StringEquals`, `StringLike`, `ArnLike` or `Bool`",
    )
}

/// A value that the operator cannot read never equals anything.
fn value(condition: &Condition<'_>, operator: Operator) -> Option<Finding> {
    let (readable, what): (fn(&str) -> bool, _) = match operator.test {
        Test::NumericEquals
        | Test::NumericNotEquals
        | Test::NumericLessThan
        | Test::NumericLessThanEquals
        | Test::NumericGreaterThan
        | Test::NumericGreaterThanEquals => (evaluate::is_number, "a number"),
        Test::DateEquals
        | Test::DateNotEquals
        | Test::DateLessThan
        | Test::DateLessThanEquals
        | Test::DateGreaterThan
        | Test::DateGreaterThanEquals => (evaluate::is_time, "a time such as `2026-01-31T12:00:00Z`"),
        Test::Bool | Test::Null => (
            |text| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"),
            "`true` or `false`",
        ),
        Test::IpAddress | Test::NotIpAddress => {
            (evaluate::is_address_range, "an address or a range such as `203.0.113.0/24`")
        }
        // A variable may well hold an ARN.
        Test::ArnEquals | Test::ArnLike | Test::ArnNotEquals | Test::ArnNotLike => (
            |text| text == "*" || text.contains("${") || text.split(':').count() >= 6,
            "an ARN, with all six of its parts",
        ),
        Test::StringEquals
        | Test::StringNotEquals
        | Test::StringEqualsIgnoreCase
        | Test::StringNotEqualsIgnoreCase
        | Test::StringLike
        | Test::StringNotLike
        | Test::BinaryEquals => return None,
    };
    let unreadable = condition.values.iter().find(|value| !readable(value))?;
    let message =
        format!("`{}` compares with `{unreadable}`, which no value ever equals", condition.operator);
    Some(Finding::new(Code::ConditionValue, &condition.pointer, message, format!("write {what}")))
}

fn external_id(condition: &Condition<'_>, operator: Operator) -> Vec<Finding> {
    let mut findings = Vec::new();
    let at = &condition.pointer;
    let exact = operator == Operator { quantifier: None, test: Test::StringEquals, if_exists: false };
    if !exact {
        let why = match operator {
            Operator { if_exists: true, .. } | Operator { quantifier: Some(Quantifier::All), .. } => {
                "passes callers that send no external ID"
            }
            Operator { test, .. } if test.is_negated() => {
                "passes every external ID but these, and none at all"
            }
            _ => "may pass external IDs of other customers",
        };
        let message = format!("`{}` on the external ID {why}", condition.operator);
        findings.push(Finding::new(Code::LooseExternalId, at, message, "compare it with `StringEquals`"));
    }
    for value in &condition.values {
        if value == PLACEHOLDER_EXTERNAL_ID {
            let message = format!("the external ID is still the placeholder `{PLACEHOLDER_EXTERNAL_ID}`");
            findings.push(Finding::new(
                Code::PlaceholderExternalId,
                at,
                message,
                "put in the external ID of the service credential",
            ));
        } else if exact && !trust::is_external_id(value) && !value.contains("${") {
            let message = format!("`{value}` is not an external ID that STS takes, so nobody can send it");
            findings.push(Finding::new(
                Code::InvalidExternalId,
                at,
                message,
                "copy the external ID of the service credential, without spaces or quotes",
            ));
        }
    }
    findings
}
