//! `show`: the role with everything that decides what it may do and who may assume it.

use std::collections::BTreeMap;

use config::Fault;
use config::member::Role;
use config::names::{PolicyName, RoleRef};
use live_role::{Grants, Iam, LiveRole, ManagedPolicy};
use policy::Effect;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::managed;

/// The document's member `role`, with what only `show` tells.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    arn: &'a str,
    id: &'a str,
    policy_arn: Option<&'a str>,
    policy_version: Option<&'a str>,
    trust_policy: &'a Value,
    attached_policies: Vec<Managed<'a>>,
    inline_policies: Vec<Inline<'a>>,
    permissions_boundary: Option<Managed<'a>>,
    denies: Vec<Deny<'a>>,
    tags: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Managed<'a> {
    name: &'a str,
    arn: &'a str,
    version: &'a str,
    document: &'a Value,
}

#[derive(Serialize)]
struct Inline<'a> {
    name: &'a str,
    document: &'a Value,
}

/// A statement that refuses, whatever the others grant.
#[derive(Serialize)]
struct Deny<'a> {
    policy: &'a str,
    pointer: String,
    statement: &'a Map<String, Value>,
}

/// The member, as JSON.
///
/// # Errors
/// A refused fault when there is no such role, a usage one when it is not the one that was named by its ARN; as the reads of [`Iam`].
pub(crate) async fn run(iam: &Iam, role: &RoleRef, member: Option<&Role>) -> Result<Value, Fault> {
    let live = iam.existing_role(role.name()).await?;
    live.check_is(role)?;
    let grants = iam.grants(&live).await?;
    say_what_limits(iam, &live, &grants);

    let named = PolicyName::of_role(live.name());
    let known = managed::known(member, live.name());
    let policy = grants.attached.iter().find(|policy| match &known {
        Some(arn) => policy.arn == *arn,
        None => named.as_str() == policy.name(),
    });
    let shown = Shown {
        name: live.name().as_str(),
        arn: live.arn.as_str(),
        id: &live.id,
        policy_arn: policy.map(|policy| policy.arn.as_str()),
        policy_version: policy.map(|policy| policy.version.as_str()),
        trust_policy: live.trust.as_value(),
        attached_policies: grants.attached.iter().map(managed_policy).collect(),
        inline_policies: grants
            .inline
            .iter()
            .map(|inline| Inline { name: &inline.name, document: inline.document.as_value() })
            .collect(),
        permissions_boundary: grants.boundary.as_ref().map(managed_policy),
        denies: denies(&grants),
        tags: &live.tags,
    };
    serde_json::to_value(&shown)
        .map_err(|error| Fault::pipe(format!("failed to show role `{role}`")).with_cause(error))
}

fn managed_policy(policy: &ManagedPolicy) -> Managed<'_> {
    Managed {
        name: policy.name(),
        arn: policy.arn.as_str(),
        version: &policy.version,
        document: policy.document.as_value(),
    }
}

fn denies(grants: &Grants) -> Vec<Deny<'_>> {
    let mut denies = Vec::new();
    for (policy, document) in grants.documents() {
        let refusals = document.statements().filter(|statement| statement.effect() == Effect::Deny);
        denies.extend(refusals.map(|statement| Deny {
            policy,
            pointer: statement.pointer(),
            statement: statement.members(),
        }));
    }
    denies
}

/// People look for a missing grant and overlook what takes one away again.
fn say_what_limits(iam: &Iam, live: &LiveRole, grants: &Grants) {
    if let Some(boundary) = &grants.boundary {
        iam.notes().say(format!(
            "role `{}` has the permissions boundary `{}`: it may do nothing that this does not allow too",
            live.name(),
            boundary.name()
        ));
    }
    for deny in denies(grants) {
        iam.notes().say(format!("policy `{}` refuses something at `{}`", deny.policy, deny.pointer));
    }
}
