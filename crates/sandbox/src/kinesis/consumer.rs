//! Registered consumers: enhanced fan-out's side of the control plane.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::ServiceError;

use super::error::{in_use, invalid_argument, limit_exceeded, not_found};
use super::input::Input;
use super::options::millis;
use super::rule::{CONSUMER_ARN, NAME, NEXT_TOKEN, STREAM_ARN};
use super::shard::ShardId;
use super::stream::Stream;
use super::tags;
use super::wire::Timestamp;
use super::{Engine, Request, wire};

/// Consumers of one stream, by the service's quotas for the standard on-demand and the provisioned mode.
const CONSUMER_LIMIT: usize = 20;
/// Consumers on one page unless told otherwise.
const DEFAULT_PAGE: i64 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ConsumerStatus {
    Creating,
    Active,
    Deleting,
}

#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) created_ms: u64,
    pub(super) status: ConsumerStatus,
    /// When `CREATING` or `DELETING` ends.
    ready_ms: u64,
    pub(super) tags: BTreeMap<String, String>,
    /// The subscription of each shard that was started last.
    pub(super) subscriptions: BTreeMap<ShardId, Subscribed>,
}

/// The latest subscription of a consumer to a shard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subscribed {
    pub(super) serial: u64,
    pub(super) started_ms: u64,
}

impl Consumer {
    /// Completes what is due. False when the consumer is gone.
    pub(super) fn settle(&mut self, now_ms: u64) -> bool {
        if self.ready_ms > now_ms {
            return true;
        }
        match self.status {
            ConsumerStatus::Creating => self.status = ConsumerStatus::Active,
            ConsumerStatus::Active => {}
            ConsumerStatus::Deleting => return false,
        }
        true
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    consumer_name: String,
    #[serde(rename = "ConsumerARN")]
    consumer_arn: String,
    consumer_status: ConsumerStatus,
    consumer_creation_timestamp: Timestamp,
    /// Only a description names the stream.
    #[serde(rename = "StreamARN", skip_serializing_if = "Option::is_none")]
    stream_arn: Option<String>,
}

impl From<&Consumer> for Entry {
    fn from(consumer: &Consumer) -> Self {
        Self {
            consumer_name: consumer.name.clone(),
            consumer_arn: consumer.arn.clone(),
            consumer_status: consumer.status,
            consumer_creation_timestamp: Timestamp(consumer.created_ms),
            stream_arn: None,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Registered {
    consumer: Entry,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    consumer_description: Entry,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    consumers: Vec<Entry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Where the next page of consumers begins.
#[derive(Debug, Serialize, Deserialize)]
struct ConsumerPage {
    after_consumer: String,
    issued_ms: u64,
}

impl Engine {
    pub(super) fn register_consumer(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let name = input.required_text("ConsumerName", &NAME)?;
        let arn = input.required_text("StreamARN", &STREAM_ARN)?;
        let tags = tags::read(&mut input)?;
        input.check()?;
        let tags = tags::first(tags)?;
        let stream = self.stream_of_arn(&arn)?;
        let ready_ms = request.now_ms.saturating_add(millis(self.options().create_delay));
        let consumer = self.on_stream(&stream, request.now_ms, |stream| {
            stream.must_serve()?;
            if stream.consumers.contains_key(&name) {
                return Err(in_use(format!(
                    "Consumer {name} under stream {} already exists for account {}.",
                    stream.name, stream.account
                )));
            }
            if stream.consumers.len() >= CONSUMER_LIMIT {
                return Err(limit_exceeded(format!(
                    "Limit of {CONSUMER_LIMIT} consumers under stream {} has been reached for account {}.",
                    stream.name, stream.account
                )));
            }
            let consumer = Consumer {
                arn: format!("{}/consumer/{name}:{}", stream.arn, request.now_ms / 1_000),
                name: name.clone(),
                created_ms: request.now_ms,
                status: ConsumerStatus::Creating,
                ready_ms,
                tags,
                subscriptions: BTreeMap::new(),
            };
            let entry = Entry::from(&consumer);
            stream.consumers.insert(name, consumer);
            Ok(entry)
        })?;
        wire::body(&Registered { consumer })
    }

    pub(super) fn deregister_consumer(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let ready_ms = request.now_ms.saturating_add(millis(self.options().delete_delay));
        self.on_named_consumer(request, |consumer, _| {
            if consumer.status == ConsumerStatus::Creating {
                return Err(in_use(format!("Consumer {} is not ACTIVE yet.", consumer.name)));
            }
            if consumer.status == ConsumerStatus::Active {
                consumer.status = ConsumerStatus::Deleting;
                consumer.ready_ms = ready_ms;
                consumer.subscriptions.clear();
            }
            Ok(())
        })?;
        self.shared.changed.notify_waiters();
        Ok(wire::nothing())
    }

    pub(super) fn describe_consumer(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let consumer_description = self.on_named_consumer(request, |consumer, stream_arn| {
            Ok(Entry { stream_arn: Some(stream_arn.to_owned()), ..Entry::from(&*consumer) })
        })?;
        wire::body(&Described { consumer_description })
    }

    pub(super) fn list_consumers(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let arn = input.required_text("StreamARN", &STREAM_ARN)?;
        let token = input.text("NextToken", &NEXT_TOKEN)?;
        let limit = input.integer("MaxResults", 1..=10_000)?.unwrap_or(DEFAULT_PAGE);
        input.check()?;
        let stream = self.stream_of_arn(&arn)?;
        let after = match token {
            None => String::new(),
            Some(token) => {
                let page: ConsumerPage = self
                    .shared
                    .seal
                    .open(&token)
                    .ok_or_else(|| invalid_argument("The provided NextToken is invalid."))?;
                self.check_page_age(page.issued_ms, request.now_ms)?;
                page.after_consumer
            }
        };
        let list = self.on_stream(&stream, request.now_ms, |stream| {
            let mut rest = stream.consumers.values().filter(|consumer| consumer.name > after);
            let page = usize::try_from(limit).unwrap_or(usize::MAX);
            let consumers: Vec<Entry> = rest.by_ref().take(page).map(Entry::from).collect();
            let last = consumers.last().filter(|_| rest.next().is_some());
            let next_token = last.map(|last| {
                let after_consumer = last.consumer_name.clone();
                self.shared.seal.close(&ConsumerPage { after_consumer, issued_ms: request.now_ms })
            });
            Ok(List { consumers, next_token })
        })?;
        wire::body(&list)
    }

    /// Runs `act` on the consumer that a request names by its ARN or by its stream and its name.
    fn on_named_consumer<T>(
        &self,
        request: &Request<'_>,
        act: impl FnOnce(&mut Consumer, &str) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let consumer_arn = input.text("ConsumerARN", &CONSUMER_ARN)?;
        let stream_arn = input.text("StreamARN", &STREAM_ARN)?;
        let name = input.text("ConsumerName", &NAME)?;
        input.check()?;
        let (arn, name) = match (consumer_arn, stream_arn, name) {
            (Some(arn), _, None) => (arn, None),
            (None, Some(arn), Some(name)) => (arn, Some(name)),
            _ => {
                return Err(invalid_argument(
                    "Either ConsumerARN, or both StreamARN and ConsumerName, must be provided.",
                ));
            }
        };
        let stream = self.stream_of_arn(&arn)?;
        self.on_stream(&stream, request.now_ms, |stream| {
            let stream_arn = stream.arn.clone();
            let consumer = match name {
                None => consumer_by_arn(stream, &arn)?,
                Some(name) => {
                    let missing = consumer_not_found(&name, stream);
                    stream.consumers.get_mut(&name).ok_or(missing)?
                }
            };
            act(consumer, &stream_arn)
        })
    }
}

/// # Errors
/// `ResourceNotFoundException`: also for an ARN of an earlier consumer of the same name.
pub(super) fn consumer_by_arn<'a>(
    stream: &'a mut Stream,
    arn: &str,
) -> Result<&'a mut Consumer, ServiceError> {
    let missing = consumer_not_found(arn, stream);
    stream.consumers.values_mut().find(|consumer| consumer.arn == arn).ok_or(missing)
}

fn consumer_not_found(consumer: &str, stream: &Stream) -> ServiceError {
    not_found(format!(
        "Consumer {consumer} under stream {} not found for account {}.",
        stream.name, stream.account
    ))
}
