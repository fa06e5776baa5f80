//! Sets of record numbers as ranges, with a sum over the payloads they stand for.

use std::collections::BTreeMap;

/// Records `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u64,
    pub(super) last: u64,
    /// The sum of the records' [`content`].
    pub(super) content: u64,
}

/// An odd number without pattern: the golden ratio's fraction in 64 bits.
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(sum: u64, word: u64) -> u64 {
    (sum.rotate_left(5) ^ word).wrapping_mul(MIX)
}

/// A number that stands for a payload at its place. Finds accidents, not forgeries. Never change it: files hold it.
pub fn content(number: u64, data: &[u8]) -> u64 {
    let words = data.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        u64::from_le_bytes(word)
    });
    let sum = words.fold(mix(number, data.len() as u64), mix);
    sum ^ sum >> 32
}

/// A number that stands for a range, for its line.
pub(super) fn check(range: Range) -> u64 {
    [range.first, range.last, range.content].into_iter().fold(MIX, mix)
}

/// The ranges of sorted numbers with their contents.
pub(super) fn coalesce(sorted: &[(u64, u64)]) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for &(number, content) in sorted {
        match ranges.last_mut() {
            Some(range) if range.last + 1 == number => {
                range.last = number;
                range.content = range.content.wrapping_add(content);
            }
            _ => ranges.push(Range { first: number, last: number, content }),
        }
    }
    ranges
}

/// A set of records. Neighbours are joined, so a run that went well is one range, whatever its length.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges {
    /// By first record.
    ranges: BTreeMap<u64, Range>,
    /// Sum of the records of the range being passed.
    passing: u64,
}

impl Ranges {
    /// Adds a range that overlaps no other.
    pub(super) fn add(&mut self, mut range: Range) {
        let before = self.ranges.range(..range.first).next_back().map(|(_, before)| *before);
        if let Some(before) = before.filter(|before| before.last + 1 == range.first) {
            range.first = before.first;
            range.content = range.content.wrapping_add(before.content);
        }
        if let Some(after) = self.ranges.remove(&(range.last + 1)) {
            range.last = after.last;
            range.content = range.content.wrapping_add(after.content);
        }
        self.ranges.insert(range.first, range);
    }

    /// How many records are in it.
    pub(super) fn count(&self) -> u64 {
        self.ranges.values().map(|range| range.last - range.first + 1).sum()
    }

    /// The highest record that was not passed.
    pub(super) fn last(&self) -> Option<u64> {
        self.ranges.last_key_value().map(|(_, range)| range.last)
    }

    /// Whether `number` is in it. Called for every record in order, so that payloads can be compared at the end of
    /// each range.
    ///
    /// # Errors
    /// The range whose payloads are others.
    pub(super) fn pass(&mut self, number: u64, data: &[u8]) -> Result<bool, Range> {
        let Some(range) = self.ranges.first_key_value().map(|(_, range)| *range) else { return Ok(false) };
        if number < range.first {
            return Ok(false);
        }
        self.passing = self.passing.wrapping_add(content(number, data));
        if number == range.last {
            self.ranges.pop_first();
            if std::mem::take(&mut self.passing) != range.content {
                return Err(range);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Range, Ranges, coalesce, content};

    proptest! {
        #[test]
        fn any_order_gives_the_same_set(mut numbers in prop::collection::btree_set(0_u64..60, 0..40), seed: u64) {
            let all: Vec<u64> = numbers.iter().copied().collect();
            let mut random = fastrand::Rng::with_seed(seed);
            let mut ranges = Ranges::default();
            while !numbers.is_empty() {
                let mut taken: Vec<u64> = numbers.iter().copied().filter(|_| random.bool()).collect();
                numbers.retain(|number| !taken.contains(number));
                taken.sort_unstable();
                let noted: Vec<(u64, u64)> = taken.iter().map(|number| (*number, content(*number, b"x"))).collect();
                for range in coalesce(&noted) {
                    ranges.add(range);
                }
            }
            prop_assert_eq!(ranges.count(), all.len() as u64);
            let seen: Vec<u64> = (0..60).filter(|number| ranges.pass(*number, b"x").unwrap()).collect();
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn a_long_run_is_one_range() {
        let mut ranges = Ranges::default();
        for first in [0_u64, 20, 10] {
            ranges.add(Range { first, last: first + 9, content: 1 });
        }
        assert_eq!(ranges.ranges.len(), 1);
        assert_eq!(ranges.count(), 30);
    }
}
