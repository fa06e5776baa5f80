//! What a request is about: the stream it means, by name or by ARN, and the permission it needs.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::error::ServiceError;

use super::error::{invalid_argument, serialization};
use super::input::Input;
use super::iterator::Position;
use super::list_shards::PageToken;
use super::rule::{NAME, STREAM_ARN};
use super::stream::stream_not_found;
use super::{Caller, Engine, wire};

/// The permission that a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// The IAM action, such as `kinesis:PutRecords`.
    pub action: String,
    /// The ARN of what is acted on; `*` for operations that have none.
    pub resource: String,
    /// Further actions on the same resource: tags at creation need their own permission.
    pub further_actions: Vec<String>,
}

/// The members that name what a request acts on; everything else is skipped unread.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Target<'a> {
    #[serde(borrow)]
    stream_name: Option<Cow<'a, str>>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<Cow<'a, str>>,
    #[serde(rename = "ConsumerARN")]
    consumer_arn: Option<Cow<'a, str>>,
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<Cow<'a, str>>,
    consumer_name: Option<Cow<'a, str>>,
    shard_iterator: Option<Cow<'a, str>>,
    next_token: Option<Cow<'a, str>>,
    tags: Option<serde::de::IgnoredAny>,
}

impl Engine {
    /// The permission that this request needs, to be checked before [`Engine::call`].
    ///
    /// # Errors
    /// What the service would answer when the request does not say what it acts on: no stream, a name and an ARN that
    /// disagree, an iterator that is none.
    pub fn authorisation(&self, operation: &str, body: &Value) -> Result<Authorisation, ServiceError> {
        let target = Target::deserialize(body).map_err(|reason| serialization(reason.to_string()))?;
        self.authorisation_of(operation, &target)
    }

    /// The same from the body as it came, without building a tree of it: a batch of records is skipped unread.
    ///
    /// # Errors
    /// As [`Engine::authorisation`], and `SerializationException` when the body is not JSON.
    pub fn authorisation_of_body(&self, operation: &str, body: &[u8]) -> Result<Authorisation, ServiceError> {
        let body = if body.is_empty() { b"{}" } else { body };
        self.authorisation_of(operation, &wire::read(body)?)
    }

    fn authorisation_of(&self, operation: &str, target: &Target<'_>) -> Result<Authorisation, ServiceError> {
        let resource = match operation {
            // These have no resource in AWS's own list of actions: only `*` matches them.
            "ListStreams"
            | "DescribeLimits"
            | "DescribeAccountSettings"
            | "UpdateAccountSettings"
            | "UpdateShardCount"
            | "UpdateStreamMode" => "*".to_owned(),
            "GetRecords" => {
                let iterator = required(target.shard_iterator.as_deref(), "shardIterator")?;
                let position = self.open_iterator(iterator)?;
                self.check_iterator_stream(&position, target.stream_arn.as_deref())?;
                self.options().stream_arn(&position.stream)
            }
            "ListShards" => match target.next_token.as_deref() {
                Some(token) => self.options().stream_arn(&PageToken::open(self, token)?.stream),
                None => self.stream_resource(target)?,
            },
            "SubscribeToShard" => required(target.consumer_arn.as_deref(), "consumerARN")?.to_owned(),
            "DescribeStreamConsumer" | "DeregisterStreamConsumer" => match &target.consumer_arn {
                Some(arn) => arn.clone().into_owned(),
                None => self.consumer_resource(target)?,
            },
            "TagResource" | "UntagResource" | "ListTagsForResource" => {
                required(target.resource_arn.as_deref(), "resourceARN")?.to_owned()
            }
            _ => self.stream_resource(target)?,
        };
        let tagging = operation == "CreateStream" && target.tags.is_some();
        Ok(Authorisation {
            action: format!("kinesis:{operation}"),
            resource,
            further_actions: tagging.then(|| "kinesis:AddTagsToStream".to_owned()).into_iter().collect(),
        })
    }

    /// The ARN as it was given, or the one that the name stands for.
    fn stream_resource(&self, target: &Target<'_>) -> Result<String, ServiceError> {
        agree(target.stream_name.as_deref(), target.stream_arn.as_deref())?;
        match (&target.stream_arn, &target.stream_name) {
            (Some(arn), _) => Ok(arn.clone().into_owned()),
            (None, Some(name)) => Ok(self.options().stream_arn(name)),
            (None, None) => Err(nameless()),
        }
    }

    fn consumer_resource(&self, target: &Target<'_>) -> Result<String, ServiceError> {
        let stream = self.stream_resource(target)?;
        let name = required(target.consumer_name.as_deref(), "consumerName")?;
        let stream_name = stream.rsplit('/').next().unwrap_or_default();
        let known = self.on_stream(stream_name, self.now_ms(), |stream| {
            Ok(stream.consumers.get(name).map(|consumer| consumer.arn.clone()))
        });
        // A consumer that does not exist still needs a resource to be refused on.
        Ok(known.ok().flatten().unwrap_or_else(|| format!("{stream}/consumer/{name}:0")))
    }

    /// The name of the stream that a request means by `StreamName`, `StreamARN` or both.
    pub(super) fn stream_name(&self, input: &mut Input, caller: &Caller) -> Result<String, ServiceError> {
        let name = input.text("StreamName", &NAME)?;
        let arn = input.text("StreamARN", &STREAM_ARN)?;
        input.check()?;
        self.resolve(name.as_deref(), arn.as_deref(), caller)
    }

    /// The name of the stream that a valid name or ARN, or both, mean to this caller.
    pub(super) fn resolve(
        &self,
        name: Option<&str>,
        arn: Option<&str>,
        caller: &Caller,
    ) -> Result<String, ServiceError> {
        agree(name, arn)?;
        match (arn, name) {
            (Some(arn), _) => self.stream_of_arn(arn),
            (None, Some(name)) if caller.account == self.options().account => Ok(name.to_owned()),
            (None, Some(name)) => Err(stream_not_found(name, &caller.account)),
            (None, None) => Err(nameless()),
        }
    }

    /// The name inside a stream's or a consumer's ARN, once it is known to be one of this engine's.
    pub(super) fn stream_of_arn(&self, arn: &str) -> Result<String, ServiceError> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, _, region, account, resource] = parts.as_slice() else {
            return Err(invalid_argument(format!("Invalid ARN {arn}.")));
        };
        let name = resource.split('/').nth(1).unwrap_or_default();
        let options = self.options();
        if *partition != options.partition || *region != options.region {
            return Err(invalid_argument(format!(
                "ARN {arn} does not belong to partition {} and region {}.",
                options.partition, options.region
            )));
        }
        if *account != options.account {
            return Err(stream_not_found(name, account));
        }
        Ok(name.to_owned())
    }

    /// Opens an iterator that may be too old, and nothing else.
    pub(super) fn open_iterator(&self, iterator: &str) -> Result<Position, ServiceError> {
        self.shared.seal.open(iterator).ok_or_else(|| invalid_argument("Invalid ShardIterator."))
    }

    /// # Errors
    /// `InvalidArgumentException` when a `StreamARN` beside an iterator names another stream.
    pub(super) fn check_iterator_stream(
        &self,
        position: &Position,
        arn: Option<&str>,
    ) -> Result<(), ServiceError> {
        match arn.map(|arn| self.stream_of_arn(arn)).transpose()? {
            Some(name) if name != position.stream => Err(invalid_argument(format!(
                "The ShardIterator belongs to stream {}, and StreamARN names stream {name}.",
                position.stream
            ))),
            _ => Ok(()),
        }
    }
}

fn agree(name: Option<&str>, arn: Option<&str>) -> Result<(), ServiceError> {
    match (name, arn) {
        (Some(name), Some(arn)) if arn.split('/').nth(1) != Some(name) => {
            Err(invalid_argument(format!("StreamName {name} and StreamARN {arn} name different streams.")))
        }
        _ => Ok(()),
    }
}

fn nameless() -> ServiceError {
    invalid_argument("Either StreamName or StreamARN must be provided.")
}

fn required<'a>(value: Option<&'a str>, path: &str) -> Result<&'a str, ServiceError> {
    value.ok_or_else(|| {
        let mut violations = super::violation::Violations::default();
        violations.missing(path);
        violations.check().err().unwrap_or_else(nameless)
    })
}
