//! A word that opens doors: it can be compared and handed out on purpose, never printed by accident.

use std::fmt;

/// A token or a client secret. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Keeps `value` out of logs from here on.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// A fresh random secret that starts with `prefix`, as Databricks marks its kinds (`dapi…`, `dose…`).
    pub fn random(prefix: &str) -> Self {
        Self(format!("{prefix}{}", uuid::Uuid::new_v4().simple()))
    }

    /// The value itself, for the place that hands it out or compares it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("dapi123")), "****");
    }

    #[test]
    fn random_secrets_differ_and_keep_their_mark() {
        let (one, other) = (Secret::random("dapi"), Secret::random("dapi"));
        assert_ne!(one, other);
        assert!(one.reveal().starts_with("dapi"));
    }
}
