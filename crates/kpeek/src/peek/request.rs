//! Requests under way and their replies, whichever way the stream is read.

use config::Fault;
use config::names::ShardId;
use jiff::Timestamp;

use crate::fanout::{Event, FanOut, Subscription};
use crate::lineage::Shard;
use crate::position::Position;
use crate::read::{Listing, Reader, Refusal};

/// Where records come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    /// The requests that share what a shard grants all its readers.
    pub(crate) reader: &'a Reader,
    /// A consumer with a share of its own.
    pub(crate) fan_out: Option<&'a FanOut>,
}

pub(super) enum Request {
    Iterator(ShardId, Position),
    Records(ShardId, String, i32),
    Subscribe(ShardId, Position),
    Event(ShardId, Box<Subscription>),
    Listing,
}

pub(super) enum Reply {
    Iterator(ShardId, Result<(String, Timestamp), Refusal>),
    Records(ShardId, Result<Vec<u8>, Refusal>),
    Subscribed(ShardId, Result<(Box<Subscription>, Timestamp), Refusal>),
    /// Nothing when the subscription is over.
    Event(ShardId, Result<Option<(Box<Subscription>, Event)>, Refusal>),
    Listing(Result<Vec<Shard>, Fault>),
}

pub(super) async fn ask(source: Source<'_>, request: Request) -> Reply {
    match request {
        Request::Iterator(shard, position) => {
            let answer = source.reader.iterator(&shard, &position).await;
            Reply::Iterator(shard, answer)
        }
        Request::Records(shard, iterator, most) => {
            let answer = source.reader.records(&shard, iterator, most).await;
            Reply::Records(shard, answer)
        }
        Request::Subscribe(shard, position) => {
            let answer = match source.fan_out {
                Some(fan_out) => fan_out.subscribe(&shard, &position).await,
                None => Err(Refusal::Never(Fault::usage("there is no consumer to subscribe with"))),
            };
            Reply::Subscribed(shard, answer)
        }
        Request::Event(shard, mut subscription) => {
            let answer = match subscription.next(&shard).await {
                Ok(event) => Ok(event.map(|event| (subscription, event))),
                Err(refusal) => Err(refusal),
            };
            Reply::Event(shard, answer)
        }
        Request::Listing => Reply::Listing(source.reader.shards(Listing::All).await),
    }
}
