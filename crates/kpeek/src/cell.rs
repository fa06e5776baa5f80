//! Texts made to fit: one line, no control characters, never wider than their column.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::payload::Payload;

/// Bytes of a payload that are looked at: no terminal shows more in a line.
const SHOWN_BYTES: usize = 4096;

/// `text` in exactly `width` columns: cut with `…` or filled up with blanks.
pub(crate) fn fit(out: &mut Vec<u8>, text: &str, width: usize) {
    let used = cut(out, text, width);
    out.resize(out.len() + width - used, b' ');
}

/// `text` in at most `width` columns, cut with `…` when it is longer. Returns the columns that it took.
pub(crate) fn cut(out: &mut Vec<u8>, text: &str, width: usize) -> usize {
    let mut used = 0;
    // Where the text ends if it has to be cut, and how wide it is there.
    let mut place = (0, 0);
    for (end, cluster) in clusters(text) {
        used += cluster.width();
        if used < width {
            place = (end, used);
        }
        if used > width {
            let (end, used) = place;
            out.extend_from_slice(text.get(..end).unwrap_or_default().as_bytes());
            let mark = if width > 0 { "…" } else { "" };
            out.extend_from_slice(mark.as_bytes());
            return used + mark.width();
        }
    }
    out.extend_from_slice(text.as_bytes());
    used
}

/// How many columns `text` takes.
pub(crate) fn width(text: &str) -> usize {
    clusters(text).map(|(_, cluster)| cluster.width()).sum()
}

/// What a terminal draws as one character: a letter with its accents, an emoji with all that is joined to it. Each with
/// the place at which it ends.
fn clusters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let mut before = None;
        let length = rest.char_indices().find_map(|(place, character)| {
            let begins = before.is_some_and(|before| !is_joined(before, character));
            before = Some(character);
            begins.then_some(place)
        });
        let end = start + length.unwrap_or(rest.len());
        let cluster = text.get(start..end)?;
        start = end;
        Some((end, cluster))
    })
}

const ZERO_WIDTH_JOINER: char = '\u{200d}';

fn is_joined(before: char, character: char) -> bool {
    // Behind a control character nothing is drawn together with it.
    let draws = before.width().is_some();
    let is_skin_tone = ('\u{1f3fb}'..='\u{1f3ff}').contains(&character);
    draws && (before == ZERO_WIDTH_JOINER || is_skin_tone || character.width() == Some(0))
}

/// A payload as one line of text. Bytes are shown in hexadecimal, behind their number.
pub(crate) fn of_payload(payload: &[u8]) -> Cow<'_, str> {
    match Payload::of(payload) {
        Payload::Json(text) | Payload::Text(text) => of_text(start_of(text)),
        Payload::Bytes(bytes) => {
            let mut text = format!("<{} bytes> ", bytes.len());
            let digits = bytes.iter().take(SHOWN_BYTES).flat_map(|byte| [byte >> 4, byte & 15]);
            text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
            text.into()
        }
    }
}

/// Text as one line: a control character could move the cursor or change the terminal, and one that turns the direction
/// of writing could make a line say something else.
pub(crate) fn of_text(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| character.is_control() || turns(character)) {
        return text.into();
    }
    let mut visible = String::new();
    for character in text.trim_end_matches(['\n', '\r']).chars() {
        match character {
            '\n' => visible.push('⏎'),
            control if control.is_control() => visible.push('·'),
            turning if turns(turning) => visible.extend(turning.escape_unicode()),
            other => visible.push(other),
        }
    }
    visible.into()
}

/// Whether a character changes the direction of writing of others (Unicode Standard Annex 9).
fn turns(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn start_of(text: &str) -> &str {
    text.get(..text.floor_char_boundary(SHOWN_BYTES)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{fit, of_payload, of_text, width};

    fn fitted(text: &str, width: usize) -> String {
        let mut out = Vec::new();
        fit(&mut out, text, width);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_take_exactly_their_column() {
        assert_eq!(fitted("abc", 5), "abc  ");
        assert_eq!(fitted("abcdef", 5), "abcd…");
        assert_eq!(fitted("abcde", 5), "abcde");
        // A wide character that no longer fits leaves a blank.
        assert_eq!(fitted("日本語", 4), "日… ");
        assert_eq!(fitted("abc", 1), "…");
        assert_eq!(fitted("abc", 0), "");
        assert_eq!(fitted("日本", 4), "日本");
    }

    #[test]
    fn what_is_drawn_as_one_is_measured_and_cut_as_one() {
        let family = "👨\u{200d}👩\u{200d}👧";
        for (text, wanted) in
            [("☀\u{fe0f}", 2), (family, 2), ("👍\u{1f3fd}", 2), ("e\u{301}", 1), ("日本", 4)]
        {
            assert_eq!(width(text), wanted, "{text}");
            assert_eq!(fitted(text, wanted + 1), format!("{text} "));
        }
        assert_eq!(fitted(&format!("a{family}bc"), 4), format!("a{family}…"));
        assert_eq!(fitted(&format!("ab{family}c"), 4), "ab… ");
        assert_eq!(fitted("cafe\u{301}s", 5), "cafe\u{301}s");
        assert_eq!(fitted("cafe\u{301}s", 4), "caf…");
    }

    #[test]
    fn nothing_reaches_the_terminal_that_could_change_it() {
        assert_eq!(of_text("a\u{1b}[31mb\nc\n"), "a·[31mb⏎c");
        assert_eq!(of_text("a\u{202e}b\u{2069}"), "a\\u{202e}b\\u{2069}");
        assert_eq!(of_payload(b"\xff\x00\x01"), "<3 bytes> ff0001");
        assert_eq!(of_payload(br#"{"a":1}"#), r#"{"a":1}"#);
    }
}
