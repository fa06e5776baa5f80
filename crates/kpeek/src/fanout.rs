//! Enhanced fan-out: a registered consumer with a share of its own, to which shards push their records.

use std::time::{Duration, Instant};

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::{Config, StalledStreamProtectionConfig};
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::operation::subscribe_to_shard::SubscribeToShardOutput;
use aws_sdk_kinesis::types::{
    ConsumerStatus, ShardIteratorType, StartingPosition, SubscribeToShardEvent, SubscribeToShardEventStream,
};
use config::aws::{Aws, problem};
use config::names::{ConsumerName, ShardId, StreamArn, StreamRef};
use config::{Fault, Kind, World};
use tokio::time;

use crate::answer::Answer;
use crate::peek::now;
use crate::position::Position;
use crate::read::{Refusal, sdk_time};

/// A subscription lasts five minutes (SubscribeToShard, API model). It is replaced before, so that nothing is cut off.
const SUBSCRIPTION: Duration = Duration::from_mins(4);

/// How often a new consumer is looked at until it is active. DescribeStreamConsumer grants 20 a second.
const LOOK: Duration = Duration::from_millis(500);

/// How long a consumer may take to become active.
const ACTIVATION: Duration = Duration::from_mins(2);

/// A consumer that is ready to subscribe.
#[derive(Clone, Debug)]
pub(crate) struct FanOut {
    client: Client,
    aws: Aws,
    name: ConsumerName,
    arn: String,
    /// Whether it was registered by this run, which then takes it away again.
    is_ours: bool,
}

impl FanOut {
    /// Uses the consumer `name` of the stream, or registers it, and waits until it is active.
    ///
    /// # Errors
    /// A fault when it cannot be registered or does not become active; what was registered is then taken away again.
    pub(crate) async fn begin(
        client: &Client,
        aws: &Aws,
        world: &World,
        stream: &StreamRef,
        name: &ConsumerName,
    ) -> Result<Self, Fault> {
        let stream_arn = stream_arn(client, aws, stream).await?;
        let doing = format!("failed to register consumer `{name}` of stream `{stream}`");
        let register =
            client.register_stream_consumer().stream_arn(stream_arn.as_str()).consumer_name(name.as_str());
        let (arn, is_ours) = match register.send().await {
            Ok(registered) => (registered.consumer.map(|consumer| consumer.consumer_arn), true),
            Err(error) if error.code() == Some("ResourceInUseException") => {
                let look = client.describe_stream_consumer().stream_arn(stream_arn.as_str());
                let seen = look.consumer_name(name.as_str()).send().await;
                let seen = seen.map_err(|error| aws.fault(doing.clone(), &error))?;
                (seen.consumer_description.map(|consumer| consumer.consumer_arn), false)
            }
            Err(error) => {
                let fault = aws.fault(doing, &error);
                return Err(match fault.code() {
                    Some("LimitExceededException") => fault.with_hint(
                        "a stream has 20 consumers at most; name one that is there: aws kinesis list-stream-consumers",
                    ),
                    _ => fault,
                });
            }
        };
        let arn = arn.ok_or_else(|| Fault::refused(doing).with_cause("the answer names no consumer"))?;
        let fan_out = Self { client: client.clone(), aws: aws.clone(), name: name.clone(), arn, is_ours };
        if is_ours {
            world.notes.say(format!("created consumer `{name}`"));
        }
        let active = tokio::select! {
            active = fan_out.wait_until_active() => active,
            () = world.interrupt.asked() => Err(Fault::interrupted("interrupted")),
        };
        if let Err(fault) = active {
            fan_out.end(world).await?;
            return Err(fault);
        }
        Ok(fan_out)
    }

    async fn wait_until_active(&self) -> Result<(), Fault> {
        let limit = now() + ACTIVATION;
        loop {
            let seen = self.client.describe_stream_consumer().consumer_arn(&self.arn).send().await;
            let seen = seen.map_err(|error| {
                self.aws.fault(format!("failed to look at consumer `{}`", self.name), &error)
            })?;
            let status = seen.consumer_description.map(|consumer| consumer.consumer_status);
            if status == Some(ConsumerStatus::Active) {
                return Ok(());
            }
            if now() > limit {
                return Err(Fault::transient(format!("consumer `{}` did not become active", self.name))
                    .with_hint("run the same command again in a moment"));
            }
            time::sleep(LOOK).await;
        }
    }

    /// Takes the consumer away again if this run has registered it: each one costs money for every shard and hour.
    ///
    /// # Errors
    /// A fault that says how to do it by hand.
    pub(crate) async fn end(&self, world: &World) -> Result<(), Fault> {
        if !self.is_ours {
            return Ok(());
        }
        match self.client.deregister_stream_consumer().consumer_arn(&self.arn).send().await {
            Ok(_) => world.notes.say(format!("deleted consumer `{}`", self.name)),
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                world.notes.say(format!("consumer `{}` is gone already", self.name));
            }
            Err(error) => {
                let fault = self.aws.fault(format!("failed to deregister consumer `{}`", self.name), &error);
                return Err(fault.with_hint(format!(
                    "it costs money until it is gone: aws kinesis deregister-stream-consumer --consumer-arn {}",
                    self.arn
                )));
            }
        }
        Ok(())
    }

    /// Subscribes to a shard.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn subscribe(
        &self,
        shard: &ShardId,
        position: &Position,
    ) -> Result<Subscription, Refusal> {
        let doing = || format!("failed to subscribe to shard {shard} at `{position}`");
        let starting =
            starting_position(position).map_err(|error| Refusal::Never(error.with_hint(doing())))?;
        // A shard in which nothing happens sends next to nothing, which is no reason to hang up.
        let patient = Config::builder().stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let request = self.client.subscribe_to_shard().consumer_arn(&self.arn).shard_id(shard.as_str());
        match request.starting_position(starting).customize().config_override(patient).send().await {
            Ok(output) => Ok(Subscription { output, renew_at: now() + SUBSCRIPTION, aws: self.aws.clone() }),
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

async fn stream_arn(client: &Client, aws: &Aws, stream: &StreamRef) -> Result<StreamArn, Fault> {
    if let Some(arn) = stream.arn() {
        return Ok(arn.clone());
    }
    let doing = format!("failed to describe stream `{stream}`");
    let seen = client.describe_stream_summary().stream_name(stream.name().as_str()).send().await;
    let seen = seen.map_err(|error| aws.fault(doing.clone(), &error))?;
    let arn = seen.stream_description_summary.map(|summary| summary.stream_arn).unwrap_or_default();
    arn.parse().map_err(|error| Fault::refused(doing).with_cause(error))
}
