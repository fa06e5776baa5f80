//! What IAM refuses to store: the checks of a trust policy and of a permission policy, in IAM's words.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::name::check_length;
use super::quota::{self, Quotas};
use crate::error::ServiceError;

/// The longest document on the wire, by the service model.
const LONGEST_DOCUMENT: usize = 131_072;

/// Which rules a document has to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// Who may assume a role.
    Trust,
    /// What an identity may do.
    Permissions,
}

/// The refusal of a document.
pub(crate) fn malformed(message: impl Into<String>) -> ServiceError {
    ServiceError::new(400, "MalformedPolicyDocument", message)
}

/// Parses a trust policy and checks all but its principals, which only the store can resolve.
pub(crate) fn trust(text: &str, member: &str, quotas: &Quotas) -> Result<Value, ServiceError> {
    check_letters(text, member)?;
    let document = parse(text, "This policy contains invalid Json")?;
    check_members(&document, DocumentKind::Trust)?;
    for statement in statements(&document) {
        check_trust_statement(statement)?;
    }
    check_sids(&document)?;
    quota::check("ACLSizePerRole", quota::policy_length(text), quotas.trust_policy_size)?;
    Ok(document)
}

/// Parses a permission policy and checks it. Its size is the caller's to check: inline and managed differ.
pub(crate) fn permissions(text: &str) -> Result<Value, ServiceError> {
    check_letters(text, "policyDocument")?;
    let document = parse(text, "Syntax errors in policy.")?;
    check_members(&document, DocumentKind::Permissions)?;
    for statement in statements(&document) {
        check_permission_statement(statement)?;
    }
    check_sids(&document)?;
    Ok(document)
}

/// The statements: one object stands for a list of one.
pub(crate) fn statements(document: &Value) -> impl Iterator<Item = &Value> {
    one_or_many(document.get("Statement"))
}

/// A value or a list of values.
pub(crate) fn one_or_many(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (list, single) = match value {
        Some(Value::Array(list)) => (list.as_slice(), None),
        other => (&[][..], other),
    };
    list.iter().chain(single)
}

fn check_letters(text: &str, member: &str) -> Result<(), ServiceError> {
    check_length(member, text, 1, LONGEST_DOCUMENT)?;
    let allowed = |letter| matches!(letter, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(ServiceError::validation(format!(
        "The specified value for {member} is invalid. It must contain only printable ASCII characters."
    )))
}

fn parse(text: &str, complaint: &str) -> Result<Value, ServiceError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        _ => Err(malformed(complaint)),
    }
}

fn check_members(document: &Value, kind: DocumentKind) -> Result<(), ServiceError> {
    let words = |specific: String| match kind {
        DocumentKind::Trust => malformed(specific),
        DocumentKind::Permissions => malformed("Syntax errors in policy."),
    };
    let Value::Object(members) = document else {
        return Err(words("This policy contains invalid Json".to_owned()));
    };
    if let Some(unknown) =
        members.keys().find(|name| !["Version", "Id", "Statement"].contains(&name.as_str()))
    {
        return Err(words(format!("Unknown field {unknown}")));
    }
    match members.get("Version") {
        None => {}
        Some(Value::String(version)) if version == "2012-10-17" || version == "2008-10-17" => {}
        Some(_) => return Err(words("The policy must contain a valid version string".to_owned())),
    }
    if !members.contains_key("Statement") {
        return Err(words("Missing required field Statement".to_owned()));
    }
    if statements(document).next().is_none() {
        return Err(words("Could not parse the policy: Statement is empty!".to_owned()));
    }
    for statement in statements(document) {
        let Value::Object(members) = statement else {
            return Err(words("This policy contains invalid Json".to_owned()));
        };
        check_statement_members(members, words)?;
    }
    Ok(())
}

/// The members that every statement shares.
fn check_statement_members(
    members: &Map<String, Value>,
    words: impl Fn(String) -> ServiceError,
) -> Result<(), ServiceError> {
    const KNOWN: [&str; 9] = [
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
    if let Some(unknown) = members.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(words(format!("Unknown field {unknown}")));
    }
    match members.get("Effect") {
        Some(Value::String(effect)) if effect == "Allow" || effect == "Deny" => {}
        Some(other) => {
            let shown = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
            return Err(words(format!("Invalid effect: {shown}")));
        }
        None => return Err(words("Missing required field Effect".to_owned())),
    }
    for (name, other) in [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")]
    {
        if members.contains_key(name) && members.contains_key(other) {
            return Err(words(format!("Statement has both {name} and {other}")));
        }
    }
    for name in ["Action", "NotAction", "Resource", "NotResource"] {
        if one_or_many(members.get(name)).any(|value| !value.is_string()) {
            return Err(words(format!("{name} must be a string or a list of strings")));
        }
    }
    check_conditions(members.get("Condition"), words)
}

fn check_conditions(
    conditions: Option<&Value>,
    words: impl Fn(String) -> ServiceError,
) -> Result<(), ServiceError> {
    let operators = match conditions {
        None => return Ok(()),
        Some(Value::Object(operators)) => operators,
        Some(_) => return Err(words("Condition must be an object".to_owned())),
    };
    for (operator, keys) in operators {
        if !is_operator(operator) {
            return Err(words(format!("Invalid Condition type : {operator}.")));
        }
        let Value::Object(keys) = keys else {
            return Err(words(format!("Condition {operator} must be an object")));
        };
        let scalar = |value: &Value| value.is_string() || value.is_boolean() || value.is_number();
        if keys.values().any(|values| !one_or_many(Some(values)).all(scalar)) {
            return Err(words(format!("Condition {operator} has a value that is not a scalar")));
        }
    }
    Ok(())
}

/// Whether IAM knows a condition operator, with its prefix and suffix.
fn is_operator(name: &str) -> bool {
    const OPERATORS: [&str; 27] = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "ArnNotLike",
        "Null",
    ];
    let name =
        name.strip_prefix("ForAllValues:").or_else(|| name.strip_prefix("ForAnyValue:")).unwrap_or(name);
    let name = name.strip_suffix("IfExists").unwrap_or(name);
    OPERATORS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn check_trust_statement(statement: &Value) -> Result<(), ServiceError> {
    for name in ["Resource", "NotResource"] {
        if statement.get(name).is_some() {
            return Err(malformed(format!("Has prohibited field {name}")));
        }
    }
    if statement.get("Principal").is_none() && statement.get("NotPrincipal").is_none() {
        return Err(malformed("Missing required field Principal"));
    }
    let mut actions = one_or_many(statement.get("Action"))
        .chain(one_or_many(statement.get("NotAction")))
        .filter_map(Value::as_str)
        .peekable();
    if actions.peek().is_none() {
        return Err(malformed("Missing required field Action"));
    }
    if actions.any(|action| !action.to_ascii_lowercase().starts_with("sts:")) {
        return Err(malformed("AssumeRole policy may only specify STS AssumeRole actions."));
    }
    Ok(())
}

fn check_permission_statement(statement: &Value) -> Result<(), ServiceError> {
    if statement.get("Principal").is_some() || statement.get("NotPrincipal").is_some() {
        return Err(malformed("Policy document should not specify a principal."));
    }
    let strings = |name: &str, not: &str| -> Vec<String> {
        one_or_many(statement.get(name))
            .chain(one_or_many(statement.get(not)))
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let actions = strings("Action", "NotAction");
    if actions.is_empty() {
        return Err(malformed("Policy statement must contain actions."));
    }
    let resources = strings("Resource", "NotResource");
    if resources.is_empty() {
        return Err(malformed("Policy statement must contain resources."));
    }
    actions.iter().try_for_each(|action| check_action(action))?;
    resources.iter().try_for_each(|resource| check_resource(resource))
}

fn check_action(action: &str) -> Result<(), ServiceError> {
    if action == "*" {
        return Ok(());
    }
    let Some((vendor, name)) = action.split_once(':') else {
        return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
    };
    if vendor.is_empty() || !vendor.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
        return Err(malformed(format!("Vendor {vendor} is not valid")));
    }
    if name.is_empty() || name.contains(':') {
        return Err(malformed("Actions/Condition can contain only one colon."));
    }
    Ok(())
}

fn check_resource(resource: &str) -> Result<(), ServiceError> {
    if resource == "*" {
        return Ok(());
    }
    let Some(rest) = resource.strip_prefix("arn:") else {
        return Err(malformed(format!("Resource {resource} must be in ARN format or \"*\".")));
    };
    let fields: Vec<&str> = rest.splitn(5, ':').collect();
    let [partition, vendor, _, _, _] = fields[..] else {
        return Err(malformed(format!("Resource {resource} must be in ARN format or \"*\".")));
    };
    if partition != "*" && !partition.starts_with("aws") {
        return Err(malformed(format!(
            "Partition \"{partition}\" is not valid for resource \"{resource}\"."
        )));
    }
    if vendor != "*" && vendor.contains(['*', '?']) {
        return Err(malformed("Resource vendor must be fully qualified and cannot contain regexes."));
    }
    Ok(())
}

fn check_sids(document: &Value) -> Result<(), ServiceError> {
    let mut seen = BTreeSet::new();
    for sid in statements(document).filter_map(|statement| statement.get("Sid")) {
        let Some(sid) = sid.as_str() else {
            return Err(malformed("Syntax errors in policy."));
        };
        if !sid.chars().all(|letter| letter.is_ascii_alphanumeric()) {
            return Err(malformed(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
            ));
        }
        if !sid.is_empty() && !seen.insert(sid) {
            return Err(malformed("Statement IDs (SID) in a single policy must be unique."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse_trust(document: &str, message: &str) {
        let error = trust(document, "assumeRolePolicyDocument", &Quotas::default()).unwrap_err();
        assert_eq!(
            (error.code.as_ref(), error.message.as_str()),
            ("MalformedPolicyDocument", message),
            "{document}"
        );
    }

    fn refuse_permissions(document: &str, message: &str) {
        let error = permissions(document).unwrap_err();
        assert_eq!(
            (error.code.as_ref(), error.message.as_str()),
            ("MalformedPolicyDocument", message),
            "{document}"
        );
    }

    #[test]
    fn a_trust_policy_is_refused_in_iams_words() {
        let statement = |members: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#);
        refuse_trust("{", "This policy contains invalid Json");
        refuse_trust("[]", "This policy contains invalid Json");
        refuse_trust("{}", "Missing required field Statement");
        refuse_trust(r#"{"Statement":[]}"#, "Could not parse the policy: Statement is empty!");
        refuse_trust(
            r#"{"Version":"2012","Statement":[{}]}"#,
            "The policy must contain a valid version string",
        );
        refuse_trust(r#"{"version":"2012-10-17","Statement":[{}]}"#, "Unknown field version");
        refuse_trust(&statement(""), "Missing required field Effect");
        refuse_trust(&statement(r#""Effect":"allow""#), "Invalid effect: allow");
        refuse_trust(
            &statement(r#""Effect":"Allow","Action":"sts:AssumeRole""#),
            "Missing required field Principal",
        );
        refuse_trust(&statement(r#""Effect":"Allow","Principal":"*""#), "Missing required field Action");
        refuse_trust(
            &statement(r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*""#),
            "Has prohibited field Resource",
        );
        refuse_trust(
            &statement(r#""Effect":"Allow","Principal":"*","Action":"s3:GetObject""#),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        );
        refuse_trust(
            &statement(
                r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{"StringEqual":{"a":"b"}}"#,
            ),
            "Invalid Condition type : StringEqual.",
        );
    }

    #[test]
    fn a_permission_policy_is_refused_in_iams_words() {
        let statement = |members: &str| {
            format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow",{members}}}}}"#)
        };
        refuse_permissions("{}", "Syntax errors in policy.");
        refuse_permissions(r#"{"Statement":{"Effect":"allow"}}"#, "Syntax errors in policy.");
        refuse_permissions(&statement(r#""Resource":"*""#), "Policy statement must contain actions.");
        refuse_permissions(
            &statement(r#""Action":"kinesis:PutRecord""#),
            "Policy statement must contain resources.",
        );
        refuse_permissions(
            &statement(r#""Action":"PutRecord","Resource":"*""#),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        );
        refuse_permissions(&statement(r#""Action":"k s:a","Resource":"*""#), "Vendor k s is not valid");
        refuse_permissions(
            &statement(r#""Action":"kinesis:*","Resource":"stream/x""#),
            r#"Resource stream/x must be in ARN format or "*"."#,
        );
        refuse_permissions(
            &statement(r#""Action":"kinesis:*","Resource":"arn:gcp:kinesis:::x""#),
            r#"Partition "gcp" is not valid for resource "arn:gcp:kinesis:::x"."#,
        );
        refuse_permissions(
            &statement(r#""Action":"kinesis:*","Resource":"*","Principal":"*""#),
            "Policy document should not specify a principal.",
        );
        refuse_permissions(
            r#"{"Statement":[{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"}]}"#,
            "Statement IDs (SID) in a single policy must be unique.",
        );
    }

    #[test]
    fn a_long_trust_policy_exceeds_its_quota_and_white_space_does_not_count() {
        let document = |filler: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Condition":{{"StringEquals":{{"sts:ExternalId":"{filler}"}}}}}}}}"#
            )
        };
        let check = |text: &str| trust(text, "policyDocument", &Quotas::default());
        let error = check(&document(&"x".repeat(2000))).unwrap_err();
        assert_eq!((error.status, error.code.as_ref()), (409, "LimitExceeded"));
        assert_eq!(error.message, "Cannot exceed quota for ACLSizePerRole: 2048");
        let spacious = document("x").replace(":{", &format!(":{}{{", " ".repeat(2000)));
        assert!(check(&spacious).is_ok());
    }

    #[test]
    fn letters_beyond_latin_1_are_refused() {
        let error = permissions(r#"{"Statement":{"Sid":"“quoted”"}}"#).unwrap_err();
        assert_eq!(error.code, "ValidationError");
    }
}
