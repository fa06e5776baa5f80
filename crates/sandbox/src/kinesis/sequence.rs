//! Sequence numbers: 56 decimal digits that grow with every record of a shard.
//!
//! From the left: `49`, when the shard was made, the record's index in the shard, when it arrived, which life of the
//! stream, which shard. The order of two numbers of one shard is therefore the order of their records, a child shard's
//! numbers are greater than its parent's, and a number tells which stream, and which life of it, it came from.

use std::fmt;

use serde::{Serialize, Serializer};

use super::shard::ShardId;

/// Digits of a sequence number, as many as the service's have.
pub(super) const DIGITS: usize = 56;

/// The index of a closed shard's ending number: no record reaches it.
pub(super) const LAST_INDEX: u64 = 9_999_999_999_999_999;

const PREFIX: &[u8] = b"49";
/// Widths of the fields behind the prefix, in the order of the fields of [`SequenceNumber`].
const WIDTHS: [usize; 5] = [13, 16, 13, 6, 6];

/// One record's place in a shard, or a shard's beginning (index 0) or end ([`LAST_INDEX`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SequenceNumber {
    pub(super) shard_created_ms: u64,
    pub(super) index: u64,
    pub(super) arrived_ms: u64,
    pub(super) incarnation: u32,
    pub(super) shard: ShardId,
}

impl SequenceNumber {
    /// Reads a number that this engine may have issued; nothing else has this form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != DIGITS || !digits.starts_with(PREFIX) || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut rest = digits.get(PREFIX.len()..)?;
        let mut fields = [0_u64; WIDTHS.len()];
        for (field, width) in fields.iter_mut().zip(WIDTHS) {
            let (head, tail) = rest.split_at_checked(width)?;
            *field = head.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
            rest = tail;
        }
        let [shard_created_ms, index, arrived_ms, incarnation, shard] = fields;
        Some(Self {
            shard_created_ms,
            index,
            arrived_ms,
            incarnation: u32::try_from(incarnation).ok()?,
            shard: ShardId(u32::try_from(shard).ok()?),
        })
    }

    fn digits(&self) -> [u8; DIGITS] {
        let mut digits = [b'0'; DIGITS];
        let fields = [
            self.shard_created_ms,
            self.index,
            self.arrived_ms,
            u64::from(self.incarnation),
            u64::from(self.shard.0),
        ];
        let (prefix, mut rest) = digits.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        for (mut value, width) in fields.into_iter().zip(WIDTHS) {
            let (field, tail) = rest.split_at_mut(width);
            for digit in field.iter_mut().rev() {
                *digit = b'0' + u8::try_from(value % 10).unwrap_or(0);
                value /= 10;
            }
            rest = tail;
        }
        digits
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl Serialize for SequenceNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(index: u64) -> SequenceNumber {
        SequenceNumber {
            shard_created_ms: 1_800_000_000_123,
            index,
            arrived_ms: 1_800_000_009_999,
            incarnation: 424_242,
            shard: ShardId(7),
        }
    }

    #[test]
    fn text_and_number_are_the_same_thing() {
        for index in [0, 1, 500, LAST_INDEX] {
            let text = number(index).to_string();
            assert_eq!(text.len(), DIGITS);
            assert_eq!(SequenceNumber::parse(&text), Some(number(index)));
        }
    }

    #[test]
    fn text_order_is_number_order_is_record_order() {
        let earlier = number(9);
        let later = SequenceNumber { arrived_ms: 0, ..number(10) };
        assert!(earlier < later);
        assert!(earlier.to_string() < later.to_string());
    }

    #[test]
    fn what_the_engine_did_not_write_is_not_a_number_of_its() {
        for text in
            ["", "0", "49", "123456789", &"5".repeat(DIGITS), &format!("49{}", "x".repeat(DIGITS - 2))]
        {
            assert_eq!(SequenceNumber::parse(text), None, "{text}");
        }
    }
}
