//! Typed, read-only views of the statements in a document.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use crate::{arn, pointer};

/// What a statement does with the requests it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    Deny,
}

/// One statement of a [`Document`](crate::Document).
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    members: &'a Map<String, Value>,
    index: usize,
    listed: bool,
}

/// One principal that a `Principal` or `NotPrincipal` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPrincipal<'a> {
    /// What the name is a name of.
    pub kind: PrincipalKind<'a>,
    /// The name: an ARN, an account id, a unique id, a service, `*`.
    pub value: &'a str,
    /// JSON pointer to it.
    pub pointer: String,
}

/// The member of a `Principal` object that a name stands under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalKind<'a> {
    /// An account, user, role or session; a bare `"*"` counts as `{"AWS": "*"}`.
    Aws,
    /// An AWS service.
    Service,
    /// An identity provider.
    Federated,
    /// A canonical user id, as S3 knows them.
    CanonicalUser,
    /// A kind this crate does not know. Matches nobody.
    Other(&'a str),
}

/// One condition key under one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// The operator as written, such as `ForAnyValue:StringLikeIfExists`.
    pub operator: &'a str,
    /// The condition key as written.
    pub key: &'a str,
    /// The values; numbers and booleans in their JSON spelling.
    pub values: Vec<Cow<'a, str>>,
    /// JSON pointer to the values.
    pub pointer: String,
}

/// All statements of a checked document, in order.
pub(crate) fn all(document: &Value) -> impl Iterator<Item = Statement<'_>> {
    let (items, listed) = match document.get("Statement") {
        Some(Value::Array(items)) => (items.as_slice(), true),
        Some(single) => (std::slice::from_ref(single), false),
        None => (&[][..], true),
    };
    items
        .iter()
        .enumerate()
        .filter_map(move |(index, item)| item.as_object().map(|members| Statement { members, index, listed }))
}

impl<'a> Statement<'a> {
    /// Position in the document, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// JSON pointer to the statement: `/Statement/0`, or `/Statement` when it is not in a list.
    pub fn pointer(&self) -> String {
        if self.listed { pointer::join("/Statement", self.index) } else { "/Statement".to_owned() }
    }

    /// The members as they stand in the document.
    pub fn members(&self) -> &'a Map<String, Value> {
        self.members
    }

    /// The statement's own name, when it has one.
    pub fn sid(&self) -> Option<&'a str> {
        self.members.get("Sid").and_then(Value::as_str)
    }

    /// Whether it grants or refuses.
    pub fn effect(&self) -> Effect {
        if self.members.get("Effect").and_then(Value::as_str) == Some("Allow") {
            Effect::Allow
        } else {
            Effect::Deny
        }
    }

    /// The action patterns; `None` when the statement has `NotAction` instead.
    pub fn actions(&self) -> Option<Vec<&'a str>> {
        self.strings("Action")
    }

    /// The action patterns that the statement leaves out.
    pub fn not_actions(&self) -> Option<Vec<&'a str>> {
        self.strings("NotAction")
    }

    /// The resource patterns; `None` in trust policies and where `NotResource` stands.
    pub fn resources(&self) -> Option<Vec<&'a str>> {
        self.strings("Resource")
    }

    /// The resource patterns that the statement leaves out.
    pub fn not_resources(&self) -> Option<Vec<&'a str>> {
        self.strings("NotResource")
    }

    /// Who the statement is about; `None` in identity policies and where `NotPrincipal` stands.
    pub fn principals(&self) -> Option<Vec<NamedPrincipal<'a>>> {
        self.named("Principal")
    }

    /// Who the statement is not about.
    pub fn not_principals(&self) -> Option<Vec<NamedPrincipal<'a>>> {
        self.named("NotPrincipal")
    }

    /// Every condition, in order. All of them must hold.
    pub fn conditions(&self) -> Vec<Condition<'a>> {
        let at = pointer::join(&self.pointer(), "Condition");
        let operators = self.members.get("Condition").and_then(Value::as_object).into_iter().flatten();
        operators
            .flat_map(|(operator, keys)| {
                let at = pointer::join(&at, operator);
                keys.as_object().into_iter().flatten().map(move |(key, values)| Condition {
                    operator,
                    key,
                    values: scalars(values),
                    pointer: pointer::join(&at, key),
                })
            })
            .collect()
    }

    /// JSON pointer to one item of a member that may be a list or a single value.
    pub(crate) fn item_pointer(&self, member: &str, index: usize) -> String {
        let at = pointer::join(&self.pointer(), member);
        if self.members.get(member).is_some_and(Value::is_array) { pointer::join(&at, index) } else { at }
    }

    fn strings(&self, name: &str) -> Option<Vec<&'a str>> {
        self.members.get(name).map(|value| items(value).iter().filter_map(Value::as_str).collect())
    }

    fn named(&self, name: &str) -> Option<Vec<NamedPrincipal<'a>>> {
        let at = pointer::join(&self.pointer(), name);
        Some(match self.members.get(name)? {
            Value::Object(kinds) => {
                kinds.iter().flat_map(|(kind, names)| of_kind(kind, names, &at)).collect()
            }
            other => other
                .as_str()
                .map(|value| NamedPrincipal { kind: PrincipalKind::Aws, value, pointer: at })
                .into_iter()
                .collect(),
        })
    }
}

impl NamedPrincipal<'_> {
    /// Whether this is the unique id (`AROA…`, `AIDA…`) of a role or user, which IAM shows once the role or user is gone. It
    /// matches nobody any more, a namesake made since included.
    pub fn is_dead(&self) -> bool {
        self.kind == PrincipalKind::Aws && arn::is_unique_id(self.value)
    }
}

impl<'a> PrincipalKind<'a> {
    /// The kind under its name in a `Principal` object.
    pub fn from_name(name: &'a str) -> Self {
        match name {
            "AWS" => Self::Aws,
            "Service" => Self::Service,
            "Federated" => Self::Federated,
            "CanonicalUser" => Self::CanonicalUser,
            other => Self::Other(other),
        }
    }

    /// The name in a `Principal` object.
    pub fn name(self) -> &'a str {
        match self {
            Self::Aws => "AWS",
            Self::Service => "Service",
            Self::Federated => "Federated",
            Self::CanonicalUser => "CanonicalUser",
            Self::Other(name) => name,
        }
    }
}

impl Effect {
    /// The word in a document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn of_kind<'a>(kind: &'a str, names: &'a Value, at: &str) -> Vec<NamedPrincipal<'a>> {
    let at = pointer::join(at, kind);
    items(names)
        .iter()
        .enumerate()
        .filter_map(|(index, name)| {
            let pointer = if names.is_array() { pointer::join(&at, index) } else { at.clone() };
            name.as_str().map(|value| NamedPrincipal { kind: PrincipalKind::from_name(kind), value, pointer })
        })
        .collect()
}

fn scalars(value: &Value) -> Vec<Cow<'_, str>> {
    items(value)
        .iter()
        .map(|item| item.as_str().map_or_else(|| Cow::Owned(item.to_string()), Cow::Borrowed))
        .collect()
}
