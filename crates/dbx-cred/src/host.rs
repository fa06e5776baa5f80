//! The address of a Databricks workspace, checked before a token is sent there.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;
use thiserror::Error;

/// A workspace's address: `https://…`, or `http://…` on loopback, without path and trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    text: String,
    plain: bool,
}

/// A text that is no workspace address.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not a workspace address: {reason}")]
pub struct HostError {
    text: String,
    reason: &'static str,
}

impl Host {
    /// The address with a path behind it. The path starts with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a plain-http server on this machine: the sandbox, or a test.
    pub fn is_plain_loopback(&self) -> bool {
        self.plain
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for Host {
    type Err = HostError;

    /// Adds `https://` where no scheme is given and drops what people copy from a browser along with the host.
    fn from_str(text: &str) -> Result<Self, HostError> {
        let refuse = |reason| Err(HostError { text: text.to_owned(), reason });
        let trimmed = text.trim();
        let full = if trimmed.contains("://") { trimmed.to_owned() } else { format!("https://{trimmed}") };
        let Ok(url) = Url::parse(&full) else {
            return refuse("write one like https://dbc-a1b2c3d4-e5f6.cloud.databricks.com");
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it must not contain a user name or a password");
        }
        let plain = match (url.scheme(), is_loopback(&url)) {
            ("https", _) => false,
            ("http", true) => true,
            ("http", false) => return refuse("a token would travel unencrypted; write https://"),
            _ => return refuse("it must start with https://"),
        };
        let origin = url.origin();
        if !origin.is_tuple() || url.host_str().is_none_or(str::is_empty) {
            return refuse("it names no host");
        }
        Ok(Self { text: origin.ascii_serialization(), plain })
    }
}

/// Whether a URL leads to this machine.
fn is_loopback(url: &Url) -> bool {
    let name = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn what_people_paste_is_normalised() {
        for (text, expected) in [
            ("dbc-1.cloud.databricks.test", "https://dbc-1.cloud.databricks.test"),
            ("https://dbc-1.cloud.databricks.test/", "https://dbc-1.cloud.databricks.test"),
            ("https://dbc-1.cloud.databricks.test:443", "https://dbc-1.cloud.databricks.test"),
            ("https://DBC-1.databricks.test/?o=123#job", "https://dbc-1.databricks.test"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            (" http://localhost:1 ", "http://localhost:1"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().as_str(), expected);
        }
    }

    #[test]
    fn a_token_is_never_sent_unencrypted_or_nowhere() {
        for text in [
            "http://dbc-1.cloud.databricks.test",
            "http://127.0.0.1.evil.test",
            "ftp://dbc-1.test",
            "https://me:secret@dbc-1.test",
            "",
            "https://",
            "two words",
        ] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
        assert!("http://127.0.0.1:1".parse::<Host>().unwrap().is_plain_loopback());
        assert!(!"https://127.0.0.1:1".parse::<Host>().unwrap().is_plain_loopback());
    }
}
