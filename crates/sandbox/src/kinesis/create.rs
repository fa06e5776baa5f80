//! `CreateStream` and `DeleteStream`.

use crate::error::ServiceError;

use super::error::{in_use, limit_exceeded, validation};
use super::input::Input;
use super::options::millis;
use super::rule::NAME;
use super::store::Streams;
use super::stream::{DISTRIBUTIONS, Distribution, MODES, Mode, Status, Stream};
use super::tags;
use super::{Engine, Request, wire};

/// How many streams may be `CREATING` at once, by the service's API reference.
const CREATING_LIMIT: usize = 5;

impl Engine {
    pub(super) fn create_stream(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let mode = input
            .structure("StreamModeDetails", |details| details.required_choice("StreamMode", &MODES))?
            .flatten()
            .unwrap_or(Mode::Provisioned);
        let shard_count = input.count("ShardCount", 1)?;
        if mode == Mode::Provisioned {
            input.required("ShardCount", shard_count);
        }
        let name = input.required_text("StreamName", &NAME)?;
        let max_record_kib = input.integer("MaxRecordSizeInKiB", 1024..=10_240)?;
        let warm_mibps = input.count("WarmThroughputMiBps", 0)?;
        let distribution = input.choice("RecordDistributionStrategy", &DISTRIBUTIONS)?;
        let tags = tags::read(&mut input)?;
        input.check()?;
        let tags = tags::first(tags)?;
        if mode == Mode::OnDemand && shard_count.is_some() {
            return Err(validation("ShardCount must not be specified for a stream in On-Demand mode."));
        }
        if mode == Mode::Provisioned && distribution == Some(Distribution::Auto) {
            return Err(validation("RecordDistributionStrategy AUTO requires On-Demand mode."));
        }

        let options = self.options();
        let mut store = self.store();
        let streams = &mut store.streams;
        if streams.get(&name, request.now_ms).is_some() {
            return Err(in_use(format!("Stream {name} under account {} already exists.", options.account)));
        }
        let shards = shard_count.unwrap_or(options.on_demand_shards);
        self.check_quotas(streams, mode, shards, request.now_ms)?;

        let ready_ms = request.now_ms.saturating_add(millis(options.create_delay));
        let incarnation = streams.next_incarnation();
        let arn = options.stream_arn(&name);
        let mut stream = Stream::new(&name, arn, &options.account, incarnation, request.now_ms, ready_ms);
        stream.mode = mode;
        stream.tags = tags;
        stream.warm_mibps = warm_mibps.unwrap_or(0);
        if let Some(distribution) = distribution {
            stream.distribution = distribution;
        }
        if let Some(kib) = max_record_kib.and_then(|kib| u32::try_from(kib).ok()) {
            stream.max_record_kib = kib;
        }
        stream.open_uniformly(shards);
        streams.insert(stream);
        Ok(wire::nothing())
    }

    pub(super) fn delete_stream(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let enforce = input.flag("EnforceConsumerDeletion")?;
        let name = self.stream_name(&mut input, request.caller)?;
        let ready_ms = request.now_ms.saturating_add(millis(self.options().delete_delay));
        self.on_stream(&name, request.now_ms, |stream| {
            if stream.status() == Status::Deleting {
                return Ok(());
            }
            if !stream.consumers.is_empty() && !enforce {
                return Err(in_use(format!(
                    "Stream {name} under account {} has consumers registered with it, and EnforceConsumerDeletion is not set.",
                    stream.account
                )));
            }
            stream.consumers.clear();
            stream.begin_deletion(ready_ms);
            Ok(())
        })?;
        self.shared.changed.notify_waiters();
        Ok(wire::nothing())
    }

    fn check_quotas(
        &self,
        streams: &mut Streams,
        mode: Mode,
        shards: u32,
        now_ms: u64,
    ) -> Result<(), ServiceError> {
        let options = self.options();
        let present = streams.all(now_ms);
        if options.enforce_limits
            && present.values().filter(|stream| stream.status() == Status::Creating).count() >= CREATING_LIMIT
        {
            return Err(limit_exceeded(format!(
                "Limit of {CREATING_LIMIT} streams in CREATING state has been reached under account {}.",
                options.account
            )));
        }
        let on_demand = present.values().filter(|stream| stream.mode == Mode::OnDemand).count();
        if mode == Mode::OnDemand && count(on_demand) >= options.on_demand_stream_limit {
            return Err(limit_exceeded(format!(
                "This request would exceed the on-demand stream limit of {} for the account {} in {}.",
                options.on_demand_stream_limit, options.account, options.region
            )));
        }
        self.check_shard_quota(streams, shards, now_ms)
    }

    /// # Errors
    /// `LimitExceededException` when `more` shards are too many for the account.
    pub(super) fn check_shard_quota(
        &self,
        streams: &mut Streams,
        more: u32,
        now_ms: u64,
    ) -> Result<(), ServiceError> {
        let options = self.options();
        let open = count(streams.all(now_ms).values().map(Stream::open_shard_count).sum());
        if open.saturating_add(more) > options.shard_limit {
            return Err(limit_exceeded(format!(
                "This request would exceed the shard limit for the account {} in {}. \
                 Current shard count for the account: {open}. Limit: {}. \
                 Number of additional shards that would have resulted from this request: {more}. \
                 Refer to the AWS Service Limits page \
                 (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) \
                 for current limits and how to request higher limits.",
                options.account, options.region, options.shard_limit
            )));
        }
        Ok(())
    }
}

/// A number of things as the API counts them.
pub(super) fn count(things: usize) -> u32 {
    u32::try_from(things).unwrap_or(u32::MAX)
}
