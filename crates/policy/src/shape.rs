//! The shape every policy must have before anything here reasons about it.
//!
//! Members this crate does not know are let through, so that a document from tomorrow survives. A member that differs from a
//! known one only in case is refused instead: reading past a `condition` would turn a guarded statement into an open one.

use serde_json::{Map, Value};

use crate::ParseError;
use crate::pointer;

/// Members a document may have, as IAM spells them.
pub(crate) const DOCUMENT_MEMBERS: [&str; 3] = ["Version", "Id", "Statement"];
/// Members a statement may have, as IAM spells them.
pub(crate) const STATEMENT_MEMBERS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
/// Kinds of principal, as IAM spells them.
pub(crate) const PRINCIPAL_KINDS: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// Checks a whole document.
pub(crate) fn check(value: &Value) -> Result<(), ParseError> {
    let Value::Object(document) = value else {
        return Err(fault("", format!("a policy is a JSON object, found {}", kind(value))));
    };
    spelling(document, &DOCUMENT_MEMBERS, "")?;
    text(document, "Version", "")?;
    text(document, "Id", "")?;
    match document.get("Statement") {
        None => Err(fault("", "the member `Statement` is missing".to_owned())),
        Some(Value::Array(statements)) => statements
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| statement(item, &pointer::join("/Statement", index))),
        Some(single) => statement(single, "/Statement"),
    }
}

fn statement(value: &Value, at: &str) -> Result<(), ParseError> {
    let Value::Object(members) = value else {
        return Err(fault(at, format!("a statement is a JSON object, found {}", kind(value))));
    };
    spelling(members, &STATEMENT_MEMBERS, at)?;
    text(members, "Sid", at)?;
    match members.get("Effect") {
        Some(Value::String(effect)) if effect == "Allow" || effect == "Deny" => {}
        Some(other) => {
            return Err(fault(
                &pointer::join(at, "Effect"),
                format!("`Effect` is `Allow` or `Deny`, spelled so; found `{}`", shown(other)),
            ));
        }
        None => return Err(fault(at, "the member `Effect` is missing; it is `Allow` or `Deny`".to_owned())),
    }
    for pair in [["Action", "NotAction"], ["Resource", "NotResource"], ["Principal", "NotPrincipal"]] {
        if pair.iter().all(|name| members.contains_key(*name)) {
            return Err(fault(at, format!("a statement has `{}` or `{}`, not both", pair[0], pair[1])));
        }
    }
    if !members.contains_key("Action") && !members.contains_key("NotAction") {
        return Err(fault(at, "the member `Action` is missing".to_owned()));
    }
    for name in ["Action", "NotAction", "Resource", "NotResource"] {
        if let Some(list) = members.get(name) {
            strings(list, &pointer::join(at, name))?;
        }
    }
    for name in ["Principal", "NotPrincipal"] {
        if let Some(block) = members.get(name) {
            principal(block, &pointer::join(at, name))?;
        }
    }
    members.get("Condition").map_or(Ok(()), |block| condition(block, &pointer::join(at, "Condition")))
}

fn principal(value: &Value, at: &str) -> Result<(), ParseError> {
    match value {
        Value::String(star) if star == "*" => Ok(()),
        Value::Object(kinds) => {
            spelling(kinds, &PRINCIPAL_KINDS, at)?;
            kinds.iter().try_for_each(|(name, list)| strings(list, &pointer::join(at, name)))
        }
        other => Err(fault(
            at,
            format!(
                "a principal is `*` or an object such as {{\"AWS\": \"arn:…\"}}, found `{}`",
                shown(other)
            ),
        )),
    }
}

fn condition(value: &Value, at: &str) -> Result<(), ParseError> {
    let Value::Object(operators) = value else {
        return Err(fault(at, format!("a condition is an object of operators, found {}", kind(value))));
    };
    for (operator, keys) in operators {
        let at = pointer::join(at, operator);
        let Value::Object(keys) = keys else {
            return Err(fault(
                &at,
                format!("`{operator}` holds an object of condition keys, found {}", kind(keys)),
            ));
        };
        for (key, values) in keys {
            let at = pointer::join(&at, key);
            match values {
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        scalar(item, &pointer::join(&at, index))?;
                    }
                }
                single => scalar(single, &at)?,
            }
        }
    }
    Ok(())
}

fn scalar(value: &Value, at: &str) -> Result<(), ParseError> {
    match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(fault(
            at,
            format!("a condition value is a string, a number or a boolean, found {}", kind(value)),
        )),
    }
}

fn strings(value: &Value, at: &str) -> Result<(), ParseError> {
    match value {
        Value::String(_) => Ok(()),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| match item {
            Value::String(_) => Ok(()),
            other => {
                Err(fault(&pointer::join(at, index), format!("expected a string, found {}", kind(other))))
            }
        }),
        other => Err(fault(at, format!("expected a string or a list of strings, found {}", kind(other)))),
    }
}

fn text(members: &Map<String, Value>, name: &str, at: &str) -> Result<(), ParseError> {
    match members.get(name) {
        None | Some(Value::String(_)) => Ok(()),
        Some(other) => {
            Err(fault(&pointer::join(at, name), format!("`{name}` is a string, found {}", kind(other))))
        }
    }
}

fn spelling(members: &Map<String, Value>, known: &[&str], at: &str) -> Result<(), ParseError> {
    for name in members.keys() {
        let alike = known.iter().find(|right| right.eq_ignore_ascii_case(name) && *right != name);
        if let Some(right) = alike {
            return Err(fault(&pointer::join(at, name), format!("`{name}` is spelled `{right}`")));
        }
    }
    Ok(())
}

fn fault(pointer: &str, sentence: String) -> ParseError {
    ParseError::Shape { pointer: pointer.to_owned(), sentence }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refuses(value: &Value, expected: &str) {
        assert_eq!(
            check(value).unwrap_err().to_string(),
            format!("policy is malformed at {expected}"),
            "{value}"
        );
    }

    #[test]
    fn errors_say_where_and_what() {
        refuses(&json!([]), "``: a policy is a JSON object, found a list");
        refuses(&json!({"Version": "2012-10-17"}), "``: the member `Statement` is missing");
        refuses(&json!({"statement": []}), "`/statement`: `statement` is spelled `Statement`");
        refuses(
            &json!({"Version": 2012, "Statement": []}),
            "`/Version`: `Version` is a string, found a number",
        );
        refuses(&json!({"Statement": ["x"]}), "`/Statement/0`: a statement is a JSON object, found a string");
        let with = |more: Value| {
            let mut base = json!({"Effect": "Allow", "Action": "sts:AssumeRole"});
            for (name, value) in more.as_object().unwrap() {
                base[name] = value.clone();
            }
            json!({ "Statement": [base] })
        };
        refuses(
            &with(json!({"Effect": "allow"})),
            "`/Statement/0/Effect`: `Effect` is `Allow` or `Deny`, spelled so; found `allow`",
        );
        refuses(
            &with(json!({"NotAction": "x"})),
            "`/Statement/0`: a statement has `Action` or `NotAction`, not both",
        );
        refuses(
            &with(json!({"Action": ["a", 1]})),
            "`/Statement/0/Action/1`: expected a string, found a number",
        );
        refuses(
            &with(json!({"Principal": {"aws": "*"}})),
            "`/Statement/0/Principal/aws`: `aws` is spelled `AWS`",
        );
        refuses(
            &with(json!({"condition": {}})),
            "`/Statement/0/condition`: `condition` is spelled `Condition`",
        );
        refuses(
            &with(json!({"Condition": {"StringEquals": {"aws:ResourceTag/a": null}}})),
            "`/Statement/0/Condition/StringEquals/aws:ResourceTag~1a`: a condition value is a string, a number or a boolean, found null",
        );
        refuses(
            &with(json!({"Principal": "arn:aws:iam::123456789012:root"})),
            "`/Statement/0/Principal`: a principal is `*` or an object such as {\"AWS\": \"arn:…\"}, found `arn:aws:iam::123456789012:root`",
        );
        refuses(
            &json!({"Statement": [{"Effect": "Deny"}]}),
            "`/Statement/0`: the member `Action` is missing",
        );
    }

    #[test]
    fn what_we_do_not_know_is_let_through() {
        let value = json!({"Statement": {"Effect": "Allow", "Action": [], "Principal": {"Martian": "x"}, "Comment": 1}, "Later": {}});
        assert_eq!(check(&value), Ok(()));
    }
}
