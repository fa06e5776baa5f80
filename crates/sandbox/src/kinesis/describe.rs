//! `DescribeStream` and `DescribeStreamSummary`.

use serde::Serialize;

use crate::error::ServiceError;

use super::input::Input;
use super::rule::NAME;
use super::stream::{Distribution, Mode, Status, Stream};
use super::wire::{ShardEntry, Timestamp};
use super::{Engine, Request, wire};

/// Shards of one description unless told otherwise.
const DEFAULT_SHARDS: i64 = 100;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ModeDetails {
    pub(super) stream_mode: Mode,
}

/// A stream as both operations show it: first what both say, then what only one of them does.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
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

    #[serde(skip_serializing_if = "Option::is_none")]
    shards: Option<Vec<ShardEntry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more_shards: Option<bool>,

    #[serde(skip_serializing_if = "Option::is_none")]
    open_shard_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_count: Option<usize>,
    #[serde(rename = "MaxRecordSizeInKiB", skip_serializing_if = "Option::is_none")]
    max_record_size_in_kib: Option<u32>,
    /// Only on-demand streams have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    record_distribution_strategy: Option<Distribution>,
    /// Only on-demand streams that were warmed have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_throughput: Option<WarmThroughput>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metrics {
    shard_level_metrics: [String; 0],
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
struct Described {
    stream_description: Description,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summarised {
    stream_description_summary: Description,
}

impl Description {
    /// What both operations say.
    fn of(stream: &Stream) -> Self {
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
            shards: None,
            has_more_shards: None,
            open_shard_count: None,
            consumer_count: None,
            max_record_size_in_kib: None,
            record_distribution_strategy: None,
            warm_throughput: None,
        }
    }

    fn summary(stream: &Stream) -> Self {
        let on_demand = stream.mode == Mode::OnDemand;
        let warm = WarmThroughput { target: stream.warm_mibps, current: stream.warm_mibps };
        Self {
            open_shard_count: Some(stream.open_shard_count()),
            consumer_count: Some(stream.consumers.len()),
            max_record_size_in_kib: Some(stream.max_record_kib),
            record_distribution_strategy: on_demand.then_some(stream.distribution),
            warm_throughput: (on_demand && warm.target > 0).then_some(warm),
            ..Self::of(stream)
        }
    }
}

impl Engine {
    pub(super) fn describe_stream(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let limit = input.integer("Limit", 1..=10_000)?.unwrap_or(DEFAULT_SHARDS);
        let after = input.text("ExclusiveStartShardId", &NAME)?;
        let name = self.stream_name(&mut input, request.caller)?;
        let stream_description = self.on_stream(&name, request.now_ms, |stream| {
            let mut shards = stream
                .listed_shards(request.now_ms)
                .filter(|shard| after.as_deref().is_none_or(|after| shard.id.to_string().as_str() > after));
            let page = usize::try_from(limit).unwrap_or(usize::MAX);
            let shown = shards.by_ref().take(page).map(ShardEntry::from).collect();
            let has_more_shards = Some(shards.next().is_some());
            drop(shards);
            Ok(Description { shards: Some(shown), has_more_shards, ..Description::of(stream) })
        })?;
        wire::body(&Described { stream_description })
    }

    pub(super) fn describe_stream_summary(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let name = self.stream_name(&mut input, request.caller)?;
        let stream_description_summary =
            self.on_stream(&name, request.now_ms, |stream| Ok(Description::summary(stream)))?;
        wire::body(&Summarised { stream_description_summary })
    }
}
