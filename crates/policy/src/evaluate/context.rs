//! What a request says about itself: condition keys and their values.

use std::collections::BTreeMap;

use super::principal::Principal;

/// Condition keys with their values. Keys compare ignoring case, as IAM compares them.
///
/// A key without any value counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    values: BTreeMap<String, Vec<String>>,
}

impl Context {
    /// A context without any key.
    pub fn new() -> Self {
        Self::default()
    }

    /// This context with `key` set to one value, replacing what it had.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.with_many(key, [value])
    }

    /// This context with `key` set to several values, replacing what it had.
    #[must_use]
    pub fn with_many(mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.set(key, values);
        self
    }

    /// Sets `key` to `values`, replacing what it had.
    pub fn set(&mut self, key: &str, values: impl IntoIterator<Item = impl Into<String>>) {
        self.values.insert(key.to_ascii_lowercase(), values.into_iter().map(Into::into).collect());
    }

    /// The values of `key`; empty when the context lacks it.
    pub fn get(&self, key: &str) -> &[String] {
        self.values.get(&key.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The keys in lower case, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.values.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// This context with the keys that follow from who is calling, where it lacks them.
    pub(super) fn completed(&self, principal: &Principal) -> Self {
        let mut complete = self.clone();
        for (key, value) in principal.keys() {
            if complete.get(key).is_empty() {
                complete.set(key, [value]);
            }
        }
        complete
    }
}
