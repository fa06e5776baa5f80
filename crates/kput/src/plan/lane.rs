//! `--ordered`: of each partition key, at most one record is on its way; the next waits until that one has ended.
//!
//! `PutRecords` promises no order, not even inside one request: an entry may fail while a later one is stored. So a
//! later record of the same key may not be in the same request, nor in any other that is under way.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::item::Item;

/// The keys that have a record on its way, each with the records behind it.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    waiting: BTreeMap<Bytes, VecDeque<Item>>,
    held: usize,
}

/// The lane of an item's partition key.
pub(super) fn of_key(item: &Item) -> Bytes {
    match item.record.key {
        crate::record::KeyAt::Span { start, length } => {
            item.record.bytes.slice(start as usize..(start + length) as usize)
        }
        // Such keys are never the same twice: the record's number stands for it.
        crate::record::KeyAt::Random(_) | crate::record::KeyAt::Absent => {
            Bytes::copy_from_slice(&item.record.number.to_be_bytes())
        }
    }
}

impl Lanes {
    /// Gives `item` back when its lane is free, else keeps it.
    pub(super) fn enter(&mut self, lane: Bytes, item: Item) -> Option<Item> {
        match self.waiting.entry(lane) {
            Entry::Occupied(mut behind) => {
                self.held += 1;
                behind.get_mut().push_back(item);
                None
            }
            Entry::Vacant(free) => {
                free.insert(VecDeque::new());
                Some(item)
            }
        }
    }

    /// The item on its way in `lane` has ended: the next one, which may go now.
    pub(super) fn leave(&mut self, lane: &Bytes) -> Option<Item> {
        let next = self.waiting.get_mut(lane)?.pop_front();
        match next {
            Some(_) => self.held -= 1,
            None => {
                self.waiting.remove(lane);
            }
        }
        next
    }

    /// Every record that waits; the lanes are empty after.
    pub(super) fn drain(&mut self) -> Vec<Item> {
        self.held = 0;
        std::mem::take(&mut self.waiting).into_values().flatten().collect()
    }

    /// How many records wait behind another.
    pub(super) fn held(&self) -> usize {
        self.held
    }
}
