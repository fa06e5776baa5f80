//! Amazon Kinesis Data Streams in memory: streams, shards and records that behave as the service's do, mistakes included.
//!
//! [`Engine::call`] takes one operation's JSON body and answers with JSON. Who calls and whether that caller may do so
//! is the gateway's business; [`Engine::authorisation`] tells it which action on which resource to ask about.
//! The engine has no threads and no timers: delays, expiry and rates come from the clock at each request.

mod account;
mod authorise;
mod consumer;
mod create;
mod describe;
mod error;
mod event_stream;
mod fault;
mod get;
mod hash;
mod incoming;
mod input;
mod iterator;
mod limits;
mod list_shards;
mod options;
mod put;
mod quotas;
mod reshard;
mod rule;
mod sequence;
mod settings;
mod shard;
mod store;
mod stream;
mod subscribe;
mod tags;
mod token;
mod violation;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::error::ServiceError;

pub use authorise::Authorisation;
pub use fault::Fault;
pub use limits::Rates;
pub use options::Options;
pub use subscribe::Subscription;

use store::{Store, Streams};
use stream::{Stream, stream_not_found};
use token::Seal;

/// Who calls, as far as it matters here: a stream's name means a stream of the caller's own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account: String,
}

/// The streams of one account in one region. Clones share them.
///
/// ```
/// # use std::time::Duration;
/// use sandbox::kinesis::{Caller, Engine, Options};
///
/// let engine = Engine::new(Options { create_delay: Duration::ZERO, ..Options::default() });
/// let caller = Caller { account: "123456789012".into() };
/// engine.call("CreateStream", br#"{"StreamName":"orders","ShardCount":1}"#, &caller)?;
/// let put = br#"{"StreamName":"orders","PartitionKey":"k","Data":"aGVsbG8="}"#;
/// let receipt = String::from_utf8(engine.call("PutRecord", put, &caller)?).unwrap();
/// assert!(receipt.starts_with(r#"{"ShardId":"shardId-000000000000","SequenceNumber":"49"#));
/// # Ok::<(), sandbox::error::ServiceError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    clock: Clock,
    seal: Seal,
    store: Mutex<Store>,
    /// Rings when records arrive or shards change, for the subscriptions.
    changed: Notify,
}

/// One request on its way through the engine.
#[derive(Debug)]
struct Request<'a> {
    body: &'a [u8],
    caller: &'a Caller,
    now_ms: u64,
}

impl Engine {
    /// An empty account that goes by the system's clock.
    pub fn new(options: Options) -> Self {
        Self::with_clock(options, Clock::system())
    }

    /// An empty account that goes by `clock`.
    pub fn with_clock(options: Options, clock: Clock) -> Self {
        let shared = Shared {
            options,
            clock,
            seal: Seal::new(),
            store: Mutex::new(Store::default()),
            changed: Notify::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Performs one operation, all but `SubscribeToShard`, and answers with the response's body.
    ///
    /// # Errors
    /// What the service would answer, faults included.
    pub fn call(&self, operation: &str, body: &[u8], caller: &Caller) -> Result<Vec<u8>, ServiceError> {
        let request = Request { body, caller, now_ms: self.now_ms() };
        self.admit(operation, request.now_ms)?;
        let answer = self.perform(operation, &request)?;
        match self.store().faults.lose_answer(operation) {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }

    fn perform(&self, operation: &str, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        match operation {
            "PutRecords" => self.put_records(request),
            "PutRecord" => self.put_record(request),
            "GetRecords" => self.get_records(request),
            "GetShardIterator" => self.get_shard_iterator(request),
            "CreateStream" => self.create_stream(request),
            "DeleteStream" => self.delete_stream(request),
            "DescribeStream" => self.describe_stream(request),
            "DescribeStreamSummary" => self.describe_stream_summary(request),
            "ListStreams" => self.list_streams(request),
            "ListShards" => self.list_shards(request),
            "DescribeLimits" => self.describe_limits(request),
            "DescribeAccountSettings" => account::settings(),
            "SplitShard" => self.split_shard(request),
            "MergeShards" => self.merge_shards(request),
            "UpdateShardCount" => self.update_shard_count(request),
            "UpdateStreamMode" => self.update_stream_mode(request),
            "UpdateMaxRecordSize" => self.update_max_record_size(request),
            "UpdateStreamWarmThroughput" => self.update_stream_warm_throughput(request),
            "UpdateStreamRecordDistributionStrategy" => self.update_distribution(request),
            "IncreaseStreamRetentionPeriod" => self.increase_retention(request),
            "DecreaseStreamRetentionPeriod" => self.decrease_retention(request),
            "StartStreamEncryption" => self.start_encryption(request),
            "StopStreamEncryption" => self.stop_encryption(request),
            "AddTagsToStream" => self.add_tags_to_stream(request),
            "RemoveTagsFromStream" => self.remove_tags_from_stream(request),
            "ListTagsForStream" => self.list_tags_for_stream(request),
            "TagResource" => self.tag_resource(request),
            "UntagResource" => self.untag_resource(request),
            "ListTagsForResource" => self.list_tags_for_resource(request),
            "RegisterStreamConsumer" => self.register_consumer(request),
            "DeregisterStreamConsumer" => self.deregister_consumer(request),
            "DescribeStreamConsumer" => self.describe_consumer(request),
            "ListStreamConsumers" => self.list_consumers(request),
            _ => Err(error::error(error::UNKNOWN_OPERATION, "")),
        }
    }

    /// # Errors
    /// The fault that waits for this operation, or `LimitExceededException` when it is called too often.
    fn admit(&self, operation: &str, now_ms: u64) -> Result<(), ServiceError> {
        let mut store = self.store();
        if let Some(refused) = store.faults.refuse(operation) {
            return Err(refused);
        }
        if self.options().enforce_limits {
            store.quotas.call(operation, &self.options().account, now_ms)?;
        }
        Ok(())
    }

    /// Makes the engine misbehave, for tests of what a client does about it.
    pub fn inject(&self, fault: Fault) {
        self.store().faults.add(fault);
        self.shared.changed.notify_waiters();
    }

    fn options(&self) -> &Options {
        &self.shared.options
    }

    fn now_ms(&self) -> u64 {
        let since_epoch = self.shared.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
        options::millis(since_epoch)
    }

    /// Everything behind the lock. A panic elsewhere does not poison the account.
    fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `act` on a stream as it is now.
    fn on_stream<T>(
        &self,
        name: &str,
        now_ms: u64,
        act: impl FnOnce(&mut Stream) -> Result<T, ServiceError>,
    ) -> Result<T, ServiceError> {
        act(self.find(&mut self.store().streams, name, now_ms)?)
    }

    /// # Errors
    /// `ResourceNotFoundException` when there is no such stream.
    fn find<'a>(
        &self,
        streams: &'a mut Streams,
        name: &str,
        now_ms: u64,
    ) -> Result<&'a mut Stream, ServiceError> {
        streams.get(name, now_ms).ok_or_else(|| stream_not_found(name, &self.options().account))
    }
}
