//! Names that are checked once, where they enter; everyone after takes the type.

mod account;
mod arn;
mod iam;
mod kinesis;
mod region;

pub use account::AccountId;
pub use arn::{Arn, Partition};
pub use iam::{ExternalId, PolicyName, RoleArn, RoleName, RoleRef};
pub use kinesis::{ConsumerName, ShardId, StreamArn, StreamName, StreamRef};
pub use region::Region;

use thiserror::Error;

/// A text that is not a name of the wanted kind. Its `Display` is a fragment that says what is wrong and what is right.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not {wanted}: {reason}")]
pub struct NameError {
    text: String,
    wanted: &'static str,
    reason: String,
}

impl NameError {
    pub(crate) fn new(text: &str, wanted: &'static str, reason: impl Into<String>) -> Self {
        Self { text: text.to_owned(), wanted, reason: reason.into() }
    }
}

/// Refuses `text` unless it has `least..=most` characters, each one allowed.
fn check_characters(
    text: &str,
    wanted: &'static str,
    (least, most): (usize, usize),
    allowed: impl Fn(char) -> bool,
    alphabet: &str,
) -> Result<(), NameError> {
    let length = text.chars().count();
    if length < least || length > most {
        let reason = match length {
            0 => format!("it is empty, allowed are {least} to {most} characters"),
            1 => format!("it has one character, allowed are {least} to {most}"),
            _ => format!("it has {length} characters, allowed are {least} to {most}"),
        };
        return Err(NameError::new(text, wanted, reason));
    }
    match text.chars().find(|character| !allowed(*character)) {
        Some(bad) => Err(NameError::new(text, wanted, format!("`{bad}` is not allowed, only {alphabet}"))),
        None => Ok(()),
    }
}

/// What every name that has an `as_str` shares: `Display`, `AsRef`, and the way through serde.
macro_rules! shown_as_text {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::names::NameError;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    };
}
use shown_as_text;

/// The same for a name that is nothing but its text.
macro_rules! checked_text {
    ($name:ident) => {
        impl $name {
            /// The text as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        crate::names::shown_as_text!($name);
    };
}
use checked_text;

/// A name that is a text of so many characters from an alphabet: the type, its check, and what [`checked_text`] adds.
macro_rules! name_of_characters {
    ($(#[$doc:meta])* $name:ident, $wanted:literal, $length:expr, $allowed:expr, $alphabet:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        crate::names::checked_text!($name);

        impl std::str::FromStr for $name {
            type Err = crate::names::NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                crate::names::check_characters(text, $wanted, $length, $allowed, $alphabet)?;
                Ok(Self(text.to_owned()))
            }
        }
    };
}
use name_of_characters;
