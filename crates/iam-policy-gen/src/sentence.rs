//! What a statement says, in words: who may do what to what, and when.

use policy::trust::{DatabricksPartition, PLACEHOLDER_EXTERNAL_ID};
use policy::{Condition, Effect, NamedPrincipal, Operator, PrincipalKind, Statement, Test};

/// What an action is for, where the name does not say it to everybody.
const PURPOSES: &[(&str, &str)] = &[
    ("kinesis:DescribeStreamSummary", "see whether the stream is active"),
    ("kinesis:ListShards", "find the stream's shards"),
    ("kinesis:GetShardIterator", "choose where to start reading"),
    ("kinesis:GetRecords", "read records"),
    ("kinesis:RegisterStreamConsumer", "register a fan-out consumer"),
    ("kinesis:ListStreamConsumers", "find its fan-out consumer"),
    ("kinesis:SubscribeToShard", "have records pushed to it"),
    ("kinesis:DescribeStreamConsumer", "see whether its consumer is ready"),
    ("kinesis:DeregisterStreamConsumer", "remove its consumer"),
    ("kinesis:PutRecord", "write a record"),
    ("kinesis:PutRecords", "write many records"),
    ("sts:AssumeRole", "become the role"),
    ("kms:Decrypt", "decrypt"),
    ("kms:GenerateDataKey", "encrypt"),
];

/// The sentence, with a full stop: it stands alone.
pub(crate) fn of(statement: &Statement<'_>) -> String {
    let who = who(statement);
    let verb = match statement.effect() {
        Effect::Allow => "may",
        Effect::Deny => "may never",
    };
    let mut sentence = format!("{who} {verb} {}", what(statement));
    if let Some(target) = target(statement) {
        sentence.push_str(", on ");
        sentence.push_str(&target);
    }
    let conditions: Vec<String> = statement.conditions().iter().map(condition).collect();
    if !conditions.is_empty() {
        sentence.push_str(", if ");
        sentence.push_str(&conditions.join(" and "));
    }
    sentence.push('.');
    let mut characters = sentence.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

fn who(statement: &Statement<'_>) -> String {
    if let Some(named) = statement.principals() {
        return list(named.iter().map(principal), "and").unwrap_or_else(|| "Nobody".to_owned());
    }
    match statement.not_principals() {
        Some(named) => {
            let names = list(named.iter().map(principal), "and").unwrap_or_else(|| "nobody".to_owned());
            format!("Everybody but {names}")
        }
        None => "Whoever has this policy".to_owned(),
    }
}

fn principal(named: &NamedPrincipal<'_>) -> String {
    let value = named.value;
    let is_unity_catalog = DatabricksPartition::ALL.iter().any(|known| known.unity_catalog_role() == value);
    match named.kind {
        PrincipalKind::Aws if value == "*" => "Everybody".to_owned(),
        PrincipalKind::Aws if is_unity_catalog => "Databricks' Unity Catalog role".to_owned(),
        PrincipalKind::Aws if value.starts_with("AROA") || value.starts_with("AIDA") => {
            format!("a role or user that was deleted (`{value}`)")
        }
        PrincipalKind::Aws if value.len() == 12 || value.ends_with(":root") => {
            let account = value.trim_end_matches(":root").rsplit(':').next().unwrap_or(value);
            format!("anybody in account {account} whose own policies allow it")
        }
        PrincipalKind::Aws => format!("`{value}`"),
        PrincipalKind::Service => format!("the AWS service `{value}`"),
        PrincipalKind::Federated => format!("users of the identity provider `{value}`"),
        PrincipalKind::CanonicalUser | PrincipalKind::Other(_) => format!("`{value}`"),
    }
}

fn what(statement: &Statement<'_>) -> String {
    match (statement.actions(), statement.not_actions()) {
        (Some(actions), _) => {
            let all = list(actions.iter().map(|action| purpose(action)), "and");
            all.unwrap_or_else(|| "do nothing".to_owned())
        }
        (None, Some(actions)) => {
            let names = actions.iter().map(|action| format!("`{action}`"));
            format!("do everything but {}", list(names, "and").unwrap_or_else(|| "nothing".to_owned()))
        }
        (None, None) => "do nothing".to_owned(),
    }
}

fn purpose(action: &str) -> String {
    if action == "*" {
        return "do everything".to_owned();
    }
    if let Some(service) = action.strip_suffix(":*") {
        return format!("do everything in `{service}`");
    }
    match PURPOSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(action)) {
        Some((name, purpose)) => format!("{purpose} (`{name}`)"),
        None => format!("do `{action}`"),
    }
}

fn target(statement: &Statement<'_>) -> Option<String> {
    let shown = |text: &str| if text == "*" { "everything".to_owned() } else { format!("`{text}`") };
    if let Some(resources) = statement.resources() {
        return list(resources.into_iter().map(shown), "and");
    }
    let but = list(statement.not_resources()?.into_iter().map(shown), "and")?;
    Some(format!("everything but {but}"))
}

fn condition(condition: &Condition<'_>) -> String {
    let subject = match condition.key.to_ascii_lowercase().as_str() {
        "sts:externalid" => "the external ID".to_owned(),
        "aws:principalarn" => "the caller's ARN".to_owned(),
        "kms:viaservice" => "the service that uses the key for the caller".to_owned(),
        "kms:encryptioncontext:aws:kinesis:arn" => "the stream that the data is from".to_owned(),
        "aws:securetransport" => "the use of TLS".to_owned(),
        _ => format!("`{}`", condition.key),
    };
    let is_external_id = condition.key.eq_ignore_ascii_case("sts:ExternalId");
    let values = condition.values.iter().map(|value| match value.as_ref() {
        PLACEHOLDER_EXTERNAL_ID if is_external_id => {
            format!("`{PLACEHOLDER_EXTERNAL_ID}`, the placeholder that Databricks never sends")
        }
        other => format!("`{other}`"),
    });
    let values = list(values, "or").unwrap_or_else(|| "nothing".to_owned());
    let relation = relation(condition.operator);
    format!("{subject} {relation} {values}")
}

/// The operator in words; one that the words do not fit is named.
fn relation(operator: &str) -> String {
    let Some(parsed) = Operator::parse(operator) else { return format!("passes `{operator}` with") };
    if parsed.quantifier.is_some() {
        return format!("passes `{operator}` with");
    }
    let words = match parsed.test {
        Test::StringEquals
        | Test::ArnEquals
        | Test::NumericEquals
        | Test::DateEquals
        | Test::Bool
        | Test::BinaryEquals => "is",
        Test::StringEqualsIgnoreCase => "is, in any case,",
        Test::StringNotEquals
        | Test::StringNotEqualsIgnoreCase
        | Test::ArnNotEquals
        | Test::NumericNotEquals
        | Test::DateNotEquals => "is not",
        Test::StringLike | Test::ArnLike => "is like",
        Test::StringNotLike | Test::ArnNotLike => "is not like",
        Test::NumericLessThan => "is less than",
        Test::NumericLessThanEquals => "is at most",
        Test::NumericGreaterThan => "is more than",
        Test::NumericGreaterThanEquals => "is at least",
        Test::DateLessThan | Test::DateLessThanEquals => "is before",
        Test::DateGreaterThan | Test::DateGreaterThanEquals => "is after",
        Test::IpAddress => "is an address of",
        Test::NotIpAddress => "is no address of",
        Test::Null => "is absent:",
    };
    if parsed.if_exists { format!("{words}, where there is one,") } else { words.to_owned() }
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: impl Iterator<Item = String>, last: &str) -> Option<String> {
    let mut items: Vec<String> = items.collect();
    let end = items.pop()?;
    Some(if items.is_empty() { end } else { format!("{} {last} {end}", items.join(", ")) })
}

#[cfg(test)]
mod tests {
    use policy::Document;
    use serde_json::{Value, json};

    use super::of;

    fn check(statement: &Value, expected: &str) {
        let document = Document::from_value(json!({"Statement": [statement]})).unwrap();
        let sentences: Vec<String> = document.statements().map(|statement| of(&statement)).collect();
        assert_eq!(sentences, [expected]);
    }

    #[test]
    fn the_guides_statements_in_words() {
        check(
            &json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"},
                "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "0000"}}}),
            "Databricks' Unity Catalog role may become the role (`sts:AssumeRole`), if the external ID is `0000`, the placeholder that Databricks never sends.",
        );
        check(
            &json!({"Effect": "Allow", "Action": ["kinesis:ListShards", "kinesis:GetRecords"],
                "Resource": "arn:aws:kinesis:eu-central-1:123456789012:stream/s"}),
            "Whoever has this policy may find the stream's shards (`kinesis:ListShards`) and read records (`kinesis:GetRecords`), on `arn:aws:kinesis:eu-central-1:123456789012:stream/s`.",
        );
        check(
            &json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole",
                "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/r"}, "StringEquals": {"sts:ExternalId": ["a1", "b2"]}}}),
            "Anybody in account 123456789012 whose own policies allow it may become the role (`sts:AssumeRole`), if the caller's ARN is like `arn:aws:iam::123456789012:role/r` and the external ID is `a1` or `b2`.",
        );
    }

    #[test]
    fn refusals_and_exceptions_are_said() {
        check(
            &json!({"Effect": "Deny", "NotAction": "kinesis:GetRecords", "NotResource": "arn:aws:kinesis:eu-central-1:123456789012:stream/s",
                "Condition": {"BoolIfExists": {"aws:SecureTransport": false}}}),
            "Whoever has this policy may never do everything but `kinesis:GetRecords`, on everything but `arn:aws:kinesis:eu-central-1:123456789012:stream/s`, if the use of TLS is, where there is one, `false`.",
        );
        check(
            &json!({"Effect": "Deny", "NotPrincipal": {"AWS": "AROAEXAMPLE1"}, "Action": ["s3:*", "*"]}),
            "Everybody but a role or user that was deleted (`AROAEXAMPLE1`) may never do everything in `s3` and do everything.",
        );
    }
}
