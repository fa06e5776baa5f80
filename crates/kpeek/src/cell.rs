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
    let whole = text.width() <= width;
    let room = if whole { width } else { width.saturating_sub(1) };
    let mut used = 0;
    let mut buffer = [0; 4];
    for character in text.chars() {
        let columns = character.width().unwrap_or_default();
        if used + columns > room {
            break;
        }
        used += columns;
        out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
    }
    if !whole && width > 0 {
        out.extend_from_slice("…".as_bytes());
        used += 1;
    }
    used
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

/// Text as one line: a control character could move the cursor or change the terminal.
pub(crate) fn of_text(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return text.into();
    }
    let visible = |character: char| match character {
        '\n' => '⏎',
        control if control.is_control() => '·',
        other => other,
    };
    text.trim_end_matches(['\n', '\r']).chars().map(visible).collect()
}

fn start_of(text: &str) -> &str {
    text.get(..text.floor_char_boundary(SHOWN_BYTES)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{fit, of_payload, of_text};

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
    }

    #[test]
    fn nothing_reaches_the_terminal_that_could_change_it() {
        assert_eq!(of_text("a\u{1b}[31mb\nc\n"), "a·[31mb⏎c");
        assert_eq!(of_payload(b"\xff\x00\x01"), "<3 bytes> ff0001");
        assert_eq!(of_payload(br#"{"a":1}"#), r#"{"a":1}"#);
    }
}
