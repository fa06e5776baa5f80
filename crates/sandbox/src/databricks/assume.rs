//! The seam to STS, and the steps that Databricks takes over it to become somebody's role.
//!
//! Validation and vending have no opinion of their own. They take these steps, and report what happened.

use std::time::Duration;

use uuid::Uuid;

use super::credential::Credential;
use crate::error::ServiceError;
use crate::sts::{AssumeRole, Caller, Session};

/// AWS caps a session that was reached from another role's session at one hour (role chaining), and that is
/// how Databricks reaches a customer's role.
pub(super) const CHAINED_SESSION: Duration = Duration::from_hours(1);

/// What Databricks' sessions of a customer's role are called.
const SESSION_NAME: &str = "databricks-unity-catalog";

/// The part of STS that Databricks uses.
pub trait Assume: Send + Sync {
    /// A session of the Unity Catalog master role, as a caller.
    fn master(&self) -> Caller;

    /// Becomes a role, if its trust policy and the caller's own policies allow it.
    ///
    /// # Errors
    /// What STS answers: denied, malformed, or not visible yet.
    fn assume_role(&self, caller: &Caller, request: &AssumeRole) -> Result<Session, ServiceError>;
}

/// The steps towards the role of one credential.
pub(super) struct Steps<'a> {
    sts: &'a dyn Assume,
    role_arn: &'a str,
    external_id: &'a str,
    duration: Duration,
}

impl<'a> Steps<'a> {
    pub(super) fn new(sts: &'a dyn Assume, credential: &'a Credential, duration: Duration) -> Self {
        Self { sts, role_arn: credential.role_arn.as_str(), external_id: &credential.external_id, duration }
    }

    /// From the master role into the credential's role, with the credential's external id.
    pub(super) fn enter(&self) -> Result<Session, ServiceError> {
        self.assume(&self.sts.master(), Some(self.external_id))
    }

    /// The same as a stranger to the agreement: without an external id.
    pub(super) fn enter_without_id(&self) -> Result<Session, ServiceError> {
        self.assume(&self.sts.master(), None)
    }

    /// The same with an external id that nobody agreed on.
    pub(super) fn enter_with_wrong_id(&self) -> Result<Session, ServiceError> {
        let wrong = Uuid::new_v4().to_string();
        self.assume(&self.sts.master(), Some(&wrong))
    }

    /// From the role's own session into the role again.
    pub(super) fn enter_again(&self, session: &Session) -> Result<Session, ServiceError> {
        self.assume(&session.caller, Some(self.external_id))
    }

    fn assume(&self, caller: &Caller, external_id: Option<&str>) -> Result<Session, ServiceError> {
        let request = AssumeRole {
            role_arn: self.role_arn.to_owned(),
            session_name: SESSION_NAME.to_owned(),
            external_id: external_id.map(str::to_owned),
            duration: self.duration,
        };
        self.sts.assume_role(caller, &request)
    }
}
