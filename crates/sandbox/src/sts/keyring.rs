//! Every pair of keys the sandbox has handed out, and whom it stands for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::Caller;

/// What belongs to one access key id.
#[derive(Clone)]
pub(crate) struct Key {
    /// The secret that signs.
    pub(crate) secret: String,
    /// Whom the key authenticates.
    pub(crate) caller: Caller,
    /// What only temporary keys have.
    pub(crate) session: Option<Temporary>,
}

/// The token and the end of temporary keys.
#[derive(Clone)]
pub(crate) struct Temporary {
    pub(crate) token: String,
    pub(crate) expires_at: SystemTime,
}

/// The keys by id.
#[derive(Default)]
pub(crate) struct Keyring(Mutex<BTreeMap<String, Key>>);

impl Keyring {
    pub(crate) fn insert(&self, id: String, key: Key) {
        self.lock().insert(id, key);
    }

    pub(crate) fn find(&self, id: &str) -> Option<Key> {
        self.lock().get(id).cloned()
    }

    pub(crate) fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
