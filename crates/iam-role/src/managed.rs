//! The customer managed policy: which one it is, its versions, and its attachment to the role.

use aws_sdk_iam::types::PolicyVersion;
use config::member::Role;
use config::names::{Arn, PolicyName, RoleName};
use config::{Document as Connection, Fault};
use live_role::account::{is_contended, is_missing_code};
use live_role::grants::name_of;
use live_role::{Iam, LiveRole, ManagedPolicy};
use policy::Document;
use policy::compare::{self, VerdictKind};

use crate::args::Ensure;
use crate::ensure::Steps;
use crate::tag;

/// Versions a managed policy may have at a time (IAM quota, not adjustable).
const VERSIONS: usize = 5;

/// What a policy that this tool creates says about itself. IAM never lets it change.
const DESCRIPTION: &str = "Reading one Kinesis stream, for Databricks";

/// The policy as `ensure` left it.
pub(crate) struct Ensured {
    pub(crate) arn: Arn,
    /// `None` when the policy does not exist, which only `--check` leaves so.
    pub(crate) version: Option<String>,
}

/// The policy's name: the argument, else that of the policy in the document when it is about this role, else the default.
pub(crate) fn name(args: &Ensure, document: &Connection, role: &RoleName) -> Result<PolicyName, Fault> {
    if let Some(name) = &args.policy_name {
        return Ok(name.clone());
    }
    match known(document.get::<Role>()?.as_ref(), role) {
        Some(arn) => name_of(&arn).parse().map_err(|error| Fault::usage(format!("{error}"))),
        None => Ok(PolicyName::of_role(role)),
    }
}

/// The policy that the document's member names, when that is about `role`.
pub(crate) fn known(member: Option<&Role>, role: &RoleName) -> Option<Arn> {
    member.filter(|member| member.name == *role)?.policy_arn.clone()
}

/// The policy with the wanted permissions in force and attached.
pub(crate) async fn ensure(
    steps: &mut Steps<'_>,
    role: &LiveRole,
    wanted: &Document,
    document: &Connection,
) -> Result<Ensured, Fault> {
    let name = name(steps.args, document, role.name())?;
    let attached = steps.iam.attached(role.name()).await?;
    let found = find(steps, role, &name, &attached, wanted).await?;
    let ensured = match found {
        None => create(steps, role, &name, wanted).await?,
        Some(live) => update(steps, live, wanted).await?,
    };
    if !attached.contains(&ensured.arn)
        && steps.may("attach", &format!("policy `{name}` to role `{}`", role.name()))?
    {
        attach(steps.iam, role.name(), &ensured.arn).await?;
    }
    Ok(ensured)
}

/// The policy to bring up to date: the attached one of this name, else one that somebody attached by hand and that says
/// the same, else the one of this name in the account.
async fn find(
    steps: &Steps<'_>,
    role: &LiveRole,
    name: &PolicyName,
    attached: &[Arn],
    wanted: &Document,
) -> Result<Option<ManagedPolicy>, Fault> {
    let ours = |arn: &&Arn| arn.account().as_ref() == Some(role.arn.account());
    if let Some(arn) = attached.iter().filter(ours).find(|arn| name_of(arn) == name.as_str()) {
        return steps.iam.managed_policy(arn).await;
    }
    let named = steps.iam.managed_policy(&predicted(role, name)?).await?;
    if named.is_some() || steps.args.policy_name.is_some() {
        return Ok(named);
    }
    for arn in attached.iter().filter(ours) {
        let Some(policy) = steps.iam.managed_policy(arn).await? else { continue };
        if compare::identity_policies(&policy.document, wanted).verdict != VerdictKind::Drift {
            steps.iam.notes().say(format!(
                "taking over policy `{}`, which is attached already and says the same",
                policy.name()
            ));
            return Ok(Some(policy));
        }
    }
    Ok(None)
}

/// The ARN that a policy of this name gets when it is created.
fn predicted(role: &LiveRole, name: &PolicyName) -> Result<Arn, Fault> {
    let arn = format!("arn:{}:iam::{}:policy/{name}", role.arn.partition(), role.arn.account());
    arn.parse().map_err(|error| Fault::usage(format!("{error}")))
}

async fn create(
    steps: &mut Steps<'_>,
    role: &LiveRole,
    name: &PolicyName,
    wanted: &Document,
) -> Result<Ensured, Fault> {
    let arn = predicted(role, name)?;
    if !steps.may("create", &format!("policy `{name}`"))? {
        return Ok(Ensured { arn, version: None });
    }
    let tags = tag::for_sdk(&steps.args.tags)?;
    let request = || {
        let request = steps.iam.client().create_policy().policy_name(name.as_str()).description(DESCRIPTION);
        request.policy_document(wanted.to_string()).set_tags((!tags.is_empty()).then(|| tags.clone())).send()
    };
    let doing = format!("failed to create policy `{name}`");
    let created =
        steps.iam.persist(&doing, "another change of the policy to end", is_contended, request).await;
    let policy = match created {
        Ok(answer) => answer.policy,
        Err(fault) if fault.code() == Some("EntityAlreadyExists") => {
            // Somebody else was quicker; or the name is taken under another path or in another case.
            return match steps.iam.managed_policy(&arn).await? {
                Some(live) => update(steps, live, wanted).await,
                None => Err(fault.with_hint(format!(
                    "the name is taken by a policy with another path or spelling; give one: --policy-name {name}-2"
                ))),
            };
        }
        Err(fault) => return Err(of_quota(fault)),
    };
    let version = policy.as_ref().and_then(|policy| policy.default_version_id.clone());
    let arn = policy.and_then(|policy| policy.arn).and_then(|arn| arn.parse().ok()).unwrap_or(arn);
    steps.iam.notes().say(format!("created policy `{name}`"));
    Ok(Ensured { arn, version: Some(version.unwrap_or_else(|| "v1".to_owned())) })
}

/// Puts the wanted permissions into force, as a new version, unless the default version means the same.
async fn update(steps: &mut Steps<'_>, live: ManagedPolicy, wanted: &Document) -> Result<Ensured, Fault> {
    let name = live.name().to_owned();
    let comparison = compare::identity_policies(&live.document, wanted);
    if comparison.verdict != VerdictKind::Drift {
        steps.iam.notes().say(format!("unchanged policy `{name}` ({})", live.version));
        return Ok(Ensured { arn: live.arn, version: Some(live.version) });
    }
    let reason = comparison.reasons.iter().find(|reason| reason.code.verdict() == VerdictKind::Drift);
    let reason = reason.map_or("it differs", |reason| reason.sentence.as_str());
    if !steps.may("update", &format!("policy `{name}`: {reason}"))? {
        return Ok(Ensured { arn: live.arn, version: Some(live.version) });
    }
    make_room(steps.iam, &live).await?;
    let request = || {
        let request = steps.iam.client().create_policy_version().policy_arn(live.arn.as_str());
        request.policy_document(wanted.to_string()).set_as_default(true).send()
    };
    let doing = format!("failed to update policy `{name}`");
    let waiting_for = "another change of the policy to end";
    let answer = steps.iam.persist(&doing, waiting_for, is_contended, request).await.map_err(of_quota)?;
    let version = answer.policy_version.and_then(|version| version.version_id);
    let shown = version.as_deref().unwrap_or("a new version");
    steps.iam.notes().say(format!("updated policy `{name}` ({} → {shown}): {reason}", live.version));
    Ok(Ensured { arn: live.arn, version })
}

/// Drops the oldest version that is not in force, when there is no room for another.
async fn make_room(iam: &Iam, live: &ManagedPolicy) -> Result<(), Fault> {
    let versions = versions(iam, &live.arn).await?;
    if versions.len() < VERSIONS {
        return Ok(());
    }
    let oldest = versions.iter().find(|version| version.as_str() != live.version);
    if let Some(oldest) = oldest {
        delete_version(iam, &live.arn, oldest).await?;
        iam.notes()
            .say(format!("dropped version {oldest} of policy `{}`: IAM keeps {VERSIONS}", live.name()));
    }
    Ok(())
}

/// The ids of a policy's versions, oldest first. A policy that does not exist has none.
pub(crate) async fn versions(iam: &Iam, policy: &Arn) -> Result<Vec<String>, Fault> {
    let mut versions = Vec::new();
    let mut pages = iam.client().list_policy_versions().policy_arn(policy.as_str()).into_paginator().send();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => versions.extend(page.versions.unwrap_or_default()),
            Err(error) if live_role::account::is_missing(&error) => break,
            Err(error) => {
                return Err(iam.fault(format!("failed to list the versions of policy `{policy}`"), &error));
            }
        }
    }
    versions.sort_by_key(number);
    Ok(versions.into_iter().filter_map(|version| version.version_id).collect())
}

/// Versions are numbered `v1`, `v2`, … in the order they were made.
fn number(version: &PolicyVersion) -> u64 {
    let id = version.version_id.as_deref().unwrap_or_default();
    id.strip_prefix('v').and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}

/// Deletes a version; one that is gone is no error.
pub(crate) async fn delete_version(iam: &Iam, policy: &Arn, version: &str) -> Result<(), Fault> {
    let request =
        || iam.client().delete_policy_version().policy_arn(policy.as_str()).version_id(version).send();
    let doing = format!("failed to delete version {version} of policy `{policy}`");
    match iam.persist(&doing, "another change of the policy to end", is_contended, request).await {
        Ok(_) => Ok(()),
        Err(fault) if fault.code().is_some_and(is_missing_code) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// IAM's own words name the quota and its size, but not what to do about it.
fn of_quota(fault: Fault) -> Fault {
    match fault.code() {
        Some("LimitExceeded" | "LimitExceededException") => fault.with_hint(
            "shorten the permissions or detach what is not needed; aws iam get-account-summary shows the account's quotas",
        ),
        _ => fault,
    }
}

async fn attach(iam: &Iam, role: &RoleName, policy: &Arn) -> Result<(), Fault> {
    let request =
        || iam.client().attach_role_policy().role_name(role.as_str()).policy_arn(policy.as_str()).send();
    let name = name_of(policy);
    let doing = format!("failed to attach policy `{name}` to role `{role}`");
    let early = |problem: &config::aws::Problem| {
        is_contended(problem) || problem.code.as_deref().is_some_and(is_missing_code)
    };
    iam.persist(&doing, "IAM to know the new role and policy", early, request).await.map_err(of_quota)?;
    iam.notes().say(format!("attached policy `{name}` to role `{role}`"));
    Ok(())
}
