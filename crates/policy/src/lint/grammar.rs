//! What IAM refuses to save, beyond the shape that every document here already has.

use std::collections::BTreeMap;

use super::{Code, Finding, Kind};
use crate::Document;
use crate::pointer;
use crate::shape::{DOCUMENT_MEMBERS, PRINCIPAL_KINDS, STATEMENT_MEMBERS};
use crate::statement::{PrincipalKind, Statement};

const NEWEST_VERSION: &str = "2012-10-17";
const OLDEST_VERSION: &str = "2008-10-17";

pub(super) fn document(document: &Document) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(version(document));
    let members = document.as_value().as_object().into_iter().flatten();
    findings.extend(
        members
            .filter(|(name, _)| !DOCUMENT_MEMBERS.contains(&name.as_str()))
            .map(|(name, _)| unknown("", name)),
    );
    if document.statements().next().is_none() {
        findings.push(Finding::new(
            Code::NoStatement,
            "/Statement",
            "the policy has no statement",
            "add one, or delete the policy",
        ));
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for statement in document.statements() {
        let Some(sid) = statement.sid().filter(|sid| !sid.is_empty()) else { continue };
        if let Some(first) = names.insert(sid, statement.index()) {
            let message =
                format!("statement {} is named `{sid}` too, as statement {first} is", statement.index());
            findings.push(Finding::new(
                Code::DuplicateSid,
                statement.item_pointer("Sid", 0),
                message,
                "give each statement a Sid of its own",
            ));
        }
    }
    findings
}

pub(super) fn statement(statement: &Statement<'_>, kind: Kind<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let at = statement.pointer();
    findings.extend(
        statement
            .members()
            .keys()
            .filter(|name| !STATEMENT_MEMBERS.contains(&name.as_str()))
            .map(|name| unknown(&at, name)),
    );
    if let Some(sid) = statement.sid().filter(|sid| !sid.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        let message = format!("the Sid `{sid}` has other characters than letters and digits");
        findings.push(Finding::new(
            Code::SidCharacters,
            pointer::join(&at, "Sid"),
            message,
            "leave spaces, dashes and dots out",
        ));
    }
    for (member, list) in [
        ("Action", statement.actions()),
        ("NotAction", statement.not_actions()),
        ("Resource", statement.resources()),
        ("NotResource", statement.not_resources()),
        ("Principal", statement.principals().map(|named| named.iter().map(|name| name.value).collect())),
        (
            "NotPrincipal",
            statement.not_principals().map(|named| named.iter().map(|name| name.value).collect()),
        ),
    ] {
        if list.is_some_and(|list| list.is_empty()) {
            let message = format!(
                "`{member}` is empty, so the statement {}",
                if member.starts_with("Not") { "leaves nothing out" } else { "matches nothing" }
            );
            findings.push(Finding::new(
                Code::EmptyList,
                pointer::join(&at, member),
                message,
                "fill the list, or remove the statement",
            ));
        }
    }
    findings.extend(placement(statement, kind));
    findings.extend(actions(statement));
    findings.extend(principal_kinds(statement));
    findings
}

fn version(document: &Document) -> Option<Finding> {
    let hint = format!("write \"Version\": \"{NEWEST_VERSION}\"");
    match document.version() {
        Some(NEWEST_VERSION) => None,
        None | Some(OLDEST_VERSION) => {
            let pointer = if document.version().is_some() { "/Version" } else { "" };
            Some(if document.to_string().contains("${") {
                let message =
                    "variables such as `${aws:username}` are plain text in this version of the language";
                Finding::new(Code::VariablesNotReplaced, pointer, message, hint)
            } else {
                Finding::new(
                    Code::OldVersion,
                    pointer,
                    format!("the policy is of version {OLDEST_VERSION}"),
                    hint,
                )
            })
        }
        Some(other) => Some(Finding::new(
            Code::UnknownVersion,
            "/Version",
            format!("there is no version `{other}`"),
            hint,
        )),
    }
}

fn unknown(at: &str, name: &str) -> Finding {
    let message = format!("IAM knows no member `{name}` here");
    Finding::new(
        Code::UnknownMember,
        pointer::join(at, name),
        message,
        "remove it; comments have no place in a policy",
    )
}

/// Who and what a statement names depends on what the policy is attached to.
fn placement(statement: &Statement<'_>, kind: Kind<'_>) -> Option<Finding> {
    let at = statement.pointer();
    let names_principal = statement.principals().is_some() || statement.not_principals().is_some();
    let names_resource = statement.resources().is_some() || statement.not_resources().is_some();
    match kind {
        Kind::Trust { .. } | Kind::Resource { .. } if !names_principal => Some(Finding::new(
            Code::PrincipalMisplaced,
            at,
            "this kind of policy says whom it lets in, this statement does not",
            "add a `Principal`",
        )),
        Kind::Trust { .. } if names_resource => Some(Finding::new(
            Code::ResourceMisplaced,
            at,
            "a trust policy is about the role it is attached to and names no resource",
            "remove `Resource`; if this is a permission policy, check it as one",
        )),
        Kind::Identity if names_principal => Some(Finding::new(
            Code::PrincipalMisplaced,
            at,
            "a permission policy is about whom it is attached to and names no principal",
            "remove `Principal`; if this is a trust policy, check it as one",
        )),
        Kind::Identity | Kind::Resource { .. } if !names_resource => Some(Finding::new(
            Code::ResourceMisplaced,
            at,
            "this kind of policy says on what, this statement does not",
            "add a `Resource`",
        )),
        Kind::Trust { .. } | Kind::Identity | Kind::Resource { .. } => None,
    }
}

fn actions(statement: &Statement<'_>) -> Vec<Finding> {
    let (member, list) = statement
        .actions()
        .map_or_else(|| ("NotAction", statement.not_actions()), |list| ("Action", Some(list)));
    let wrong = |action: &str| {
        let Some((service, name)) = action.split_once(':') else { return action != "*" };
        let prefix =
            !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !prefix
            || name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*?".contains(&byte))
    };
    list.unwrap_or_default()
        .into_iter()
        .enumerate()
        .filter(|(_, action)| wrong(action))
        .map(|(index, action)| {
            let message = format!("`{action}` is no action");
            Finding::new(
                Code::ActionSyntax,
                statement.item_pointer(member, index),
                message,
                "write `service:Name`, such as `kinesis:GetRecords`",
            )
        })
        .collect()
}

fn principal_kinds(statement: &Statement<'_>) -> Vec<Finding> {
    let named = statement.principals().or_else(|| statement.not_principals()).unwrap_or_default();
    named
        .into_iter()
        .filter_map(|name| match name.kind {
            PrincipalKind::Other(kind) => Some(Finding::new(
                Code::InvalidPrincipal,
                name.pointer,
                format!("IAM knows no kind of principal `{kind}`"),
                format!("use one of {}", PRINCIPAL_KINDS.join(", ")),
            )),
            PrincipalKind::Aws
            | PrincipalKind::Service
            | PrincipalKind::Federated
            | PrincipalKind::CanonicalUser => None,
        })
        .collect()
}
