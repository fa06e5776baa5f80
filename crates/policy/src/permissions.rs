//! The permissions that a role needs to read a stream, or a producer needs to write one, and no others.
//!
//! ```
//! use policy::permissions::{self, Mode, Spec};
//!
//! let stream = "arn:aws:kinesis:eu-central-1:123456789012:stream/orders";
//! let spec = Spec::reader(stream, "arn:aws:iam::123456789012:role/reader")?.with_mode(Mode::Efo);
//! let sids: Vec<String> = permissions::document(&spec).statements().filter_map(|s| s.sid().map(str::to_owned)).collect();
//! assert_eq!(sids, ["ReadStream", "EfoStream", "EfoConsumer", "SelfAssume"]);
//! # Ok::<(), permissions::SpecError>(())
//! ```

use serde_json::{Value, json};
use thiserror::Error;

use crate::Document;
use crate::arn::{self, Arn};

/// How a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// `GetRecords` in a loop; all consumers share a shard's throughput.
    Polling,
    /// Enhanced fan-out: a registered consumer with throughput of its own. The consumer is registered by the reader.
    Efo,
}

/// What permissions are for. Everything in it has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    stream_arn: String,
    access: Access,
    kms_key_arn: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Access {
    Reader { role_arn: String, mode: Mode },
    Producer,
}

/// Why no permissions can be written for this.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecError {
    /// Not the ARN of a stream.
    #[error("`{arn}` is not the ARN of a stream; write `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`")]
    Stream {
        /// What was given.
        arn: String,
    },
    /// Not the ARN of a role.
    #[error("`{arn}` is not the ARN of a role; write `arn:aws:iam::ACCOUNT:role/NAME`")]
    Role {
        /// What was given.
        arn: String,
    },
    /// Not the ARN of a key. An alias does not do: IAM matches the key itself.
    #[error("`{arn}` is not the ARN of a KMS key; write `arn:aws:kms:REGION:ACCOUNT:key/ID`, not an alias")]
    Key {
        /// What was given.
        arn: String,
    },
}

impl Spec {
    /// Reading `stream_arn` as the role `role_arn`, which may also assume itself, as Databricks demands. Polling, no customer key.
    ///
    /// # Errors
    /// When one of the ARNs is not what it should be.
    pub fn reader(stream_arn: &str, role_arn: &str) -> Result<Self, SpecError> {
        stream(stream_arn)?;
        let role = Arn::split(role_arn).filter(|arn| arn.service == "iam" && arn::is_account(arn.account));
        if role.is_none_or(|arn| !named(arn.resource, "role/")) {
            return Err(SpecError::Role { arn: role_arn.to_owned() });
        }
        let access = Access::Reader { role_arn: role_arn.to_owned(), mode: Mode::Polling };
        Ok(Self { stream_arn: stream_arn.to_owned(), access, kms_key_arn: None })
    }

    /// Writing to `stream_arn`. No customer key.
    ///
    /// # Errors
    /// When the ARN is not that of a stream.
    pub fn producer(stream_arn: &str) -> Result<Self, SpecError> {
        stream(stream_arn)?;
        Ok(Self { stream_arn: stream_arn.to_owned(), access: Access::Producer, kms_key_arn: None })
    }

    /// The same reader in another mode. A producer has none and stays as it is.
    #[must_use]
    pub fn with_mode(mut self, wanted: Mode) -> Self {
        if let Access::Reader { mode, .. } = &mut self.access {
            *mode = wanted;
        }
        self
    }

    /// The same, for a stream encrypted with a key of the customer's own.
    ///
    /// # Errors
    /// When the ARN is not that of a key.
    pub fn with_kms_key(mut self, key_arn: &str) -> Result<Self, SpecError> {
        let key = Arn::split(key_arn).filter(|arn| arn.service == "kms" && arn::is_account(arn.account));
        if key.is_none_or(|arn| arn.region.is_empty() || !named(arn.resource, "key/")) {
            return Err(SpecError::Key { arn: key_arn.to_owned() });
        }
        self.kms_key_arn = Some(key_arn.to_owned());
        Ok(self)
    }

    /// Whether the stream is in another account than the role that reads it, so that the stream needs policies of its own.
    pub fn crosses_accounts(&self) -> bool {
        match &self.access {
            Access::Reader { role_arn, .. } => account(role_arn) != account(&self.stream_arn),
            Access::Producer => false,
        }
    }
}

/// Permissions to attach to the role or user, always in the same bytes.
pub fn document(spec: &Spec) -> Document {
    let stream = &spec.stream_arn;
    let mut statements = match &spec.access {
        Access::Producer => vec![allow("WriteStream", &json!(WRITE), stream)],
        Access::Reader { mode: Mode::Polling, .. } => vec![allow("ReadStream", &json!(READ), stream)],
        Access::Reader { mode: Mode::Efo, .. } => vec![
            allow("ReadStream", &json!(READ), stream),
            allow("EfoStream", &json!(EFO_STREAM), stream),
            allow("EfoConsumer", &json!(EFO_CONSUMER), &consumers(stream)),
        ],
    };
    if let Some(key) = &spec.kms_key_arn {
        statements.push(key_use(spec, key));
    }
    if let Access::Reader { role_arn, .. } = &spec.access {
        statements.push(allow("SelfAssume", &json!("sts:AssumeRole"), role_arn));
    }
    Document::known(json!({"Version": "2012-10-17", "Statement": statements}))
}

/// The policy to put on the stream itself when [`Spec::crosses_accounts`]: it admits the reader's role.
pub fn stream_policy(spec: &Spec) -> Option<Document> {
    let Access::Reader { role_arn, mode } = &spec.access else { return None };
    let mut actions = READ.to_vec();
    if *mode == Mode::Efo {
        actions.extend(EFO_STREAM);
    }
    Some(resource_policy("ReadStreamFromOtherAccount", role_arn, &actions, &spec.stream_arn))
}

/// The policy to put on a registered consumer of the stream when [`Spec::crosses_accounts`] and the mode is [`Mode::Efo`].
/// `consumer_arn` is the one that `RegisterStreamConsumer` answered.
pub fn consumer_policy(spec: &Spec, consumer_arn: &str) -> Option<Document> {
    match &spec.access {
        Access::Reader { role_arn, mode: Mode::Efo } => {
            Some(resource_policy("UseConsumerFromOtherAccount", role_arn, &EFO_CONSUMER, consumer_arn))
        }
        Access::Reader { mode: Mode::Polling, .. } | Access::Producer => None,
    }
}

/// Databricks documents the last three as required; its console's guide adds the first.
const READ: [&str; 4] =
    ["kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:GetRecords", "kinesis:GetShardIterator"];
/// Fan-out actions whose resource is the stream.
const EFO_STREAM: [&str; 2] = ["kinesis:RegisterStreamConsumer", "kinesis:ListStreamConsumers"];
/// Fan-out actions whose resource is the consumer.
const EFO_CONSUMER: [&str; 3] =
    ["kinesis:SubscribeToShard", "kinesis:DescribeStreamConsumer", "kinesis:DeregisterStreamConsumer"];
const WRITE: [&str; 2] = ["kinesis:PutRecord", "kinesis:PutRecords"];

/// A consumer's ARN ends in the time it was registered, which nobody knows beforehand.
fn consumers(stream_arn: &str) -> String {
    format!("{stream_arn}/consumer/*")
}

/// The key may be used for this stream only, and only by Kinesis on the caller's behalf.
fn key_use(spec: &Spec, key: &str) -> Value {
    let (sid, action) = match spec.access {
        Access::Reader { .. } => ("DecryptRecords", "kms:Decrypt"),
        Access::Producer => ("EncryptRecords", "kms:GenerateDataKey"),
    };
    let mut statement = allow(sid, &json!(action), key);
    let (region, suffix) = Arn::split(&spec.stream_arn).map_or(("", "amazonaws.com"), |arn| {
        (arn.region, if arn.partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" })
    });
    statement["Condition"] = json!({"StringEquals": {
        "kms:ViaService": format!("kinesis.{region}.{suffix}"),
        "kms:EncryptionContext:aws:kinesis:arn": spec.stream_arn
    }});
    statement
}

fn allow(sid: &str, actions: &Value, resource: &str) -> Value {
    json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource})
}

fn resource_policy(sid: &str, role_arn: &str, actions: &[&str], resource: &str) -> Document {
    Document::known(json!({"Version": "2012-10-17", "Statement": [
        {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": role_arn}, "Action": actions, "Resource": resource}
    ]}))
}

fn stream(text: &str) -> Result<(), SpecError> {
    Arn::split(text)
        .filter(|arn| arn.service == "kinesis" && !arn.region.is_empty() && arn::is_account(arn.account))
        .filter(|arn| named(arn.resource, "stream/") && arn.resource.matches('/').count() == 1)
        .map(|_| ())
        .ok_or_else(|| SpecError::Stream { arn: text.to_owned() })
}

fn named(resource: &str, prefix: &str) -> bool {
    resource.strip_prefix(prefix).is_some_and(|name| !name.is_empty() && !name.contains(['*', '?', ' ']))
}

fn account(arn: &str) -> Option<&str> {
    Arn::split(arn).map(|arn| arn.account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::{self, Context, Principal, Request};

    const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";
    const ROLE: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";
    const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/0d26daa6";

    fn allowed(document: &Document, action: &str, resource: &str, context: &Context) -> bool {
        let principal = Principal::from_arn(ROLE).unwrap();
        let request = Request { principal: &principal, action, resource, context };
        evaluate::identity(&[document], None, &request).decision.is_allow()
    }

    #[test]
    fn the_polling_reader_of_the_guide() {
        assert_eq!(
            document(&Spec::reader(STREAM, ROLE).unwrap()).to_string(),
            concat!(
                r#"{"Version":"2012-10-17","Statement":[{"Sid":"ReadStream","Effect":"Allow","#,
                r#""Action":["kinesis:DescribeStreamSummary","kinesis:ListShards","kinesis:GetRecords","kinesis:GetShardIterator"],"#,
                r#""Resource":"arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings"},"#,
                r#"{"Sid":"SelfAssume","Effect":"Allow","Action":"sts:AssumeRole","#,
                r#""Resource":"arn:aws:iam::123456789012:role/databricks-kinesis-role"}]}"#
            )
        );
    }

    #[test]
    fn fan_out_reaches_consumers_of_this_stream_only() {
        let document = document(&Spec::reader(STREAM, ROLE).unwrap().with_mode(Mode::Efo));
        let none = Context::new();
        let consumer = format!("{STREAM}/consumer/databricks_1:1700000000");
        assert!(allowed(&document, "kinesis:SubscribeToShard", &consumer, &none));
        assert!(allowed(&document, "kinesis:RegisterStreamConsumer", STREAM, &none));
        assert!(!allowed(&document, "kinesis:SubscribeToShard", STREAM, &none));
        assert!(!allowed(
            &document,
            "kinesis:SubscribeToShard",
            &consumer.replace("readings", "other"),
            &none
        ));
        assert!(!allowed(&document, "kinesis:PutRecord", STREAM, &none));
    }

    #[test]
    fn the_key_opens_for_kinesis_and_this_stream_only() {
        let document = document(&Spec::reader(STREAM, ROLE).unwrap().with_kms_key(KEY).unwrap());
        let context = Context::new()
            .with("kms:ViaService", "kinesis.eu-central-1.amazonaws.com")
            .with("kms:EncryptionContext:aws:kinesis:arn", STREAM);
        assert!(allowed(&document, "kms:Decrypt", KEY, &context));
        assert!(!allowed(&document, "kms:GenerateDataKey", KEY, &context));
        assert!(!allowed(&document, "kms:Decrypt", KEY, &Context::new()));
        assert!(!allowed(
            &document,
            "kms:Decrypt",
            KEY,
            &context.with("kms:ViaService", "s3.eu-central-1.amazonaws.com")
        ));
    }

    #[test]
    fn a_producer_writes_and_does_not_read() {
        let document = document(&Spec::producer(STREAM).unwrap());
        assert!(allowed(&document, "kinesis:PutRecords", STREAM, &Context::new()));
        assert!(!allowed(&document, "kinesis:GetRecords", STREAM, &Context::new()));
        assert!(!allowed(&document, "sts:AssumeRole", ROLE, &Context::new()));
    }

    #[test]
    fn another_account_gets_a_policy_on_the_stream() {
        let role = "arn:aws:iam::210987654321:role/reader";
        let spec = Spec::reader(STREAM, role).unwrap().with_mode(Mode::Efo);
        assert!(spec.crosses_accounts());
        let principal = Principal::from_arn(role).unwrap();
        let request = Request {
            principal: &principal,
            action: "kinesis:GetRecords",
            resource: STREAM,
            context: &Context::new(),
        };
        assert!(evaluate::trust(&stream_policy(&spec).unwrap(), &request).decision.is_allow());
        let consumer = format!("{STREAM}/consumer/c:1");
        let request = Request { action: "kinesis:SubscribeToShard", resource: &consumer, ..request };
        assert!(evaluate::trust(&consumer_policy(&spec, &consumer).unwrap(), &request).decision.is_allow());
        assert_eq!(consumer_policy(&spec.with_mode(Mode::Polling), &consumer), None);
    }

    #[test]
    fn other_things_arns_are_refused() {
        for arn in [
            "sensor-readings",
            "arn:aws:kinesis:eu-central-1:123456789012:sensor-readings",
            "arn:aws:kinesis:*:123456789012:stream/*",
            "arn:aws:kinesis:eu-central-1:123456789012:stream/s/consumer/c:1",
        ] {
            assert_eq!(Spec::producer(arn), Err(SpecError::Stream { arn: arn.to_owned() }));
        }
        assert!(matches!(Spec::reader(STREAM, STREAM), Err(SpecError::Role { .. })));
        let alias = "arn:aws:kms:eu-central-1:123456789012:alias/aws/kinesis";
        assert!(matches!(Spec::producer(STREAM).unwrap().with_kms_key(alias), Err(SpecError::Key { .. })));
    }
}
