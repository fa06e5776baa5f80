//! Names of Kinesis Data Streams: streams, their ARNs, shards and consumers.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{
    AccountId, Arn, NameError, Region, check_characters, checked_text, name_of_characters, shown_as_text,
};

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_.-".contains(character)
}

const ALPHABET: &str = "a-z A-Z 0-9 _ . -";

name_of_characters! {
    /// A stream's name: 1 to 128 characters of `[a-zA-Z0-9_.-]` (Kinesis API model, `StreamName`).
    StreamName, "a stream name", (1, 128), is_name_character, ALPHABET
}

name_of_characters! {
    /// A fan-out consumer's name: 1 to 128 characters of `[a-zA-Z0-9_.-]` (Kinesis API model, `ConsumerName`).
    ConsumerName, "a consumer name", (1, 128), is_name_character, ALPHABET
}

/// A shard's id, such as `shardId-000000000001`. A bare number is accepted and filled up: `1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShardId(String);

checked_text!(ShardId);

impl FromStr for ShardId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(format!("shardId-{text:0>12}")));
        }
        check_characters(text, "a shard id", (1, 128), is_name_character, ALPHABET)?;
        Ok(Self(text.to_owned()))
    }
}

/// A stream's ARN: `arn:PARTITION:kinesis:REGION:ACCOUNT:stream/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamArn {
    arn: Arn,
    name: StreamName,
    region: Region,
    account: AccountId,
}

impl StreamArn {
    /// The ARN as any ARN.
    pub fn arn(&self) -> &Arn {
        &self.arn
    }

    /// The ARN's text.
    pub fn as_str(&self) -> &str {
        self.arn.as_str()
    }

    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// The region the stream lives in.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The account that owns the stream.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
}

shown_as_text!(StreamArn);

impl FromStr for StreamArn {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        const WANTED: &str = "a stream ARN";
        let shape = || {
            NameError::new(
                text,
                WANTED,
                "write one like arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings",
            )
        };
        let arn: Arn = text.parse().map_err(|_| shape())?;
        let name = arn.resource().strip_prefix("stream/").ok_or_else(shape)?;
        if arn.service() != "kinesis" {
            return Err(shape());
        }
        let name =
            name.parse().map_err(|error: NameError| NameError::new(text, WANTED, error.to_string()))?;
        let region = arn.region().parse().map_err(|_| shape())?;
        let account = arn.account().ok_or_else(shape)?;
        Ok(Self { arn, name, region, account })
    }
}

/// A stream as people name one: by its name, which is the cheaper endpoint, or by its ARN, which reaches into other accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamRef {
    /// A stream of the caller's account, in the region in use.
    Name(StreamName),
    /// A stream anywhere.
    Arn(StreamArn),
}

impl StreamRef {
    /// The stream's name.
    pub fn name(&self) -> &StreamName {
        match self {
            Self::Name(name) => name,
            Self::Arn(arn) => arn.name(),
        }
    }

    /// The stream's ARN, when it was named by one.
    pub fn arn(&self) -> Option<&StreamArn> {
        match self {
            Self::Name(_) => None,
            Self::Arn(arn) => Some(arn),
        }
    }
}

impl std::fmt::Display for StreamRef {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name().as_str())
    }
}

impl FromStr for StreamRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.starts_with("arn:") { text.parse().map(Self::Arn) } else { text.parse().map(Self::Name) }
    }
}

#[cfg(test)]
mod tests {
    use super::{ShardId, StreamArn, StreamName};

    #[test]
    fn a_stream_arn_names_its_stream() {
        let arn: StreamArn =
            "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings".parse().unwrap();
        assert_eq!(arn.name().as_str(), "sensor-readings");
        assert_eq!(arn.region().as_str(), "eu-central-1");
    }

    #[test]
    fn refuses_what_is_no_stream_arn() {
        for text in [
            "sensor-readings",
            "arn:aws:kinesis:eu-central-1:123456789012:sensor-readings",
            "arn:aws:sqs:eu-central-1:123456789012:stream/x",
            "arn:aws:kinesis::123456789012:stream/x",
            "arn:aws:kinesis:eu-central-1:123456789012:stream/x/consumer/y:1",
            "arn:aws:kinesis:eu-central-1::stream/x",
        ] {
            assert!(text.parse::<StreamArn>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_stream_name_has_its_alphabet_and_length() {
        assert!("sensor-readings_2.x".parse::<StreamName>().is_ok());
        let error = "sensor readings".parse::<StreamName>().unwrap_err().to_string();
        assert_eq!(
            error,
            "`sensor readings` is not a stream name: ` ` is not allowed, only a-z A-Z 0-9 _ . -"
        );
        assert!("x".repeat(129).parse::<StreamName>().is_err());
        assert!("".parse::<StreamName>().is_err());
    }

    #[test]
    fn a_bare_number_is_a_shard() {
        assert_eq!("7".parse::<ShardId>().unwrap().as_str(), "shardId-000000000007");
        assert_eq!("shardId-000000000001".parse::<ShardId>().unwrap().as_str(), "shardId-000000000001");
    }
}
