//! What concerns the account as a whole: `ListStreams`, `DescribeLimits`, `DescribeAccountSettings`.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::error::ServiceError;

use super::describe::ModeDetails;
use super::error::invalid_argument;
use super::input::Input;
use super::rule::{NAME, NEXT_TOKEN};
use super::stream::{Mode, Status, Stream};
use super::wire::Timestamp;
use super::{Engine, Request, wire};

/// Streams on one page unless told otherwise.
const DEFAULT_PAGE: i64 = 100;

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

impl Engine {
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
pub(super) fn settings() -> Result<Vec<u8>, ServiceError> {
    wire::body(&AccountSettings { minimum_throughput_billing_commitment: Commitment { status: "DISABLED" } })
}
