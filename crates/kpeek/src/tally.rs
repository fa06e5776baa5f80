//! Counts a partition key in bounded memory, so that hot keys are found however many keys there are.

use std::collections::BTreeMap;

use crate::timeline::Join;

/// Keys that are counted at once. Past that, the rarest are dropped (lossy counting, Manku and Motwani 2002): a count may
/// then be too low by at most the drops so far, which is told.
const KEYS: usize = 100_000;

/// Records and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    /// How many.
    pub(crate) records: u64,
    /// How large, key and payload.
    pub(crate) bytes: u64,
}

impl Join for Amount {
    fn join(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
    }
}

/// Counts by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    keys: BTreeMap<String, Amount>,
    /// How often the rarest keys were dropped; the most by which a count may be too low.
    dropped: u64,
}

impl Tally {
    /// Counts a record.
    pub(crate) fn add(&mut self, key: &str, amount: Amount) {
        if let Some(known) = self.keys.get_mut(key) {
            known.join(amount);
            return;
        }
        if self.keys.len() >= KEYS {
            self.drop_rarest();
        }
        self.keys.insert(key.to_owned(), amount);
    }

    fn drop_rarest(&mut self) {
        while self.keys.len() > KEYS / 2 {
            self.dropped += 1;
            let least = self.dropped;
            self.keys.retain(|_, amount| amount.records > least);
        }
    }

    /// How many keys there are, when none was dropped.
    pub(crate) fn distinct(&self) -> Option<usize> {
        (self.dropped == 0).then_some(self.keys.len())
    }

    /// The keys with the most records.
    pub(crate) fn top(&self, count: usize) -> Vec<(&str, Amount)> {
        let mut keys: Vec<_> = self.keys.iter().map(|(key, amount)| (key.as_str(), *amount)).collect();
        keys.sort_by_key(|(_, amount)| std::cmp::Reverse(amount.records));
        keys.truncate(count);
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::{Amount, KEYS, Tally};

    const ONE: Amount = Amount { records: 1, bytes: 10 };

    #[test]
    fn counts_and_ranks() {
        let mut tally = Tally::default();
        for key in ["a", "b", "b", "c", "b", "c"] {
            tally.add(key, ONE);
        }
        assert_eq!(tally.distinct(), Some(3));
        let top: Vec<_> =
            tally.top(2).into_iter().map(|(key, amount)| (key, amount.records, amount.bytes)).collect();
        assert_eq!(top, [("b", 3, 30), ("c", 2, 20)]);
    }

    #[test]
    fn a_hot_key_is_found_among_more_keys_than_are_kept() {
        let mut tally = Tally::default();
        for number in 0..KEYS * 3 {
            tally.add(&number.to_string(), ONE);
            if number % 10 == 0 {
                tally.add("hot", ONE);
            }
        }
        assert!(tally.keys.len() <= KEYS);
        assert_eq!(tally.distinct(), None);
        assert_eq!(tally.top(1)[0].0, "hot");
    }
}
