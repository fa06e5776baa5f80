//! Roles: create, read, change, delete, tag.

use std::time::Duration;

use super::super::entity::{Grants, Role};
use super::super::identifier::Kind;
use super::super::name::{PathOf, check_length, check_name, check_path, constraint};
use super::super::page;
use super::super::quota;
use super::super::store::{Call, delete_conflict};
use super::super::tag::{Tags, write_tag};
use super::super::visibility::Delayed;
use super::{encoded, nothing, time, trust};
use crate::error::ServiceError;
use crate::query::Xml;

/// The shortest limit of a session that a role can have, in seconds; also the default.
const SHORTEST_MAX_SESSION: u64 = 3600;
/// The longest.
const LONGEST_MAX_SESSION: u64 = 43_200;

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let parameters = call.parameters;
    let name = parameters.required("RoleName")?;
    check_name("roleName", name, 64)?;
    let path = parameters.optional("Path").unwrap_or("/");
    check_path(path, PathOf::Role)?;
    let description = parameters.optional("Description");
    check_length("description", description.unwrap_or_default(), 0, 1000)?;
    let max_session = max_session(call)?.unwrap_or(Duration::from_secs(SHORTEST_MAX_SESSION));
    let quotas = call.state.settings.quotas.clone();
    let tags = Tags::read(parameters, &quotas)?;
    let boundary = super::attachment::boundary(call)?;

    if call.account().roles.contains_key(&name.to_lowercase()) {
        return Err(ServiceError::new(
            409,
            "EntityAlreadyExists",
            format!("Role with name {name} already exists."),
        ));
    }
    quota::check("RolesPerAccount", call.account().roles.len() + 1, quotas.roles)?;
    // The role does not exist yet, so a trust policy that names it names nobody.
    let trust = trust::read(call, "AssumeRolePolicyDocument")?;
    let (now, delay) = (call.now, call.state.settings.delay);
    let grants = Grants { boundary, ..Grants::default() };
    let role = Role {
        name: name.to_owned(),
        path: path.to_owned(),
        id: call.unique_id(Kind::Role),
        arn: format!("arn:aws:iam::{}:role{path}{name}", call.caller.account),
        created: now,
        visible_from: now + delay,
        description: description.map(str::to_owned),
        max_session,
        tags,
        trust: Delayed::new(trust, now, delay),
        grants: Delayed::new(grants, now, delay),
    };
    call.account().roles.insert(name.to_lowercase(), role.clone());
    Ok(answer(call, &role))
}

pub(super) fn get(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let role = call.role()?.clone();
    Ok(answer(call, &role))
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let prefix = call.parameters.optional("PathPrefix").unwrap_or("/");
    let roles: Vec<Role> =
        call.account().roles.values().filter(|role| role.path.starts_with(prefix)).cloned().collect();
    let page = page::cut(roles, call.parameters)?;
    let mut xml = Xml::new();
    xml.members("Roles", &page.items, |member, role| {
        write_summary(call, member, role);
    });
    page.write_end(&mut xml);
    Ok(xml)
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let max_session = max_session(call)?;
    let description = call.parameters.optional("Description");
    check_length("description", description.unwrap_or_default(), 0, 1000)?;
    let role = call.role()?;
    if let Some(description) = description {
        role.description = Some(description.to_owned());
    }
    // Leaving it out sets it back, as the API's documentation says.
    role.max_session = max_session.unwrap_or(Duration::from_secs(SHORTEST_MAX_SESSION));
    Ok(Xml::new())
}

pub(super) fn update_description(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let description = call.parameters.required("Description")?;
    check_length("description", description, 0, 1000)?;
    let role = call.role()?;
    role.description = Some(description.to_owned());
    let role = role.clone();
    Ok(answer(call, &role))
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let role = call.role()?;
    let grants = role.grants.latest();
    if !grants.attached.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !grants.inline.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    let key = role.name.to_lowercase();
    call.account().roles.remove(&key);
    Ok(nothing())
}

pub(super) fn tag(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let quotas = call.state.settings.quotas.clone();
    let added = Tags::read(call.parameters, &quotas)?;
    let role = call.role()?;
    role.tags = role.tags.with(added, &quotas)?;
    Ok(nothing())
}

pub(super) fn untag(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let keys = call.parameters.list("TagKeys");
    call.role()?.tags.remove(&keys);
    Ok(nothing())
}

pub(super) fn list_tags(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let tags = call.role()?.tags.clone();
    let page = page::cut(tags.iter(), call.parameters)?;
    let mut xml = Xml::new();
    xml.members("Tags", page.items.iter().copied(), write_tag);
    page.write_end(&mut xml);
    Ok(xml)
}

/// The sandbox has no instances, so no role is in a profile; clients ask before they delete a role.
pub(super) fn list_instance_profiles(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    call.role()?;
    let page = page::cut(std::iter::empty::<()>(), call.parameters)?;
    let mut xml = Xml::new();
    xml.members("InstanceProfiles", std::iter::empty::<()>(), |_, ()| {});
    page.write_end(&mut xml);
    Ok(xml)
}

fn answer(call: &mut Call<'_>, role: &Role) -> Xml {
    let boundary = role.grants.latest().boundary.clone();
    let mut xml = Xml::new();
    xml.element("Role", |xml| {
        write_summary(call, xml, role);
        if let Some(arn) = boundary {
            xml.element("PermissionsBoundary", |xml| {
                xml.text("PermissionsBoundaryType", "Policy").text("PermissionsBoundaryArn", arn);
            });
        }
        role.tags.write(xml);
        xml.element("RoleLastUsed", |_| {});
    });
    xml
}

/// What a list shows of a role: no tags and no boundary.
fn write_summary(call: &mut Call<'_>, xml: &mut Xml, role: &Role) {
    let trust = call.state.present(role.trust.latest(), call.now);
    xml.text("Path", &role.path)
        .text("RoleName", &role.name)
        .text("RoleId", &role.id)
        .text("Arn", &role.arn)
        .text("CreateDate", time(role.created))
        .text("AssumeRolePolicyDocument", encoded(&trust))
        .optional("Description", role.description.as_ref())
        .text("MaxSessionDuration", role.max_session.as_secs());
}

fn max_session(call: &Call<'_>) -> Result<Option<Duration>, ServiceError> {
    let Some(seconds) = call.parameters.number::<u64>("MaxSessionDuration")? else {
        return Ok(None);
    };
    let refuse = |rule: String| Err(constraint("maxSessionDuration", &seconds.to_string(), &rule));
    if seconds < SHORTEST_MAX_SESSION {
        return refuse(format!("Member must have value greater than or equal to {SHORTEST_MAX_SESSION}"));
    }
    if seconds > LONGEST_MAX_SESSION {
        return refuse(format!("Member must have value less than or equal to {LONGEST_MAX_SESSION}"));
    }
    Ok(Some(Duration::from_secs(seconds)))
}
