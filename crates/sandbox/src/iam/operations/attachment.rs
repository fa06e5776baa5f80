//! Managed policies on roles and users, as grants and as boundaries.

use super::super::entity::Grants;
use super::super::page;
use super::super::quota;
use super::super::store::{AWS, Call, account_of, no_such_entity};
use super::super::visibility::Delayed;
use super::nothing;
use crate::error::ServiceError;
use crate::query::Xml;

/// Whose grants an operation is about.
#[derive(Clone, Copy)]
enum Holder {
    Role,
    User,
}

pub(super) fn attach_to_role(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    attach(call, Holder::Role)
}

pub(super) fn attach_to_user(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    attach(call, Holder::User)
}

pub(super) fn detach_from_role(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    detach(call, Holder::Role)
}

pub(super) fn detach_from_user(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    detach(call, Holder::User)
}

pub(super) fn list_of_role(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    list(call, Holder::Role)
}

pub(super) fn list_of_user(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    list(call, Holder::User)
}

pub(super) fn list_entities(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let arn = call.policy()?.arn.clone();
    let as_boundary = call.parameters.optional("PolicyUsageFilter") == Some("PermissionsBoundary");
    let filter = call.parameters.optional("EntityFilter");
    let held = |grants: &Delayed<Grants>| {
        let grants = grants.latest();
        if as_boundary {
            grants.boundary.as_deref() == Some(arn.as_str())
        } else {
            grants.attached.contains(&arn)
        }
    };
    let account = call.account();
    let roles = account
        .roles
        .values()
        .filter(|role| held(&role.grants) && filter.is_none_or(|kind| kind == "Role"))
        .map(|role| (Holder::Role, &role.name, &role.id));
    let users = account
        .users
        .values()
        .filter(|user| held(&user.grants) && filter.is_none_or(|kind| kind == "User"))
        .map(|user| (Holder::User, &user.name, &user.id));
    let all: Vec<_> = roles.chain(users).map(|(kind, name, id)| (kind, name.clone(), id.clone())).collect();
    let page = page::cut(all, call.parameters)?;
    let mut xml = Xml::new();
    xml.element("PolicyGroups", |_| {});
    xml.element("PolicyUsers", |xml| {
        for (kind, name, id) in &page.items {
            if matches!(kind, Holder::User) {
                xml.element("member", |xml| {
                    xml.text("UserName", name).text("UserId", id);
                });
            }
        }
    });
    xml.element("PolicyRoles", |xml| {
        for (kind, name, id) in &page.items {
            if matches!(kind, Holder::Role) {
                xml.element("member", |xml| {
                    xml.text("RoleName", name).text("RoleId", id);
                });
            }
        }
    });
    page.write_end(&mut xml);
    Ok(xml)
}

pub(super) fn put_boundary(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    call.parameters.required("PermissionsBoundary")?;
    let boundary = boundary(call)?;
    change(call, Holder::Role, |grants| grants.boundary = boundary)?;
    Ok(nothing())
}

pub(super) fn delete_boundary(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    if call.role()?.grants.latest().boundary.is_none() {
        let name = call.parameters.required("RoleName")?;
        return Err(no_such_entity(format!("Role {name} does not have a permissions boundary.")));
    }
    change(call, Holder::Role, |grants| grants.boundary = None)?;
    Ok(nothing())
}

/// The boundary that a request names, checked.
pub(super) fn boundary(call: &Call<'_>) -> Result<Option<String>, ServiceError> {
    let Some(arn) = call.parameters.optional("PermissionsBoundary") else {
        return Ok(None);
    };
    if within_reach(call, arn) && call.state.policy(arn).is_some() {
        return Ok(Some(arn.to_owned()));
    }
    Err(no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable.")))
}

fn attach(call: &mut Call<'_>, holder: Holder) -> Result<Xml, ServiceError> {
    grants(call, holder)?;
    let arn = call.policy_arn()?.to_owned();
    if !within_reach(call, &arn) || call.state.policy(&arn).is_none() {
        return Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")));
    }
    let quota = call.state.settings.quotas.policies_per_role;
    let attached = &grants(call, holder)?.latest().attached;
    if attached.contains(&arn) {
        // A second time is as good as the first.
        return Ok(nothing());
    }
    let name = match holder {
        Holder::Role => "PoliciesPerRole",
        Holder::User => "PoliciesPerUser",
    };
    quota::check(name, attached.len() + 1, quota)?;
    change(call, holder, |grants| grants.attached.push(arn))?;
    Ok(nothing())
}

fn detach(call: &mut Call<'_>, holder: Holder) -> Result<Xml, ServiceError> {
    grants(call, holder)?;
    let arn = call.policy_arn()?.to_owned();
    if !grants(call, holder)?.latest().attached.contains(&arn) {
        return Err(no_such_entity(format!("Policy {arn} was not found.")));
    }
    change(call, holder, |grants| grants.attached.retain(|attached| *attached != arn))?;
    Ok(nothing())
}

fn list(call: &mut Call<'_>, holder: Holder) -> Result<Xml, ServiceError> {
    let prefix = call.parameters.optional("PathPrefix").unwrap_or("/");
    let arns = grants(call, holder)?.latest().attached.clone();
    let policies =
        arns.iter().filter_map(|arn| call.state.policy(arn)).filter(|policy| policy.path.starts_with(prefix));
    let page = page::cut(policies, call.parameters)?;
    let mut xml = Xml::new();
    xml.members("AttachedPolicies", &page.items, |member, policy| {
        member.text("PolicyName", &policy.name).text("PolicyArn", &policy.arn);
    });
    page.write_end(&mut xml);
    Ok(xml)
}

fn within_reach(call: &Call<'_>, arn: &str) -> bool {
    account_of(arn).is_some_and(|account| account == call.caller.account || account == AWS)
}

fn grants<'a>(call: &'a mut Call<'_>, holder: Holder) -> Result<&'a mut Delayed<Grants>, ServiceError> {
    Ok(match holder {
        Holder::Role => &mut call.role()?.grants,
        Holder::User => &mut call.user()?.grants,
    })
}

fn change(call: &mut Call<'_>, holder: Holder, change: impl FnOnce(&mut Grants)) -> Result<(), ServiceError> {
    let (now, delay) = (call.now, call.state.settings.delay);
    let grants = grants(call, holder)?;
    let mut changed = grants.latest().clone();
    change(&mut changed);
    grants.set(changed, now, delay);
    Ok(())
}
