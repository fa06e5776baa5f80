//! The checksums of several aggregates at once.
//!
//! MD5 (RFC 1321) is one long chain of dependent steps, so one message keeps a processor waiting most of the time; four
//! messages side by side take little longer than one. An aggregate ends with the MD5 of its content, the largest single
//! part of what `kput --aggregate` computes, which is why this is here although a library has MD5: none has this. What is
//! left over at the end of each message, and messages that come alone, go through the library.

use md5::block_api::compress;
use wide::u32x4;

use crate::DIGEST_BYTES;

/// One 32-bit word of each message.
type Lanes = u32x4;

/// Messages that are worked on at once: what a 128-bit register holds.
const LANES: usize = 4;

/// Bytes that MD5 takes in one step.
const BLOCK_BYTES: usize = 64;

/// Every MD5 begins with this.
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The MD5 of each message.
pub(crate) fn digests(messages: &[&[u8]]) -> Vec<[u8; DIGEST_BYTES]> {
    let mut digests = Vec::with_capacity(messages.len());
    let (groups, alone) = messages.as_chunks::<LANES>();
    for group in groups {
        digests.extend(together(*group));
    }
    match *alone {
        // Half of the lanes are still quicker than one message after the other.
        [first, second, third] => digests.extend(together([first, second, third, third]).into_iter().take(3)),
        [first, second] => digests.extend(together([first, second, second, second]).into_iter().take(2)),
        _ => digests.extend(alone.iter().map(|message| finish(START, message, message.len()))),
    }
    digests
}

/// The blocks that all messages have are taken side by side, the rest one message after the other.
fn together(messages: [&[u8]; LANES]) -> [[u8; DIGEST_BYTES]; LANES] {
    let blocks = messages.map(|message| message.as_chunks::<BLOCK_BYTES>().0);
    let common = blocks.iter().map(|blocks| blocks.len()).min().unwrap_or_default();
    let mut state = START.map(Lanes::splat);
    let [first, second, third, fourth] = blocks;
    for (((first, second), third), fourth) in first.iter().zip(second).zip(third).zip(fourth).take(common) {
        step(&mut state, [first, second, third, fourth]);
    }
    std::array::from_fn(|lane| {
        let message = messages[lane];
        let rest = message.get(common * BLOCK_BYTES..).unwrap_or_default();
        finish(state.map(|word| word.to_array()[lane]), rest, message.len())
    })
}

/// Takes the `rest` of a message of `length` bytes and closes it.
fn finish(mut state: [u32; 4], rest: &[u8], length: usize) -> [u8; DIGEST_BYTES] {
    let (blocks, tail) = rest.as_chunks::<BLOCK_BYTES>();
    compress(&mut state, blocks);
    // A one bit, zeros, and the length in bits as the last eight bytes of a block.
    let mut padded = [0_u8; 2 * BLOCK_BYTES];
    padded.iter_mut().zip(tail.iter().chain(&[0x80])).for_each(|(to, from)| *to = *from);
    let end = if tail.len() + 9 > BLOCK_BYTES { 2 * BLOCK_BYTES } else { BLOCK_BYTES };
    let bits = (length as u64).wrapping_mul(8).to_le_bytes();
    padded.iter_mut().take(end).rev().zip(bits.iter().rev()).for_each(|(to, from)| *to = *from);
    compress(&mut state, padded.as_chunks().0.get(..end / BLOCK_BYTES).unwrap_or_default());
    let mut digest = [0; DIGEST_BYTES];
    let bytes = state.iter().flat_map(|word| word.to_le_bytes());
    digest.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    digest
}

/// The sixteen steps of a round: for each the word it takes, the bits it rotates by, and its constant.
macro_rules! rounds {
    ($state:ident, $words:ident, $mix:ident, [$(($word:literal, $bits:literal, $constant:literal),)*]) => {
        $(
            let [a, b, c, d] = $state;
            let sum = a + $mix(b, c, d) + $words[$word] + Lanes::splat($constant);
            $state = [d, b + (sum << $bits | sum >> (32 - $bits)), b, c];
        )*
    };
}

/// Takes one block of each message.
#[inline(never)]
fn step(into: &mut [Lanes; 4], blocks: [&[u8; BLOCK_BYTES]; LANES]) {
    let blocks = blocks.map(|block| block.as_chunks::<4>().0);
    let words: [Lanes; 16] =
        std::array::from_fn(|word| Lanes::new(blocks.map(|block| u32::from_le_bytes(block[word]))));
    let mut state = *into;
    rounds!(
        state,
        words,
        choose_by_b,
        [
            (0, 7, 0xd76a_a478),
            (1, 12, 0xe8c7_b756),
            (2, 17, 0x2420_70db),
            (3, 22, 0xc1bd_ceee),
            (4, 7, 0xf57c_0faf),
            (5, 12, 0x4787_c62a),
            (6, 17, 0xa830_4613),
            (7, 22, 0xfd46_9501),
            (8, 7, 0x6980_98d8),
            (9, 12, 0x8b44_f7af),
            (10, 17, 0xffff_5bb1),
            (11, 22, 0x895c_d7be),
            (12, 7, 0x6b90_1122),
            (13, 12, 0xfd98_7193),
            (14, 17, 0xa679_438e),
            (15, 22, 0x49b4_0821),
        ]
    );
    rounds!(
        state,
        words,
        choose_by_d,
        [
            (1, 5, 0xf61e_2562),
            (6, 9, 0xc040_b340),
            (11, 14, 0x265e_5a51),
            (0, 20, 0xe9b6_c7aa),
            (5, 5, 0xd62f_105d),
            (10, 9, 0x0244_1453),
            (15, 14, 0xd8a1_e681),
            (4, 20, 0xe7d3_fbc8),
            (9, 5, 0x21e1_cde6),
            (14, 9, 0xc337_07d6),
            (3, 14, 0xf4d5_0d87),
            (8, 20, 0x455a_14ed),
            (13, 5, 0xa9e3_e905),
            (2, 9, 0xfcef_a3f8),
            (7, 14, 0x676f_02d9),
            (12, 20, 0x8d2a_4c8a),
        ]
    );
    rounds!(
        state,
        words,
        parity,
        [
            (5, 4, 0xfffa_3942),
            (8, 11, 0x8771_f681),
            (11, 16, 0x6d9d_6122),
            (14, 23, 0xfde5_380c),
            (1, 4, 0xa4be_ea44),
            (4, 11, 0x4bde_cfa9),
            (7, 16, 0xf6bb_4b60),
            (10, 23, 0xbebf_bc70),
            (13, 4, 0x289b_7ec6),
            (0, 11, 0xeaa1_27fa),
            (3, 16, 0xd4ef_3085),
            (6, 23, 0x0488_1d05),
            (9, 4, 0xd9d4_d039),
            (12, 11, 0xe6db_99e5),
            (15, 16, 0x1fa2_7cf8),
            (2, 23, 0xc4ac_5665),
        ]
    );
    rounds!(
        state,
        words,
        odd_one,
        [
            (0, 6, 0xf429_2244),
            (7, 10, 0x432a_ff97),
            (14, 15, 0xab94_23a7),
            (5, 21, 0xfc93_a039),
            (12, 6, 0x655b_59c3),
            (3, 10, 0x8f0c_cc92),
            (10, 15, 0xffef_f47d),
            (1, 21, 0x8584_5dd1),
            (8, 6, 0x6fa8_7e4f),
            (15, 10, 0xfe2c_e6e0),
            (6, 15, 0xa301_4314),
            (13, 21, 0x4e08_11a1),
            (4, 6, 0xf753_7e82),
            (11, 10, 0xbd3a_f235),
            (2, 15, 0x2ad7_d2bb),
            (9, 21, 0xeb86_d391),
        ]
    );
    for (word, change) in into.iter_mut().zip(state) {
        *word += change;
    }
}

#[inline]
fn choose_by_b(b: Lanes, c: Lanes, d: Lanes) -> Lanes {
    d ^ (b & (c ^ d))
}

#[inline]
fn choose_by_d(b: Lanes, c: Lanes, d: Lanes) -> Lanes {
    c ^ (d & (b ^ c))
}

#[inline]
fn parity(b: Lanes, c: Lanes, d: Lanes) -> Lanes {
    b ^ c ^ d
}

#[inline]
fn odd_one(b: Lanes, c: Lanes, d: Lanes) -> Lanes {
    c ^ (b | !d)
}

#[cfg(test)]
mod tests {
    use md5::{Digest, Md5};
    use proptest::prelude::*;

    use super::digests;

    proptest! {
        #[test]
        fn they_are_what_the_library_says(
            messages in prop::collection::vec((any::<u8>(), prop_oneof![0..300_usize, 50..70_usize, 1000..3000_usize]), 0..10),
        ) {
            let messages: Vec<Vec<u8>> = messages
                .into_iter()
                .map(|(seed, length)| (0..length).map(|at| seed ^ u8::try_from((at * 31 + at / 7) % 256).unwrap()).collect())
                .collect();
            let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
            let expected: Vec<[u8; 16]> = messages.iter().map(|message| Md5::digest(message).into()).collect();
            prop_assert_eq!(digests(&borrowed), expected);
        }
    }
}
