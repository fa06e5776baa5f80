//! What an account holds: roles, users and managed policies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use policy::Document;

use super::tag::Tags;
use super::visibility::Delayed;

/// A role.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: SystemTime,
    /// Before this nobody can name the role as a principal or assume it.
    pub(crate) visible_from: SystemTime,
    pub(crate) description: Option<String>,
    pub(crate) max_session: Duration,
    pub(crate) tags: Tags,
    /// The trust policy with its principals resolved to ids.
    pub(crate) trust: Delayed<Arc<Document>>,
    pub(crate) grants: Delayed<Grants>,
}

/// A user.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) created: SystemTime,
    pub(crate) visible_from: SystemTime,
    pub(crate) access_keys: Vec<AccessKey>,
    pub(crate) grants: Delayed<Grants>,
}

/// The public half of a user's key. The secret is on the keyring only.
#[derive(Debug, Clone)]
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) created: SystemTime,
}

/// What an identity may do, as far as it says so itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grants {
    /// ARNs of attached managed policies, in the order they were attached.
    pub(crate) attached: Vec<String>,
    /// Inline policies by name.
    pub(crate) inline: BTreeMap<String, Inline>,
    /// The ARN of the permissions boundary.
    pub(crate) boundary: Option<String>,
}

/// An inline policy.
#[derive(Debug, Clone)]
pub(crate) struct Inline {
    pub(crate) document: Arc<Document>,
    /// Its size for the quota.
    pub(crate) length: usize,
}

/// A customer managed policy.
#[derive(Debug, Clone)]
pub(crate) struct ManagedPolicy {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) created: SystemTime,
    pub(crate) updated: SystemTime,
    /// By number: 1 is `v1`.
    pub(crate) versions: BTreeMap<u32, Version>,
    /// Numbers are never used twice.
    pub(crate) next_version: u32,
    /// The version that is in force, and its text, which may outlive the version for a moment.
    pub(crate) default_version: Delayed<(u32, Arc<Document>)>,
    pub(crate) tags: Tags,
}

/// One version of a managed policy.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) document: Arc<Document>,
    pub(crate) created: SystemTime,
}

/// One account. Roles, users and policies are kept by name in lower case, for names are unique ignoring case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) policies: BTreeMap<String, ManagedPolicy>,
}

impl Account {
    /// How many roles and users a managed policy is attached to.
    pub(crate) fn attachments(&self, arn: &str) -> usize {
        self.grants().filter(|grants| grants.attached.iter().any(|attached| attached == arn)).count()
    }

    /// How many roles and users have a managed policy as their boundary.
    pub(crate) fn boundary_uses(&self, arn: &str) -> usize {
        self.grants().filter(|grants| grants.boundary.as_deref() == Some(arn)).count()
    }

    fn grants(&self) -> impl Iterator<Item = &Grants> {
        let roles = self.roles.values().map(|role| role.grants.latest());
        roles.chain(self.users.values().map(|user| user.grants.latest()))
    }
}
