//! Policies to look at: from a file, from stdin, or out of a connection document.

use std::fs;
use std::io::Read;

use config::Fault;
use policy::Document;
use serde_json::Value;

use crate::args::Kind;

/// A policy that was read.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Where it came from, for people: a file, or a member of a connection document.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: Kind,
    /// The policy.
    pub(crate) document: Document,
}

/// Every policy in the file `path`, which is a policy or a connection document; `-` is stdin. `kind` decides what a policy
/// is, and which one of a connection document is meant.
///
/// # Errors
/// A usage fault for a file, a pipe fault for stdin, when it cannot be read or holds no policy.
pub(crate) fn policies(path: &str, kind: Option<Kind>, stdin: &mut dyn Read) -> Result<Vec<Found>, Fault> {
    let (text, name) = if path == "-" {
        let mut text = String::new();
        stdin
            .read_to_string(&mut text)
            .map_err(|error| Fault::pipe("failed to read the policy from stdin").with_cause(error))?;
        (text, "stdin".to_owned())
    } else {
        let text = fs::read_to_string(path)
            .map_err(|error| Fault::usage(format!("failed to read the policy `{path}`")).with_cause(error))?;
        (text, path.to_owned())
    };
    let unusable = |error: policy::ParseError| {
        let fault = if path == "-" {
            Fault::pipe("stdin is no policy")
        } else {
            Fault::usage(format!("the file `{path}` is no policy"))
        };
        fault
            .with_cause(error)
            .with_hint("iam-policy-gen trust --pretty < /dev/null shows what one looks like")
    };
    if let Some(members) = connection(&text) {
        return members
            .into_iter()
            .filter(|(member, _)| kind.is_none_or(|kind| kind == *member))
            .map(|(kind, value)| {
                let document = Document::from_value(value).map_err(unusable)?;
                Ok(Found {
                    name: format!("{name}: policies.{}", member_of(kind).unwrap_or_default()),
                    kind,
                    document,
                })
            })
            .collect();
    }
    let document = Document::parse(&text).map_err(unusable)?;
    let kind = kind.unwrap_or_else(|| guess(&document));
    Ok(vec![Found { name, kind, document }])
}

/// The one policy in the file `path`.
///
/// # Errors
/// As [`policies`]; a usage fault when a connection document holds none of this kind, or both and `kind` does not choose.
pub(crate) fn policy(path: &str, kind: Option<Kind>, stdin: &mut dyn Read) -> Result<Found, Fault> {
    let mut found = policies(path, kind, stdin)?;
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => Err(Fault::usage(format!("`{path}` holds two policies"))
            .with_hint("choose one: --kind trust or --kind identity")),
        (None, _) => Err(Fault::usage(format!("the connection document `{path}` holds no such policy"))
            .with_hint("… | iam-policy-gen trust | iam-policy-gen permissions writes both")),
    }
}

/// The policies of a connection document; `None` when the text is no such document.
fn connection(text: &str) -> Option<Vec<(Kind, Value)>> {
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else { return None };
    if members.contains_key("Statement")
        || !members.contains_key("policies") && !members.contains_key("kinbricks")
    {
        return None;
    }
    let mut policies = members.remove("policies").unwrap_or_default();
    let kinds = [Kind::Trust, Kind::Identity].into_iter();
    let mut take = |member| policies.get_mut(member).map(Value::take).filter(|value| !value.is_null());
    Some(kinds.filter_map(|kind| Some((kind, take(member_of(kind)?)?))).collect())
}

/// Where a connection document keeps a policy of this kind.
fn member_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Trust => Some("trust"),
        Kind::Identity => Some("permissions"),
        Kind::Resource => None,
    }
}

/// Only a policy on something says whom it is about, and only a role's leaves out what it is on.
fn guess(document: &Document) -> Kind {
    let has_principal = |statement: policy::Statement<'_>| {
        statement.principals().is_some() || statement.not_principals().is_some()
    };
    let has_resource = |statement: policy::Statement<'_>| {
        statement.resources().is_some() || statement.not_resources().is_some()
    };
    match (document.statements().any(has_principal), document.statements().any(has_resource)) {
        (true, false) => Kind::Trust,
        (true, true) => Kind::Resource,
        (false, _) => Kind::Identity,
    }
}
