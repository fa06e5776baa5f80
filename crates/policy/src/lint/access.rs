//! What a permission policy grants: too much, or nothing because actions and resources do not fit.

use super::resource::may_mean;
use super::{Code, Finding};
use crate::catalog::{self, Action};
use crate::pattern::Pattern;
use crate::pointer;
use crate::statement::{Effect, Statement};

/// Actions for which the reference lists no kind of resource, though policies in the field grant them on a stream.
const STREAM_IN_PRACTICE: [&str; 2] = ["UpdateShardCount", "UpdateStreamMode"];

/// Letters that a slip changes at most; with more, it is another word.
const LIKELY_EDITS: usize = 3;

pub(super) fn check(statement: &Statement<'_>) -> Vec<Finding> {
    let mut findings = unknown_actions(statement);
    findings.extend(resource_syntax(statement));
    findings.extend(mismatches(statement));
    findings.extend(unused_resources(statement));
    if statement.effect() == Effect::Allow {
        findings.extend(too_much(statement));
    }
    findings
}

fn unknown_actions(statement: &Statement<'_>) -> Vec<Finding> {
    let (member, list) = statement
        .actions()
        .map_or_else(|| ("NotAction", statement.not_actions()), |list| ("Action", Some(list)));
    let list = list.unwrap_or_default().into_iter().enumerate();
    list.filter_map(|(index, text)| {
        let (service, _) = text.split_once(':')?;
        let complete = catalog::is_complete(service);
        // In a service that we know in part, only a slip of one letter is told from a name of its own.
        let near = catalog::nearest(text, if complete { LIKELY_EDITS } else { 1 });
        if !catalog::matching(text).is_empty() || (!complete && near.is_none()) {
            return None;
        }
        let hint = near.map_or_else(
            || "look the action up in the AWS Service Authorization Reference".to_owned(),
            |action| format!("did you mean `{}`?", action.full_name()),
        );
        let message = format!("there is no action `{text}`, so this grants nothing");
        Some(Finding::new(Code::UnknownAction, statement.item_pointer(member, index), message, hint))
    })
    .collect()
}

fn resource_syntax(statement: &Statement<'_>) -> Vec<Finding> {
    let (member, list) = statement
        .resources()
        .map_or_else(|| ("NotResource", statement.not_resources()), |list| ("Resource", Some(list)));
    let list = list.unwrap_or_default().into_iter().enumerate();
    list.filter(|(_, text)| *text != "*" && !text.starts_with("${") && !text.starts_with("arn:"))
        .map(|(index, text)| {
            let message = format!("`{text}` is no resource");
            let hint = "write an ARN, such as `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`, or `*`";
            Finding::new(Code::ResourceSyntax, statement.item_pointer(member, index), message, hint)
        })
        .collect()
}

/// Each action for itself: one that fits does not excuse another that does not.
fn mismatches(statement: &Statement<'_>) -> Vec<Finding> {
    let (Some(actions), Some(resources)) = (statement.actions(), statement.resources()) else {
        return Vec::new();
    };
    if resources.is_empty() {
        return Vec::new();
    }
    let fits = |action: &Action| match action.resources {
        [] => resources.contains(&"*") || STREAM_IN_PRACTICE.contains(&action.name),
        kinds => kinds.iter().any(|kind| resources.iter().any(|resource| may_mean(resource, kind))),
    };
    let list = actions.into_iter().enumerate();
    list.filter_map(|(index, text)| {
        // A pattern may well mean actions we do not know: it is judged only where it is one known action.
        let known = catalog::matching(text);
        let whole = text.split_once(':').is_some_and(|(service, _)| catalog::is_complete(service))
            || !text.contains(['*', '?']);
        if known.is_empty() || !whole || known.iter().any(fits) {
            return None;
        }
        let at = statement.item_pointer("Action", index);
        let mut kinds: Vec<_> = known.iter().flat_map(|action| action.resources).collect();
        kinds.dedup();
        Some(if kinds.is_empty() {
            let message =
                format!("`{text}` knows no single resource, so on anything but `*` it grants nothing");
            Finding::new(
                Code::ActionNeedsStar,
                at,
                message,
                "put it in a statement of its own with \"Resource\": \"*\"",
            )
        } else {
            let names: Vec<_> = kinds.iter().map(|kind| kind.name).collect();
            let forms: Vec<_> = kinds
                .iter()
                .map(|kind| format!("`arn:aws:{}:…:{}`", kind.service, kind.path.replace('+', "NAME")))
                .collect();
            let message = format!(
                "`{text}` acts on a {}, but no resource of this statement is one, so it grants nothing",
                names.join(" or a ")
            );
            Finding::new(
                Code::ActionResourceMismatch,
                at,
                message,
                format!("the resource looks like {}", forms.join(" or ")),
            )
        })
    })
    .collect()
}

fn unused_resources(statement: &Statement<'_>) -> Vec<Finding> {
    let (Some(actions), Some(resources)) = (statement.actions(), statement.resources()) else {
        return Vec::new();
    };
    let known: Vec<_> = actions.iter().map(|text| catalog::matching(text)).collect();
    let judged = actions.iter().zip(&known).all(|(text, known)| {
        let complete = text.split_once(':').is_some_and(|(service, _)| catalog::is_complete(service));
        !known.is_empty() && (complete || !text.contains(['*', '?']))
    });
    let needs_star = known.iter().flatten().any(|action| action.resources.is_empty());
    if !judged || resources.len() < 2 {
        return Vec::new();
    }
    let used = |resource: &str| {
        known.iter().flatten().flat_map(|action| action.resources).any(|kind| may_mean(resource, kind))
            || (needs_star
                && (resource == "*"
                    || known.iter().flatten().any(|action| STREAM_IN_PRACTICE.contains(&action.name))))
    };
    let list = resources.into_iter().enumerate();
    list.filter(|(_, resource)| !used(resource))
        .map(|(index, resource)| {
            let message = format!("no action of this statement acts on `{resource}`");
            let hint = "remove it, or put it in a statement with the actions that need it";
            Finding::new(Code::UnusedResource, statement.item_pointer("Resource", index), message, hint)
        })
        .collect()
}

fn too_much(statement: &Statement<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let at = statement.pointer();
    let everywhere = statement.resources().is_some_and(|list| list.contains(&"*"));
    if statement.not_actions().is_some() {
        let message = "allowing all actions but some allows those of tomorrow too";
        findings.push(Finding::new(
            Code::AllowsNotAction,
            pointer::join(&at, "NotAction"),
            message,
            "list the actions to allow, in `Action`",
        ));
    }
    if statement.not_resources().is_some() {
        let message = "allowing all resources but some allows those of tomorrow too";
        findings.push(Finding::new(
            Code::AllowsNotResource,
            pointer::join(&at, "NotResource"),
            message,
            "list the resources to allow, in `Resource`",
        ));
    }
    for (index, text) in statement.actions().unwrap_or_default().into_iter().enumerate() {
        let at = statement.item_pointer("Action", index);
        let (code, message) = if text == "*" && everywhere {
            (Code::AllowsEverything, "everything is allowed on everything".to_owned())
        } else if text == "*" || text.ends_with(":*") {
            (
                Code::AllowsService,
                format!(
                    "`{text}` allows every action there is, those that delete and those that grant included"
                ),
            )
        } else if everywhere && Pattern::ignoring_case(text).matches("sts:assumerole") {
            (Code::AssumesAnyRole, "any role may be assumed that trusts this account".to_owned())
        } else {
            continue;
        };
        let hint = if code == Code::AssumesAnyRole {
            "name the role in `Resource`"
        } else {
            "list the actions that are needed"
        };
        findings.push(Finding::new(code, at, message, hint));
    }
    findings
}
