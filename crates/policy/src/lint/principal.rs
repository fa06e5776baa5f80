//! Whom a trust policy or a resource's policy lets in, and who should not be among them.

use super::{Code, Finding, Kind};
use crate::arn::{self, Arn};
use crate::operator::{Operator, Quantifier};
use crate::pattern::Pattern;
use crate::statement::{Effect, NamedPrincipal, PrincipalKind, Statement};
use crate::trust::DatabricksPartition;
use crate::trust::ownership::EXTERNAL_ID;

/// Condition keys, in lower case, that say which principals or organizations may come: with one of them `*` is not everyone.
const NARROWING_KEYS: [&str; 8] = [
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:userid",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgid",
];

/// Actions besides `AssumeRole…` that a trust policy can grant, in lower case.
const SESSION_ACTIONS: [&str; 3] = ["sts:tagsession", "sts:setsourceidentity", "sts:setcontext"];

pub(super) fn check(statement: &Statement<'_>, kind: Kind<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (account, is_trust) = match kind {
        Kind::Trust { account } => (account, true),
        Kind::Resource { account } => (account, false),
        // That it names principals at all is what is wrong there.
        Kind::Identity => return findings,
    };
    if statement.not_principals().is_some() && statement.effect() == Effect::Allow {
        findings.push(Finding::new(
            Code::NotPrincipal,
            statement.item_pointer("NotPrincipal", 0),
            "allowing all but some lets everyone else in, strangers included",
            "name those to let in, in `Principal`",
        ));
    }
    let named = statement.principals().or_else(|| statement.not_principals()).unwrap_or_default();
    findings.extend(named.iter().filter_map(form));
    findings.extend(partitions(&named));
    if is_trust {
        findings.extend(actions(statement));
    }
    if statement.effect() == Effect::Allow && statement.principals().is_some() {
        findings.extend(named.iter().filter_map(|name| reach(name, statement, account)));
        if is_trust {
            findings.extend(confused_deputy(&named, statement, account));
        }
    }
    findings
}

/// Names that IAM does not take or that mean nobody.
fn form(name: &NamedPrincipal<'_>) -> Option<Finding> {
    let value = name.value;
    if name.kind != PrincipalKind::Aws || value == "*" || arn::is_account(value) {
        return None;
    }
    let at = &name.pointer;
    if name.is_dead() {
        let message = format!(
            "`{value}` is the id of a deleted role or user; nobody is it any more, a namesake made since included"
        );
        return Some(Finding::new(Code::DeadPrincipal, at, message, "put the ARN in again"));
    }
    if value.contains(['*', '?']) {
        let message = format!("`{value}` matches nobody: a principal takes no wildcards but a bare `*`");
        let hint = "name the account, and narrow it down with a condition `ArnLike` on `aws:PrincipalArn`";
        return Some(Finding::new(Code::WildcardInPrincipal, at, message, hint));
    }
    let parts = Arn::split(value).filter(|arn| arn::is_account(arn.account) || arn.account == "cloudfront");
    let known = parts.is_some_and(|arn| {
        let (kind, rest) = arn.resource.split_once('/').unwrap_or((arn.resource, ""));
        match (arn.service, kind) {
            ("iam", "root") => rest.is_empty(),
            ("iam", "user" | "role") | ("sts", "federated-user") => !rest.is_empty(),
            ("sts", "assumed-role") => rest.split('/').filter(|part| !part.is_empty()).count() == 2,
            _ => false,
        }
    });
    (!known).then(|| {
        let message = format!("`{value}` is no principal that IAM takes");
        Finding::new(
            Code::InvalidPrincipal,
            at,
            message,
            "write `arn:aws:iam::ACCOUNT:role/NAME`, an account id, or `*`",
        )
    })
}

/// Roles of one partition cannot be assumed from another.
fn partitions(named: &[NamedPrincipal<'_>]) -> Option<Finding> {
    let mut parts = named.iter().filter_map(|name| Some((name, Arn::split(name.value)?.partition)));
    let (_, first) = parts.next()?;
    let (name, other) = parts.find(|(_, partition)| *partition != first)?;
    let message = format!(
        "`{}` is in partition `{other}`, others here are in `{first}`; they cannot trust each other",
        name.value
    );
    Some(Finding::new(
        Code::PartitionMismatch,
        &name.pointer,
        message,
        "use the ARN of the partition that the role is in",
    ))
}

fn actions(statement: &Statement<'_>) -> Vec<Finding> {
    let grants = |action: &str| {
        let action = action.to_ascii_lowercase();
        action.starts_with("sts:assumerole")
            || SESSION_ACTIONS.contains(&action.as_str())
            || (action.starts_with("sts:") && action.contains(['*', '?']))
    };
    let list = statement.actions().filter(|_| statement.effect() == Effect::Allow).unwrap_or_default();
    list.into_iter()
        .enumerate()
        .filter(|(_, action)| !grants(action))
        .map(|(index, action)| {
            let message = format!("a trust policy cannot grant `{action}`");
            Finding::new(
                Code::NotATrustAction,
                statement.item_pointer("Action", index),
                message,
                "write `sts:AssumeRole`",
            )
        })
        .collect()
}

/// Names that let in more than one should.
fn reach(name: &NamedPrincipal<'_>, statement: &Statement<'_>, account: Option<&str>) -> Option<Finding> {
    if name.kind != PrincipalKind::Aws || is_narrowed(statement) {
        return None;
    }
    if name.value == "*" {
        let message =
            "anybody with an AWS account is let in; an external ID is no secret and does not prevent it";
        return Some(Finding::new(
            Code::EveryonePrincipal,
            &name.pointer,
            message,
            "name the one role to let in",
        ));
    }
    let root = root_account(name.value).filter(|root| is_foreign(root, account))?;
    let message = format!("every role and user is let in that account `{root}` allows it to");
    Some(Finding::new(Code::ForeignRoot, &name.pointer, message, "name the one role to let in"))
}

/// A foreign account acting for many customers must prove for which one it acts.
fn confused_deputy(
    named: &[NamedPrincipal<'_>],
    statement: &Statement<'_>,
    account: Option<&str>,
) -> Option<Finding> {
    let asks = statement.conditions().iter().any(|condition| {
        condition.key.eq_ignore_ascii_case(EXTERNAL_ID)
            && Operator::parse(condition.operator).is_some_and(|operator| {
                !operator.if_exists
                    && !operator.test.is_negated()
                    && operator.quantifier != Some(Quantifier::All)
            })
    });
    if asks || !assumes(statement) {
        return None;
    }
    let foreign = named.iter().find(|name| {
        let owner = Arn::split(name.value).map(|arn| arn.account).or_else(|| root_account(name.value));
        name.kind == PrincipalKind::Aws && owner.is_some_and(|owner| is_foreign(owner, account))
    })?;
    let message = format!(
        "`{}` belongs to somebody else and is let in without an external ID: it can be made to act for another of its customers",
        foreign.value
    );
    let hint = "add the condition \"StringEquals\": {\"sts:ExternalId\": \"…\"} with the id they gave you";
    Some(Finding::new(Code::MissingExternalId, &foreign.pointer, message, hint))
}

/// Whether the statement is about assuming the role, and not only about tags on the session.
fn assumes(statement: &Statement<'_>) -> bool {
    let assumes = |action: &str| Pattern::ignoring_case(action).matches("sts:assumerole");
    statement.actions().is_none_or(|list| list.into_iter().any(assumes))
}

fn is_narrowed(statement: &Statement<'_>) -> bool {
    statement.conditions().iter().any(|condition| {
        let key = condition.key.to_ascii_lowercase();
        let narrows = Operator::parse(condition.operator).is_some_and(|operator| {
            !operator.if_exists && !operator.test.is_negated() && operator.quantifier != Some(Quantifier::All)
        });
        narrows && NARROWING_KEYS.contains(&key.as_str()) && condition.values.iter().all(|value| value != "*")
    })
}

fn root_account(value: &str) -> Option<&str> {
    if arn::is_account(value) {
        return Some(value);
    }
    Arn::split(value).filter(Arn::is_root).map(|arn| arn.account)
}

/// Without the own account, only Databricks' are known to be foreign.
fn is_foreign(owner: &str, account: Option<&str>) -> bool {
    account.map_or_else(
        || {
            let databricks = DatabricksPartition::ALL.into_iter();
            databricks
                .filter_map(|partition| Arn::split(partition.unity_catalog_role()))
                .any(|arn| arn.account == owner)
        },
        |own| own != owner,
    )
}
