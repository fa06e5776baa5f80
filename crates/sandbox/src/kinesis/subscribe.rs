//! `SubscribeToShard`: records pushed as they arrive, for five minutes at most.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, unfold};
use serde::Serialize;

use crate::error::ServiceError;

use super::consumer::{Consumer, ConsumerStatus, Subscribed, consumer_by_arn};
use super::error::{INTERNAL_FAILURE, dry_run, error, in_use, invalid_argument, not_found};
use super::event_stream;
use super::fault::Break;
use super::get::Page;
use super::input::Input;
use super::iterator::{KINDS, Start};
use super::options::millis;
use super::rule::{CONSUMER_ARN, NAME, SEQUENCE};
use super::sequence::SequenceNumber;
use super::shard::ShardId;
use super::wire::{ChildShard, RecordEntry};
use super::{Caller, Engine, wire};

/// The most records of one event.
const EVENT_RECORDS: usize = 10_000;
/// The most payload of one event, in bytes, unless a single record is larger: what a consumer gets a second.
const EVENT_BYTES: usize = 2 * 1024 * 1024;

/// The answer of `SubscribeToShard`: a stream of event-stream frames, which begins with the initial response.
/// An error item means that the connection is to break.
pub struct Subscription {
    frames: Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Subscription").finish_non_exhaustive()
    }
}

impl Stream for Subscription {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.frames.as_mut().poll_next(context)
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    records: Vec<RecordEntry<'a>>,
    /// None at the end of a closed shard.
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_sequence_number: Option<SequenceNumber>,
    millis_behind_latest: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    child_shards: Option<&'a [ChildShard]>,
}

/// One subscription's way through a shard.
#[derive(Debug)]
struct Feed {
    engine: Engine,
    stream: String,
    consumer_arn: String,
    shard: ShardId,
    /// Tells this subscription from one that took it over.
    serial: u64,
    started_ms: u64,
    /// The index of the next record to send.
    next: u64,
    /// When the consumer's share of the shard's rate allows the next event.
    free_ms: u64,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    /// With the time of the last event, once there was one.
    Running(Option<u64>),
    Ended,
}

/// What a look at the shard leads to.
enum Turn {
    Send(Bytes),
    /// The last frame, if there is one.
    End(Option<Bytes>),
    Break,
    Wait(Duration),
}

impl Engine {
    /// Performs `SubscribeToShard`.
    ///
    /// # Errors
    /// What the service would answer instead of a stream: no such consumer or shard, a consumer that is not active yet,
    /// a position that does not exist, a subscription too soon after the last.
    pub fn subscribe(&self, body: &[u8], caller: &Caller) -> Result<Subscription, ServiceError> {
        let now_ms = self.now_ms();
        self.admit("SubscribeToShard", now_ms)?;
        let feed = self.open_feed(body, caller, now_ms)?;
        self.shared.changed.notify_waiters();
        let frames = unfold(feed, |mut feed| async {
            let frame = feed.next_frame().await?;
            Some((frame, feed))
        });
        Ok(Subscription { frames: Box::pin(frames) })
    }

    fn open_feed(&self, body: &[u8], caller: &Caller, now_ms: u64) -> Result<Feed, ServiceError> {
        let mut input = Input::parse(body)?;
        let arn = input.required_text("ConsumerARN", &CONSUMER_ARN)?;
        let shard_id = input.required_text("ShardId", &NAME)?;
        let start = input.structure("StartingPosition", |position| {
            let kind = position.required_choice("Type", &KINDS)?;
            let number = position.text("SequenceNumber", &SEQUENCE)?;
            let timestamp_ms = position.time_ms("Timestamp")?;
            Ok(kind.map(|kind| Start::new(kind, number, timestamp_ms, "SubscribeToShard")))
        })?;
        if start.is_none() {
            input.violations().missing("startingPosition");
        }
        let dry = input.flag("DryRun")?;
        input.check()?;
        let Some(start) = start.flatten() else {
            return Err(invalid_argument("StartingPosition is required."));
        };
        tracing::trace!(account = caller.account, arn, shard_id, "subscribing");

        let options = self.options();
        let name = self.stream_of_arn(&arn)?;
        self.on_stream(&name, now_ms, |stream| {
            stream.must_serve()?;
            let account = stream.account.clone();
            let missing = stream.no_such_shard(&shard_id);
            let id = ShardId::parse(&shard_id);
            let shard = id.and_then(|id| stream.readable_shard(id, now_ms)).ok_or(missing)?;
            let next = start.index_in(shard, &name, &account, now_ms)?;
            let id = shard.id;
            let consumer = consumer_by_arn(stream, &arn)?;
            check_consumer(
                consumer,
                id,
                now_ms,
                options.enforce_limits.then(|| millis(options.subscription_pause)),
            )?;
            if dry {
                return Err(dry_run());
            }
            let serial = fastrand::u64(..);
            consumer.subscriptions.insert(id, Subscribed { serial, started_ms: now_ms });
            Ok(Feed {
                engine: self.clone(),
                stream: name.clone(),
                consumer_arn: arn.clone(),
                shard: id,
                serial,
                started_ms: now_ms,
                next,
                free_ms: now_ms,
                stage: Stage::Opening,
            })
        })
    }
}

fn check_consumer(
    consumer: &Consumer,
    shard: ShardId,
    now_ms: u64,
    pause_ms: Option<u64>,
) -> Result<(), ServiceError> {
    if consumer.status != ConsumerStatus::Active {
        return Err(in_use(format!("Consumer {} is not in ACTIVE state.", consumer.arn)));
    }
    let last = consumer.subscriptions.get(&shard);
    let too_soon =
        last.zip(pause_ms).is_some_and(|(last, pause_ms)| now_ms.saturating_sub(last.started_ms) < pause_ms);
    if too_soon {
        return Err(in_use(format!(
            "Another active subscription exists for this consumer: {}, and shard: {shard}.",
            consumer.arn
        )));
    }
    Ok(())
}

impl Feed {
    async fn next_frame(&mut self) -> Option<io::Result<Bytes>> {
        match self.stage {
            Stage::Ended => return None,
            Stage::Opening => {
                self.stage = Stage::Running(None);
                return Some(event_stream::initial_response().map_err(io::Error::other));
            }
            Stage::Running(_) => {}
        }
        let engine = self.engine.clone();
        loop {
            // Listening starts before looking, so that a record which arrives in between is not missed.
            let mut changed = pin!(engine.shared.changed.notified());
            changed.as_mut().enable();
            match self.look().unwrap_or_else(|refused| Turn::End(event_stream::exception(&refused).ok())) {
                Turn::Send(frame) => return Some(Ok(frame)),
                Turn::End(frame) => {
                    self.stage = Stage::Ended;
                    return frame.map(Ok);
                }
                Turn::Break => {
                    self.stage = Stage::Ended;
                    return Some(Err(io::ErrorKind::ConnectionReset.into()));
                }
                Turn::Wait(at_most) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep(at_most) => {}
                    }
                }
            }
        }
    }

    /// Looks at the shard as it is now. An error is what the stream ends with.
    fn look(&mut self) -> Result<Turn, ServiceError> {
        let engine = self.engine.clone();
        let (options, now_ms) = (engine.options(), engine.now_ms());
        let left_ms = millis(options.subscription_ttl).saturating_sub(now_ms.saturating_sub(self.started_ms));
        if left_ms == 0 {
            return Ok(Turn::End(None));
        }
        let Stage::Running(last_event_ms) = self.stage else { return Ok(Turn::End(None)) };
        if options.enforce_limits && now_ms < self.free_ms {
            return Ok(Turn::Wait(Duration::from_millis((self.free_ms - now_ms).min(left_ms))));
        }

        let mut guard = engine.store();
        let store = &mut *guard;
        let stream = engine.find(&mut store.streams, &self.stream, now_ms)?;
        stream.must_serve()?;
        let consumer = consumer_by_arn(stream, &self.consumer_arn)?;
        if consumer.subscriptions.get(&self.shard).is_none_or(|latest| latest.serial != self.serial) {
            return Err(match consumer.status {
                ConsumerStatus::Deleting => {
                    not_found(format!("Consumer {} is being deleted.", self.consumer_arn))
                }
                _ => in_use("The subscription was taken over by a later one."),
            });
        }
        let missing = stream.no_such_shard(&self.shard.to_string());
        if stream.readable_shard(self.shard, now_ms).is_none() {
            return Err(missing);
        }
        let Some(shard) = stream.shard(self.shard) else { return Err(missing) };
        let page = Page::read(stream, shard, self.next, EVENT_RECORDS, EVENT_BYTES, now_ms);

        let quiet_ms = last_event_ms.map(|last_ms| now_ms.saturating_sub(last_ms));
        let heartbeat_ms = millis(options.subscription_heartbeat);
        let due = quiet_ms.is_none_or(|quiet_ms| quiet_ms >= heartbeat_ms);
        if page.records.is_empty() && page.end.is_none() && !due {
            let until_heartbeat_ms = heartbeat_ms.saturating_sub(quiet_ms.unwrap_or(0));
            return Ok(Turn::Wait(Duration::from_millis(until_heartbeat_ms.min(left_ms).max(1))));
        }
        match store.faults.break_subscription() {
            Some(Break::Abrupt) => return Ok(Turn::Break),
            Some(Break::Exception) => return Err(error(INTERNAL_FAILURE, "Internal service failure.")),
            None => {}
        }
        let children = if store.faults.hides_children() { None } else { page.end.as_deref() };
        let arrived_ms = page.records.last().map_or(now_ms, |record| record.arrived_ms);
        let continuation = shard.number(page.next.saturating_sub(1), arrived_ms);
        let event = Event {
            records: page.entries(),
            continuation_sequence_number: page.end.is_none().then_some(continuation),
            millis_behind_latest: page.behind_ms,
            child_shards: children.filter(|children| !children.is_empty()),
        };
        drop(guard);

        let frame = event_stream::event(wire::body(&event)?)?;
        self.next = page.next;
        let rate = u64::from(options.rates.read_bytes_per_second).max(1);
        self.free_ms = now_ms + u64::try_from(page.bytes()).unwrap_or(u64::MAX).saturating_mul(1_000) / rate;
        if page.end.is_some() {
            return Ok(Turn::End(Some(frame)));
        }
        self.stage = Stage::Running(Some(now_ms));
        Ok(Turn::Send(frame))
    }
}
