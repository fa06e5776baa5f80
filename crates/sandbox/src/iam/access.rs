//! Who may do what: the policies that are in effect for a caller, put to the evaluator.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use policy::Document;
use policy::evaluate::{self, Context, Decision, Principal, Request};

use super::entity::Grants;
use super::operations::time;
use super::store::State;
use crate::sts::{Caller, Identity};

/// The policies a caller carries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried {
    pub(crate) documents: Vec<Arc<Document>>,
    pub(crate) boundary: Option<Arc<Document>>,
}

/// A role that could be assumed, and both sides of the decision.
#[derive(Debug, Clone)]
pub(crate) struct Trusted {
    /// The role's account.
    pub(crate) account: String,
    /// The role's name.
    pub(crate) role_name: String,
    /// The role's unique id.
    pub(crate) role_id: String,
    /// The longest session it allows.
    pub(crate) max_session: Duration,
    /// The trust policy in effect.
    pub(crate) trust: Arc<Document>,
    /// What the caller brings.
    pub(crate) carried: Carried,
}

impl State {
    /// Whether the caller's own policies allow an action. Root may do everything in its account.
    pub(crate) fn authorise(
        &self,
        caller: &Caller,
        action: &str,
        resource: &str,
        now: SystemTime,
    ) -> Result<(), String> {
        if caller.identity == Identity::Root {
            return Ok(());
        }
        let carried = self.carried_by(caller, now);
        let principal = principal_of(caller);
        let context = context(now);
        let request = Request { principal: &principal, action, resource, context: &context };
        let documents = carried.documents();
        let boundary = carried.boundary.as_deref();
        let reason = match evaluate::identity(&documents, boundary, &request).decision {
            Decision::Allow => return Ok(()),
            refused => {
                let without = evaluate::identity(&documents, None, &request).decision;
                let kind =
                    if without == Decision::Allow { "permissions boundary" } else { "identity-based policy" };
                if refused == Decision::ExplicitDeny {
                    let article = if kind == "permissions boundary" { "a" } else { "an" };
                    format!("with an explicit deny in {article} {kind}")
                } else {
                    format!("because no {kind} allows the {action} action")
                }
            }
        };
        Err(format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} {reason}",
            caller.arn()
        ))
    }

    /// See [`super::Iam::trusted`].
    pub(crate) fn trusted(&self, caller: &Caller, role_arn: &str, now: SystemTime) -> Option<Trusted> {
        let role = self.role_by_arn(role_arn).filter(|role| role.visible_from <= now)?;
        Some(Trusted {
            account: super::store::account_of(role_arn)?.to_owned(),
            role_name: role.name.clone(),
            role_id: role.id.clone(),
            max_session: role.max_session,
            trust: role.trust.in_effect(now)?.clone(),
            carried: self.carried_by(caller, now),
        })
    }

    /// The policies in effect for a caller. Who is gone carries none.
    fn carried_by(&self, caller: &Caller, now: SystemTime) -> Carried {
        let Some(account) = self.accounts.get(&caller.account) else {
            return Carried::default();
        };
        let grants = match &caller.identity {
            Identity::Root => None,
            Identity::User { id, .. } => {
                account.users.values().find(|user| user.id == *id).map(|user| &user.grants)
            }
            Identity::Session { role_id, .. } => {
                account.roles.values().find(|role| role.id == *role_id).map(|role| &role.grants)
            }
        };
        grants
            .and_then(|grants| grants.in_effect(now))
            .map(|grants| self.carry(grants, now))
            .unwrap_or_default()
    }

    fn carry(&self, grants: &Grants, now: SystemTime) -> Carried {
        let managed = |arn: &str| {
            let (_, document) = self.policy(arn)?.default_version.in_effect(now)?;
            Some(document.clone())
        };
        let attached = grants.attached.iter().filter_map(|arn| managed(arn));
        let inline = grants.inline.values().map(|inline| inline.document.clone());
        Carried {
            documents: attached.chain(inline).collect(),
            boundary: grants.boundary.as_deref().and_then(managed),
        }
    }
}

impl Carried {
    /// The documents as the evaluator takes them.
    pub(crate) fn documents(&self) -> Vec<&Document> {
        self.documents.iter().map(Arc::as_ref).collect()
    }
}

/// The caller in the evaluator's words.
pub(crate) fn principal_of(caller: &Caller) -> Principal {
    match &caller.identity {
        Identity::Root => Principal::Root { partition: "aws".to_owned(), account: caller.account.clone() },
        Identity::User { arn, id } => Principal::User { arn: arn.clone(), id: Some(id.clone()) },
        Identity::Session { role_arn, role_id, session_name, .. } => {
            Principal::session(role_arn, Some(role_id), session_name)
        }
    }
}

/// The condition keys that every request has. The sandbox stands for AWS, which is reached over TLS.
pub(crate) fn context(now: SystemTime) -> Context {
    let epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Context::new()
        .with("aws:CurrentTime", time(now))
        .with("aws:EpochTime", epoch.to_string())
        .with("aws:SecureTransport", "true")
        .with("aws:SourceIp", "127.0.0.1")
}
