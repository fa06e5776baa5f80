//! Policy documents as cases write them.

use serde_json::{Value, json};

/// Databricks' role that comes for the credential's.
pub(crate) const MASTER: &str =
    "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
/// The role of the guide.
pub(crate) const ROLE: &str = "databricks-kinesis-role";
/// Its ARN.
pub(crate) const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";
/// The stream of the guide.
pub(crate) const STREAM_ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";
/// The account's root.
pub(crate) const ROOT: &str = "arn:aws:iam::123456789012:root";
/// What Databricks does with a stream.
pub(crate) const READ: [&str; 4] =
    ["kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords"];

/// A policy of these statements.
pub(crate) fn policy(statements: impl IntoIterator<Item = Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements.into_iter().collect::<Vec<_>>() })
}

/// Lets these principals assume the role, under a condition unless it is null.
pub(crate) fn let_in(principals: &[&str], condition: &Value) -> Value {
    let mut statement =
        json!({ "Effect": "Allow", "Principal": { "AWS": principals }, "Action": "sts:AssumeRole" });
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

/// Keeps these principals out, under a condition unless it is null.
pub(crate) fn keep_out(principals: &Value, condition: &Value) -> Value {
    let mut statement = json!({ "Sid": "SomebodyElses", "Effect": "Deny", "Principal": principals,
        "Action": "sts:AssumeRole" });
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

/// The condition that asks for an external ID.
pub(crate) fn id(external_id: &str) -> Value {
    json!({ "StringEquals": { "sts:ExternalId": external_id } })
}

/// A statement of an identity policy.
pub(crate) fn statement(effect: &str, actions: &[&str], resource: &str) -> Value {
    json!({ "Effect": effect, "Action": actions, "Resource": resource })
}

/// Lets the role read a stream, with these actions.
pub(crate) fn reads(actions: &[&str], stream: &str) -> Value {
    statement("Allow", actions, stream)
}

/// Lets the role assume itself.
pub(crate) fn assumes_itself() -> Value {
    statement("Allow", &["sts:AssumeRole"], ROLE_ARN)
}
