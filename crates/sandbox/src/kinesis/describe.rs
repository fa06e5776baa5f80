//! `DescribeStream`, `DescribeStreamSummary`, `ListStreams`, `DescribeLimits`, `DescribeAccountSettings`.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::error::ServiceError;

use super::error::invalid_argument;
use super::input::Input;
use super::rule::{NAME, NEXT_TOKEN};
use super::stream::{Distribution, Mode, Status, Stream};
use super::wire::{ShardEntry, Timestamp};
use super::{Engine, Request, wire};

/// Shards that `DescribeStream`, and streams that `ListStreams`, shows unless told otherwise.
const DEFAULT_PAGE: i64 = 100;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ModeDetails {
    stream_mode: Mode,
}

/// What both descriptions say.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Overview {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_status: Status,
    stream_mode_details: ModeDetails,
    retention_period_hours: u32,
    stream_creation_timestamp: Timestamp,
    enhanced_monitoring: [Metrics; 1],
    encryption_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metrics {
    shard_level_metrics: [String; 0],
}

impl From<&Stream> for Overview {
    fn from(stream: &Stream) -> Self {
        Self {
            stream_name: stream.name.clone(),
            stream_arn: stream.arn.clone(),
            stream_status: stream.status(),
            stream_mode_details: ModeDetails { stream_mode: stream.mode },
            retention_period_hours: stream.retention_hours,
            stream_creation_timestamp: Timestamp(stream.created_ms),
            enhanced_monitoring: [Metrics::default()],
            encryption_type: stream.encryption(),
            key_id: stream.key_id.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    #[serde(flatten)]
    overview: Overview,
    shards: Vec<ShardEntry>,
    has_more_shards: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    #[serde(flatten)]
    overview: Overview,
    open_shard_count: usize,
    consumer_count: usize,
    #[serde(rename = "MaxRecordSizeInKiB")]
    max_record_size_in_kib: u32,
    /// Only on-demand streams have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    record_distribution_strategy: Option<Distribution>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_throughput: Option<WarmThroughput>,
}

#[derive(Debug, Serialize)]
pub(super) struct WarmThroughput {
    #[serde(rename = "TargetMiBps")]
    pub(super) target: u32,
    #[serde(rename = "CurrentMiBps")]
    pub(super) current: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct StreamList {
    stream_names: Vec<String>,
    has_more_streams: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    stream_summaries: Vec<StreamEntry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "the service's own names")]
struct StreamEntry {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    stream_status: Status,
    stream_mode_details: ModeDetails,
    stream_creation_timestamp: Timestamp,
}

/// Where the next page of streams begins.
#[derive(Debug, Serialize, Deserialize)]
struct StreamPage {
    after_stream: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Limits {
    shard_limit: u32,
    open_shard_count: usize,
    on_demand_stream_count: usize,
    on_demand_stream_count_limit: u32,
}

#[derive(Debug, Serialize)]
struct Wrapped<T> {
    #[serde(rename = "StreamDescription", skip_serializing_if = "Option::is_none")]
    description: Option<T>,
    #[serde(rename = "StreamDescriptionSummary", skip_serializing_if = "Option::is_none")]
    summary: Option<T>,
}

impl Engine {
    pub(super) fn describe_stream(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let limit = input.integer("Limit", 1..=10_000)?.unwrap_or(DEFAULT_PAGE);
        let after = input.text("ExclusiveStartShardId", &NAME)?;
        let name = self.stream_name(&mut input, request.caller)?;
        let description = self.on_stream(&name, request.now_ms, |stream| {
            let mut shards = stream
                .listed_shards(request.now_ms)
                .filter(|shard| after.as_deref().is_none_or(|after| shard.id.to_string().as_str() > after));
            let page = usize::try_from(limit).unwrap_or(usize::MAX);
            Ok(Description {
                overview: Overview::from(&*stream),
                shards: shards.by_ref().take(page).map(ShardEntry::from).collect(),
                has_more_shards: shards.next().is_some(),
            })
        })?;
        wire::body(&Wrapped { description: Some(description), summary: None })
    }

    pub(super) fn describe_stream_summary(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let name = self.stream_name(&mut input, request.caller)?;
        let summary = self.on_stream(&name, request.now_ms, |stream| {
            let on_demand = stream.mode == Mode::OnDemand;
            Ok(Summary {
                overview: Overview::from(&*stream),
                open_shard_count: stream.open_shard_count(),
                consumer_count: stream.consumers.len(),
                max_record_size_in_kib: stream.max_record_kib,
                record_distribution_strategy: on_demand.then_some(stream.distribution),
                warm_throughput: (on_demand && stream.warm_mibps > 0)
                    .then_some(WarmThroughput { target: stream.warm_mibps, current: stream.warm_mibps }),
            })
        })?;
        wire::body(&Wrapped { description: None, summary: Some(summary) })
    }

    pub(super) fn list_streams(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let limit = input.integer("Limit", 1..=10_000)?.unwrap_or(DEFAULT_PAGE);
        let start = input.text("ExclusiveStartStreamName", &NAME)?;
        let token = input.text("NextToken", &NEXT_TOKEN)?;
        input.check()?;
        let after = match token {
            None => start,
            Some(token) => {
                let page: StreamPage = self
                    .shared
                    .seal
                    .open(&token)
                    .ok_or_else(|| invalid_argument("The provided NextToken is invalid."))?;
                Some(page.after_stream)
            }
        };
        // The account that has no streams here still gets an answer.
        let mut store = self.store();
        let own = request.caller.account == self.options().account;
        let lower = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut streams = store
            .streams
            .all(request.now_ms)
            .range((lower, Bound::Unbounded))
            .map(|(_, stream)| stream)
            .filter(|_| own);
        let page = usize::try_from(limit).unwrap_or(usize::MAX);
        let entries: Vec<StreamEntry> = streams
            .by_ref()
            .take(page)
            .map(|stream| StreamEntry {
                stream_name: stream.name.clone(),
                stream_arn: stream.arn.clone(),
                stream_status: stream.status(),
                stream_mode_details: ModeDetails { stream_mode: stream.mode },
                stream_creation_timestamp: Timestamp(stream.created_ms),
            })
            .collect();
        let has_more_streams = streams.next().is_some();
        let last = entries.last().filter(|_| has_more_streams);
        wire::body(&StreamList {
            stream_names: entries.iter().map(|entry| entry.stream_name.clone()).collect(),
            has_more_streams,
            next_token: last
                .map(|entry| self.shared.seal.close(&StreamPage { after_stream: entry.stream_name.clone() })),
            stream_summaries: entries,
        })
    }

    pub(super) fn describe_limits(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut store = self.store();
        let streams = store.streams.all(request.now_ms);
        wire::body(&Limits {
            shard_limit: self.options().shard_limit,
            open_shard_count: streams.values().map(Stream::open_shard_count).sum(),
            on_demand_stream_count: streams.values().filter(|stream| stream.mode == Mode::OnDemand).count(),
            on_demand_stream_count_limit: self.options().on_demand_stream_limit,
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AccountSettings {
    minimum_throughput_billing_commitment: Commitment,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Commitment {
    status: &'static str,
}

/// `DescribeAccountSettings` of an account without the minimum-throughput commitment, which is how accounts begin.
pub(super) fn account_settings() -> Result<Vec<u8>, ServiceError> {
    wire::body(&AccountSettings { minimum_throughput_billing_commitment: Commitment { status: "DISABLED" } })
}
