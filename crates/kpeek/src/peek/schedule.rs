//! Who is served next, and who has to wait until when.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use config::names::ShardId;

/// Something to ask for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Errand {
    /// What the shard needs next.
    Shard(ShardId),
    /// The shards that closed ones became, where their last answer did not say.
    Listing,
}

/// Errands in the order in which they are run.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    ready: VecDeque<Errand>,
    waiting: BTreeSet<(Instant, Errand)>,
}

impl Schedule {
    /// Runs `errand` after all others that are ready.
    pub(super) fn push(&mut self, errand: Errand) {
        self.ready.push_back(errand);
    }

    /// Runs `errand` next.
    pub(super) fn push_front(&mut self, errand: Errand) {
        self.ready.push_front(errand);
    }

    /// Runs `errand` not before `at`.
    pub(super) fn wait(&mut self, at: Instant, errand: Errand) {
        self.waiting.insert((at, errand));
    }

    /// The next errand that is ready.
    pub(super) fn pop(&mut self) -> Option<Errand> {
        self.ready.pop_front()
    }

    /// Whoever has waited long enough is ready.
    pub(super) fn wake(&mut self, now: Instant) {
        while self.waiting.first().is_some_and(|(at, _)| *at <= now)
            && let Some((_, errand)) = self.waiting.pop_first()
        {
            self.ready.push_back(errand);
        }
    }

    /// When the first one has waited long enough.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.first().map(|(at, _)| *at)
    }
}
