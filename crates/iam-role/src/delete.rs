//! `delete`: detach, delete the policy, empty the role, delete it. What is gone already is no error.

use config::Fault;
use config::member::Role;
use config::names::{Arn, PolicyName, RoleName, RoleRef};
use live_role::account::{is_contended, is_missing, is_missing_code};
use live_role::grants::name_of;
use live_role::{Iam, LiveRole};

use crate::args::Delete;
use crate::managed;

pub(crate) async fn run(
    iam: &Iam,
    role: &RoleRef,
    args: &Delete,
    member: Option<&Role>,
) -> Result<(), Fault> {
    let name = role.name();
    if !args.yes {
        return Err(Fault::usage(format!(
            "deleting role `{name}` takes Databricks' access away, and a role made anew under this name is another one"
        ))
        .with_hint(format!("iam-role delete {name} --yes")));
    }
    let policy_name = args.policy_name.clone().unwrap_or_else(|| PolicyName::of_role(name));
    let known = managed::known(member, name).filter(|_| args.policy_name.is_none());
    let Some(live) = iam.role(name).await? else {
        iam.notes().say(format!("role `{name}` is gone already"));
        return delete_orphan(iam, known, &policy_name, name).await;
    };
    live.check_is(role)?;
    let ours = |arn: &Arn| known.as_ref().map_or(name_of(arn) == policy_name.as_str(), |known| arn == known);
    let attached = iam.attached(name).await?;
    refuse_foreign(args, &live, attached.iter().filter(|arn| !ours(arn)))?;
    refuse_instance_profiles(iam, name).await?;

    for arn in &attached {
        iam.check_interrupt()?;
        detach(iam, name, arn).await?;
    }
    let policy = attached.iter().find(|arn| ours(arn)).cloned().or(known);
    let policy = match policy {
        Some(arn) => Some(arn),
        None => find(iam, &policy_name).await?,
    };
    match policy {
        Some(arn) => delete_policy(iam, name, &arn).await?,
        None => iam.notes().say(format!("policy `{policy_name}` is gone already")),
    }
    for inline in iam.inline_names(name).await? {
        iam.check_interrupt()?;
        delete_inline(iam, name, &inline).await?;
    }
    iam.check_interrupt()?;
    delete_role(iam, name).await
}

/// A role that is gone may have left its policy behind, when a former run was stopped between the two.
async fn delete_orphan(
    iam: &Iam,
    known: Option<Arn>,
    policy_name: &PolicyName,
    role: &RoleName,
) -> Result<(), Fault> {
    let policy = match known {
        Some(arn) => iam.managed_policy(&arn).await?.map(|policy| policy.arn),
        None => find(iam, policy_name).await?,
    };
    match policy {
        Some(arn) => delete_policy(iam, role, &arn).await,
        None => {
            iam.notes().say(format!("policy `{policy_name}` is gone already"));
            Ok(())
        }
    }
}

/// The customer managed policy of this name, wherever its path puts it.
async fn find(iam: &Iam, name: &PolicyName) -> Result<Option<Arn>, Fault> {
    let scope = aws_sdk_iam::types::PolicyScopeType::Local;
    let mut pages = iam.client().list_policies().scope(scope).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| iam.fault(format!("failed to look for policy `{name}`"), &error))?;
        let found = page.policies().iter().find(|policy| policy.policy_name() == Some(name.as_str()));
        if let Some(arn) = found.and_then(|policy| policy.arn()) {
            return arn.parse().map(Some).map_err(|error| {
                Fault::transient(format!("failed to look for policy `{name}`")).with_cause(error)
            });
        }
    }
    Ok(None)
}

/// Somebody attached them on purpose, and may count on the role.
fn refuse_foreign<'a>(
    args: &Delete,
    live: &LiveRole,
    foreign: impl Iterator<Item = &'a Arn>,
) -> Result<(), Fault> {
    let names: Vec<String> = foreign.map(|arn| format!("`{}`", name_of(arn))).collect();
    if names.is_empty() || args.detach_foreign {
        return Ok(());
    }
    let role = live.name();
    Err(Fault::usage(format!(
        "role `{role}` has policies attached that this tool did not attach: {}",
        names.join(", ")
    ))
    .with_hint(format!(
        "detach them too, without deleting them: iam-role delete {role} --yes --detach-foreign"
    )))
}

/// A role that an instance profile holds serves machines too, and IAM would refuse to delete it at the very end.
async fn refuse_instance_profiles(iam: &Iam, role: &RoleName) -> Result<(), Fault> {
    let answer = iam.client().list_instance_profiles_for_role().role_name(role.as_str()).send().await;
    let profiles = match answer {
        Ok(answer) => answer.instance_profiles,
        Err(error) if is_missing(&error) => return Ok(()),
        Err(error) => {
            return Err(iam.fault(format!("failed to list the instance profiles of role `{role}`"), &error));
        }
    };
    match profiles.first() {
        None => Ok(()),
        Some(profile) => {
            let profile = profile.instance_profile_name();
            Err(Fault::usage(format!("role `{role}` is in the instance profile `{profile}`")).with_hint(format!(
                "aws iam remove-role-from-instance-profile --instance-profile-name {profile} --role-name {role}"
            )))
        }
    }
}

async fn detach(iam: &Iam, role: &RoleName, policy: &Arn) -> Result<(), Fault> {
    let request =
        || iam.client().detach_role_policy().role_name(role.as_str()).policy_arn(policy.as_str()).send();
    let shown = format!("policy `{}` from role `{role}`", name_of(policy));
    let detached = iam
        .persist(
            &format!("failed to detach {shown}"),
            "another change of the role to end",
            is_contended,
            request,
        )
        .await;
    told(iam, detached, &format!("detached {shown}"), &format!("{shown} is detached already"))
}

/// Deletes the policy with all its versions, unless somebody else uses it.
async fn delete_policy(iam: &Iam, role: &RoleName, policy: &Arn) -> Result<(), Fault> {
    let name = name_of(policy);
    if let Some(user) = other_user(iam, role, policy).await? {
        iam.notes().say(format!("kept policy `{name}`: {user} uses it too"));
        return Ok(());
    }
    let versions = managed::versions(iam, policy).await?;
    let default = iam.managed_policy(policy).await?.map(|policy| policy.version);
    for version in versions.iter().filter(|version| Some(*version) != default.as_ref()) {
        iam.check_interrupt()?;
        managed::delete_version(iam, policy, version).await?;
    }
    let request = || iam.client().delete_policy().policy_arn(policy.as_str()).send();
    let doing = format!("failed to delete policy `{name}`");
    let deleted = iam.persist(&doing, "IAM to know that it is detached", is_freed, request).await;
    told(iam, deleted, &format!("deleted policy `{name}`"), &format!("policy `{name}` is gone already"))
}

/// Who else has the policy attached.
async fn other_user(iam: &Iam, role: &RoleName, policy: &Arn) -> Result<Option<String>, Fault> {
    let mut pages =
        iam.client().list_entities_for_policy().policy_arn(policy.as_str()).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => {
                return Err(iam.fault(format!("failed to see who uses policy `{policy}`"), &error));
            }
        };
        let roles = page.policy_roles().iter().filter_map(|other| other.role_name());
        let roles = roles.filter(|other| *other != role.as_str()).map(|name| format!("role `{name}`"));
        let users = page
            .policy_users()
            .iter()
            .filter_map(|user| user.user_name())
            .map(|name| format!("user `{name}`"));
        let groups = page.policy_groups().iter().filter_map(|group| group.group_name());
        let groups = groups.map(|name| format!("group `{name}`"));
        if let Some(user) = roles.chain(users).chain(groups).next() {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

async fn delete_inline(iam: &Iam, role: &RoleName, policy: &str) -> Result<(), Fault> {
    let request = || iam.client().delete_role_policy().role_name(role.as_str()).policy_name(policy).send();
    let shown = format!("inline policy `{policy}` of role `{role}`");
    let deleted = iam
        .persist(
            &format!("failed to delete {shown}"),
            "another change of the role to end",
            is_contended,
            request,
        )
        .await;
    told(iam, deleted, &format!("deleted {shown}"), &format!("{shown} is gone already"))
}

async fn delete_role(iam: &Iam, role: &RoleName) -> Result<(), Fault> {
    let request = || iam.client().delete_role().role_name(role.as_str()).send();
    let doing = format!("failed to delete role `{role}`");
    let deleted = iam.persist(&doing, "IAM to know that the role is empty", is_freed, request).await;
    told(iam, deleted, &format!("deleted role `{role}`"), &format!("role `{role}` is gone already"))
}

/// IAM may not know yet that what held the thing was taken away a moment ago.
fn is_freed(problem: &config::aws::Problem) -> bool {
    is_contended(problem)
        || matches!(problem.code.as_deref(), Some("DeleteConflict" | "DeleteConflictException"))
}

/// Says how a deletion ended; that the thing was gone is one way to succeed.
fn told<T>(iam: &Iam, ended: Result<T, Fault>, done: &str, gone: &str) -> Result<(), Fault> {
    match ended {
        Ok(_) => iam.notes().say(done),
        Err(fault) if fault.code().is_some_and(is_missing_code) => iam.notes().say(gone),
        Err(fault) => {
            return Err(fault.or_hint(
                "what was done stays done: look with `iam-role show` at what is left, and run the same command again",
            ));
        }
    }
    Ok(())
}
