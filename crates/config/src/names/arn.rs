//! Amazon Resource Names.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{AccountId, NameError, checked_text};

const WANTED: &str = "an ARN";

/// The part of AWS an ARN belongs to. Databricks publishes roles for `aws` and `aws-us-gov` only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Partition(String);

checked_text!(Partition);

impl Partition {
    /// The commercial partition.
    pub fn aws() -> Self {
        Self("aws".to_owned())
    }
}

impl FromStr for Partition {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let shaped = text == "aws"
            || text.strip_prefix("aws-").is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            });
        if shaped {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::new(text, "an AWS partition", "write one like aws or aws-us-gov"))
        }
    }
}

/// Any ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arn(String);

checked_text!(Arn);

impl Arn {
    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }

    /// `aws`, `aws-us-gov`, …
    pub fn partition(&self) -> Partition {
        Partition(self.part(1).to_owned())
    }

    /// `kinesis`, `iam`, …
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region; empty for IAM.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account, when the ARN names one.
    pub fn account(&self) -> Option<AccountId> {
        self.part(4).parse().ok()
    }

    /// Everything behind the account, such as `stream/orders`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }
}

impl FromStr for Arn {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let refuse = |reason: &str| Err(NameError::new(text, WANTED, reason));
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [scheme, partition, service, _region, account, resource] = parts.as_slice() else {
            return refuse("it needs six parts: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE");
        };
        if *scheme != "arn" {
            return refuse("it must start with `arn:`");
        }
        if partition.parse::<Partition>().is_err() {
            return refuse("its partition must be one like `aws` or `aws-us-gov`");
        }
        if service.is_empty() || resource.is_empty() {
            return refuse("its service and its resource must not be empty");
        }
        if !account.is_empty() && *account != "aws" && account.parse::<AccountId>().is_err() {
            return refuse("its account must be 12 digits");
        }
        if text.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return refuse("it must not contain white space");
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn takes_an_arn_apart() {
        let arn: Arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/orders".parse().unwrap();
        assert_eq!(arn.partition().as_str(), "aws");
        assert_eq!(arn.service(), "kinesis");
        assert_eq!(arn.region(), "eu-central-1");
        assert_eq!(arn.account().unwrap().as_str(), "123456789012");
        assert_eq!(arn.resource(), "stream/orders");
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, said) in [
            ("orders", "six parts"),
            ("urn:aws:kinesis:eu-central-1:123456789012:stream/orders", "`arn:`"),
            ("arn:azure:iam::123456789012:role/x", "partition"),
            ("arn:aws:iam::12345:role/x", "12 digits"),
            ("arn:aws:iam::123456789012:", "must not be empty"),
            ("arn:aws:iam::123456789012:role/a b", "white space"),
        ] {
            let error = text.parse::<Arn>().unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
