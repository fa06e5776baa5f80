//! Enhanced fan-out: shards push their records to a consumer that has a share of its own.

use std::time::{Duration, Instant};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::{Config, StalledStreamProtectionConfig};
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::subscribe_to_shard::SubscribeToShardOutput;
use aws_sdk_kinesis::types::{
    ShardIteratorType, StartingPosition, SubscribeToShardEvent, SubscribeToShardEventStream,
};
use config::aws::{Aws, problem};
use config::names::ShardId;
use config::{Fault, Kind};
use jiff::Timestamp;
use tokio::time;

use crate::answer::Answer;
use crate::clock::AnsweredAt;
use crate::peek::now;
use crate::position::Position;
use crate::read::{Refusal, sdk_time};

/// A subscription lasts five minutes (SubscribeToShard, API model). It is replaced before, so that nothing is cut off.
const SUBSCRIPTION: Duration = Duration::from_mins(4);

/// Subscribes as a consumer.
#[derive(Clone, Debug)]
pub(crate) struct FanOut {
    pub(crate) client: Client,
    pub(crate) aws: Aws,
    /// The consumer's ARN.
    pub(crate) arn: String,
}

impl FanOut {
    /// Subscribes to a shard. Also returns the time at which the service did so.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn subscribe(
        &self,
        shard: &ShardId,
        position: &Position,
    ) -> Result<(Box<Subscription>, Timestamp), Refusal> {
        let doing = || format!("failed to subscribe to shard {shard} at `{position}`");
        let starting =
            starting_position(position).map_err(|error| Refusal::Never(error.with_hint(doing())))?;
        // A shard in which nothing happens sends next to nothing, which is no reason to hang up.
        let patient = Config::builder().stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let request = self.client.subscribe_to_shard().consumer_arn(&self.arn).shard_id(shard.as_str());
        let request = request.starting_position(starting).customize().config_override(patient);
        let answered_at = AnsweredAt::default();
        let asked_at = Timestamp::now();
        match request.interceptor(answered_at.clone()).send().await {
            Ok(output) => {
                let renew_at = now() + SUBSCRIPTION;
                let subscription = Subscription { output, renew_at, aws: self.aws.clone() };
                Ok((Box::new(subscription), answered_at.or_earlier(asked_at)))
            }
            Err(error) => Err(refusal(&self.aws, doing(), &error)),
        }
    }
}

/// An open subscription to one shard.
pub(crate) struct Subscription {
    output: SubscribeToShardOutput,
    renew_at: Instant,
    aws: Aws,
}

/// What a shard pushed.
pub(crate) struct Event(SubscribeToShardEvent);

impl Subscription {
    /// The next event; nothing when the subscription is over or old, and another one has to take its place.
    ///
    /// # Errors
    /// Why it broke.
    pub(crate) async fn next(&mut self, shard: &ShardId) -> Result<Option<Event>, Refusal> {
        let renew_at = time::Instant::from_std(self.renew_at);
        let Ok(received) = time::timeout_at(renew_at, self.output.event_stream.recv()).await else {
            return Ok(None);
        };
        match received {
            Ok(Some(SubscribeToShardEventStream::SubscribeToShardEvent(event))) => Ok(Some(Event(event))),
            // A kind of event that is newer than this program: the next one may be known.
            Ok(Some(_)) => Box::pin(self.next(shard)).await,
            Ok(None) => Ok(None),
            Err(error) => Err(refusal(&self.aws, format!("lost the subscription to shard {shard}"), &error)),
        }
    }
}

impl Event {
    /// The event in the shape of an answer.
    ///
    /// # Errors
    /// A fault when it names a shard that cannot be used.
    pub(crate) fn answer(&self) -> Result<Answer<'_>, Fault> {
        Answer::of_event(&self.0)
    }
}

fn refusal<E, R>(aws: &Aws, doing: String, error: &SdkError<E, R>) -> Refusal
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    let found = problem(error);
    // An earlier subscription of the same consumer is still open; it gives way after five seconds.
    let is_busy = matches!(found.code.as_deref(), Some("ResourceInUseException"));
    let fault = aws.fault(doing, error);
    if is_busy || found.kind == Kind::Transient { Refusal::Later(fault) } else { Refusal::Never(fault) }
}

fn starting_position(position: &Position) -> Result<StartingPosition, Fault> {
    let builder = StartingPosition::builder();
    let builder = match position {
        Position::TrimHorizon => builder.r#type(ShardIteratorType::TrimHorizon),
        Position::Latest => builder.r#type(ShardIteratorType::Latest),
        Position::At(at) => builder.r#type(ShardIteratorType::AtTimestamp).timestamp(sdk_time(*at)),
        Position::AtSequence(number) => {
            builder.r#type(ShardIteratorType::AtSequenceNumber).sequence_number(number)
        }
        Position::AfterSequence(number) => {
            builder.r#type(ShardIteratorType::AfterSequenceNumber).sequence_number(number)
        }
    };
    builder.build().map_err(|error| Fault::usage("the starting position is not complete").with_cause(error))
}
