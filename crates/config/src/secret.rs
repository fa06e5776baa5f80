//! A secret that shows as `****` wherever it is formatted.

use std::fmt;

/// A token, key or password. `Debug` and `Display` print `****`; [`Secret::reveal`] is the one way to the value,
/// so that a search for its name finds every place that uses one.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that must not be shown.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself, for an `Authorization` header or for `dbx-cred token`.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether the value is the empty string, which no service accepts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("****")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn formatting_hides_the_value() {
        let secret = Secret::new("dapi-1234");
        assert_eq!(format!("{secret} {secret:?}"), "**** ****");
        assert_eq!(secret.reveal(), "dapi-1234");
    }
}
