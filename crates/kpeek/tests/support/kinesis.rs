//! The service: shards with records, iterators that know their place, and errors on demand.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The largest hash key.
const LAST_HASH: u128 = u128::MAX;

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    GetShardIterator,
    GetRecords,
}

/// An answer that is no success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    ExpiredIterator,
    Throttled,
    Internal,
    Denied,
}

impl Trouble {
    fn response(self) -> HttpResponse {
        let (status, code) = match self {
            Self::ExpiredIterator => (400, "ExpiredIteratorException"),
            Self::Throttled => (400, "ProvisionedThroughputExceededException"),
            Self::Internal => (500, "InternalFailureException"),
            Self::Denied => (400, "AccessDeniedException"),
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
    trouble: VecDeque<(Operation, Trouble)>,
}

type OnRead = Box<dyn FnMut(&mut Model, usize) + Send>;

/// The content of the stream.
pub(crate) struct Model {
    shards: Vec<Shard>,
    next_sequence: u128,
    now_ms: i64,
    page: usize,
    names_children: bool,
    on_read: Option<OnRead>,
    reads: Vec<usize>,
    positions: Vec<(usize, String)>,
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
            reads: Vec::new(),
            positions: Vec::new(),
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
            other => panic!("nothing plays {other}"),
        };
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn ok(body: &Value) -> HttpResponse {
    HttpResponse::new(200.try_into().unwrap(), SdkBody::from(body.to_string()))
}

impl Model {
    fn open(&mut self, parents: &[usize], range: (u128, u128)) -> usize {
        let id = format!("shardId-{:012}", self.shards.len());
        self.shards.push(Shard {
            id,
            parents: parents.to_vec(),
            range,
            records: Vec::new(),
            closed: false,
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
            .filter(|shard| !(open_only && shard.closed))
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
        let records = &self.shards[shard].records;
        let number = || body["StartingSequenceNumber"].as_str().unwrap().parse::<u128>().unwrap();
        let kind = body["ShardIteratorType"].as_str().unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "scripted times")]
        let index = match kind {
            "TRIM_HORIZON" => 0,
            "LATEST" => records.len(),
            "AT_SEQUENCE_NUMBER" => records.partition_point(|record| record.0 < number()),
            "AFTER_SEQUENCE_NUMBER" => records.partition_point(|record| record.0 <= number()),
            "AT_TIMESTAMP" => {
                let wanted = (body["Timestamp"].as_f64().unwrap() * 1000.0).round() as i64;
                records.partition_point(|record| record.1 < wanted)
            }
            other => panic!("no iterator {other}"),
        };
        self.positions.push((shard, kind.to_owned()));
        ok(&json!({ "ShardIterator": format!("{shard}:{index}") }))
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
