//! Inline policies: written into one role or user, and gone with it.

use super::super::entity::Grants;
use super::super::name::check_name;
use super::super::store::{Call, inline, no_such_entity};
use super::super::visibility::Delayed;
use super::super::{page, policy_document, quota};
use super::{encoded, nothing};
use crate::error::ServiceError;
use crate::query::Xml;

/// Characters in all inline policies of a user together, by the quotas page.
const USER_INLINE_SIZE: usize = 2048;

pub(super) fn put_on_role(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    call.role()?;
    let limit = call.state.settings.quotas.role_inline_size;
    let (now, delay) = (call.now, call.state.settings.delay);
    let changed = put(call, |call| Ok(call.role()?.grants.latest().clone()), limit, "role")?;
    call.role()?.grants.set(changed, now, delay);
    Ok(nothing())
}

pub(super) fn put_on_user(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    call.user()?;
    let (now, delay) = (call.now, call.state.settings.delay);
    let changed = put(call, |call| Ok(call.user()?.grants.latest().clone()), USER_INLINE_SIZE, "user")?;
    call.user()?.grants.set(changed, now, delay);
    Ok(nothing())
}

pub(super) fn get_of_role(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let role = call.role()?.clone();
    let name = call.parameters.required("PolicyName")?;
    let policy = role.grants.latest().inline.get(name).ok_or_else(|| missing("role", name))?;
    let document = call.state.present(&policy.document, call.now);
    let mut xml = Xml::new();
    xml.text("RoleName", &role.name).text("PolicyName", name).text("PolicyDocument", encoded(&document));
    Ok(xml)
}

pub(super) fn delete_of_role(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let (now, delay) = (call.now, call.state.settings.delay);
    let name = call.parameters.required("PolicyName")?;
    remove(&mut call.role()?.grants, name, "role", |grants, changed| grants.set(changed, now, delay))
}

pub(super) fn delete_of_user(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let (now, delay) = (call.now, call.state.settings.delay);
    let name = call.parameters.required("PolicyName")?;
    remove(&mut call.user()?.grants, name, "user", |grants, changed| grants.set(changed, now, delay))
}

pub(super) fn list_of_role(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let grants = call.role()?.grants.latest().clone();
    list(call, &grants)
}

pub(super) fn list_of_user(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let grants = call.user()?.grants.latest().clone();
    list(call, &grants)
}

/// The grants with the request's policy among them.
fn put(
    call: &mut Call<'_>,
    grants: impl FnOnce(&mut Call<'_>) -> Result<Grants, ServiceError>,
    limit: usize,
    holder: &str,
) -> Result<Grants, ServiceError> {
    let name = call.parameters.required("PolicyName")?;
    check_name("policyName", name, 128)?;
    let text = call.parameters.required("PolicyDocument")?;
    let policy = inline(policy_document::permissions(text)?, text)?;
    let mut grants = grants(call)?;
    grants.inline.insert(name.to_owned(), policy);
    let size: usize = grants.inline.values().map(|policy| policy.length).sum();
    if size > limit {
        let name = call
            .parameters
            .optional(if holder == "role" { "RoleName" } else { "UserName" })
            .unwrap_or_default();
        return Err(ServiceError::new(
            409,
            "LimitExceeded",
            format!("Maximum policy size of {limit} bytes exceeded for {holder} {name}"),
        ));
    }
    quota::check("InlinePolicySize", size, limit)?;
    Ok(grants)
}

fn remove(
    grants: &mut Delayed<Grants>,
    name: &str,
    holder: &str,
    set: impl FnOnce(&mut Delayed<Grants>, Grants),
) -> Result<Xml, ServiceError> {
    let mut changed = grants.latest().clone();
    changed.inline.remove(name).ok_or_else(|| missing(holder, name))?;
    set(grants, changed);
    Ok(nothing())
}

fn list(call: &Call<'_>, grants: &Grants) -> Result<Xml, ServiceError> {
    let page = page::cut(grants.inline.keys(), call.parameters)?;
    let mut xml = Xml::new();
    xml.members("PolicyNames", &page.items, |member, name| {
        member.raw_text(name);
    });
    page.write_end(&mut xml);
    Ok(xml)
}

fn missing(holder: &str, name: &str) -> ServiceError {
    no_such_entity(format!("The {holder} policy with name {name} cannot be found."))
}
