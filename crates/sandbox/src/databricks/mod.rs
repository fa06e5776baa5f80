//! A Databricks workspace, as far as Unity Catalog's service credentials go.
//!
//! Credentials, their grants and bindings, validation, temporary keys, and logins. Nothing is canned: whether a
//! credential validates, and whether there are keys to hand out, is found by assuming the role through the
//! sandbox's STS, the way Databricks does it.
//!
//! A request goes `routes` → `authentication` → `credentials` or `permissions` → `catalog`. What the network
//! sees is in `operation` (paths), `fields` and `query` (requests), `error` (refusals). `control` is the
//! sandbox's own.

mod assume;
mod authentication;
mod binding;
mod catalog;
mod change;
mod control;
mod credential;
mod credentials;
mod directory;
mod error;
mod fault;
mod fields;
mod grants;
mod journal;
mod login;
mod metastore;
mod oauth;
mod operation;
mod options;
mod page;
mod permissions;
mod principal;
mod query;
mod role_arn;
mod routes;
mod secret;
mod settings;
#[cfg(test)]
mod trust_fake;
mod validate;
mod vend;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::Router;

pub use self::assume::Assume;
pub use self::options::Options;
pub use self::principal::{ACCOUNT_USERS, Principal, PrincipalKind};
pub use self::secret::Secret;
pub use self::settings::{ExternalIds, Settings};

use self::catalog::Catalog;
use self::directory::Directory;
use self::fault::Faults;
use self::journal::Journal;
use self::login::Tokens;

/// One workspace. Cloning shares it.
#[derive(Clone)]
pub struct Workspace(Arc<Shared>);

struct Shared {
    options: Options,
    sts: Box<dyn Assume>,
    state: Mutex<State>,
}

/// Everything that changes.
struct State {
    catalog: Catalog,
    directory: Directory,
    tokens: Tokens,
    faults: Faults,
    journal: Journal,
    settings: Settings,
}

impl Workspace {
    /// A workspace that becomes its customers' roles through `sts`.
    pub fn new(options: Options, sts: impl Assume + 'static) -> Self {
        let principals = vec![options.admin.clone(), options.automation.clone(), options.stranger.clone()];
        let state = State {
            catalog: Catalog::default(),
            directory: Directory::new(principals, options.groups.clone()),
            tokens: Tokens::default(),
            faults: Faults::default(),
            journal: Journal::default(),
            settings: options.settings.clone(),
        };
        Self(Arc::new(Shared { options, sts: Box::new(sts), state: Mutex::new(state) }))
    }

    /// What it was set up with: ids, names, and the secrets of its principals.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    fn sts(&self) -> &dyn Assume {
        &*self.0.sts
    }

    fn now(&self) -> SystemTime {
        self.0.options.clock.now()
    }

    /// How it behaves right now.
    fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// The state, locked. Never held while STS is asked, and never over an `await`.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Workspace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Workspace").field("options", &self.0.options).finish_non_exhaustive()
    }
}

/// The workspace's whole HTTP interface.
pub fn router(workspace: Workspace) -> Router {
    Router::new().fallback(routes::serve).with_state(workspace)
}
