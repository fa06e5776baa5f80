//! The Security Token Service: who is calling, and sessions of roles that really expire.

mod assume;
mod caller;
mod keyring;
mod operations;
mod session;

use std::sync::Arc;
use std::time::Duration;

pub use self::caller::{Caller, Identity};
pub(crate) use self::keyring::{Key, Keyring, Temporary};
pub use self::session::{AssumeRole, Session};

use crate::clock::Clock;
use crate::databricks;
use crate::error::ServiceError;
use crate::iam::Iam;

/// How STS behaves.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether a role that assumes itself needs a permission of its own beside the trust policy.
    pub strict_self_assume: bool,
    /// Sessions end after this, however long they were asked for: for watching keys expire.
    pub session_lifetime: Option<Duration>,
}

/// The STS of all accounts. Cloning shares it.
#[derive(Clone)]
pub struct Sts {
    iam: Arc<Iam>,
    keys: Arc<Keyring>,
    clock: Clock,
    settings: Settings,
}

impl Sts {
    pub(crate) fn new(iam: Arc<Iam>, keys: Arc<Keyring>, clock: Clock, settings: Settings) -> Self {
        Self { iam, keys, clock, settings }
    }

    /// A session of Databricks' Unity Catalog master role: the caller by which the sandbox's Databricks reaches
    /// the roles of its customers.
    pub fn session_of_master(&self) -> Caller {
        self.iam.master_caller()
    }
}

impl databricks::Assume for Sts {
    fn master(&self) -> Caller {
        self.session_of_master()
    }

    fn assume_role(&self, caller: &Caller, request: &AssumeRole) -> Result<Session, ServiceError> {
        Self::assume_role(self, caller, request)
    }
}
