//! Which part of the key space a record belongs to: the MD5 of its partition key, as a 128-bit number.

use md5::{Digest as _, Md5};
use serde::Serialize;

/// The hash that routes a record with this partition key.
pub(super) fn of_partition_key(key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(key.as_bytes()).into())
}

/// The hash keys that a shard owns, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HashRange {
    pub(super) start: u128,
    pub(super) end: u128,
}

impl HashRange {
    /// Cuts the whole key space into `count` ranges of the same size; the last one takes what is left over.
    pub(super) fn uniform(count: u32) -> Vec<Self> {
        // 2^128 itself does not fit, and 2^128 - 1 divided gives the same width except for powers of two.
        let parts = u128::from(count.max(1));
        let width =
            if parts.is_power_of_two() && parts > 1 { (u128::MAX / parts) + 1 } else { u128::MAX / parts };
        (0..parts)
            .map(|part| Self {
                start: width * part,
                end: if part + 1 == parts { u128::MAX } else { width * (part + 1) - 1 },
            })
            .collect()
    }

    #[cfg(test)]
    pub(super) fn contains(self, hash: u128) -> bool {
        (self.start..=self.end).contains(&hash)
    }
}

/// The range as it travels: decimal text, since no JSON number holds 128 bits.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HashKeyRange {
    starting_hash_key: String,
    ending_hash_key: String,
}

impl From<HashRange> for HashKeyRange {
    fn from(range: HashRange) -> Self {
        Self { starting_hash_key: range.start.to_string(), ending_hash_key: range.end.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_hashes_to_its_md5_read_as_a_big_endian_number() {
        // MD5("a") is 0cc175b9c0f1b6a831c399e269772661.
        assert_eq!(of_partition_key("a"), 0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661);
    }

    #[test]
    fn uniform_ranges_cover_the_key_space_without_gap_or_overlap() {
        for count in [1, 2, 3, 4, 5, 7, 64, 1_000, 2_500] {
            let ranges = HashRange::uniform(count);
            assert_eq!(ranges.len(), usize::try_from(count).unwrap());
            assert_eq!(ranges[0].start, 0);
            assert_eq!(ranges.last().unwrap().end, u128::MAX);
            for pair in ranges.windows(2) {
                assert_eq!(pair[0].end + 1, pair[1].start, "with {count} shards");
            }
        }
    }

    #[test]
    fn two_shards_meet_in_the_middle() {
        let ranges = HashRange::uniform(2);
        assert_eq!(ranges[1].start, 1 << 127);
    }
}
