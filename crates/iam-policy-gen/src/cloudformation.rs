//! Policies as a CloudFormation template, in JSON.

use config::Fault;
use config::names::PolicyName;
use serde_json::{Map, Value, json};

use crate::{permissions, trust};

/// The role with its trust policy.
///
/// # Errors
/// A usage fault when the role is not known.
pub(crate) fn trust(written: &trust::Written) -> Result<String, Fault> {
    let role = written.role.as_ref().ok_or_else(|| {
        Fault::usage("CloudFormation needs the role's ARN")
            .with_hint("add --role ARN, or leave --form out: the arn-like form fits CloudFormation")
    })?;
    let properties = json!({
        "RoleName": role.name(),
        "Path": role.path(),
        "AssumeRolePolicyDocument": written.document.as_value()
    });
    template("Role", "AWS::IAM::Role", &properties)
}

/// The permissions as a policy of their own, attached to the role.
///
/// # Errors
/// Never for documents that were written.
pub(crate) fn permissions(written: &permissions::Written) -> Result<String, Fault> {
    let document = written.document.as_value();
    match &written.role {
        None => {
            let name = format!("{}-producer-policy", written.stream.name());
            template(
                "ProducerPolicy",
                MANAGED_POLICY,
                &json!({"ManagedPolicyName": name, "PolicyDocument": document}),
            )
        }
        Some(_) if !written.is_for_role => {
            let target =
                written.document.statements().find_map(|statement| statement.resources()?.first().copied());
            template(
                "StreamPolicy",
                "AWS::Kinesis::ResourcePolicy",
                &json!({"ResourceArn": target, "ResourcePolicy": document}),
            )
        }
        Some(role) => template(
            "RolePolicy",
            MANAGED_POLICY,
            &json!({
                "ManagedPolicyName": PolicyName::of_role(role.name()),
                "Roles": [role.name()],
                "PolicyDocument": document
            }),
        ),
    }
}

const MANAGED_POLICY: &str = "AWS::IAM::ManagedPolicy";

fn template(name: &str, kind: &str, properties: &Value) -> Result<String, Fault> {
    let mut resources = Map::new();
    resources.insert(name.to_owned(), json!({"Type": kind, "Properties": properties}));
    let template = json!({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources});
    let text = serde_json::to_string_pretty(&template)
        .map_err(|error| Fault::pipe("failed to write the template").with_cause(error))?;
    Ok(format!("{text}\n"))
}
