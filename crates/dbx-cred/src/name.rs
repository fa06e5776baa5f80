//! The name of a Unity Catalog credential.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

/// Longest name of a Unity Catalog object, in characters (Databricks documentation, "Names").
const MOST_CHARACTERS: usize = 255;

/// What stands for itself in a URL's path (RFC 3986, unreserved).
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A credential's name, in lower case as Unity Catalog keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CredentialName(String);

/// A text that is no credential name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not a credential name: {reason}")]
pub struct NameError {
    text: String,
    reason: String,
}

impl CredentialName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as one segment of a URL's path.
    pub fn in_path(&self) -> String {
        path_segment(&self.0)
    }
}

/// Any text as one segment of a URL's path.
pub fn path_segment(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

impl fmt::Display for CredentialName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for CredentialName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = |reason: String| Err(NameError { text: text.to_owned(), reason });
        let length = text.chars().count();
        if length == 0 || length > MOST_CHARACTERS {
            return refuse(format!("it has {length} characters, allowed are 1 to {MOST_CHARACTERS}"));
        }
        match text.chars().find(|character| character.is_control() || "./ ".contains(*character)) {
            Some(bad) => refuse(format!(
                "{bad:?} is not allowed, nor are periods, spaces, slashes and control characters"
            )),
            None => Ok(Self(text.to_lowercase())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CredentialName;

    #[test]
    fn names_are_kept_as_unity_catalog_keeps_them() {
        let name: CredentialName = "Kinesis-Sensor_Größe#1".parse().unwrap();
        assert_eq!(name.as_str(), "kinesis-sensor_größe#1");
        assert_eq!(name.in_path(), "kinesis-sensor_gr%C3%B6%C3%9Fe%231");
    }

    #[test]
    fn a_bad_name_says_why() {
        for (text, said) in
            [("", "0 characters"), ("a b", "' '"), ("a.b", "'.'"), ("a/b", "'/'"), ("a\nb", "'\\n'")]
        {
            let error = text.parse::<CredentialName>().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        assert!("x".repeat(256).parse::<CredentialName>().is_err());
    }
}
