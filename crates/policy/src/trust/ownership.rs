//! Which parts of a live trust policy are ours to change, and which were put there by somebody else.

use super::partition;
use super::subject::{PLACEHOLDER_EXTERNAL_ID, TrustSubject};
use crate::operator::{Operator, Test};
use crate::statement::{Effect, NamedPrincipal, PrincipalKind, Statement};

/// Condition key of the external ID, in lower case.
pub(crate) const EXTERNAL_ID: &str = "sts:externalid";
/// Condition key of the caller's ARN, in lower case.
pub(crate) const PRINCIPAL_ARN: &str = "aws:principalarn";

/// What a principal in a statement is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Unity Catalog's role, ours or another published one.
    UnityCatalog,
    /// The role itself, by its ARN.
    Itself,
    /// The role itself, as an account or everyone narrowed down to it by a condition.
    Narrowed,
    /// The unique id of something deleted, where one of ours must have stood.
    Dead,
    /// Not ours.
    Foreign,
}

/// The principals of a statement, each with what it is to us. Everything in a refusal is foreign: we never write one.
pub(crate) fn roles<'a>(
    statement: &Statement<'a>,
    subject: &TrustSubject,
) -> Vec<(NamedPrincipal<'a>, Role)> {
    let named = statement.principals().unwrap_or_default();
    if statement.effect() == Effect::Deny {
        return named.into_iter().map(|name| (name, Role::Foreign)).collect();
    }
    let narrowed = is_narrowed(statement, subject);
    let guarded = has_our_external_id(statement, subject);
    let first: Vec<_> = named.iter().map(|name| role(name, subject, narrowed)).collect();
    // A dead id next to a principal of ours, or under our external ID, is what is left of one of ours.
    let beside_ours = guarded || first.iter().any(|role| matches!(role, Role::UnityCatalog | Role::Itself));
    std::iter::zip(named, first)
        .map(|(name, role)| {
            let dead = role == Role::Foreign && name.is_dead() && beside_ours;
            (name, if dead { Role::Dead } else { role })
        })
        .collect()
}

fn role(name: &NamedPrincipal<'_>, subject: &TrustSubject, narrowed: bool) -> Role {
    if name.kind != PrincipalKind::Aws {
        return Role::Foreign;
    }
    let value = name.value;
    if value == subject.unity_catalog_arn() || partition::is_unity_catalog_role(value) {
        Role::UnityCatalog
    } else if value == subject.role_arn() {
        Role::Itself
    } else if narrowed && (value == "*" || value == subject.account() || value == subject.account_root()) {
        Role::Narrowed
    } else {
        Role::Foreign
    }
}

/// Whether a condition admits only the role itself: its exact ARN as `aws:PrincipalArn`, and nothing beside.
fn is_narrowed(statement: &Statement<'_>, subject: &TrustSubject) -> bool {
    statement.conditions().iter().any(|condition| {
        let exact = Operator::parse(condition.operator).is_some_and(|operator| {
            operator.quantifier.is_none()
                && !operator.if_exists
                && matches!(
                    operator.test,
                    Test::ArnEquals | Test::ArnLike | Test::StringEquals | Test::StringLike
                )
        });
        exact
            && condition.key.eq_ignore_ascii_case(PRINCIPAL_ARN)
            && !condition.values.is_empty()
            && condition.values.iter().all(|value| value == subject.role_arn())
    })
}

fn has_our_external_id(statement: &Statement<'_>, subject: &TrustSubject) -> bool {
    statement.conditions().iter().any(|condition| {
        condition.key.eq_ignore_ascii_case(EXTERNAL_ID)
            && condition
                .values
                .iter()
                .any(|value| value == subject.external_id() || value == PLACEHOLDER_EXTERNAL_ID)
    })
}
