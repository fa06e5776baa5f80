//! AWS account ids.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{NameError, checked_text};

/// Twelve digits, kept as text: leading zeros count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

checked_text!(AccountId);

impl FromStr for AccountId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::new(text, "an AWS account id", "it must be 12 digits, like 123456789012"))
        }
    }
}
