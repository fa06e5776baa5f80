//! Customer managed policies: create, read, delete, tag.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::entity::{ManagedPolicy, Version};
use super::super::identifier::Kind;
use super::super::name::{PathOf, check_length, check_name, check_path};
use super::super::store::{AWS, Call, delete_conflict, stored};
use super::super::tag::{Tags, write_tag};
use super::super::visibility::Delayed;
use super::super::{page, policy_document, quota};
use super::{nothing, time};
use crate::error::ServiceError;
use crate::query::Xml;

pub(super) fn create(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let parameters = call.parameters;
    let name = parameters.required("PolicyName")?;
    check_name("policyName", name, 128)?;
    let path = parameters.optional("Path").unwrap_or("/");
    check_path(path, PathOf::Policy)?;
    let description = parameters.optional("Description");
    check_length("description", description.unwrap_or_default(), 0, 1000)?;
    let quotas = call.state.settings.quotas.clone();
    let tags = Tags::read(parameters, &quotas)?;
    let text = parameters.required("PolicyDocument")?;
    let document = stored(policy_document::permissions(text)?)?;
    quota::check("PolicySize", quota::policy_length(text), quotas.policy_size)?;
    if call.account().policies.contains_key(&name.to_lowercase()) {
        return Err(ServiceError::new(
            409,
            "EntityAlreadyExists",
            format!("A policy called {name} already exists. Duplicate names are not allowed."),
        ));
    }
    quota::check("PoliciesPerAccount", call.account().policies.len() + 1, quotas.policies)?;
    let now = call.now;
    let version = Version { document: document.clone(), created: now };
    let policy = ManagedPolicy {
        name: name.to_owned(),
        path: path.to_owned(),
        id: call.unique_id(Kind::Policy),
        arn: format!("arn:aws:iam::{}:policy{path}{name}", call.caller.account),
        description: description.map(str::to_owned),
        created: now,
        updated: now,
        versions: BTreeMap::from([(1, version)]),
        next_version: 2,
        // It grants nothing until it is attached, and attaching has a delay of its own.
        default_version: Delayed::new((1, document), now, Duration::ZERO),
        tags,
    };
    call.account().policies.insert(name.to_lowercase(), policy.clone());
    Ok(answer(call, &policy, false))
}

pub(super) fn get(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let policy = call.policy()?.clone();
    Ok(answer(call, &policy, true))
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let parameters = call.parameters;
    let scope = parameters.optional("Scope").unwrap_or("All");
    let prefix = parameters.optional("PathPrefix").unwrap_or("/");
    let attached_only = parameters.flag("OnlyAttached");
    let own = call.caller.account.clone();
    let mut policies = Vec::new();
    for (account, wanted) in [(own.as_str(), scope != "AWS"), (AWS, scope != "Local")] {
        if wanted {
            policies.extend(call.state.account(account).policies.values().cloned());
        }
    }
    let own = call.account();
    policies.retain(|policy| {
        policy.path.starts_with(prefix) && (!attached_only || own.attachments(&policy.arn) > 0)
    });
    let page = page::cut(policies, parameters)?;
    let mut xml = Xml::new();
    xml.members("Policies", &page.items, |member, policy| write(call, member, policy));
    page.write_end(&mut xml);
    Ok(xml)
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let policy = call.policy_mut()?;
    let (arn, key, versions) = (policy.arn.clone(), policy.name.to_lowercase(), policy.versions.len());
    let account = call.account();
    if account.attachments(&arn) + account.boundary_uses(&arn) > 0 {
        return Err(delete_conflict("Cannot delete a policy attached to entities."));
    }
    if versions > 1 {
        return Err(delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ));
    }
    account.policies.remove(&key);
    Ok(nothing())
}

pub(super) fn tag(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let quotas = call.state.settings.quotas.clone();
    let added = Tags::read(call.parameters, &quotas)?;
    let policy = call.policy_mut()?;
    policy.tags = policy.tags.with(added, &quotas)?;
    Ok(nothing())
}

pub(super) fn untag(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let keys = call.parameters.list("TagKeys");
    call.policy_mut()?.tags.remove(&keys);
    Ok(nothing())
}

pub(super) fn list_tags(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let tags = call.policy()?.tags.clone();
    let page = page::cut(tags.iter(), call.parameters)?;
    let mut xml = Xml::new();
    xml.members("Tags", page.items.iter().copied(), write_tag);
    page.write_end(&mut xml);
    Ok(xml)
}

fn answer(call: &mut Call<'_>, policy: &ManagedPolicy, with_description: bool) -> Xml {
    let mut xml = Xml::new();
    xml.element("Policy", |xml| {
        write(call, xml, policy);
        if with_description {
            xml.optional("Description", policy.description.as_ref());
        }
        policy.tags.write(xml);
    });
    xml
}

fn write(call: &mut Call<'_>, xml: &mut Xml, policy: &ManagedPolicy) {
    let account = call.account();
    let (default, _) = policy.default_version.latest();
    xml.text("PolicyName", &policy.name)
        .text("PolicyId", &policy.id)
        .text("Arn", &policy.arn)
        .text("Path", &policy.path)
        .text("DefaultVersionId", format!("v{default}"))
        .text("AttachmentCount", account.attachments(&policy.arn))
        .text("PermissionsBoundaryUsageCount", account.boundary_uses(&policy.arn))
        .text("IsAttachable", true)
        .text("CreateDate", time(policy.created))
        .text("UpdateDate", time(policy.updated));
}
