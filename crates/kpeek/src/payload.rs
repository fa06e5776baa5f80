//! What a payload is: JSON, text, or bytes.

use serde::de::IgnoredAny;

/// A payload in the most readable form that loses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    /// One JSON value that can stand in a line as it is.
    Json(&'a str),
    /// Text. JSON with line breaks or blanks around it is text too, or a reader could not get back what was put.
    Text(&'a str),
    /// Anything else.
    Bytes(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// Reads a payload.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) if is_bare_json(text) => Self::Json(text),
            Ok(text) => Self::Text(text),
            Err(_) => Self::Bytes(bytes),
        }
    }
}

/// Whether `text` is exactly one JSON value in one line.
fn is_bare_json(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Most text can be told by its first byte, and no parser has to run.
    let begins = matches!(bytes.first(), Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'));
    begins
        && bytes.last().is_some_and(|last| !last.is_ascii_whitespace())
        && !bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
        && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::Payload;

    #[test]
    fn json_is_kept_as_it_is() {
        for text in
            [r#"{"a": 1.50,"a":2}"#, "[]", "\"x\"", "-0", "12345678901234567890123", "true", "null", "{\t}"]
        {
            assert_eq!(Payload::of(text.as_bytes()), Payload::Json(text));
        }
    }

    #[test]
    fn what_a_reader_could_not_give_back_exactly_is_text() {
        for text in ["", " {}", "{}\n", "{\n}", "{}{}", "{", "nul", "NaN", "hello", "\u{feff}{}", "{} ", "01"]
        {
            assert_eq!(Payload::of(text.as_bytes()), Payload::Text(text));
        }
    }

    #[test]
    fn nesting_without_end_is_no_danger() {
        let deep = "[".repeat(1_000_000);
        assert_eq!(Payload::of(deep.as_bytes()), Payload::Text(&deep));
    }

    #[test]
    fn what_is_no_text_is_bytes() {
        assert_eq!(Payload::of(b"\xff\xfe"), Payload::Bytes(b"\xff\xfe"));
        assert_eq!(Payload::of(b"\"\xff\""), Payload::Bytes(b"\"\xff\""));
    }
}
