//! `--ordered`: in each lane at most one record is on its way; the next waits until that one has ended.
//!
//! `PutRecords` promises no order, not even inside one request: an entry may fail while a later one is stored. So a
//! later record of the same key may not be in the same request, nor in any other that is under way.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use super::item::{Content, Item};
use crate::record::KeyAt;

/// What shares a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Records of one partition key.
    Key,
    /// Entries of one shard: aggregates hold records of many keys.
    Shard,
}

/// The lanes that have a record on its way, each with the records behind it.
#[derive(Debug)]
pub(super) struct Lanes {
    by: By,
    waiting: BTreeMap<Box<[u8]>, VecDeque<Item>>,
    held: usize,
}

impl Lanes {
    pub(super) fn new(by: By) -> Self {
        Self { by, waiting: BTreeMap::new(), held: 0 }
    }

    /// Gives `item`, which goes to the queue `shard`, back when its lane is free, else keeps it.
    pub(super) fn enter(&mut self, item: Item, shard: usize) -> Option<Item> {
        let lane = lane(self.by, &item, shard);
        if let Some(behind) = self.waiting.get_mut(&*lane) {
            self.held += 1;
            behind.push_back(item);
            return None;
        }
        self.waiting.insert(lane.into(), VecDeque::new());
        Some(item)
    }

    /// `ended` is no longer on its way: the next of its lane, which may go now.
    pub(super) fn leave(&mut self, ended: &Item, shard: usize) -> Option<Item> {
        let lane = lane(self.by, ended, shard);
        let next = self.waiting.get_mut(&*lane)?.pop_front();
        match next {
            Some(_) => self.held -= 1,
            None => {
                self.waiting.remove(&*lane);
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

fn lane(by: By, item: &Item, shard: usize) -> Cow<'_, [u8]> {
    match (&item.content, by) {
        (_, By::Shard) => Cow::Owned(shard.to_be_bytes().to_vec()),
        (Content::Alone(record), By::Key) if matches!(record.key(), KeyAt::Span { .. }) => {
            Cow::Borrowed(record.key_bytes())
        }
        // Such keys are never the same twice: the record's number stands for it.
        (Content::Alone(_) | Content::Packed(_), By::Key) => Cow::Owned(item.number().to_be_bytes().to_vec()),
    }
}
