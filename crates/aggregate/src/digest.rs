//! The checksums of several aggregates at once.
//!
//! MD5 (RFC 1321) is one long chain of dependent steps, so one message keeps a processor waiting most of the time; eight
//! messages side by side take hardly longer than one. An aggregate ends with the MD5 of its content, the largest single
//! part of what `kput --aggregate` computes, which is why this is here although a library has MD5: none has this. The end
//! of each message, and messages that have no company, go through the library.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x32, u32x8};
use md5::block_api::compress;

use crate::DIGEST_BYTES;

/// Messages that are worked on at once: what a 256-bit register holds.
const LANES: usize = 8;

/// So many messages are quicker side by side than one after the other, even if the other lanes work for nothing.
const WORTH_IT: usize = 2;

/// Bytes that MD5 takes in one step.
const BLOCK_BYTES: usize = 64;

type Block = [u8; BLOCK_BYTES];

/// Every MD5 begins with this.
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The MD5 of each message.
pub(crate) fn digests(messages: &[&[u8]]) -> Vec<[u8; DIGEST_BYTES]> {
    if cfg!(target_endian = "big") {
        // The lanes take words as they lie in memory.
        return messages.iter().map(|message| finish(START, message.as_chunks().0, message)).collect();
    }
    let mut digests = vec![[0; DIGEST_BYTES]; messages.len()];
    // The widest registers that this processor has.
    dispatch!(Level::new(), simd => side_by_side(simd, messages, &mut digests));
    digests
}

/// What a lane works on.
#[derive(Clone, Copy)]
struct Lane<'a> {
    message: &'a [u8],
    /// Its position among the messages.
    at: usize,
    /// Blocks of it that are still to be taken.
    blocks: &'a [Block],
}

/// Takes messages in as many lanes as there are; a lane that is done goes on with the next message.
#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn side_by_side<S: Simd>(simd: S, messages: &[&[u8]], digests: &mut [[u8; DIGEST_BYTES]]) {
    let mut waiting = messages.iter().enumerate().map(|(at, message)| Lane {
        message,
        at,
        blocks: message.as_chunks::<BLOCK_BYTES>().0,
    });
    let mut lanes: [Option<Lane<'_>>; LANES] = std::array::from_fn(|_| waiting.next());
    let mut state = START.map(|word| u32x8::splat(simd, word));
    while let Some(first) = lanes.iter().flatten().next()
        && lanes.iter().flatten().count() >= WORTH_IT
    {
        let common = lanes.iter().flatten().map(|lane| lane.blocks.len()).min().unwrap_or_default();
        // Lanes without a message follow the first one that has one.
        let first_blocks = first.blocks;
        let blocks = lanes.map(|lane| lane.map_or(first_blocks, |lane| lane.blocks));
        for at in 0..common {
            let mut now = [&first_blocks[at]; LANES];
            for (block, blocks) in now.iter_mut().zip(&blocks) {
                *block = &blocks[at];
            }
            step(simd, &mut state, now);
        }
        for (number, lane) in lanes.iter_mut().enumerate() {
            let Some(Lane { message, at, blocks }) = lane else { continue };
            *blocks = &blocks[common..];
            if blocks.is_empty() {
                digests[*at] = finish(state.map(|word| word[number]), blocks, message);
                *lane = waiting.next();
                state.iter_mut().zip(START).for_each(|(word, start)| word[number] = start);
            }
        }
    }
    // At most one is left in a lane, and none waits.
    for (number, lane) in lanes.iter().enumerate() {
        if let Some(Lane { message, at, blocks }) = lane {
            digests[*at] = finish(state.map(|word| word[number]), blocks, message);
        }
    }
}

/// Takes the last `blocks` of a message and what is behind them.
fn finish(mut state: [u32; 4], blocks: &[Block], message: &[u8]) -> [u8; DIGEST_BYTES] {
    compress(&mut state, blocks);
    // A one bit, zeros, and the length in bits as the last eight bytes of a block.
    let (_, tail) = message.as_chunks::<BLOCK_BYTES>();
    let mut padded = [0_u8; 2 * BLOCK_BYTES];
    padded.iter_mut().zip(tail.iter().chain(&[0x80])).for_each(|(to, from)| *to = *from);
    let end = if tail.len() + 9 > BLOCK_BYTES { 2 * BLOCK_BYTES } else { BLOCK_BYTES };
    let bits = (message.len() as u64).wrapping_mul(8).to_le_bytes();
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
            let sum = a + $mix(b, c, d) + $words[$word] + $constant;
            $state = [d, b + (sum << $bits | sum >> (32 - $bits)), b, c];
        )*
    };
}

/// Eight words of each block, the first word of all blocks first.
#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn transposed<S: Simd>(simd: S, half: usize, blocks: [&Block; LANES]) -> [u32x8<S>; LANES] {
    let mut rows = [u32x8::splat(simd, 0); LANES];
    for (row, block) in rows.iter_mut().zip(blocks) {
        *row = u32x8::from_bytes(u8x32::from_slice(simd, &block.as_chunks::<32>().0[half]));
    }
    // Three times the rows of the upper half between those of the lower one, as one shuffles cards.
    for _ in 0..3 {
        let (lower, upper) = rows.split_at(LANES / 2);
        let mut shuffled = rows;
        for (pair, (one, other)) in shuffled.as_chunks_mut().0.iter_mut().zip(lower.iter().zip(upper)) {
            *pair = one.interleave(*other).into();
        }
        rows = shuffled;
    }
    rows
}

/// Takes one block of each message.
#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn step<S: Simd>(simd: S, into: &mut [u32x8<S>; 4], blocks: [&Block; LANES]) {
    let words = [transposed(simd, 0, blocks), transposed(simd, 1, blocks)];
    let words = words.as_flattened();
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

#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn choose_by_b<S: Simd>(b: u32x8<S>, c: u32x8<S>, d: u32x8<S>) -> u32x8<S> {
    d ^ (b & (c ^ d))
}

#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn choose_by_d<S: Simd>(b: u32x8<S>, c: u32x8<S>, d: u32x8<S>) -> u32x8<S> {
    c ^ (d & (b ^ c))
}

#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn parity<S: Simd>(b: u32x8<S>, c: u32x8<S>, d: u32x8<S>) -> u32x8<S> {
    b ^ c ^ d
}

#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn odd_one<S: Simd>(b: u32x8<S>, c: u32x8<S>, d: u32x8<S>) -> u32x8<S> {
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
            messages in prop::collection::vec((any::<u8>(), prop_oneof![0..300_usize, 50..70_usize, 1000..3000_usize]), 0..30),
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
