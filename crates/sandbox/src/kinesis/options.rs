//! What an engine is made with: whose account it is, how long things take, which quotas hold.

use std::time::Duration;

use super::limits::Rates;

/// How an [`Engine`](super::Engine) behaves. The default is a quick, unthrottled account 123456789012 in eu-central-1.
#[derive(Debug, Clone)]
pub struct Options {
    /// The account that owns the streams.
    pub account: String,
    /// The region of their ARNs.
    pub region: String,
    /// The partition of their ARNs.
    pub partition: String,
    /// How long a stream or a consumer stays `CREATING`.
    pub create_delay: Duration,
    /// How long a stream stays `UPDATING`.
    pub update_delay: Duration,
    /// How long a stream or a consumer stays `DELETING`.
    pub delete_delay: Duration,
    /// How long a shard iterator lives; the service says five minutes.
    pub iterator_ttl: Duration,
    /// How long a page token lives; the service says 300 seconds.
    pub next_token_ttl: Duration,
    /// How long a subscription lasts; the service says five minutes.
    pub subscription_ttl: Duration,
    /// How long a quiet subscription goes without an event.
    pub subscription_heartbeat: Duration,
    /// How soon a consumer may subscribe to a shard again, when limits are enforced; the service says five seconds.
    pub subscription_pause: Duration,
    /// Whether rates and account-wide quotas are enforced.
    pub enforce_limits: bool,
    /// The rates, when they are enforced.
    pub rates: Rates,
    /// Shards of a new on-demand stream.
    pub on_demand_shards: u32,
    /// Open shards that the account may have.
    pub shard_limit: u32,
    /// On-demand streams that the account may have.
    pub on_demand_stream_limit: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            partition: "aws".to_owned(),
            create_delay: Duration::from_millis(200),
            update_delay: Duration::from_millis(200),
            delete_delay: Duration::from_millis(200),
            iterator_ttl: Duration::from_mins(5),
            next_token_ttl: Duration::from_mins(5),
            subscription_ttl: Duration::from_mins(5),
            subscription_heartbeat: Duration::from_secs(5),
            subscription_pause: Duration::from_secs(5),
            enforce_limits: false,
            rates: Rates::default(),
            on_demand_shards: 4,
            shard_limit: 20_000,
            on_demand_stream_limit: 50,
        }
    }
}

impl Options {
    /// The ARN of a stream of this account.
    pub fn stream_arn(&self, name: &str) -> String {
        format!("arn:{}:kinesis:{}:{}:stream/{name}", self.partition, self.region, self.account)
    }
}

/// A duration in whole milliseconds; what does not fit is for ever.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
