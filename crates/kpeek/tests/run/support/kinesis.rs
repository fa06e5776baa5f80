//! The service: shards with records, iterators that know their place, and errors on demand.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http_body_util::StreamBody;
use serde_json::{Value, json};

/// The largest hash key.
const LAST_HASH: u128 = u128::MAX;

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    GetShardIterator,
    GetRecords,
    SubscribeToShard,
    /// In the middle of a subscription.
    Event,
}

/// An answer that is no success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    ExpiredIterator,
    Throttled,
    Internal,
    Denied,
    InUse,
    Limit,
    /// The connection ends within an event.
    CutOff,
    /// Somebody else answers, and says that all is well.
    Portal,
    /// An answer with a record whose data is no base64, behind one that can be read.
    Garbled,
}

impl Trouble {
    fn response(self) -> HttpResponse {
        let (status, code) = match self {
            Self::ExpiredIterator => (400, "ExpiredIteratorException"),
            Self::Throttled => (400, "ProvisionedThroughputExceededException"),
            Self::Internal => (500, "InternalFailureException"),
            Self::Denied => (400, "AccessDeniedException"),
            Self::InUse => (400, "ResourceInUseException"),
            Self::Limit => (400, "LimitExceededException"),
            Self::CutOff => panic!("only an event can be cut off"),
            Self::Portal => return ok(&json!({ "message": "log in to use this network" })),
            Self::Garbled => {
                return ok(&json!({
                    "Records": [{ "SequenceNumber": "1", "Data": "eA==" }, { "SequenceNumber": "2", "Data": "?" }],
                    "MillisBehindLatest": 0,
                }));
            }
        };
        let body = json!({ "__type": code, "message": "scripted" }).to_string();
        HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
    }
}

struct Shard {
    id: String,
    parents: Vec<usize>,
    range: (u128, u128),
    records: Vec<(u128, i64, Option<String>, Vec<u8>)>,
    closed: bool,
    trimmed: bool,
    trouble: VecDeque<(Operation, Trouble)>,
}

/// The one consumer that a stream here may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Consumer {
    None,
    Registered,
    Active,
    /// Gone after so many more looks.
    Deleting(u32),
}

/// When the service answers, by its own clock: just before the first record arrives.
const DATE: &str = "Mon, 15 Jan 2024 10:00:00 GMT";

const STREAM_ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/s";
const CONSUMER_ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/s/consumer/viewer:1";

type OnRead = Box<dyn FnMut(&mut Model, usize) + Send>;
type OnIterator = Box<dyn FnMut(&mut Model) + Send>;

/// The content of the stream.
#[expect(clippy::struct_excessive_bools, reason = "each is a trouble that a test may want")]
pub(crate) struct Model {
    shards: Vec<Shard>,
    next_sequence: u128,
    now_ms: i64,
    page: usize,
    names_children: bool,
    on_read: Option<OnRead>,
    on_iterator: Option<OnIterator>,
    reads: Vec<usize>,
    positions: Vec<(usize, String)>,
    consumer: Consumer,
    /// Whether a consumer that was registered never becomes active by itself.
    stays_creating: bool,
    /// How often a consumer that is being created was to be deregistered in vain.
    refused_deregistrations: u32,
    consumer_limit: bool,
    distribution: Option<&'static str>,
    keeps_open: bool,
}

/// A handle to the service.
#[derive(Clone)]
pub(crate) struct Kinesis(Arc<Mutex<Model>>);

impl fmt::Debug for Kinesis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Kinesis")
    }
}

impl Kinesis {
    /// A stream with this many open shards.
    pub(crate) fn new(shards: usize) -> Self {
        let mut model = Model {
            shards: Vec::new(),
            next_sequence: 10_u128.pow(20),
            now_ms: 1_705_312_800_000,
            page: 3,
            names_children: true,
            on_read: None,
            on_iterator: None,
            reads: Vec::new(),
            positions: Vec::new(),
            consumer: Consumer::None,
            stays_creating: false,
            refused_deregistrations: 0,
            consumer_limit: false,
            distribution: Some("USER_PARTITION_KEY"),
            keeps_open: false,
        };
        let step = LAST_HASH / shards as u128;
        for index in 0..shards as u128 {
            let end = if index + 1 == shards as u128 { LAST_HASH } else { (index + 1) * step - 1 };
            model.open(&[], (index * step, end));
        }
        Self(Arc::new(Mutex::new(model)))
    }

    /// Changes the content.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// Runs at each read of a shard, before it is answered.
    pub(crate) fn on_read(&self, hook: impl FnMut(&mut Model, usize) + Send + 'static) {
        self.with(|model| model.on_read = Some(Box::new(hook)));
    }

    /// Runs at each request for an iterator, before it is answered.
    pub(crate) fn on_iterator(&self, hook: impl FnMut(&mut Model) + Send + 'static) {
        self.with(|model| model.on_iterator = Some(Box::new(hook)));
    }

    pub(crate) fn sdk_config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKID", "secret", None, None, "test",
            )))
            .http_client(SharedHttpClient::new(self.clone()))
            .endpoint_url("http://kinesis.test")
            .build()
    }
}

impl HttpClient for Kinesis {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Kinesis {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let mut model = self.0.lock().unwrap();
        let response = match target.rsplit('.').next().unwrap() {
            "ListShards" => model.list(&body),
            "GetShardIterator" => model.iterator(&body),
            "GetRecords" => model.records(&body),
            "DescribeStreamSummary" => model.summary(),
            "RegisterStreamConsumer" => model.register(),
            "DescribeStreamConsumer" => model.describe_consumer(),
            "DeregisterStreamConsumer" => model.deregister(),
            "SubscribeToShard" => model.subscribe(&body),
            other => panic!("nothing plays {other}"),
        };
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn ok(body: &Value) -> HttpResponse {
    HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body.to_string()))
}

/// The frame of an event stream: headers that are texts, and a payload.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut message = Message::new(payload.to_vec());
    for (name, value) in headers {
        let value = HeaderValue::String((*value).to_owned().into());
        message = message.add_header(Header::new((*name).to_owned(), value));
    }
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn event(kind: &str, payload: &Value) -> Vec<u8> {
    let headers =
        [(":message-type", "event"), (":event-type", kind), (":content-type", "application/x-amz-json-1.1")];
    frame(&headers, payload.to_string().as_bytes())
}

impl Model {
    fn consumer() -> Value {
        json!({ "ConsumerName": "viewer", "ConsumerARN": CONSUMER_ARN, "ConsumerStatus": "ACTIVE",
                "ConsumerCreationTimestamp": 1, "StreamARN": STREAM_ARN })
    }

    /// One that is being created cannot be taken away before the third try.
    fn deregister(&mut self) -> HttpResponse {
        if self.consumer == Consumer::Registered && self.refused_deregistrations < 2 {
            self.refused_deregistrations += 1;
            return Trouble::InUse.response();
        }
        self.consumer = Consumer::None;
        ok(&json!({}))
    }

    /// A consumer that was registered is never ready.
    pub(crate) fn stays_creating(&mut self) {
        self.stays_creating = true;
    }

    /// The consumer of an earlier run is gone after two more looks.
    pub(crate) fn add_dying_consumer(&mut self) {
        self.consumer = Consumer::Deleting(2);
    }

    /// No consumer can be registered any more.
    pub(crate) fn has_too_many_consumers(&mut self) {
        self.consumer_limit = true;
    }

    fn register(&mut self) -> HttpResponse {
        if self.consumer_limit {
            return Trouble::Limit.response();
        }
        if self.consumer != Consumer::None {
            return Trouble::InUse.response();
        }
        self.consumer = Consumer::Registered;
        let mut consumer = Self::consumer();
        consumer["ConsumerStatus"] = json!("CREATING");
        ok(&json!({ "Consumer": consumer }))
    }

    fn describe_consumer(&mut self) -> HttpResponse {
        let mut consumer = Self::consumer();
        if let Consumer::Deleting(looks) = self.consumer {
            consumer["ConsumerStatus"] = json!("DELETING");
            self.consumer = looks.checked_sub(1).map_or(Consumer::None, Consumer::Deleting);
        }
        if self.consumer == Consumer::Registered && self.stays_creating {
            consumer["ConsumerStatus"] = json!("CREATING");
        } else if self.consumer == Consumer::Registered {
            // The second look finds it ready.
            self.consumer = Consumer::Active;
            consumer["ConsumerStatus"] = json!("CREATING");
        }
        ok(&json!({ "ConsumerDescription": consumer }))
    }

    fn summary(&self) -> HttpResponse {
        let Some(distribution) = self.distribution else { return Trouble::Denied.response() };
        ok(&json!({ "StreamDescriptionSummary": {
            "StreamName": "s", "StreamARN": STREAM_ARN, "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24,
            "StreamCreationTimestamp": 1, "EnhancedMonitoring": [], "OpenShardCount": 1,
            "RecordDistributionStrategy": distribution } }))
    }

    /// The record distribution strategy of the stream; none is kept secret.
    pub(crate) fn distributes(&mut self, strategy: Option<&'static str>) {
        self.distribution = strategy;
    }

    /// Whether there is a consumer.
    pub(crate) fn has_consumer(&self) -> bool {
        self.consumer != Consumer::None
    }

    /// Whether subscriptions stay open until the client hangs up.
    pub(crate) fn keeps_open(&mut self, keeps: bool) {
        self.keeps_open = keeps;
    }

    /// Somebody else has registered the consumer.
    pub(crate) fn add_consumer(&mut self) {
        self.consumer = Consumer::Active;
    }

    /// A subscription that brings two pages, or one and a failure, and ends.
    fn subscribe(&mut self, body: &Value) -> HttpResponse {
        assert_eq!(body["ConsumerARN"], CONSUMER_ARN);
        let shard = self.find(body["ShardId"].as_str().unwrap());
        if let Some(trouble) = self.scripted(shard, Operation::SubscribeToShard) {
            return trouble;
        }
        let position = &body["StartingPosition"];
        self.positions.push((shard, position["Type"].as_str().unwrap().to_owned()));
        let mut index = self.index_of(
            shard,
            position["Type"].as_str().unwrap(),
            &position["SequenceNumber"],
            &position["Timestamp"],
        );
        let mut bytes = event("initial-response", &json!({}));
        for _ in 0..2 {
            self.reads.push(shard);
            if let Some(mut hook) = self.on_read.take() {
                hook(self, shard);
                self.on_read.get_or_insert(hook);
            }
            let all = &self.shards[shard];
            let page: Vec<Value> = all.records.iter().skip(index).take(self.page).map(record).collect();
            index += page.len();
            let is_over = all.closed && index == all.records.len();
            // A number that no record has: it lies just behind the last one, as when nothing was written since.
            let reached = index.checked_sub(1).map_or(1, |last| all.records[last].0);
            let mut payload = json!({
                "Records": page,
                "MillisBehindLatest": (all.records.len() - index) * 1000,
                "ContinuationSequenceNumber": reached.to_string(),
            });
            if is_over {
                payload["ContinuationSequenceNumber"] = Value::Null;
                let children = self.shards.iter().filter(|child| child.parents.contains(&shard));
                payload["ChildShards"] = children.map(|child| self.child(child)).collect();
            }
            let next = event("SubscribeToShardEvent", &payload);
            match self.next_event_trouble(shard) {
                Some(Trouble::CutOff) => {
                    bytes.extend_from_slice(&next[..next.len() / 2]);
                    break;
                }
                Some(_) => {
                    let headers = [
                        (":message-type", "exception"),
                        (":exception-type", "InternalFailureException"),
                        (":content-type", "application/x-amz-json-1.1"),
                    ];
                    bytes.extend(frame(&headers, br#"{"message":"scripted"}"#));
                    break;
                }
                None => bytes.extend(next),
            }
            if is_over {
                break;
            }
        }
        let body = if self.keeps_open {
            // After its events the subscription stays open and says nothing more.
            let frame = Ok::<_, io::Error>(hyper::body::Frame::data(Bytes::from(bytes)));
            SdkBody::from_body_1_x(StreamBody::new(stream::iter([frame]).chain(stream::pending())))
        } else {
            SdkBody::from(bytes)
        };
        let mut response = HttpResponse::new(200.try_into().unwrap(), body);
        response.headers_mut().insert("content-type", "application/vnd.amazon.eventstream");
        response.headers_mut().insert("date", DATE);
        response
    }

    fn next_event_trouble(&mut self, shard: usize) -> Option<Trouble> {
        let trouble = &mut self.shards[shard].trouble;
        let is_next = trouble.front().is_some_and(|(wanted, _)| *wanted == Operation::Event);
        is_next.then(|| trouble.pop_front().unwrap().1)
    }

    fn open(&mut self, parents: &[usize], range: (u128, u128)) -> usize {
        let id = format!("shardId-{:012}", self.shards.len());
        self.shards.push(Shard {
            id,
            parents: parents.to_vec(),
            range,
            records: Vec::new(),
            closed: false,
            trimmed: false,
            trouble: VecDeque::new(),
        });
        self.shards.len() - 1
    }

    /// Records a page holds at most.
    pub(crate) fn page(&mut self, records: usize) {
        self.page = records;
    }

    /// Whether the last answer of a closed shard names its children.
    pub(crate) fn names_children(&mut self, names: bool) {
        self.names_children = names;
    }

    /// Puts a record; returns its sequence number.
    pub(crate) fn put(&mut self, shard: usize, data: impl Into<Vec<u8>>) -> String {
        self.put_with_key(shard, Some("key"), data)
    }

    pub(crate) fn put_with_key(
        &mut self,
        shard: usize,
        key: Option<&str>,
        data: impl Into<Vec<u8>>,
    ) -> String {
        assert!(!self.shards[shard].closed);
        self.next_sequence += 1;
        self.now_ms += 1;
        let record = (self.next_sequence, self.now_ms, key.map(str::to_owned), data.into());
        self.shards[shard].records.push(record);
        self.next_sequence.to_string()
    }

    /// Splits a shard in the middle; returns its children.
    pub(crate) fn split(&mut self, shard: usize) -> [usize; 2] {
        self.shards[shard].closed = true;
        let (start, end) = self.shards[shard].range;
        let middle = start + (end - start) / 2;
        [self.open(&[shard], (start, middle)), self.open(&[shard], (middle + 1, end))]
    }

    /// Merges two shards; returns their child.
    pub(crate) fn merge(&mut self, one: usize, other: usize) -> usize {
        let range = (self.shards[one].range.0, self.shards[other].range.1);
        for shard in [one, other] {
            self.shards[shard].closed = true;
        }
        self.open(&[one, other], range)
    }

    /// The shard and its records are older than the retention.
    pub(crate) fn trim(&mut self, shard: usize) {
        self.shards[shard].trimmed = true;
    }

    /// Puts a record that arrived so many milliseconds after the first one could.
    pub(crate) fn put_at(&mut self, shard: usize, millis: i64, data: impl Into<Vec<u8>>) {
        self.put(shard, data);
        self.shards[shard].records.last_mut().unwrap().1 = 1_705_312_800_000 + millis;
    }

    /// The next request of this kind for the shard fails.
    pub(crate) fn trouble(&mut self, shard: usize, operation: Operation, trouble: Trouble) {
        self.shards[shard].trouble.push_back((operation, trouble));
    }

    /// The shard of each read that was answered.
    pub(crate) fn reads(&self) -> &[usize] {
        &self.reads
    }

    /// The positions that iterators were asked for, with their shards.
    pub(crate) fn positions(&self) -> &[(usize, String)] {
        &self.positions
    }

    fn list(&self, body: &Value) -> HttpResponse {
        let from = match body["NextToken"].as_str() {
            Some(token) => {
                assert!(body["StreamName"].is_null(), "a token stands for the stream");
                token.parse().unwrap()
            }
            None => 0,
        };
        let most = usize::try_from(body["MaxResults"].as_u64().unwrap()).unwrap();
        let open_only = body["ShardFilter"]["Type"] == "AT_LATEST";
        let shards: Vec<Value> = self
            .shards
            .iter()
            .skip(from)
            .take(most)
            .filter(|shard| !(open_only && shard.closed || shard.trimmed))
            .map(|shard| {
                let mut range = json!({ "StartingSequenceNumber": "1" });
                if shard.closed {
                    range["EndingSequenceNumber"] = json!("2");
                }
                let mut value = json!({
                    "ShardId": shard.id,
                    "HashKeyRange": { "StartingHashKey": shard.range.0.to_string(), "EndingHashKey": shard.range.1.to_string() },
                    "SequenceNumberRange": range,
                });
                for (name, parent) in ["ParentShardId", "AdjacentParentShardId"].iter().zip(&shard.parents) {
                    value[name] = json!(self.shards[*parent].id);
                }
                value
            })
            .collect();
        let next = (from + most < self.shards.len()).then(|| (from + most).to_string());
        ok(&json!({ "Shards": shards, "NextToken": next }))
    }

    fn find(&self, id: &str) -> usize {
        self.shards.iter().position(|shard| shard.id == id).unwrap()
    }

    fn scripted(&mut self, shard: usize, operation: Operation) -> Option<HttpResponse> {
        let trouble = &mut self.shards[shard].trouble;
        let is_next = trouble.front().is_some_and(|(wanted, _)| *wanted == operation);
        is_next.then(|| trouble.pop_front().unwrap().1.response())
    }

    fn iterator(&mut self, body: &Value) -> HttpResponse {
        let shard = self.find(body["ShardId"].as_str().unwrap());
        if let Some(trouble) = self.scripted(shard, Operation::GetShardIterator) {
            return trouble;
        }
        if let Some(mut hook) = self.on_iterator.take() {
            hook(self);
            self.on_iterator.get_or_insert(hook);
        }
        let kind = body["ShardIteratorType"].as_str().unwrap();
        let index = self.index_of(shard, kind, &body["StartingSequenceNumber"], &body["Timestamp"]);
        self.positions.push((shard, kind.to_owned()));
        let mut response = ok(&json!({ "ShardIterator": format!("{shard}:{index}") }));
        // For the service it is a little after the last record, years before the clock of this machine.
        response.headers_mut().insert("date", DATE);
        response
    }

    fn index_of(&self, shard: usize, kind: &str, number: &Value, timestamp: &Value) -> usize {
        let records = &self.shards[shard].records;
        let number = || number.as_str().unwrap().parse::<u128>().unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "scripted times")]
        match kind {
            "TRIM_HORIZON" => 0,
            "LATEST" => records.len(),
            "AT_SEQUENCE_NUMBER" => records.partition_point(|record| record.0 < number()),
            "AFTER_SEQUENCE_NUMBER" => records.partition_point(|record| record.0 <= number()),
            "AT_TIMESTAMP" => {
                let wanted = (timestamp.as_f64().unwrap() * 1000.0).round() as i64;
                records.partition_point(|record| record.1 < wanted)
            }
            other => panic!("no position {other}"),
        }
    }

    fn records(&mut self, body: &Value) -> HttpResponse {
        let (shard, index) = body["ShardIterator"].as_str().unwrap().split_once(':').unwrap();
        let (shard, index): (usize, usize) = (shard.parse().unwrap(), index.parse().unwrap());
        if let Some(trouble) = self.scripted(shard, Operation::GetRecords) {
            return trouble;
        }
        self.reads.push(shard);
        if let Some(mut hook) = self.on_read.take() {
            hook(self, shard);
            self.on_read.get_or_insert(hook);
        }
        let all = &self.shards[shard];
        let page: Vec<Value> = all.records.iter().skip(index).take(self.page).map(record).collect();
        let next = index + page.len();
        let is_over = all.closed && next == all.records.len();
        let left = i64::try_from(all.records.len() - next).unwrap();
        let mut answer = json!({ "Records": page, "MillisBehindLatest": left * 1000 });
        if !is_over {
            answer["NextShardIterator"] = json!(format!("{shard}:{next}"));
        } else if self.names_children {
            let children = self.shards.iter().filter(|child| child.parents.contains(&shard));
            answer["ChildShards"] = children.map(|child| self.child(child)).collect();
        }
        ok(&answer)
    }

    fn child(&self, child: &Shard) -> Value {
        let parents: Vec<&str> =
            child.parents.iter().map(|parent| self.shards[*parent].id.as_str()).collect();
        json!({
            "ShardId": child.id,
            "ParentShards": parents,
            "HashKeyRange": { "StartingHashKey": child.range.0.to_string(), "EndingHashKey": child.range.1.to_string() },
        })
    }
}

fn record((sequence, arrived_ms, key, data): &(u128, i64, Option<String>, Vec<u8>)) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "as the wire does")]
    let seconds = *arrived_ms as f64 / 1000.0;
    let mut value = json!({
        "SequenceNumber": sequence.to_string(),
        "ApproximateArrivalTimestamp": seconds,
        "Data": STANDARD.encode(data),
    });
    if let Some(key) = key {
        value["PartitionKey"] = json!(key);
    }
    value
}
