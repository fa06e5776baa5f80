//! The bundles that are being packed: one a shard, bounded in number by the shards and in memory altogether.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use aggregate::{Entry, Packer};

use crate::bill::Bill;
use crate::plan::item::Item;
use crate::plan::keys::Packed;
use crate::plan::pack::{Hashes, Pack, Part};
use crate::record::Record;

/// Bytes that all open bundles hold together at most; beyond, the oldest one goes.
pub(super) const OPEN_BYTES: usize = 4 * 1024 * 1024;

/// Packers that are kept for the next bundle, with the memory they have.
const SPARE_PACKERS: usize = 32;

/// Records of one shard that are being packed.
#[derive(Debug)]
struct Bundle {
    /// No other bundle that anybody remembers has this number.
    number: NonZeroU32,
    packer: Packer,
    parts: Vec<Part>,
    hashes: Hashes,
    alone: Bill,
    since: Instant,
}

/// When a bundle was opened.
#[derive(Clone, Copy, Debug)]
struct Opened {
    number: NonZeroU32,
    /// The position of its shard.
    at: usize,
    since: Instant,
}

/// The open bundles.
#[derive(Debug)]
pub(super) struct Open {
    /// Bytes beyond which a bundle is closed.
    max_bytes: usize,
    linger: Duration,
    /// By position of the shard.
    bundles: Vec<Option<Box<Bundle>>>,
    /// The oldest first; some are closed already.
    opened: VecDeque<Opened>,
    next: NonZeroU32,
    /// Whether numbers began anew, and nobody was told.
    began_anew: bool,
    bytes: usize,
    spare: Vec<Packer>,
}

impl Open {
    pub(super) fn new(shards: usize, max_bytes: usize, linger: Duration) -> Self {
        Self {
            max_bytes,
            linger,
            bundles: (0..shards).map(|_| None).collect(),
            opened: VecDeque::new(),
            next: NonZeroU32::MIN,
            began_anew: false,
            bytes: 0,
            spare: Vec::new(),
        }
    }

    /// Whether bundles will have numbers that others had, since this was asked last: after four billion bundles. Whoever
    /// remembers any forgets them then.
    pub(super) fn begin_anew(&mut self) -> bool {
        std::mem::take(&mut self.began_anew)
    }

    /// Bytes that all of them hold.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a record whose key is in the bundle `packed` already, if that is still open and has room. It has no hash key.
    pub(super) fn add_again(
        &mut self,
        at: usize,
        record: &Record,
        packed: Packed,
        ready: &mut Vec<Item>,
    ) -> bool {
        let Some(Some(bundle)) = self.bundles.get_mut(at) else { return false };
        let before = bundle.packer.len();
        if bundle.number != packed.bundle
            || !bundle.packer.add_again_within(packed.place, record.data(), self.max_bytes)
        {
            return false;
        }
        bundle.parts.push(Part { number: record.number(), line: record.line() });
        bundle.alone.add(record.size());
        self.bytes += bundle.packer.len() - before;
        self.make_room(ready);
        true
    }

    /// Adds a record, and says where its key is in the bundle, unless it is larger than any bundle.
    pub(super) fn add(
        &mut self,
        at: usize,
        record: &Record,
        hash: u128,
        now: Instant,
        ready: &mut Vec<Item>,
    ) -> Option<Packed> {
        let text = record.hash().map(|hash| hash.0.to_string());
        let key = record.key_text().unwrap_or_default();
        let entry = Entry {
            partition_key: &key,
            explicit_hash_key: text.as_deref(),
            data: record.data(),
            ..Entry::default()
        };
        let part = Part { number: record.number(), line: record.line() };
        if let Some(Some(bundle)) = self.bundles.get_mut(at) {
            let before = bundle.packer.len();
            if let Some(place) = bundle.packer.add_within(entry, self.max_bytes) {
                bundle.parts.push(part);
                bundle.hashes.add(hash);
                bundle.alone.add(record.size());
                let packed = Packed { bundle: bundle.number, place };
                self.bytes += bundle.packer.len() - before;
                self.make_room(ready);
                return Some(packed);
            }
            ready.extend(self.close(at));
        }
        let mut packer = self.spare.pop().unwrap_or_default();
        let Some(place) = packer.add_within(entry, self.max_bytes) else {
            // Larger than any bundle: on its own, behind the records before it.
            self.spare.push(packer);
            ready.push(Item::new(record.clone(), now));
            return None;
        };
        let number = self.next;
        self.next = self.next.checked_add(1).unwrap_or_else(|| {
            self.began_anew = true;
            NonZeroU32::MIN
        });
        self.bytes += packer.len();
        self.opened.push_back(Opened { number, at, since: now });
        let (hashes, alone) = (Hashes::of(hash), Bill::of(record.size()));
        let bundle = Bundle { number, packer, parts: vec![part], hashes, alone, since: now };
        if let Some(slot) = self.bundles.get_mut(at) {
            *slot = Some(Box::new(bundle));
        }
        self.make_room(ready);
        Some(Packed { bundle: number, place })
    }

    /// As if there had been nearly as many bundles as there are numbers.
    #[cfg(test)]
    pub(super) fn skip_to_the_last_number(&mut self) {
        self.next = NonZeroU32::MAX;
    }

    /// Closes the bundles that have waited long enough: all of them when no more records come.
    pub(super) fn due(&mut self, now: Instant, last_came: bool) -> Vec<Item> {
        let mut ready = Vec::new();
        while let Some(oldest) = self.opened.front().copied()
            && (last_came || oldest.since + self.linger <= now)
        {
            self.opened.pop_front();
            ready.extend(self.close_opened(oldest));
        }
        ready
    }

    /// When the next bundle is due.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.opened.front().map(|oldest| oldest.since + self.linger)
    }

    /// Closes the oldest bundles while all of them hold too much.
    fn make_room(&mut self, ready: &mut Vec<Item>) {
        while self.bytes > OPEN_BYTES
            && let Some(oldest) = self.opened.pop_front()
        {
            ready.extend(self.close_opened(oldest));
        }
    }

    /// Closes a bundle, if that has not been done yet.
    fn close_opened(&mut self, opened: Opened) -> Option<Item> {
        let is_open = |bundle: &Bundle| bundle.number == opened.number;
        if self.bundles.get(opened.at)?.as_deref().is_some_and(is_open) {
            self.close(opened.at)
        } else {
            None
        }
    }

    /// The entry that carries a shard's bundle. One record alone goes as it is, as the KPL does.
    fn close(&mut self, at: usize) -> Option<Item> {
        let Bundle { mut packer, parts, hashes, alone, since, .. } = *self.bundles.get_mut(at)?.take()?;
        self.bytes -= packer.len();
        let pack = Pack::new(packer.finish_unsealed(), parts, hashes, alone);
        if self.spare.len() < SPARE_PACKERS {
            self.spare.push(packer);
        }
        match pack.parts() {
            [_] => pack.unpack().pop().map(|record| Item::new(record, since)),
            _ => Some(Item::packed(pack, since)),
        }
    }
}
