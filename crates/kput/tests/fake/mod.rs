//! A Kinesis on loopback that does what a test tells it: stores, fails entries, refuses, hangs, resets.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::{Value, json};

/// What the service does with one request.
pub(crate) enum Act {
    /// Stores everything.
    Store,
    /// Fails the entries at these positions with this code, stores the others.
    Fail(Vec<usize>, &'static str),
    /// Throttles every second entry and stores the others, until the shards were asked for; then stores everything.
    ThrottleUntilListed,
    /// Answers with this status, code and message.
    Refuse(u16, &'static str, &'static str),
    /// Stores everything, but closes the connection instead of answering.
    StoreAndReset,
    /// Never answers.
    Hang,
    /// The shards become others, that begin at these hash keys; then stores everything.
    Reshard(Vec<u128>),
}

/// A record that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) key: Option<String>,
    pub(crate) hash: Option<String>,
    pub(crate) data: Vec<u8>,
    pub(crate) shard: String,
    pub(crate) sequence: String,
}

impl Stored {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.data.clone()).unwrap()
    }
}

type Script = Box<dyn FnMut(usize, &[Value]) -> Act + Send>;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) stored: Vec<Stored>,
    /// Operation and body of every request.
    pub(crate) requests: Vec<(String, Value)>,
    /// Shards, each with its first hash key.
    pub(crate) shards: BTreeMap<u128, String>,
    shard_ids: usize,
    /// Whether the stream is not there yet.
    pub(crate) missing: bool,
    /// Whether records go to the last shard, whatever their keys.
    pub(crate) scattered: bool,
    /// Whether the stream says that it distributes records itself.
    pub(crate) auto: bool,
    /// Whether the stream is being deleted, and how many looks at it still show it.
    pub(crate) deleting: usize,
    /// How many listings still show the shards as they were before.
    pub(crate) lagging: usize,
    listed_before: BTreeMap<u128, String>,
    puts: usize,
    script: Option<Script>,
}

/// The running service.
pub(crate) struct Fake {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// A service that stores everything in one shard.
    pub(crate) fn new() -> Self {
        Self::scripted(|_, _| Act::Store)
    }

    /// A service that asks `script`, with the number of the PutRecords request and its entries.
    pub(crate) fn scripted(script: impl FnMut(usize, &[Value]) -> Act + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shards = BTreeMap::from([(0, "shardId-000000000000".to_owned())]);
        let state = State { script: Some(Box::new(script)), shards, shard_ids: 1, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        // Ends with the test's process.
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || serve(connection, &state));
            }
        });
        Self { url, state }
    }

    pub(crate) fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    pub(crate) fn stored(&self) -> Vec<Stored> {
        self.state(|state| state.stored.clone())
    }

    /// The operations that were asked for, in order.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.state(|state| state.requests.iter().map(|(operation, _)| operation.clone()).collect())
    }

    /// How many entries each PutRecords request had.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.state(|state| {
            let puts = state.requests.iter().filter(|(operation, _)| operation == "PutRecords");
            puts.map(|(_, body)| body["Records"].as_array().unwrap().len()).collect()
        })
    }
}

/// The operation and the body of the next request; None when the client has gone.
pub(crate) fn request(read: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => value.rsplit('.').next().unwrap().clone_into(&mut operation),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    read.read_exact(&mut body).ok()?;
    Some((operation, body))
}

/// Answers a request; false when the client has gone.
pub(crate) fn respond(write: &mut impl Write, status: u16, answer: &str) -> bool {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    write.write_all(head.as_bytes()).and_then(|()| write.write_all(answer.as_bytes())).is_ok()
}

fn serve(connection: TcpStream, state: &Mutex<State>) {
    let mut write = connection.try_clone().unwrap();
    let mut read = BufReader::new(connection);
    while let Some((operation, body)) = request(&mut read) {
        let body: Value = serde_json::from_slice(&body).unwrap();
        let answer = state.lock().unwrap().answer(&operation, &body);
        let (status, answer) = match answer {
            Reply::Answer(status, answer) => (status, answer.to_string()),
            Reply::Close => return,
            Reply::Nothing => {
                // Until the client closes.
                drop(read.read(&mut [0]));
                return;
            }
        };
        if !respond(&mut write, status, &answer) {
            return;
        }
    }
}

enum Reply {
    Answer(u16, Value),
    Close,
    Nothing,
}

impl State {
    /// Replaces the shards by new ones that begin at these hash keys.
    pub(crate) fn reshard(&mut self, firsts: &[u128]) {
        let ids = (self.shard_ids..).map(|number| format!("shardId-{number:012}"));
        self.listed_before = self.shards.clone();
        self.shards = firsts.iter().copied().zip(ids).collect();
        self.shard_ids += firsts.len();
    }

    fn answer(&mut self, operation: &str, body: &Value) -> Reply {
        self.requests.push((operation.to_owned(), body.clone()));
        if self.missing && operation != "CreateStream" {
            let message = "Stream sensor-readings under account 123456789012 not found.";
            return Reply::Answer(400, json!({"__type": "ResourceNotFoundException", "message": message}));
        }
        match operation {
            "CreateStream" => {
                self.missing = false;
                Reply::Answer(200, json!({}))
            }
            "PutRecords" => self.put(body),
            "ListShards" => {
                let is_behind = self.lagging > 0 && !self.listed_before.is_empty();
                self.lagging -= usize::from(is_behind);
                let shown = if is_behind { &self.listed_before } else { &self.shards };
                let firsts: Vec<u128> = shown.keys().copied().collect();
                let lasts = firsts.iter().skip(1).map(|next| next - 1).chain([u128::MAX]);
                let shards: Vec<Value> = shown.iter().zip(lasts).map(|((first, id), last)| json!({
                    "ShardId": id,
                    "HashKeyRange": {"StartingHashKey": first.to_string(), "EndingHashKey": last.to_string()},
                    "SequenceNumberRange": {"StartingSequenceNumber": "1"},
                })).collect();
                Reply::Answer(200, json!({"Shards": shards}))
            }
            "DescribeStreamSummary" if self.deleting > 0 => {
                self.deleting -= 1;
                self.missing = self.deleting == 0;
                Reply::Answer(
                    200,
                    json!({"StreamDescriptionSummary": {
                    "StreamName": "sensor-readings",
                    "StreamARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings",
                    "StreamStatus": "DELETING", "RetentionPeriodHours": 24, "StreamCreationTimestamp": 1.0,
                    "EnhancedMonitoring": [], "OpenShardCount": 1}}),
                )
            }
            "DescribeStreamSummary" => Reply::Answer(
                200,
                json!({"StreamDescriptionSummary": {
                "RecordDistributionStrategy": if self.auto { "AUTO" } else { "USER_PARTITION_KEY" },
                "StreamName": "sensor-readings",
                "StreamARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings",
                "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24, "StreamCreationTimestamp": 1.0,
                "EnhancedMonitoring": [], "OpenShardCount": 1, "MaxRecordSizeInKiB": 2048}}),
            ),
            other => panic!("the fake does not know {other}"),
        }
    }

    fn put(&mut self, body: &Value) -> Reply {
        let entries = body["Records"].as_array().unwrap().clone();
        assert!((1..=500).contains(&entries.len()), "{} entries", entries.len());
        let number = self.puts;
        self.puts += 1;
        let mut script = self.script.take().unwrap();
        let act = script(number, &entries);
        self.script = Some(script);
        let (failing, code) = match act {
            Act::Refuse(status, code, message) => {
                return Reply::Answer(status, json!({"__type": code, "message": message}));
            }
            Act::Hang => return Reply::Nothing,
            Act::Reshard(ref firsts) => {
                self.reshard(firsts);
                (Vec::new(), "")
            }
            Act::ThrottleUntilListed
                if self.requests.iter().all(|(operation, _)| operation != "ListShards") =>
            {
                ((0..entries.len()).step_by(2).collect(), "ProvisionedThroughputExceededException")
            }
            Act::Store | Act::StoreAndReset | Act::ThrottleUntilListed => (Vec::new(), ""),
            Act::Fail(ref failing, code) => (failing.clone(), code),
        };
        let answers: Vec<Value> = entries
            .iter()
            .enumerate()
            .map(|(at, entry)| {
                if failing.contains(&at) {
                    return json!({"ErrorCode": code, "ErrorMessage": "as the test wants it"});
                }
                let key = entry["PartitionKey"].as_str().map(str::to_owned);
                let hash = entry["ExplicitHashKey"].as_str().map(str::to_owned);
                let position = hash.as_ref().map_or_else(
                    || u128::from_be_bytes(Md5::digest(key.clone().unwrap_or_default()).into()),
                    |hash| hash.parse().unwrap(),
                );
                let position = if self.scattered { u128::MAX } else { position };
                let shard = self.shards.range(..=position).next_back().unwrap().1.clone();
                let sequence = format!("{:056}", 49_600_000 + self.stored.len());
                let data = STANDARD.decode(entry["Data"].as_str().unwrap()).unwrap();
                self.stored.push(Stored {
                    key,
                    hash,
                    data,
                    shard: shard.clone(),
                    sequence: sequence.clone(),
                });
                json!({"ShardId": shard, "SequenceNumber": sequence})
            })
            .collect();
        if matches!(act, Act::StoreAndReset) {
            return Reply::Close;
        }
        Reply::Answer(200, json!({"FailedRecordCount": failing.len(), "Records": answers}))
    }
}

/// The tool, away from the caller's environment, speaking to `fake`.
pub(crate) fn kput(fake: &Fake, home: &Path) -> snapbox::cmd::Command {
    clean(home)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ENDPOINT_URL", &fake.url)
}

/// The tool with an empty environment.
pub(crate) fn clean(home: &Path) -> snapbox::cmd::Command {
    snapbox::cmd::Command::new(snapbox::cmd::cargo_bin!("kput"))
        .env_clear()
        .env("HOME", home)
        .env("COLUMNS", "120")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .current_dir(home)
}
