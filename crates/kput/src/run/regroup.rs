//! `--aggregate` when the shards change: what was packed for a shard that is gone is packed again.
//!
//! An answer that names another shard than the predicted one means the map is old. Nothing new is sent then until
//! everything under way has come back and the shards have been listed again; after that every record that waits, and
//! every record that landed where a consumer would not look for it, is packed for the new shards, in input order.

use std::time::{Duration, Instant};

use config::Fault;

use super::{Run, Stop};
use crate::answer::Text;
use crate::plan::{Bundler, Content, Item, Pack, Place, ShardMap};
use crate::record::Record;

/// How often the shards are listed again when the list does not show yet what the answers do.
const MOST_LISTINGS: u32 = 12;

/// The pause before such a listing; the first are sooner.
const LISTING_PAUSE: Duration = Duration::from_millis(500);

/// The state of `--aggregate`.
pub(super) struct Aggregation {
    pub(super) max_bytes: usize,
    /// None until the shards are known.
    pub(super) bundler: Option<Bundler>,
    map: ShardMap,
    /// The shards have to be listed before anything is sent.
    pub(super) regroup: bool,
    /// How often in a row the list of shards was the same although records had landed elsewhere.
    unchanged: u32,
    /// Records to pack again.
    strays: Vec<Record>,
    /// Stored in a shard that the map does not know, with the text that the place points into.
    undecided: Vec<(Item, Place, Text)>,
}

impl Aggregation {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            bundler: None,
            map: ShardMap::default(),
            regroup: true,
            unchanged: 0,
            strays: Vec::new(),
            undecided: Vec::new(),
        }
    }
}

impl Aggregation {
    /// How long to wait before the shards are listed.
    pub(super) fn pause(&self) -> Duration {
        LISTING_PAUSE * self.unchanged.min(4) / 4
    }
}

/// Whether an aggregate landed where a consumer finds all of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Landed {
    Right,
    Wrong,
    /// In a shard that the map does not know.
    Unknown,
}

/// Where an aggregate landed, by the shards of `map`.
fn landed(map: &ShardMap, pack: &Pack, shard: &[u8]) -> Landed {
    let hashes = pack.hashes();
    match (map.takes(shard, hashes.lowest), map.takes(shard, hashes.highest)) {
        (Some(true), Some(true)) => Landed::Right,
        (Some(_), Some(_)) => Landed::Wrong,
        (None, _) | (_, None) => Landed::Unknown,
    }
}

/// Whether `pack`, made for a shard of `map`, landed in that very shard.
fn landed_as_predicted(map: &ShardMap, pack: &Pack, shard: &[u8]) -> bool {
    let predicted = map.position(pack.hash()).and_then(|position| map.shards().get(position));
    predicted.is_some_and(|predicted| predicted.id.as_bytes() == shard)
}

impl Run {
    /// Whether a stored item counts. When not, its records are kept here.
    pub(super) fn counts(&mut self, item: Item, place: Place, text: &Text) -> Option<Item> {
        let (Some(aggregation), Content::Packed(pack)) = (self.aggregation.as_mut(), &item.content) else {
            return Some(item);
        };
        let shard = text.get(place.shard);
        if landed_as_predicted(&aggregation.map, pack, shard) {
            return Some(item);
        }
        match landed(&aggregation.map, pack, shard) {
            Landed::Right => return Some(item),
            // All of its records: a consumer that checks drops the whole aggregate.
            Landed::Wrong => {
                aggregation.strays.extend(pack.unpack());
                self.tally.bill_in_vain(pack.size());
            }
            Landed::Unknown => aggregation.undecided.push((item, place, text.clone())),
        }
        aggregation.regroup = true;
        None
    }

    /// Puts a record on its way: into a bundle, or straight to the planner.
    pub(super) fn route(&mut self, record: &Record, now: Instant) {
        match self.aggregation.as_mut().and_then(|aggregation| aggregation.bundler.as_mut()) {
            Some(bundler) => {
                let mut ready = Vec::new();
                bundler.add(record, now, &mut ready);
                for item in ready {
                    self.planner.admit(item);
                }
            }
            None => self.planner.admit(Item::new(record.clone(), now)),
        }
    }

    /// Hands bundles that have waited long enough to the planner.
    pub(super) fn close_bundles(&mut self, now: Instant, last_came: bool) {
        if let Some(bundler) = self.aggregation.as_mut().and_then(|aggregation| aggregation.bundler.as_mut())
        {
            for item in bundler.due(now, last_came) {
                self.planner.admit(item);
            }
        }
    }

    /// Whether `--aggregate` waits for the shards.
    pub(super) fn is_regrouping(&self) -> bool {
        self.aggregation.as_ref().is_some_and(|aggregation| aggregation.regroup)
    }

    /// Whether records wait for the shards to be listed. An empty input waits for nothing.
    pub(super) fn needs_shards(&self) -> bool {
        self.aggregation.as_ref().is_some_and(|aggregation| {
            let open = aggregation.bundler.as_ref().is_some_and(|bundler| !bundler.is_empty());
            let landed = !aggregation.strays.is_empty() || !aggregation.undecided.is_empty();
            aggregation.regroup && (open || landed || !self.planner.is_empty())
        })
    }

    /// Packs everything that waits for the shards of `map`.
    pub(super) fn regroup(&mut self, map: ShardMap) {
        let now = Instant::now();
        let Some(mut aggregation) = self.aggregation.take() else { return };
        let unchanged = aggregation.bundler.is_some() && aggregation.map == map;
        let is_behind = unchanged && !(aggregation.strays.is_empty() && aggregation.undecided.is_empty());
        if is_behind && aggregation.unchanged < MOST_LISTINGS {
            // A list may lag behind a reshard for a moment.
            aggregation.unchanged += 1;
            self.aggregation = Some(aggregation);
            return;
        }
        aggregation.unchanged = 0;
        let mut records = std::mem::take(&mut aggregation.strays);
        for (item, place, text) in std::mem::take(&mut aggregation.undecided) {
            match &item.content {
                Content::Packed(pack) if landed(&map, pack, text.get(place.shard)) != Landed::Right => {
                    records.extend(pack.unpack());
                    self.tally.bill_in_vain(pack.size());
                }
                Content::Packed(_) | Content::Alone(_) => self.conclude(&text, &[(item, place)], &[]),
            }
        }
        if unchanged && !records.is_empty() && self.stop.is_none() {
            let name = self.put.target().name.as_str();
            self.stop = Some(Stop::Fault(
                Fault::refused(format!("failed to aggregate records for stream `{name}`"))
                    .with_cause("records come back from other shards than their keys belong to")
                    .with_hint("a stream that distributes records itself (RecordDistributionStrategy AUTO) takes no aggregates; leave --aggregate out"),
            ));
        }
        self.tally.resent += records.len() as u64;
        let open = aggregation.bundler.as_mut().map(|bundler| bundler.due(now, true));
        for item in open.into_iter().flatten().chain(self.planner.drain(now)) {
            records.extend(item.records().into_owned());
        }
        records.sort_by_key(Record::number);
        self.planner.set_shards(map.clone(), now);
        aggregation.bundler =
            Some(Bundler::new(map.clone(), aggregation.max_bytes, self.options.rules.linger));
        aggregation.map = map;
        aggregation.regroup = false;
        self.aggregation = Some(aggregation);
        for record in records {
            self.route(&record, now);
        }
    }

    /// At the end of a run that stops early: what is stored is stored, wherever.
    pub(super) fn settle_undecided(&mut self) {
        let undecided =
            self.aggregation.as_mut().map(|aggregation| std::mem::take(&mut aggregation.undecided));
        for (item, place, text) in undecided.into_iter().flatten() {
            self.conclude(&text, &[(item, place)], &[]);
        }
    }
}
