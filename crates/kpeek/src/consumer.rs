//! The consumer of enhanced fan-out: registered when it is not there, and taken away again by whoever registered it.

use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::types::{ConsumerDescription, ConsumerStatus};
use config::aws::{Aws, problem};
use config::names::{ConsumerName, StreamArn, StreamRef};
use config::{Fault, World};
use tokio::time;

use crate::fanout::FanOut;
use crate::peek::now;

/// How often a consumer is looked at until it is active or gone. DescribeStreamConsumer grants 20 a second.
const LOOK: Duration = Duration::from_millis(500);

/// How long a consumer may take to become active, or to go.
const CHANGE: Duration = Duration::from_mins(2);

/// A consumer that is ready to subscribe.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    /// What subscribes.
    pub(crate) fan_out: FanOut,
    name: ConsumerName,
    /// Whether it was registered by this run, which then takes it away again.
    is_ours: bool,
}

impl Consumer {
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
        let (arn, is_ours) = register(client, aws, world, &stream_arn, name).await?;
        let fan_out = FanOut { client: client.clone(), aws: aws.clone(), arn };
        let consumer = Self { fan_out, name: name.clone(), is_ours };
        if is_ours {
            world.notes.say(format!("created consumer `{name}`"));
        }
        let active = tokio::select! {
            active = consumer.wait_until_active() => active,
            () = world.interrupt.asked() => Err(Fault::interrupted("interrupted")),
        };
        if let Err(fault) = active {
            consumer.end(world).await?;
            return Err(fault);
        }
        Ok(consumer)
    }

    async fn wait_until_active(&self) -> Result<(), Fault> {
        let limit = now() + CHANGE;
        let FanOut { client, aws, arn } = &self.fan_out;
        loop {
            let seen = client.describe_stream_consumer().consumer_arn(arn).send().await;
            let seen = seen
                .map_err(|error| aws.fault(format!("failed to look at consumer `{}`", self.name), &error))?;
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
        let limit = now() + CHANGE;
        let name = &self.name;
        let FanOut { client, aws, arn } = &self.fan_out;
        let mut is_told = false;
        loop {
            let Err(error) = client.deregister_stream_consumer().consumer_arn(arn).send().await else {
                world.notes.say(format!("deleted consumer `{name}`"));
                return Ok(());
            };
            match error.code() {
                Some("ResourceNotFoundException") => {
                    world.notes.say(format!("consumer `{name}` is gone already"));
                    return Ok(());
                }
                // One that is being created cannot be deleted yet.
                Some("ResourceInUseException" | "LimitExceededException") if now() < limit => {
                    if !is_told {
                        world.notes.say(format!("consumer `{name}` cannot be deleted yet; trying again"));
                    }
                    is_told = true;
                    time::sleep(LOOK).await;
                }
                _ => {
                    let fault = aws.fault(format!("failed to deregister consumer `{name}`"), &error);
                    return Err(fault.with_hint(format!(
                        "it costs money until it is gone: aws kinesis deregister-stream-consumer --consumer-arn {arn}"
                    )));
                }
            }
        }
    }
}

/// The ARN of the consumer, and whether it was registered now.
async fn register(
    client: &Client,
    aws: &Aws,
    world: &World,
    stream: &StreamArn,
    name: &ConsumerName,
) -> Result<(String, bool), Fault> {
    let limit = now() + CHANGE;
    let doing = || format!("failed to register consumer `{name}` of stream `{}`", stream.name());
    let mut is_told = false;
    loop {
        let register =
            client.register_stream_consumer().stream_arn(stream.as_str()).consumer_name(name.as_str());
        let error = match register.send().await {
            Ok(registered) => {
                let arn = registered.consumer.map(|consumer| consumer.consumer_arn);
                let none = || Fault::refused(doing()).with_cause("the answer names no consumer");
                return arn.map(|arn| (arn, true)).ok_or_else(none);
            }
            Err(error) => error,
        };
        match error.code() {
            Some("ResourceInUseException") => {}
            Some("LimitExceededException") => {
                let fault = Fault::refused(doing()).with_code("LimitExceededException");
                return Err(problem(&error).causes.into_iter().fold(fault, Fault::with_cause).with_hint(format!(
                    "a stream has 20 consumers at most; name one that is there: aws kinesis list-stream-consumers \
                     --stream-arn {} --region {}",
                    stream.as_str(),
                    aws.region
                )));
            }
            _ => return Err(aws.fault(doing(), &error)),
        }
        match look(client, aws, stream, name).await? {
            Some(consumer) if consumer.consumer_status != ConsumerStatus::Deleting => {
                return Ok((consumer.consumer_arn, false));
            }
            // The one of an earlier run is on its way out, or has just gone.
            Some(_) | None if now() < limit => {
                if !is_told {
                    world.notes.say(format!("consumer `{name}` is still being deleted; waiting for it"));
                }
                is_told = true;
                world.interrupt.sleep(LOOK).await?;
            }
            Some(_) | None => {
                return Err(Fault::transient(doing())
                    .with_cause("one of the same name is still being deleted")
                    .with_hint("run the same command again in a moment"));
            }
        }
    }
}

/// The consumer of this name, if there is one.
async fn look(
    client: &Client,
    aws: &Aws,
    stream: &StreamArn,
    name: &ConsumerName,
) -> Result<Option<ConsumerDescription>, Fault> {
    let look = client.describe_stream_consumer().stream_arn(stream.as_str()).consumer_name(name.as_str());
    match look.send().await {
        Ok(seen) => Ok(seen.consumer_description),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(aws.fault(format!("failed to look at consumer `{name}`"), &error)),
    }
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
