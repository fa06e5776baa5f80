//! The way to a member of an object as programs print it: no white space, no escapes, and nothing before the member but
//! strings and numbers. Whatever else it is, [`super::find`] knows.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x16};
use memchr::memchr2;

/// Blocks that are looked at before memchr is called: names and most values are short, and memchr takes a while to get
/// ready.
const BLOCKS: usize = 3;

/// Where the text of the string member `name` begins and ends. None: look closely.
#[inline]
pub(super) fn string(json: &[u8], name: &[u8]) -> Option<(usize, usize)> {
    // What every processor of this architecture has: to ask for more would cost more than a few names are worth.
    dispatch!(Level::baseline(), simd => string_with(simd, json, name))
}

#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn string_with<S: Simd>(simd: S, json: &[u8], name: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    let mut before = b'{';
    loop {
        let [punctuation, b'"', ..] = json.get(at..)? else { return None };
        if *punctuation != before {
            return None;
        }
        let named = at + 2;
        let end = quote(simd, json, named)?;
        let value = end + 2;
        let [b'"', b':', first, ..] = json.get(end..)? else { return None };
        // Names of one length mostly differ in the first byte already.
        let is_it = json.get(named) == name.first() && json.get(named..end)? == name;
        at = match first {
            b'"' => {
                let end = quote(simd, json, value + 1)?;
                if is_it {
                    return Some((value + 1, end));
                }
                end + 1
            }
            b'-' | b'0'..=b'9' if !is_it => {
                value + json.get(value..)?.iter().position(|byte| !super::is_bare(*byte))?
            }
            _ => return None,
        };
        before = b',';
    }
}

/// Where the next quote is, if there is no backslash before it.
#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn quote<S: Simd>(simd: S, text: &[u8], from: usize) -> Option<usize> {
    let found = from + quote_or_escape_with(simd, text.get(from..)?)?;
    (text.get(found) == Some(&b'"')).then_some(found)
}

/// Where the next quote or backslash is.
#[inline]
pub(super) fn quote_or_escape(text: &[u8]) -> Option<usize> {
    dispatch!(Level::baseline(), simd => quote_or_escape_with(simd, text))
}

#[expect(clippy::inline_always, reason = "what `dispatch` enables holds only for what is inlined there")]
#[inline(always)]
fn quote_or_escape_with<S: Simd>(simd: S, text: &[u8]) -> Option<usize> {
    let (mut seen, mut rest) = (0, text);
    for _ in 0..BLOCKS {
        let Some((block, behind)) = rest.split_first_chunk::<16>() else { break };
        let block = u8x16::from_slice(simd, block);
        let found = (block.simd_eq(b'"') | block.simd_eq(b'\\')).to_bitmask();
        if found != 0 {
            return Some(seen + found.trailing_zeros() as usize);
        }
        (seen, rest) = (seen + 16, behind);
    }
    memchr2(b'"', b'\\', rest).map(|offset| seen + offset)
}
