//! `GetShardIterator`: the five ways to say where reading begins, and the token that remembers it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::ServiceError;

use super::error::{EXPIRED_ITERATOR, dry_run, error, invalid_argument, throughput_exceeded};
use super::input::Input;
use super::options::millis;
use super::rule::{NAME, SEQUENCE};
use super::sequence::SequenceNumber;
use super::shard::{Shard, ShardId};
use super::stream::{Stream, no_such_shard};
use super::{Engine, Request, wire};

/// What a shard iterator says: a place in one shard of one life of a stream, and when it was handed out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) stream: String,
    pub(super) incarnation: u32,
    pub(super) shard: u32,
    /// The index of the next record to read.
    pub(super) next: u64,
    pub(super) issued_ms: u64,
    /// Iterators of an earlier generation were made to expire.
    pub(super) generation: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    AfterSequenceNumber,
    Latest,
    AtTimestamp,
    AtSequenceNumber,
    TrimHorizon,
}

pub(super) const KINDS: [(&str, Kind); 5] = [
    ("AFTER_SEQUENCE_NUMBER", Kind::AfterSequenceNumber),
    ("LATEST", Kind::Latest),
    ("AT_TIMESTAMP", Kind::AtTimestamp),
    ("AT_SEQUENCE_NUMBER", Kind::AtSequenceNumber),
    ("TRIM_HORIZON", Kind::TrimHorizon),
];

/// Where reading begins, as a request says it.
#[derive(Debug)]
pub(super) struct Start {
    kind: Kind,
    sequence_number: Option<String>,
    timestamp_ms: Option<u64>,
    /// The operation, for messages.
    operation: &'static str,
}

impl Start {
    pub(super) fn new(
        kind: Kind,
        sequence_number: Option<String>,
        timestamp_ms: Option<u64>,
        operation: &'static str,
    ) -> Self {
        Self { kind, sequence_number, timestamp_ms, operation }
    }

    /// The index of the first record to read in this shard.
    pub(super) fn index_in(
        &self,
        shard: &Shard,
        stream: &str,
        account: &str,
        now_ms: u64,
    ) -> Result<u64, ServiceError> {
        let word = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(word, _)| word);
        match (self.kind, &self.sequence_number) {
            (Kind::TrimHorizon | Kind::Latest, Some(_)) => Err(misuse(word, "also a")),
            (Kind::AtSequenceNumber | Kind::AfterSequenceNumber, None) => Err(misuse(word, "no")),
            (Kind::TrimHorizon, None) => Ok(0),
            (Kind::Latest, None) => Ok(shard.tip()),
            (Kind::AtTimestamp, _) => self.index_at_time(shard, now_ms),
            (Kind::AtSequenceNumber | Kind::AfterSequenceNumber, Some(text)) => {
                let number = self.number_of(text, shard, stream, account)?;
                let after = u64::from(self.kind == Kind::AfterSequenceNumber);
                Ok(number.index.saturating_add(after))
            }
        }
    }

    fn index_at_time(&self, shard: &Shard, now_ms: u64) -> Result<u64, ServiceError> {
        let timestamp_ms = self.timestamp_ms.ok_or_else(|| {
            invalid_argument(
                "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. \
                 Current request has no timestamp parameter.",
            )
        })?;
        if timestamp_ms > now_ms {
            return Err(invalid_argument(format!(
                "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
                 timestampInMillis: {timestamp_ms}, currentTimestampInMillis: {now_ms}"
            )));
        }
        Ok(shard.index_at(timestamp_ms))
    }

    fn number_of(
        &self,
        text: &str,
        shard: &Shard,
        stream: &str,
        account: &str,
    ) -> Result<SequenceNumber, ServiceError> {
        let place = format!(
            "StartingSequenceNumber {text} used in {} on shard {} in stream {stream} under account {account} is invalid",
            self.operation, shard.id
        );
        let number = SequenceNumber::parse(text).ok_or_else(|| invalid_argument(format!("{place}.")))?;
        if number.shard != shard.id {
            return Err(invalid_argument(format!(
                "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
                number.shard, shard.id
            )));
        }
        if !shard.comes_from_here(&number) {
            return Err(invalid_argument(format!("{place} because it did not come from this stream.")));
        }
        if !shard.issued(&number) {
            return Err(invalid_argument(format!("{place}.")));
        }
        Ok(number)
    }
}

fn misuse(word: &str, given: &str) -> ServiceError {
    invalid_argument(format!(
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or \
         (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. \
         Request specified {word} and {given} StartingSequenceNumber."
    ))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    shard_iterator: String,
}

impl Engine {
    pub(super) fn get_shard_iterator(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let shard_id = input.required_text("ShardId", &NAME)?;
        let kind = input.required_choice("ShardIteratorType", &KINDS)?;
        let sequence_number = input.text("StartingSequenceNumber", &SEQUENCE)?;
        let timestamp_ms = input.time_ms("Timestamp")?;
        let dry = input.flag("DryRun")?;
        let name = self.stream_name(&mut input, request.caller)?;
        let Some(kind) = kind else { return Err(invalid_argument("ShardIteratorType is required.")) };
        let start = Start::new(kind, sequence_number, timestamp_ms, "GetShardIterator");

        let mut guard = self.store();
        let store = &mut *guard;
        let generation = store.faults.iterator_generation();
        // A stream that is missing is told as its shard, as the service does.
        let stream = store
            .streams
            .get(&name, request.now_ms)
            .ok_or_else(|| no_such_shard(&shard_id, &name, &self.options().account))?;
        stream.must_serve()?;
        let missing = stream.no_such_shard(&shard_id);
        let (incarnation, account) = (stream.incarnation, stream.account.clone());
        let shard = ShardId::parse(&shard_id)
            .and_then(|id| stream.readable_shard(id, request.now_ms))
            .ok_or(missing)?;
        let next = start.index_in(shard, &name, &account, request.now_ms)?;
        if self.options().enforce_limits && !shard.limiter.iterator(&self.options().rates, request.now_ms) {
            return Err(rate_exceeded(shard.id, &name, &account));
        }
        if dry {
            return Err(dry_run());
        }
        let position = Position {
            stream: name,
            incarnation,
            shard: shard.id.0,
            next,
            issued_ms: request.now_ms,
            generation,
        };
        wire::body(&Answer { shard_iterator: self.shared.seal.close(&position) })
    }

    /// # Errors
    /// `ExpiredIteratorException` when the iterator is older than it may be, or was made to expire.
    pub(super) fn check_iterator_age(
        &self,
        position: &Position,
        generation: u32,
        now_ms: u64,
    ) -> Result<(), ServiceError> {
        let ttl_ms = millis(self.options().iterator_ttl);
        if position.generation == generation && now_ms.saturating_sub(position.issued_ms) <= ttl_ms {
            return Ok(());
        }
        Err(error(
            EXPIRED_ITERATOR,
            format!(
                "Iterator expired. The iterator was created at time {} while right now it is {} \
                 which is further in the future than the tolerated delay of {ttl_ms} milliseconds.",
                spelt(position.issued_ms),
                spelt(now_ms)
            ),
        ))
    }
}

/// A time as the service's messages spell it.
fn spelt(time_ms: u64) -> String {
    i64::try_from(time_ms)
        .ok()
        .and_then(|time_ms| Timestamp::from_millisecond(time_ms).ok())
        .map_or_else(String::new, |time| time.strftime("%a %b %d %H:%M:%S UTC %Y").to_string())
}

/// The shard that an iterator points into, without what retention has taken.
pub(super) fn shard_of<'a>(
    stream: Option<&'a mut Stream>,
    position: &Position,
    account: &str,
    now_ms: u64,
) -> Result<&'a mut Stream, ServiceError> {
    let id = ShardId(position.shard);
    stream
        .filter(|stream| stream.incarnation == position.incarnation)
        .and_then(|stream| stream.readable_shard(id, now_ms).is_some().then_some(stream))
        .ok_or_else(|| no_such_shard(&id.to_string(), &position.stream, account))
}

pub(super) fn rate_exceeded(shard: ShardId, stream: &str, account: &str) -> ServiceError {
    throughput_exceeded(format!(
        "Rate exceeded for shard {shard} in stream {stream} under account {account}."
    ))
}
