//! One stream: its settings, its shards, and the changes that are still under way.
//!
//! Nothing runs in the background. A change carries the time at which it is done, and whoever looks at the stream
//! after that time finds it done.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::ServiceError;

use super::consumer::Consumer;
use super::error::{in_use, not_found};
use super::hash::HashRange;
use super::reshard::Step;
use super::shard::{Shard, ShardId};

/// Hours that records are kept unless told otherwise.
pub(super) const DEFAULT_RETENTION_HOURS: u32 = 24;
/// The largest record of a stream unless told otherwise, in KiB.
pub(super) const DEFAULT_RECORD_KIB: u32 = 1024;

const MILLIS_PER_HOUR: u64 = 60 * 60 * 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
}

impl Status {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
        }
    }
}

/// The capacity mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Mode {
    Provisioned,
    OnDemand,
}

pub(super) const MODES: [(&str, Mode); 2] =
    [("PROVISIONED", Mode::Provisioned), ("ON_DEMAND", Mode::OnDemand)];

/// Who chooses a record's shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Distribution {
    Auto,
    UserPartitionKey,
}

pub(super) const DISTRIBUTIONS: [(&str, Distribution); 2] =
    [("AUTO", Distribution::Auto), ("USER_PARTITION_KEY", Distribution::UserPartitionKey)];

/// A change that is done at a time to come.
#[derive(Debug)]
struct Pending {
    ready_ms: u64,
    change: Change,
}

#[derive(Debug)]
enum Change {
    Create,
    Delete,
    /// The steps take effect when the change is done; settings without steps took effect when it began.
    Update(Vec<Step>),
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) account: String,
    /// Tells this stream from an earlier one of the same name.
    pub(super) incarnation: u32,
    pub(super) created_ms: u64,
    pub(super) mode: Mode,
    pub(super) distribution: Distribution,
    pub(super) retention_hours: u32,
    pub(super) max_record_kib: u32,
    pub(super) warm_mibps: u32,
    /// The KMS key, when records are encrypted.
    pub(super) key_id: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) consumers: BTreeMap<String, Consumer>,
    /// When the shard count was changed, for the quota of ten a day.
    pub(super) resized_ms: Vec<u64>,
    shards: Vec<Shard>,
    /// The open shards, in the order of their hash keys.
    open: Vec<ShardId>,
    /// Where the next record goes when the stream distributes records itself.
    turn: usize,
    pending: Option<Pending>,
}

impl Stream {
    /// A stream that is `CREATING` until `ready_ms`.
    pub(super) fn new(
        name: &str,
        arn: String,
        account: &str,
        incarnation: u32,
        now_ms: u64,
        ready_ms: u64,
    ) -> Self {
        Self {
            name: name.to_owned(),
            arn,
            account: account.to_owned(),
            incarnation,
            created_ms: now_ms,
            mode: Mode::Provisioned,
            distribution: Distribution::UserPartitionKey,
            retention_hours: DEFAULT_RETENTION_HOURS,
            max_record_kib: DEFAULT_RECORD_KIB,
            warm_mibps: 0,
            key_id: None,
            tags: BTreeMap::new(),
            consumers: BTreeMap::new(),
            resized_ms: Vec::new(),
            shards: Vec::new(),
            open: Vec::new(),
            turn: 0,
            pending: Some(Pending { ready_ms, change: Change::Create }),
        }
    }

    /// Opens the first shards.
    pub(super) fn open_uniformly(&mut self, count: u32) {
        for range in HashRange::uniform(count) {
            self.add_shard(range, self.created_ms);
        }
    }

    pub(super) fn status(&self) -> Status {
        match self.pending.as_ref().map(|pending| &pending.change) {
            None => Status::Active,
            Some(Change::Create) => Status::Creating,
            Some(Change::Delete) => Status::Deleting,
            Some(Change::Update(_)) => Status::Updating,
        }
    }

    /// Completes what is due. False when the stream is gone.
    pub(super) fn settle(&mut self, now_ms: u64) -> bool {
        self.consumers.retain(|_, consumer| consumer.settle(now_ms));
        let Some(pending) = self.pending.take_if(|pending| pending.ready_ms <= now_ms) else { return true };
        match pending.change {
            Change::Create => true,
            Change::Delete => false,
            Change::Update(steps) => {
                for step in steps {
                    self.take_step(step, pending.ready_ms);
                }
                true
            }
        }
    }

    pub(super) fn begin_deletion(&mut self, ready_ms: u64) {
        self.pending = Some(Pending { ready_ms, change: Change::Delete });
    }

    /// Starts an update. The caller has checked that the stream is active.
    pub(super) fn begin_update(&mut self, steps: Vec<Step>, ready_ms: u64) {
        self.pending = Some(Pending { ready_ms, change: Change::Update(steps) });
    }

    /// # Errors
    /// `ResourceInUseException` while any change is under way.
    pub(super) fn must_be_active(&self) -> Result<(), ServiceError> {
        match self.status() {
            Status::Active => Ok(()),
            status => Err(in_use(format!(
                "Stream {} under account {} not ACTIVE, instead in state {}",
                self.name,
                self.account,
                status.word()
            ))),
        }
    }

    /// # Errors
    /// `ResourceNotFoundException` while the stream takes no records: before it is active and once it goes.
    pub(super) fn must_serve(&self) -> Result<(), ServiceError> {
        match self.status() {
            Status::Active | Status::Updating => Ok(()),
            Status::Creating | Status::Deleting => Err(stream_not_found(&self.name, &self.account)),
        }
    }

    /// Whether its shards can be seen.
    fn shows_shards(&self) -> bool {
        matches!(self.status(), Status::Active | Status::Updating)
    }

    /// The time before which nothing is kept.
    pub(super) fn horizon_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(u64::from(self.retention_hours) * MILLIS_PER_HOUR)
    }

    /// The shards that can still be listed, in the order of their ids.
    pub(super) fn listed_shards(&self, now_ms: u64) -> impl Iterator<Item = &Shard> {
        let horizon_ms = self.horizon_ms(now_ms);
        let shown = if self.shows_shards() { self.shards.as_slice() } else { &[] };
        shown.iter().filter(move |shard| !shard.is_expired(horizon_ms))
    }

    pub(super) fn open_shard_count(&self) -> usize {
        if self.shows_shards() { self.open.len() } else { 0 }
    }

    pub(super) fn shard(&self, id: ShardId) -> Option<&Shard> {
        self.shards.get(id.position())
    }

    pub(super) fn shard_mut(&mut self, id: ShardId) -> Option<&mut Shard> {
        self.shards.get_mut(id.position())
    }

    /// A shard that can still be read, without the records that retention has taken.
    pub(super) fn readable_shard(&mut self, id: ShardId, now_ms: u64) -> Option<&mut Shard> {
        if !self.shows_shards() {
            return None;
        }
        let horizon_ms = self.horizon_ms(now_ms);
        let shard = self.shards.get_mut(id.position()).filter(|shard| !shard.is_expired(horizon_ms))?;
        shard.trim(horizon_ms);
        Some(shard)
    }

    /// The open shard that owns a hash key.
    pub(super) fn route(&mut self, hash: u128) -> Option<&mut Shard> {
        let after = self.open.partition_point(|id| {
            self.shards.get(id.position()).is_some_and(|shard| shard.range.start <= hash)
        });
        let id = *self.open.get(after.checked_sub(1)?)?;
        self.shards.get_mut(id.position())
    }

    /// The open shard whose turn it is, for a stream that distributes records itself.
    pub(super) fn next_in_turn(&mut self) -> Option<&mut Shard> {
        self.turn = (self.turn + 1) % self.open.len().max(1);
        let id = *self.open.get(self.turn)?;
        self.shards.get_mut(id.position())
    }

    /// The open shards, in the order of their hash keys.
    pub(super) fn open_shards(&self) -> impl Iterator<Item = &Shard> {
        self.open.iter().filter_map(|id| self.shard(*id))
    }

    /// Adds an open shard and returns its id.
    pub(super) fn add_shard(&mut self, range: HashRange, created_ms: u64) -> ShardId {
        let id = ShardId(u32::try_from(self.shards.len()).unwrap_or(u32::MAX));
        self.shards.push(Shard::new(id, range, self.incarnation, created_ms));
        let place = self.open.partition_point(|open| {
            self.shards.get(open.position()).is_some_and(|shard| shard.range.start < range.start)
        });
        self.open.insert(place, id);
        id
    }

    /// Closes an open shard; its records stay until retention takes them.
    pub(super) fn close_shard(&mut self, id: ShardId, closed_ms: u64) {
        self.open.retain(|open| *open != id);
        if let Some(shard) = self.shards.get_mut(id.position()) {
            shard.closed_ms = Some(closed_ms);
        }
    }

    /// The error of a read from a shard that is not here.
    pub(super) fn no_such_shard(&self, id: &str) -> ServiceError {
        no_such_shard(id, &self.name, &self.account)
    }

    /// The error of a split or a merge of a shard that is not here.
    pub(super) fn shard_not_found(&self, id: &str) -> ServiceError {
        shard_not_found(id, &self.name, &self.account)
    }

    pub(super) fn encryption(&self) -> &'static str {
        if self.key_id.is_some() { "KMS" } else { "NONE" }
    }
}

/// The service has one sentence for an id that no shard has, and another for what cannot be an id.
pub(super) fn no_such_shard(id: &str, stream: &str, account: &str) -> ServiceError {
    match ShardId::parse(id) {
        Some(_) => not_found(format!("Shard {id} in stream {stream} under account {account} does not exist")),
        None => shard_not_found(id, stream, account),
    }
}

fn shard_not_found(id: &str, stream: &str, account: &str) -> ServiceError {
    not_found(format!("Could not find shard {id} in stream {stream} under account {account}."))
}

pub(super) fn stream_not_found(name: &str, account: &str) -> ServiceError {
    not_found(format!("Stream {name} under account {account} not found."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(shards: u32) -> Stream {
        let mut stream = Stream::new("orders", "arn".into(), "123456789012", 1, 1_000, 1_500);
        stream.open_uniformly(shards);
        stream
    }

    #[test]
    fn a_stream_is_creating_until_its_time_and_shows_no_shards_before() {
        let mut stream = stream(2);
        assert!(stream.settle(1_499));
        assert_eq!((stream.status(), stream.open_shard_count()), (Status::Creating, 0));
        assert!(stream.settle(1_500));
        assert_eq!((stream.status(), stream.open_shard_count()), (Status::Active, 2));
    }

    #[test]
    fn a_deleted_stream_is_gone_after_its_time() {
        let mut stream = stream(1);
        stream.settle(2_000);
        stream.begin_deletion(3_000);
        assert!(stream.settle(2_999));
        assert_eq!(stream.status(), Status::Deleting);
        assert!(!stream.settle(3_000));
    }

    #[test]
    fn every_hash_key_has_its_shard() {
        let mut stream = stream(3);
        for hash in [0, 1, u128::MAX / 2, u128::MAX - 1, u128::MAX] {
            assert!(stream.route(hash).unwrap().range.contains(hash), "{hash}");
        }
    }
}
