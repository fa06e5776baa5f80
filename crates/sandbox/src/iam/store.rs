//! The state of all accounts, and how one operation reaches it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use policy::Document;
use serde_json::Value;

use super::entity::{Account, Inline, ManagedPolicy, Role, User};
use super::identifier::{self, Kind};
use super::policy_document::malformed;
use super::principal::{self, Directory};
use super::quota::Quotas;
use crate::error::ServiceError;
use crate::query::Parameters;
use crate::sts::{Caller, Keyring};

/// The account that AWS's own managed policies belong to.
pub(crate) const AWS: &str = "aws";

/// How IAM behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a write takes to have an effect.
    pub delay: Duration,
    /// Whether reading a new role fails too, until the delay has passed.
    pub hide_new_roles: bool,
    /// What an account may have.
    pub quotas: Quotas,
    /// Decides unique ids and the order of lists that are read back.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { delay: Duration::from_millis(250), hide_new_roles: false, quotas: Quotas::default(), seed: 0 }
    }
}

/// All accounts.
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) random: Rng,
}

/// One operation at work: who calls, with what, on which account.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) keys: &'a Keyring,
    pub(crate) caller: &'a Caller,
    pub(crate) parameters: &'a Parameters,
    pub(crate) now: SystemTime,
}

/// The principals that can be resolved at one moment.
struct Visible<'a> {
    accounts: &'a BTreeMap<String, Account>,
    now: SystemTime,
}

impl Directory for Visible<'_> {
    fn id_of(&self, arn: &str) -> Option<String> {
        let account = self.accounts.get(account_of(arn)?)?;
        let role = account
            .roles
            .values()
            .find(|role| role.arn == arn && role.visible_from <= self.now)
            .map(|role| &role.id);
        let user = || {
            account
                .users
                .values()
                .find(|user| user.arn == arn && user.visible_from <= self.now)
                .map(|user| &user.id)
        };
        role.or_else(user).cloned()
    }

    fn has_role(&self, account: &str, name: &str) -> bool {
        let account = self.accounts.get(account);
        let role = account.and_then(|account| account.roles.get(&name.to_lowercase()));
        role.is_some_and(|role| role.name == name && role.visible_from <= self.now)
    }

    fn arn_of(&self, id: &str) -> Option<String> {
        self.accounts.values().find_map(|account| {
            let role = account.roles.values().find(|role| role.id == id).map(|role| &role.arn);
            let user = || account.users.values().find(|user| user.id == id).map(|user| &user.arn);
            role.or_else(user).cloned()
        })
    }
}

impl State {
    /// The trust policy's principals become ids.
    pub(crate) fn resolve(&self, document: &mut Value, now: SystemTime) -> Result<(), ServiceError> {
        let accounts = &self.accounts;
        principal::resolve(document, &Visible { accounts, now })
    }

    /// A stored document as a reader gets it: ids as ARNs, lists in any order, lists of one as the one.
    pub(crate) fn present(&mut self, document: &Document, now: SystemTime) -> Value {
        let mut value = document.as_value().clone();
        let accounts = &self.accounts;
        principal::restore(&mut value, &Visible { accounts, now });
        if let Some(statements) = value.get_mut("Statement") {
            match statements {
                Value::Array(list) => {
                    for statement in list {
                        shuffle(statement, &mut self.random);
                    }
                }
                single => shuffle(single, &mut self.random),
            }
        }
        value
    }

    /// The account; it appears when it is first looked at.
    pub(crate) fn account(&mut self, id: &str) -> &mut Account {
        self.accounts.entry(id.to_owned()).or_default()
    }

    /// A role by its exact ARN, in any account.
    pub(crate) fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        let account = self.accounts.get(account_of(arn)?)?;
        account.roles.values().find(|role| role.arn == arn)
    }

    /// A managed policy by its ARN, in any account.
    pub(crate) fn policy(&self, arn: &str) -> Option<&ManagedPolicy> {
        let account = self.accounts.get(account_of(arn)?)?;
        account.policies.values().find(|policy| policy.arn == arn)
    }
}

impl Call<'_> {
    /// The caller's account.
    pub(crate) fn account(&mut self) -> &mut Account {
        self.state.account(&self.caller.account)
    }

    /// A new unique id.
    pub(crate) fn unique_id(&mut self, kind: Kind) -> String {
        identifier::unique_id(kind, &mut self.state.random)
    }

    /// The role that the request names.
    pub(crate) fn role(&mut self) -> Result<&mut Role, ServiceError> {
        let name = self.parameters.required("RoleName")?;
        let missing = || no_such_entity(format!("The role with name {name} cannot be found."));
        let hidden_before = self.state.settings.hide_new_roles.then_some(self.now);
        self.state
            .account(&self.caller.account)
            .roles
            .get_mut(&name.to_lowercase())
            .filter(|role| hidden_before.is_none_or(|now| role.visible_from <= now))
            .ok_or_else(missing)
    }

    /// The user that the request names.
    pub(crate) fn user(&mut self) -> Result<&mut User, ServiceError> {
        let name = self.parameters.required("UserName")?;
        self.account()
            .users
            .get_mut(&name.to_lowercase())
            .ok_or_else(|| no_such_entity(format!("The user with name {name} cannot be found.")))
    }

    /// The ARN of the managed policy that the request names, which may be one of AWS's own.
    pub(crate) fn policy_arn(&self) -> Result<&str, ServiceError> {
        let arn = self.parameters.required("PolicyArn")?;
        super::name::check_length("policyArn", arn, 20, 2048)?;
        match account_of(arn) {
            Some(account) if account == self.caller.account || account == AWS => Ok(arn),
            Some(_) => Err(no_such_entity(format!("Policy {arn} was not found."))),
            None => Err(ServiceError::validation(format!("ARN {arn} is not valid."))),
        }
    }

    /// The managed policy that the request names, to read it.
    pub(crate) fn policy(&self) -> Result<&ManagedPolicy, ServiceError> {
        let arn = self.policy_arn()?;
        self.state.policy(arn).ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))
    }

    /// The managed policy that the request names, to change it. AWS's own cannot be changed.
    pub(crate) fn policy_mut(&mut self) -> Result<&mut ManagedPolicy, ServiceError> {
        let arn = self.policy_arn()?.to_owned();
        if account_of(&arn) == Some(AWS) {
            return Err(ServiceError::access_denied(format!(
                "Policy {arn} is managed by AWS and cannot be changed."
            )));
        }
        self.account()
            .policies
            .values_mut()
            .find(|policy| policy.arn == arn)
            .ok_or_else(|| no_such_entity(format!("Policy {arn} was not found.")))
    }
}

/// `NoSuchEntity`.
pub(crate) fn no_such_entity(message: String) -> ServiceError {
    ServiceError::new(404, "NoSuchEntity", message)
}

/// `DeleteConflict`.
pub(crate) fn delete_conflict(message: &str) -> ServiceError {
    ServiceError::new(409, "DeleteConflict", message)
}

/// A checked document, ready to be stored and evaluated.
pub(crate) fn stored(document: Value) -> Result<Arc<Document>, ServiceError> {
    Document::from_value(document).map(Arc::new).map_err(|_| malformed("Syntax errors in policy."))
}

/// A checked inline policy with its size.
pub(crate) fn inline(document: Value, text: &str) -> Result<Inline, ServiceError> {
    Ok(Inline { document: stored(document)?, length: super::quota::policy_length(text) })
}

/// The account in an ARN.
pub(crate) fn account_of(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:aws:")?.split(':').nth(2)
}

/// Shuffles every list of a statement, and turns lists of one into the one.
fn shuffle(value: &mut Value, random: &mut Rng) {
    match value {
        Value::Array(list) => {
            for item in list.iter_mut() {
                shuffle(item, random);
            }
            if list.len() == 1 {
                *value = list.pop().unwrap_or_default();
            } else {
                random.shuffle(list);
            }
        }
        Value::Object(members) => members.values_mut().for_each(|member| shuffle(member, random)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
