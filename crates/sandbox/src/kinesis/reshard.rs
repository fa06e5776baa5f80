//! Splits, merges and `UpdateShardCount`: which shards close, which open, and whose children they are.
//!
//! A reshard is checked when it is asked for and happens when the stream's `UPDATING` ends, as a list of steps.

use serde::Serialize;

use crate::error::ServiceError;

use super::create::count;
use super::error::{invalid_argument, limit_exceeded, not_found, validation};
use super::hash::HashRange;
use super::input::Input;
use super::options::millis;
use super::rule::{HASH_KEY, NAME};
use super::shard::{Shard, ShardId};
use super::stream::{Mode, Stream};
use super::{Engine, Request, wire};

/// Changes of the shard count in 24 hours, by the API reference.
const RESIZES_A_DAY: usize = 10;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// One split or merge, in terms of hash keys: the shards it meets are known only when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The open shard around this key closes; the second child starts with the key.
    Split { at: u128 },
    /// The two open shards that meet before this key close and become one.
    Merge { at: u128 },
}

impl Stream {
    /// Performs a step at a time.
    pub(super) fn take_step(&mut self, step: Step, at_ms: u64) {
        match step {
            Step::Split { at } => {
                let Some((id, range)) = self.route(at).map(|shard| (shard.id, shard.range)) else { return };
                if range.start == at {
                    return;
                }
                self.replace(
                    &[id],
                    &[HashRange { start: range.start, end: at - 1 }, HashRange { start: at, ..range }],
                    at_ms,
                );
            }
            Step::Merge { at } => {
                let Some(below) = at.checked_sub(1) else { return };
                let pair = [below, at].map(|hash| self.route(hash).map(|shard| (shard.id, shard.range)));
                let [Some((lower, lower_range)), Some((upper, upper_range))] = pair else { return };
                if lower != upper {
                    self.replace(
                        &[lower, upper],
                        &[HashRange { start: lower_range.start, end: upper_range.end }],
                        at_ms,
                    );
                }
            }
        }
    }

    /// Closes `parents` and opens their children.
    fn replace(&mut self, parents: &[ShardId], ranges: &[HashRange], at_ms: u64) {
        let born_ms =
            parents.iter().filter_map(|id| self.shard(*id)).map(|parent| parent.created_ms + 1).max();
        // A child is always younger than its parents, so that its sequence numbers are greater than theirs.
        let at_ms = at_ms.max(born_ms.unwrap_or(0));
        for parent in parents {
            self.close_shard(*parent, at_ms);
        }
        for range in ranges {
            let child = self.add_shard(*range, at_ms);
            if let Some(child) = self.shard_mut(child) {
                child.parent = parents.first().copied();
                child.adjacent_parent = parents.get(1).copied();
            }
            for parent in parents {
                if let Some(parent) = self.shard_mut(*parent) {
                    parent.children.push(child);
                }
            }
        }
    }

    /// The steps to `target` shards of the same size: splits at every new boundary, then merges between them.
    fn steps_to(&self, target: u32) -> Vec<Step> {
        let ranges = HashRange::uniform(target);
        let wanted = ranges.iter().map(|range| range.start).filter(|start| *start > 0);
        let present: Vec<u128> = self.open_shards().map(|shard| shard.range.start).collect();
        let splits = wanted.filter(|at| !present.contains(at)).map(|at| Step::Split { at });
        let superfluous =
            present.iter().filter(|at| **at > 0 && !ranges.iter().any(|range| range.start == **at));
        splits.chain(superfluous.map(|at| Step::Merge { at: *at })).collect()
    }

    /// # Errors
    /// `ValidationException` for on-demand streams: the service scales those itself.
    fn must_be_provisioned(&self) -> Result<(), ServiceError> {
        match self.mode {
            Mode::Provisioned => Ok(()),
            Mode::OnDemand => Err(validation(format!(
                "Request is invalid. Stream {} under account {} is in On-Demand mode.",
                self.name, self.account
            ))),
        }
    }

    /// An open shard by its id.
    fn open_shard(&self, id: &str) -> Result<&Shard, ServiceError> {
        let shard =
            ShardId::parse(id).and_then(|id| self.shard(id)).ok_or_else(|| self.shard_not_found(id))?;
        if shard.is_open() {
            return Ok(shard);
        }
        Err(not_found(format!(
            "Shard {id} in stream {} under account {} has already been merged or split, \
             and thus is not eligible for merging or splitting.",
            self.name, self.account
        )))
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Resized {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    current_shard_count: u32,
    target_shard_count: u32,
}

impl Engine {
    pub(super) fn split_shard(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let id = input.required_text("ShardToSplit", &NAME)?;
        let key = input.required_text("NewStartingHashKey", &HASH_KEY)?;
        let name = self.stream_name(&mut input, request.caller)?;
        let mut store = self.store();
        let stream = self.find(&mut store.streams, &name, request.now_ms)?;
        stream.must_be_provisioned()?;
        stream.must_be_active()?;
        self.check_shard_quota(&mut store.streams, 1, request.now_ms)?;

        let stream = self.find(&mut store.streams, &name, request.now_ms)?;
        let range = stream.open_shard(&id)?.range;
        let at = key.parse::<u128>().ok().filter(|at| *at > range.start.saturating_add(1) && *at < range.end);
        let at = at.ok_or_else(|| {
            invalid_argument(format!(
                "NewStartingHashKey {key} used in SplitShard() on shard {id} in stream {name} under account {} \
                 is not both greater than one plus the shard's StartingHashKey {} and \
                 less than the shard's EndingHashKey {}.",
                stream.account, range.start, range.end
            ))
        })?;
        stream.begin_update(vec![Step::Split { at }], self.update_ready_ms(request));
        Ok(wire::nothing())
    }

    pub(super) fn merge_shards(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        let first = input.required_text("ShardToMerge", &NAME)?;
        let second = input.required_text("AdjacentShardToMerge", &NAME)?;
        let name = self.stream_name(&mut input, request.caller)?;
        self.on_stream(&name, request.now_ms, |stream| {
            stream.must_be_provisioned()?;
            stream.must_be_active()?;
            let (lower, upper) = (stream.open_shard(&first)?.range, stream.open_shard(&second)?.range);
            if lower.end.checked_add(1) != Some(upper.start) {
                return Err(invalid_argument(format!(
                    "Shards {first} and {second} in stream {name} under account {} \
                     are not an adjacent pair of shards eligible for merging",
                    stream.account
                )));
            }
            stream.begin_update(vec![Step::Merge { at: upper.start }], self.update_ready_ms(request));
            Ok(wire::nothing())
        })
    }

    pub(super) fn update_shard_count(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let mut input = Input::parse(request.body)?;
        input.required_choice("ScalingType", &[("UNIFORM_SCALING", ())])?;
        let target = input.count("TargetShardCount", 1)?;
        let target = input.required("TargetShardCount", target);
        let name = self.stream_name(&mut input, request.caller)?;
        let mut store = self.store();
        let stream = self.find(&mut store.streams, &name, request.now_ms)?;
        stream.must_be_provisioned()?;
        stream.must_be_active()?;
        let current = count(stream.open_shard_count());
        self.check_shard_quota(&mut store.streams, target.saturating_sub(current), request.now_ms)?;
        if target > current.saturating_mul(2) || target < current.div_ceil(2) {
            return Err(invalid_argument(format!(
                "UpdateShardCount cannot scale to more than double or less than half of the current \
                 open shard count. Current open shard count: {current}. Target shard count: {target}."
            )));
        }

        let stream = self.find(&mut store.streams, &name, request.now_ms)?;
        stream.resized_ms.retain(|at_ms| request.now_ms.saturating_sub(*at_ms) < DAY_MS);
        if self.options().enforce_limits && stream.resized_ms.len() >= RESIZES_A_DAY {
            return Err(limit_exceeded(format!(
                "UpdateShardCount was called {RESIZES_A_DAY} times in the last 24 hours, which is the most allowed."
            )));
        }
        stream.resized_ms.push(request.now_ms);
        let steps = stream.steps_to(target);
        stream.begin_update(steps, self.update_ready_ms(request));
        wire::body(&Resized {
            stream_name: stream.name.clone(),
            stream_arn: stream.arn.clone(),
            current_shard_count: current,
            target_shard_count: target,
        })
    }

    /// When an update that begins now is done.
    pub(super) fn update_ready_ms(&self, request: &Request<'_>) -> u64 {
        request.now_ms.saturating_add(millis(self.options().update_delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(shards: u32) -> Stream {
        let mut stream = Stream::new("orders", "arn".into(), "123456789012", 1, 1_000, 1_000);
        stream.open_uniformly(shards);
        stream.settle(1_000);
        stream
    }

    fn covers_everything_once(stream: &Stream) {
        let ranges: Vec<HashRange> = stream.open_shards().map(|shard| shard.range).collect();
        assert_eq!((ranges[0].start, ranges.last().unwrap().end), (0, u128::MAX));
        for pair in ranges.windows(2) {
            assert_eq!(pair[0].end + 1, pair[1].start);
        }
    }

    #[test]
    fn a_split_closes_the_parent_and_names_it_in_both_children() {
        let mut stream = stream(1);
        stream.take_step(Step::Split { at: 1 << 127 }, 5_000);
        covers_everything_once(&stream);
        let parent = stream.shard(ShardId(0)).unwrap();
        assert_eq!(parent.children, [ShardId(1), ShardId(2)]);
        for child in stream.open_shards() {
            assert_eq!((child.parent, child.adjacent_parent), (Some(ShardId(0)), None));
            assert!(child.starting_number() > parent.ending_number().unwrap());
        }
    }

    #[test]
    fn a_merge_has_two_parents() {
        let mut stream = stream(2);
        stream.take_step(Step::Merge { at: 1 << 127 }, 5_000);
        covers_everything_once(&stream);
        let child = stream.shard(ShardId(2)).unwrap();
        assert_eq!((child.parent, child.adjacent_parent), (Some(ShardId(0)), Some(ShardId(1))));
    }

    #[test]
    fn any_count_is_reached_by_splits_and_merges() {
        for (from, to) in [(1, 2), (2, 1), (2, 3), (3, 2), (4, 6), (5, 10), (10, 7)] {
            let mut stream = stream(from);
            for step in stream.steps_to(to) {
                stream.take_step(step, 5_000);
            }
            covers_everything_once(&stream);
            let ranges: Vec<HashRange> = stream.open_shards().map(|shard| shard.range).collect();
            assert_eq!(ranges, HashRange::uniform(to), "{from} to {to}");
        }
    }
}
