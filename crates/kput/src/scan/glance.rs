//! The way to a member of an object as programs print it: no white space, no escapes, and nothing before the member but
//! strings and numbers. Whatever else it is, [`super::find`] knows.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x16};

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
fn quote<S: Simd>(simd: S, text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let Some(block) = text.get(at..)?.first_chunk::<16>() else { return quote_near_end(text, at) };
        let block = u8x16::from_slice(simd, block);
        let found = (block.simd_eq(b'"') | block.simd_eq(b'\\')).to_bitmask();
        if found != 0 {
            let at = at + found.trailing_zeros() as usize;
            return (text.get(at) == Some(&b'"')).then_some(at);
        }
        at += 16;
    }
}

fn quote_near_end(text: &[u8], at: usize) -> Option<usize> {
    let found = at + text.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (text.get(found) == Some(&b'"')).then_some(found)
}
