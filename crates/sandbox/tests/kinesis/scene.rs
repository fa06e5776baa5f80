//! An engine, its clock, and short ways to do what most tests do first.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sandbox::clock::Clock;
use sandbox::error::ServiceError;
use sandbox::kinesis::{Caller, Engine, Options};
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "123456789012";

pub(crate) struct Scene {
    pub(crate) engine: Engine,
    pub(crate) clock: Clock,
    pub(crate) caller: Caller,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        // 2027-01-15, so that records can have arrived long before.
        let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_123));
        let engine = Engine::with_clock(options, clock.clone());
        Self { engine, clock, caller: Caller { account: ACCOUNT.to_owned() } }
    }

    /// A scene with an active provisioned stream `orders`.
    pub(crate) fn with_shards(shards: u32) -> Self {
        let scene = Self::new();
        scene.create("orders", shards);
        scene
    }

    pub(crate) fn create(&self, name: &str, shards: u32) {
        self.ok("CreateStream", &json!({ "StreamName": name, "ShardCount": shards }));
        self.settle();
    }

    /// Lets everything that is under way finish.
    pub(crate) fn settle(&self) {
        self.clock.advance(Duration::from_millis(200));
    }

    pub(crate) fn call(&self, operation: &str, body: &Value) -> Result<Value, ServiceError> {
        let answer = self.engine.call(operation, body.to_string().as_bytes(), &self.caller)?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    #[track_caller]
    pub(crate) fn ok(&self, operation: &str, body: &Value) -> Value {
        match self.call(operation, body) {
            Ok(answer) => answer,
            Err(error) => panic!("{operation} {body} failed: {error}"),
        }
    }

    /// The code and the message of a call that has to fail.
    #[track_caller]
    pub(crate) fn fails(&self, operation: &str, body: &Value) -> (String, String) {
        match self.call(operation, body) {
            Ok(answer) => panic!("{operation} {body} did not fail: {answer}"),
            Err(error) => (error.code.into_owned(), error.message),
        }
    }

    #[track_caller]
    pub(crate) fn code(&self, operation: &str, body: &Value) -> String {
        self.fails(operation, body).0
    }

    /// Puts one record into `orders`; the answer is its sequence number.
    #[track_caller]
    pub(crate) fn put(&self, key: &str, data: &str) -> String {
        let body = json!({ "StreamName": "orders", "PartitionKey": key, "Data": STANDARD.encode(data) });
        text(&self.ok("PutRecord", &body)["SequenceNumber"])
    }

    /// An iterator on a shard of `orders`; `more` is what the type needs.
    #[track_caller]
    pub(crate) fn iterator(&self, shard: u32, kind: &str, more: &Value) -> String {
        text(&self.ok("GetShardIterator", &iterator_body(shard, kind, more))["ShardIterator"])
    }

    #[track_caller]
    pub(crate) fn get(&self, iterator: &str) -> Value {
        self.ok("GetRecords", &json!({ "ShardIterator": iterator }))
    }

    /// All payloads from a position on, in one page.
    #[track_caller]
    pub(crate) fn read(&self, shard: u32, kind: &str, more: &Value) -> Vec<String> {
        payloads(&self.get(&self.iterator(shard, kind, more)))
    }

    pub(crate) fn now_seconds(&self) -> f64 {
        self.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
    }
}

/// A `GetShardIterator` request on `orders`.
pub(crate) fn iterator_body(shard: u32, kind: &str, more: &Value) -> Value {
    let mut body = json!({ "StreamName": "orders", "ShardId": shard_id(shard), "ShardIteratorType": kind });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

pub(crate) fn shard_id(shard: u32) -> String {
    format!("shardId-{shard:012}")
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

/// The payloads of a page or an event, as text.
pub(crate) fn payloads(page: &Value) -> Vec<String> {
    let records = page["Records"].as_array().unwrap_or_else(|| panic!("no records in {page}"));
    let payload = |record: &Value| STANDARD.decode(text(&record["Data"])).unwrap();
    records.iter().map(|record| String::from_utf8(payload(record)).unwrap()).collect()
}

/// One member of every element of a list.
pub(crate) fn each(list: &Value, member: &str) -> Vec<String> {
    list.as_array()
        .unwrap_or_else(|| panic!("{list} is no list"))
        .iter()
        .map(|entry| text(&entry[member]))
        .collect()
}

pub(crate) fn stream_arn(stream: &str) -> String {
    Options::default().stream_arn(stream)
}
