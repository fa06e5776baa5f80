//! Whether one statement applies to a request, and if not, what kept it from applying.

use std::fmt;

use super::context::Context;
use super::{Request, Via};
use crate::pattern::Pattern;
use crate::statement::{Condition, Effect, Statement};

/// Which part of a policy a statement stands in: only trust policies name principals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A policy on the resource: names principals, may leave resources out.
    Resource,
    /// A policy on the caller: names resources, never principals.
    Identity,
}

/// What kept a statement from applying. Ordered by how near it came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Miss {
    /// The statement is about somebody else.
    Principal,
    /// The statement is about other actions.
    Action,
    /// The statement is about other resources.
    Resource,
    /// A condition does not hold; the sentence says which.
    Condition(String),
}

/// The request with everything that follows from it.
pub(super) struct Subject<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) context: Context,
}

impl<'a> Subject<'a> {
    pub(super) fn new(request: &'a Request<'a>) -> Self {
        Self { request, context: request.context.completed(request.principal) }
    }

    /// Whether `statement` applies; in a resource policy, through which name.
    pub(super) fn applies(
        &self,
        statement: &Statement<'_>,
        side: Side,
        variables: bool,
    ) -> Result<Option<Via>, Miss> {
        let via = match side {
            Side::Resource => Some(self.principal(statement).ok_or(Miss::Principal)?),
            Side::Identity => None,
        };
        if !self.action(statement) {
            return Err(Miss::Action);
        }
        if !self.resource(statement, side, variables) {
            return Err(Miss::Resource);
        }
        let effect = statement.effect();
        match statement
            .conditions()
            .iter()
            .find(|condition| !super::condition::holds(condition, &self.context, variables, effect))
        {
            Some(failed) => Err(Miss::Condition(self.unmet(failed))),
            None => Ok(via),
        }
    }

    fn principal(&self, statement: &Statement<'_>) -> Option<Via> {
        let caller = self.request.principal;
        if let Some(named) = statement.principals() {
            // The most direct name wins: it decides whether the caller needs a grant of its own.
            return named.iter().filter_map(|name| caller.named_by(name)).min();
        }
        let left_out = statement.not_principals()?;
        let spared =
            left_out.iter().filter_map(|name| caller.named_by(name)).any(|via| match statement.effect() {
                // Naming an account does not spare its users and roles from a refusal.
                Effect::Deny => via != Via::Account,
                Effect::Allow => true,
            });
        (!spared).then_some(Via::Everyone)
    }

    fn action(&self, statement: &Statement<'_>) -> bool {
        let action = self.request.action.to_ascii_lowercase();
        let any = |patterns: Vec<&str>| {
            patterns.into_iter().any(|text| Pattern::ignoring_case(text).matches(&action))
        };
        match (statement.actions(), statement.not_actions()) {
            (Some(patterns), _) => any(patterns),
            (None, Some(patterns)) => !any(patterns),
            (None, None) => false,
        }
    }

    fn resource(&self, statement: &Statement<'_>, side: Side, variables: bool) -> bool {
        // A pattern whose variable has no value matches nothing, and so leaves nothing out either.
        let any = |patterns: Vec<&str>| {
            patterns.into_iter().any(|text| {
                let pattern = if variables {
                    Pattern::expanded(text, |name| match self.context.get(name) {
                        [single] => Some(single.clone()),
                        _ => None,
                    })
                } else {
                    Ok(Pattern::new(text))
                };
                pattern.is_ok_and(|pattern| pattern.matches(self.request.resource))
            })
        };
        match (statement.resources(), statement.not_resources()) {
            (Some(patterns), _) => any(patterns),
            (None, Some(patterns)) => !any(patterns),
            // A trust policy is about the role it is attached to.
            (None, None) => side == Side::Resource,
        }
    }

    fn unmet(&self, condition: &Condition<'_>) -> String {
        let wanted: Vec<_> = condition.values.iter().map(|value| format!("`{value}`")).collect();
        let wanted = if wanted.is_empty() { "no value at all".to_owned() } else { wanted.join(" or ") };
        let found: Vec<_> =
            self.context.get(condition.key).iter().map(|value| format!("`{value}`")).collect();
        let found = if found.is_empty() {
            "the request has none".to_owned()
        } else {
            format!("the request has {}", found.join(", "))
        };
        format!("its condition `{}` on `{}` wants {wanted} and {found}", condition.operator, condition.key)
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal => formatter.write_str("it is about another principal"),
            Self::Action => formatter.write_str("it is about other actions"),
            Self::Resource => formatter.write_str("it is about other resources"),
            Self::Condition(sentence) => formatter.write_str(sentence),
        }
    }
}
