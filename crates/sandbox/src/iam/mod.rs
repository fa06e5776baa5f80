//! Identity and Access Management: roles, policies and users of every account, as real clients know them.
//!
//! Writes are stored at once and take effect after [`Settings::delay`]; decisions are made on what is in effect.

mod access;
mod entity;
mod identifier;
mod name;
mod operations;
mod page;
mod policy_document;
mod principal;
mod quota;
mod store;
mod tag;
mod visibility;
mod well_known;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;

pub use self::quota::Quotas;
pub use self::store::Settings;
pub use self::well_known::{DATABRICKS_ACCOUNT, UNITY_CATALOG_MASTER_ROLE};

pub(crate) use self::access::{Trusted, context, principal_of};
pub(crate) use self::identifier::{access_key_id, secret, session_key_id, token};
pub(crate) use self::name::{check_length, check_session_name, constraint, pattern_rule};
pub(crate) use self::operations::time;

use self::store::{Call, State};
use crate::clock::Clock;
use crate::error::ServiceError;
use crate::query::{Parameters, Xml};
use crate::sts::{Caller, Keyring};

/// The IAM of all accounts.
pub struct Iam {
    state: Mutex<State>,
    keys: Arc<Keyring>,
    clock: Clock,
}

impl Iam {
    /// An IAM that holds what exists without anybody's doing: AWS's managed policies and Databricks' role.
    pub(crate) fn new(settings: Settings, keys: Arc<Keyring>, clock: Clock) -> Self {
        let mut state = State {
            random: Rng::with_seed(settings.seed),
            accounts: well_known::accounts(clock.now()),
            settings,
        };
        // The ids of what exists from the start come from their own seed; skipping one keeps them apart.
        state.random.u64(..);
        Self { state: Mutex::new(state), keys, clock }
    }

    /// Sets how long later writes take to have an effect.
    pub fn set_delay(&self, delay: Duration) {
        self.lock().settings.delay = delay;
    }

    /// Carries out one operation for a caller, if its policies allow it.
    pub(crate) fn call(&self, caller: &Caller, parameters: &Parameters) -> Result<Xml, ServiceError> {
        let operation = operations::find(parameters.action())?;
        let mut state = self.lock();
        let now = self.clock.now();
        let resource = operations::resource(&state, caller, parameters);
        let action = format!("iam:{}", parameters.action());
        state.authorise(caller, &action, &resource, now).map_err(ServiceError::access_denied)?;
        operation(&mut Call { state: &mut state, keys: &self.keys, caller, parameters, now })
    }

    /// Whether a caller's own policies allow an action. The error is AWS's sentence.
    pub(crate) fn authorise(&self, caller: &Caller, action: &str, resource: &str) -> Result<(), String> {
        self.lock().authorise(caller, action, resource, self.clock.now())
    }

    /// What STS has to know to decide whether `caller` may assume the role. None: no such role, or not yet.
    pub(crate) fn trusted(&self, caller: &Caller, role_arn: &str) -> Option<Trusted> {
        self.lock().trusted(caller, role_arn, self.clock.now())
    }

    /// A session of Databricks' role, without keys: how the sandbox's Databricks calls STS.
    pub(crate) fn master_caller(&self) -> Caller {
        well_known::master_caller(&self.lock().accounts)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
