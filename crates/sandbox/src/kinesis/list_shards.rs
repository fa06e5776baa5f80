//! `ListShards`: filters by place and time, and pages over any number of shards.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::ServiceError;

use super::error::{EXPIRED_NEXT_TOKEN, error, in_use, invalid_argument, validation};
use super::input::Input;
use super::options::millis;
use super::rule::{NAME, NEXT_TOKEN};
use super::shard::{Shard, ShardId};
use super::stream::{Status, stream_not_found};
use super::wire::ShardEntry;
use super::{Engine, Request, wire};

/// The most shards on one page, also when more are asked for (API reference).
const LARGEST_PAGE: usize = 1_000;

/// Which shards to list. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Filter {
    After(u32),
    AtTrimHorizon,
    FromTrimHorizon,
    AtLatest,
    AtTimestamp(u64),
    FromTimestamp(u64),
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    AfterShardId,
    AtTrimHorizon,
    FromTrimHorizon,
    AtLatest,
    AtTimestamp,
    FromTimestamp,
}

const KINDS: [(&str, Kind); 6] = [
    ("AFTER_SHARD_ID", Kind::AfterShardId),
    ("AT_TRIM_HORIZON", Kind::AtTrimHorizon),
    ("FROM_TRIM_HORIZON", Kind::FromTrimHorizon),
    ("AT_LATEST", Kind::AtLatest),
    ("AT_TIMESTAMP", Kind::AtTimestamp),
    ("FROM_TIMESTAMP", Kind::FromTimestamp),
];

impl Filter {
    fn read(input: &mut Input) -> Result<Option<Self>, ServiceError> {
        let kind = input.required_choice("Type", &KINDS)?;
        let shard = input.text("ShardId", &NAME)?;
        let timestamp_ms = input.time_ms("Timestamp")?;
        let Some(kind) = kind else { return Ok(None) };
        let needs_time =
            || timestamp_ms.ok_or_else(|| invalid_argument("ShardFilter of this type requires a Timestamp."));
        Ok(Some(match kind {
            Kind::AfterShardId => {
                let shard = shard.ok_or_else(|| {
                    invalid_argument("ShardFilter of type AFTER_SHARD_ID requires a ShardId.")
                })?;
                Self::After(place_of(&shard))
            }
            Kind::AtTrimHorizon => Self::AtTrimHorizon,
            Kind::FromTrimHorizon => Self::FromTrimHorizon,
            Kind::AtLatest => Self::AtLatest,
            Kind::AtTimestamp => Self::AtTimestamp(needs_time()?),
            Kind::FromTimestamp => Self::FromTimestamp(needs_time()?),
        }))
    }

    /// `horizon_ms`: where the stream's records begin.
    fn admits(self, shard: &Shard, horizon_ms: u64) -> bool {
        let life: Range<u64> = shard.created_ms..shard.closed_ms.unwrap_or(u64::MAX);
        match self {
            Self::After(place) => shard.id.0 > place,
            Self::AtTrimHorizon => life.start <= horizon_ms && horizon_ms <= life.end,
            Self::FromTrimHorizon => true,
            Self::AtLatest => shard.is_open(),
            Self::AtTimestamp(at_ms) => life.start <= at_ms && at_ms <= life.end,
            Self::FromTimestamp(from_ms) => from_ms <= life.end,
        }
    }
}

/// A shard's number, also for a well-formed id that no shard has; `after` any other text comes everything.
fn place_of(shard: &str) -> u32 {
    ShardId::parse(shard).map_or(0, |id| id.0)
}

/// Where the next page begins, and of which list.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PageToken {
    pub(super) stream: String,
    incarnation: u32,
    filter: Filter,
    after: u32,
    issued_ms: u64,
}

impl PageToken {
    pub(super) fn open(engine: &Engine, token: &str) -> Result<Self, ServiceError> {
        engine.shared.seal.open(token).ok_or_else(|| invalid_argument("The provided NextToken is invalid."))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    shards: Vec<ShardEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Engine {
    pub(super) fn list_shards(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let token = input.text("NextToken", &NEXT_TOKEN)?;
        let start = input.text("ExclusiveStartShardId", &NAME)?;
        let page = input.integer("MaxResults", 1..=10_000)?;
        let created_ms = input.time_ms("StreamCreationTimestamp")?;
        let filter = input.structure("ShardFilter", Filter::read)?.flatten();
        let named = input.text("StreamName", &NAME)?.is_some();
        input.check()?;

        if token.is_some() && named {
            return Err(invalid_argument("NextToken and StreamName cannot be provided together."));
        }
        if token.is_some() && (start.is_some() || created_ms.is_some()) {
            return Err(invalid_argument(
                "NextToken cannot be provided together with ExclusiveStartShardId or StreamCreationTimestamp.",
            ));
        }
        let token = token.map(|token| PageToken::open(self, &token)).transpose()?;
        let name = match &token {
            Some(token) => {
                self.check_page_age(token.issued_ms, request.now_ms)?;
                token.stream.clone()
            }
            None => self.stream_name(&mut input, request.caller)?,
        };
        if start.is_some() && filter.is_some() {
            return Err(validation("ExclusiveStartShardId and ShardFilter cannot be provided together."));
        }
        let after = token.as_ref().map(|token| token.after).or_else(|| start.as_deref().map(place_of));
        let filter = token.as_ref().map(|token| token.filter).or(filter).unwrap_or(Filter::FromTrimHorizon);
        let size = page.and_then(|page| usize::try_from(page).ok()).unwrap_or(LARGEST_PAGE).min(LARGEST_PAGE);

        let answer = self.on_stream(&name, request.now_ms, |stream| {
            let recreated = token.as_ref().is_some_and(|token| token.incarnation != stream.incarnation);
            let other = created_ms.is_some_and(|created_ms| created_ms / 1_000 != stream.created_ms / 1_000);
            if recreated || other {
                return Err(stream_not_found(&name, &stream.account));
            }
            if matches!(stream.status(), Status::Creating | Status::Deleting) {
                return Err(in_use(format!(
                    "Stream {name} under account {} not ACTIVE, instead in state {}",
                    stream.account,
                    stream.status().word()
                )));
            }
            let horizon_ms = stream.horizon_ms(request.now_ms).max(stream.created_ms);
            let mut shards = stream.listed_shards(request.now_ms).filter(|shard| {
                after.is_none_or(|after| shard.id.0 > after) && filter.admits(shard, horizon_ms)
            });
            let page: Vec<&Shard> = shards.by_ref().take(size).collect();
            let last = page.last().map(|shard| shard.id.0);
            let next_token = last.filter(|_| shards.next().is_some()).map(|after| {
                self.shared.seal.close(&PageToken {
                    stream: name.clone(),
                    incarnation: stream.incarnation,
                    filter,
                    after,
                    issued_ms: request.now_ms,
                })
            });
            Ok(Page { shards: page.into_iter().map(ShardEntry::from).collect(), next_token })
        })?;
        wire::body(&answer)
    }

    /// # Errors
    /// `ExpiredNextTokenException` when the token is too old.
    pub(super) fn check_page_age(&self, issued_ms: u64, now_ms: u64) -> Result<(), ServiceError> {
        let ttl_ms = millis(self.options().next_token_ttl);
        if now_ms.saturating_sub(issued_ms) > ttl_ms {
            return Err(error(
                EXPIRED_NEXT_TOKEN,
                format!("The provided NextToken has expired: it was valid for {ttl_ms} milliseconds."),
            ));
        }
        Ok(())
    }
}
