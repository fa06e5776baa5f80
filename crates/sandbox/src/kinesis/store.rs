//! All streams of the account, and what else one lock protects.

use std::collections::BTreeMap;

use super::fault::Faults;
use super::quotas::Quotas;
use super::stream::Stream;

/// What the engine's one lock protects.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) streams: Streams,
    pub(super) faults: Faults,
    pub(super) quotas: Quotas,
}

/// All streams of the account, by name.
#[derive(Debug)]
pub(super) struct Streams {
    by_name: BTreeMap<String, Stream>,
    incarnation: u32,
}

impl Default for Streams {
    fn default() -> Self {
        // A random start, so that a number which another run of the engine issued is not taken for one of this run.
        Self { by_name: BTreeMap::new(), incarnation: fastrand::u32(1..900_000) }
    }
}

impl Streams {
    /// The stream as it is now.
    pub(super) fn get(&mut self, name: &str, now_ms: u64) -> Option<&mut Stream> {
        if !self.by_name.get_mut(name)?.settle(now_ms) {
            self.by_name.remove(name);
            return None;
        }
        self.by_name.get_mut(name)
    }

    /// Every stream as it is now.
    pub(super) fn all(&mut self, now_ms: u64) -> &BTreeMap<String, Stream> {
        self.by_name.retain(|_, stream| stream.settle(now_ms));
        &self.by_name
    }

    /// A number that tells a new stream from every earlier one.
    pub(super) fn next_incarnation(&mut self) -> u32 {
        self.incarnation += 1;
        self.incarnation
    }

    pub(super) fn insert(&mut self, stream: Stream) {
        self.by_name.insert(stream.name.clone(), stream);
    }
}
