//! Versions of a managed policy: at most five, one of them in force.

use super::super::entity::{ManagedPolicy, Version};
use super::super::store::{Call, delete_conflict, no_such_entity, stored};
use super::super::{page, policy_document, quota};
use super::{encoded, nothing, time};
use crate::error::ServiceError;
use crate::query::Xml;

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let quotas = call.state.settings.quotas.clone();
    let text = call.parameters.required("PolicyDocument")?;
    let document = stored(policy_document::permissions(text)?)?;
    quota::check("PolicySize", quota::policy_length(text), quotas.policy_size)?;
    let (now, delay) = (call.now, call.state.settings.delay);
    let as_default = call.parameters.flag("SetAsDefault");
    let policy = call.policy_mut()?;
    if policy.versions.len() >= quotas.versions_per_policy {
        return Err(ServiceError::new(
            409,
            "LimitExceeded",
            format!(
                "A managed policy can have up to {} versions. Before you create a new version, you must delete an existing version.",
                quotas.versions_per_policy
            ),
        ));
    }
    let number = policy.next_version;
    policy.next_version += 1;
    policy.updated = now;
    let version = Version { document: document.clone(), created: now };
    policy.versions.insert(number, version.clone());
    if as_default {
        policy.default_version.set((number, document), now, delay);
    }
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| write(xml, number, &version, as_default));
    Ok(xml)
}

pub(super) fn get(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let policy = call.policy()?;
    let (number, version) = find(call, policy)?;
    let version = version.clone();
    let is_default = policy.default_version.latest().0 == number;
    let document = call.state.present(&version.document, call.now);
    let mut xml = Xml::new();
    xml.element("PolicyVersion", |xml| {
        xml.text("Document", encoded(&document));
        write(xml, number, &version, is_default);
    });
    Ok(xml)
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let policy = call.policy()?;
    let (default, _) = policy.default_version.latest();
    let page = page::cut(policy.versions.iter().rev(), call.parameters)?;
    let mut xml = Xml::new();
    xml.members("Versions", &page.items, |member, (number, version)| {
        write(member, **number, version, *number == default);
    });
    page.write_end(&mut xml);
    Ok(xml)
}

pub(super) fn set_default(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let (number, version) = find(call, call.policy()?)?;
    let document = version.document.clone();
    let (now, delay) = (call.now, call.state.settings.delay);
    let policy = call.policy_mut()?;
    policy.updated = now;
    policy.default_version.set((number, document), now, delay);
    Ok(nothing())
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let (number, _) = find(call, call.policy()?)?;
    let policy = call.policy_mut()?;
    if policy.default_version.latest().0 == number {
        return Err(delete_conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.remove(&number);
    Ok(nothing())
}

/// The version that the request names.
fn find<'a>(call: &Call<'_>, policy: &'a ManagedPolicy) -> Result<(u32, &'a Version), ServiceError> {
    let id = call.parameters.required("VersionId")?;
    let number = id.strip_prefix('v').and_then(|number| number.parse::<u32>().ok());
    number.and_then(|number| Some((number, policy.versions.get(&number)?))).ok_or_else(|| {
        no_such_entity(format!("Policy {} version {id} does not exist or is not attachable.", policy.arn))
    })
}

fn write(xml: &mut Xml, number: u32, version: &Version, is_default: bool) {
    xml.text("VersionId", format!("v{number}"))
        .text("IsDefaultVersion", is_default)
        .text("CreateDate", time(version.created));
}
