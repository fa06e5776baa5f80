//! Policies as Terraform: an `aws_iam_policy_document` and the resources it is for.

use config::member::Credential;
use config::names::{ExternalId, PolicyName};
use config::settings::{CREDENTIAL, Settings};
use config::{Document as Connection, Fault};
use policy::{Document, Effect, PrincipalKind, Statement};

use crate::hcl::{Block, Value, label};
use crate::{permissions, trust};

/// The credential of the guide, for when nobody names one.
const GUIDES_CREDENTIAL: &str = "kinesis-sensor-credential";

/// The trust policy, the role, and the Databricks credential that uses it.
///
/// # Errors
/// A usage fault when the role is not known.
pub(crate) fn trust(
    written: &trust::Written,
    connection: &Connection,
    settings: &Settings,
) -> Result<String, Fault> {
    let role = written.role.as_ref().ok_or_else(|| {
        Fault::usage("Terraform needs the role's ARN")
            .with_hint("add --role ARN, or leave --form out: the arn-like form fits Terraform")
    })?;
    let credential = match connection.get::<Credential>()? {
        Some(credential) => credential.name,
        None => settings
            .choose(&CREDENTIAL, None, None)
            .map_or_else(|| GUIDES_CREDENTIAL.to_owned(), |chosen| chosen.value),
    };
    let name = label(role.name().as_str());
    let document = format!("{name}_trust");
    // Databricks gives the external ID out with the credential, so Terraform may as well ask for it there.
    let external_id = format!("databricks_credential.{}.aws_iam_role[0].external_id", label(&credential));
    let external_id = written.is_placeholder.then_some(external_id.as_str());

    let mut resource =
        Block::labelled("resource", "aws_iam_role", &name).with("name", Value::Text(role.name().to_string()));
    if role.path() != "/" {
        resource = resource.with("path", Value::Text(role.path().to_owned()));
    }
    let resource = resource.with("assume_role_policy", json_of(&document));
    let credential = Block::labelled("resource", "databricks_credential", &label(&credential))
        .with("name", Value::Text(credential))
        .with("purpose", Value::Text("SERVICE".to_owned()))
        .with("skip_validation", Value::Flag(true))
        .with_block(Block::new("aws_iam_role").with("role_arn", Value::Text(role.to_string())));
    Ok(blocks(&[data(&document, &written.document, external_id), resource, credential]))
}

/// The permissions, and what they are attached to.
pub(crate) fn permissions(written: &permissions::Written) -> String {
    let Some(role) = &written.role else {
        let name = format!("{}-producer-policy", written.stream.name());
        let document = label(&name);
        return blocks(&[data(&document, &written.document, None), policy(&name, &document)]);
    };
    if !written.is_for_role {
        let name = label(written.stream.name().as_str());
        let target =
            written.document.statements().find_map(|statement| statement.resources()?.first().copied());
        let resource = Block::labelled("resource", "aws_kinesis_resource_policy", &name)
            .with("resource_arn", Value::Text(target.unwrap_or_default().to_owned()))
            .with("policy", json_of(&name));
        return blocks(&[data(&name, &written.document, None), resource]);
    }
    let name = PolicyName::of_role(role.name()).to_string();
    let document = label(&name);
    let attachment = Block::labelled("resource", "aws_iam_role_policy_attachment", &document)
        .with("role", Value::Text(role.name().to_string()))
        .with("policy_arn", Value::Expression(format!("aws_iam_policy.{document}.arn")));
    blocks(&[data(&document, &written.document, None), policy(&name, &document), attachment])
}

fn policy(name: &str, document: &str) -> Block {
    Block::labelled("resource", "aws_iam_policy", &label(name))
        .with("name", Value::Text(name.to_owned()))
        .with("policy", json_of(document))
}

fn json_of(document: &str) -> Value {
    Value::Expression(format!("data.aws_iam_policy_document.{document}.json"))
}

/// The policy document. `external_id` is the expression that takes the placeholder's place.
fn data(name: &str, document: &Document, external_id: Option<&str>) -> Block {
    document.statements().fold(Block::labelled("data", "aws_iam_policy_document", name), |data, written| {
        data.with_block(statement(&written, external_id))
    })
}

fn statement(written: &Statement<'_>, external_id: Option<&str>) -> Block {
    let effect = match written.effect() {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    let mut block = Block::new("statement");
    if let Some(sid) = written.sid() {
        block = block.with("sid", Value::Text(sid.to_owned()));
    }
    block = block.with("effect", Value::Text(effect.to_owned()));
    let lists = [
        ("actions", written.actions()),
        ("not_actions", written.not_actions()),
        ("resources", written.resources()),
        ("not_resources", written.not_resources()),
    ];
    for (name, items) in lists {
        if let Some(items) = items {
            block = block.with(name, Value::texts(items));
        }
    }
    for (name, kind, identifiers) in principals(written) {
        block = block.with_block(
            Block::new(name).with("type", Value::Text(kind)).with("identifiers", Value::texts(identifiers)),
        );
    }
    for condition in written.conditions() {
        let values = condition.values.iter().map(|value| match external_id {
            Some(expression) if value == ExternalId::PLACEHOLDER => Value::Expression(expression.to_owned()),
            _ => Value::Text(value.to_string()),
        });
        block = block.with_block(
            Block::new("condition")
                .with("test", Value::Text(condition.operator.to_owned()))
                .with("variable", Value::Text(condition.key.to_owned()))
                .with("values", Value::List(values.collect())),
        );
    }
    block
}

/// The principals of a statement, a block for each kind.
fn principals<'a>(written: &Statement<'a>) -> Vec<(&'static str, String, Vec<&'a str>)> {
    let sides = [("principals", written.principals()), ("not_principals", written.not_principals())];
    let mut blocks: Vec<(&'static str, String, Vec<&str>)> = Vec::new();
    for (name, named) in sides {
        for principal in named.unwrap_or_default() {
            let kind = match principal.kind {
                PrincipalKind::Aws => "AWS",
                PrincipalKind::Service => "Service",
                PrincipalKind::Federated => "Federated",
                PrincipalKind::CanonicalUser => "CanonicalUser",
                PrincipalKind::Other(other) => other,
            };
            match blocks.iter_mut().find(|(known, of, _)| *known == name && of == kind) {
                Some((_, _, identifiers)) => identifiers.push(principal.value),
                None => blocks.push((name, kind.to_owned(), vec![principal.value])),
            }
        }
    }
    blocks
}

fn blocks(blocks: &[Block]) -> String {
    blocks.iter().map(Block::to_text).collect::<Vec<_>>().join("\n")
}
