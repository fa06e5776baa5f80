//! AWS region names.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{NameError, checked_text};

/// A region such as `eu-central-1`. Only its shape is checked: regions appear faster than releases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

checked_text!(Region);

impl FromStr for Region {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let parts: Vec<&str> = text.split('-').collect();
        let lower = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
        let shaped = match parts.as_slice() {
            [words @ .., number] => {
                words.len() >= 2
                    && words.iter().all(|word| lower(word))
                    && !number.is_empty()
                    && number.bytes().all(|byte| byte.is_ascii_digit())
            }
            [] => false,
        };
        if shaped {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::new(text, "an AWS region", "write one like eu-central-1 or us-gov-west-1"))
        }
    }
}
