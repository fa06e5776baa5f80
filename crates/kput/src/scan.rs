//! Finds one field in a JSON record without building the record: everything before it is skipped, nothing after it is read.
//!
//! The scanner is exact about what it reads: escapes in names and values, nesting, and positions in arrays. It
//! does not judge what follows the field. Of two members with one name the first is taken.

mod glance;

use std::borrow::Cow;

use glance::quote_or_escape;

/// A dotted path (`device.id`) or a JSON pointer (`/device/id`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    text: String,
    steps: Vec<String>,
}

impl std::str::FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let steps: Vec<String> = match text.strip_prefix('/') {
            Some(pointer) => {
                pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
            }
            None => text.split('.').map(str::to_owned).collect(),
        };
        if text.is_empty() || (!text.starts_with('/') && steps.iter().any(String::is_empty)) {
            return Err(format!(
                "`{text}` is no path; write one like sensor_id, device.id or the JSON pointer /device/id"
            ));
        }
        Ok(Self { text: text.to_owned(), steps })
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// What stands where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'json> {
    /// A string, number, true or false, in UTF-8; strings without quotes and escapes, everything else as it is written.
    Text(Cow<'json, [u8]>),
    /// Nothing.
    Missing,
    /// `null`.
    Null,
    /// An object or an array: no text.
    Compound,
    /// The record is not JSON as far as it had to be read.
    Malformed,
}

/// Looks `path` up in `json`.
#[inline]
pub fn find<'json>(json: &'json [u8], path: &Path) -> Found<'json> {
    if let [name] = path.steps.as_slice()
        && let Some((start, end)) = glance::string(json, name.as_bytes())
        && let Some(text) = json.get(start..end).filter(|text| is_text(text))
    {
        return Found::Text(Cow::Borrowed(text));
    }
    look_closely(json, path)
}

fn look_closely<'json>(json: &'json [u8], path: &Path) -> Found<'json> {
    let mut scanner = Scanner { json, at: 0 };
    if !matches!(scanner.peek(), Ok(b'{' | b'[')) {
        // No fields here, and cheap to tell why.
        let valid = serde_json::from_slice::<serde::de::IgnoredAny>(json).is_ok();
        return if valid { Found::Missing } else { Found::Malformed };
    }
    for step in &path.steps {
        match scanner.descend(step) {
            Ok(true) => {}
            Ok(false) => return Found::Missing,
            Err(Bad) => return Found::Malformed,
        }
    }
    scanner.scalar().unwrap_or(Found::Malformed)
}

/// The text is not JSON.
struct Bad;

struct Scanner<'json> {
    json: &'json [u8],
    at: usize,
}

impl<'json> Scanner<'json> {
    fn rest(&self) -> &'json [u8] {
        self.json.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Result<u8, Bad> {
        while let Some(&byte) = self.json.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(Bad)
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Bad> {
        if self.peek()? == wanted {
            self.at += 1;
            Ok(())
        } else {
            Err(Bad)
        }
    }

    /// Steps into the member or element `step` of the value here; false when there is none.
    fn descend(&mut self, step: &str) -> Result<bool, Bad> {
        match self.peek()? {
            b'{' => self.member(step),
            b'[' => match step.parse() {
                Ok(index) => self.element(index),
                Err(_) => Ok(false),
            },
            _ => Ok(false),
        }
    }

    fn member(&mut self, name: &str) -> Result<bool, Bad> {
        self.at += 1;
        if self.peek()? == b'}' {
            return Ok(false);
        }
        loop {
            let (raw, escaped) = self.string()?;
            let same = if escaped { *unescape(raw)? == *name } else { raw == name.as_bytes() };
            self.expect(b':')?;
            if same {
                return Ok(true);
            }
            self.skip()?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => return Ok(false),
                _ => return Err(Bad),
            }
        }
    }

    fn element(&mut self, index: usize) -> Result<bool, Bad> {
        self.at += 1;
        if self.peek()? == b']' {
            return Ok(false);
        }
        for _ in 0..index {
            self.skip()?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => return Ok(false),
                _ => return Err(Bad),
            }
        }
        Ok(true)
    }

    /// The string here, without its quotes, and whether it holds escapes.
    fn string(&mut self) -> Result<(&'json [u8], bool), Bad> {
        self.expect(b'"')?;
        let rest = self.rest();
        let length = quote_or_escape(rest).ok_or(Bad)?;
        match rest.split_at_checked(length) {
            Some((raw, [b'"', ..])) => {
                self.at += length + 1;
                Ok((raw, false))
            }
            _ => self.string_with_escapes().map(|raw| (raw, true)),
        }
    }

    /// The string here, behind its first quote.
    #[cold]
    fn string_with_escapes(&mut self) -> Result<&'json [u8], Bad> {
        let start = self.at;
        loop {
            self.at += quote_or_escape(self.rest()).ok_or(Bad)?;
            if self.json.get(self.at) == Some(&b'"') {
                let raw = self.json.get(start..self.at).ok_or(Bad)?;
                self.at += 1;
                return Ok(raw);
            }
            self.at += 2;
        }
    }

    /// Passes the value here.
    fn skip(&mut self) -> Result<(), Bad> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' | b'[' => self.skip_compound(),
            _ => self.bare().map(|_| ()),
        }
    }

    fn skip_compound(&mut self) -> Result<(), Bad> {
        let mut depth = 0_usize;
        loop {
            match self.json.get(self.at).ok_or(Bad)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// A number or a literal.
    fn bare(&mut self) -> Result<&'json [u8], Bad> {
        let rest = self.rest();
        let length = rest.iter().position(|byte| !is_bare(*byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).filter(|bare| !bare.is_empty()).ok_or(Bad)
    }

    fn scalar(&mut self) -> Result<Found<'json>, Bad> {
        match self.peek()? {
            b'"' => {
                let (raw, escaped) = self.string()?;
                if escaped {
                    return Ok(Found::Text(Cow::Owned(unescape(raw)?.into_bytes())));
                }
                if is_text(raw) { Ok(Found::Text(Cow::Borrowed(raw))) } else { Err(Bad) }
            }
            b'{' | b'[' => Ok(Found::Compound),
            _ => {
                let bare = std::str::from_utf8(self.bare()?).map_err(|_| Bad)?;
                match bare {
                    "null" => Ok(Found::Null),
                    // The few bytes of a number or a literal are worth a real parser.
                    _ if serde_json::from_str::<serde_json::Value>(bare).is_ok() => {
                        Ok(Found::Text(Cow::Borrowed(bare.as_bytes())))
                    }
                    _ => Err(Bad),
                }
            }
        }
    }
}

/// Whether a number or a literal may hold this byte.
#[inline]
fn is_bare(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'z' | b'E' | b'+' | b'-' | b'.')
}

/// Whether this is text.
#[inline]
fn is_text(raw: &[u8]) -> bool {
    // Most is ASCII, which is quicker to see than UTF-8.
    raw.is_ascii() || std::str::from_utf8(raw).is_ok()
}

/// Decodes the inside of a JSON string that holds escapes. Rare, so serde_json does it.
fn unescape(raw: &[u8]) -> Result<String, Bad> {
    let mut quoted = Vec::with_capacity(raw.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(raw);
    quoted.push(b'"');
    serde_json::from_slice(&quoted).map_err(|_| Bad)
}

/// Whether `text` can stand in a JSON string as it is.
pub fn is_plain(text: &[u8]) -> bool {
    // Without an early way out, so that many bytes are looked at at once.
    !text.iter().fold(false, |any, byte| any | (*byte < 0x20 || matches!(byte, b'"' | b'\\')))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::{Found, Path, find, is_plain, look_closely, quote_or_escape};

    fn check(json: &str, path: &str, expected: &Found<'_>) {
        assert_eq!(&find(json.as_bytes(), &path.parse::<Path>().unwrap()), expected, "{path} in {json}");
    }

    fn text(text: &str) -> Found<'_> {
        Found::Text(Cow::Borrowed(text.as_bytes()))
    }

    #[test]
    fn finds_fields_by_dotted_path_and_by_pointer() {
        let json = r#" {"a": 1.50, "b": {"x": [10, {"y": "deep"}], "": "empty"}, "a.b": "dots", "t": true} "#;
        check(json, "a", &text("1.50"));
        check(json, "b.x.1.y", &text("deep"));
        check(json, "/b/x/0", &text("10"));
        check(json, "/b/", &text("empty"));
        check(json, "/a.b", &text("dots"));
        check(json, "t", &text("true"));
        check(json, "b", &Found::Compound);
        check(json, "b.x.2", &Found::Missing);
        check(json, "a.b", &Found::Missing);
        check(json, "zzz", &Found::Missing);
        check(r#"{"n":null}"#, "n", &Found::Null);
        check("[7,8]", "/1", &text("8"));
        check("\"text\"", "a", &Found::Missing);
    }

    #[test]
    fn is_exact_about_escapes() {
        check(r#"{"k\"ey":"no","key":"a\"b\u00e9\\"}"#, "key", &text("a\"bé\\"));
        check(r#"{"\u006bey":"yes"}"#, "key", &text("yes"));
        check(r#"{"skip":"}\\\"{","key":"v"}"#, "key", &text("v"));
        check(r#"{"skip":{"a":["}","]\""]},"key":"v"}"#, "key", &text("v"));
        check(r#"{"a/b":1,"m~n":2}"#, "/a~1b", &text("1"));
        check(r#"{"a/b":1,"m~n":2}"#, "/m~0n", &text("2"));
    }

    #[test]
    fn says_when_the_record_is_no_json() {
        for json in
            ["", "hello", r#"{"a":}"#, r#"{"a":"open"#, r#"{"b":1 "a":2}"#, r#"{"a":12x}"#, r#"{"a":"\q"}"#]
        {
            check(json, "a", &Found::Malformed);
        }
    }

    #[test]
    fn refuses_what_is_no_path() {
        for path in ["", ".", "a..b", "a."] {
            assert!(path.parse::<Path>().is_err_and(|said| said.contains("JSON pointer")), "{path}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            "\\PC{0,8}|[\"\\\\\n{}\\[\\],:]{0,6}".prop_map(Value::from),
            Just(Value::Null),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-d\"\\\\]{1,2}", inner), 0..4)
                    .prop_map(|members| { Value::Object(members.into_iter().collect()) }),
            ]
        })
    }

    proptest! {
        /// Every scalar of any document is found where serde_json finds it, however the document is spaced.
        #[test]
        fn agrees_with_serde_json(value in value(), pretty: bool) {
            let json = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
            let mut todo = vec![(String::new(), &value)];
            while let Some((pointer, here)) = todo.pop() {
                if !pointer.is_empty() {
                    let found = find(&json, &pointer.parse().unwrap());
                    let expected = match here {
                        Value::Null => Found::Null,
                        Value::String(text) => Found::Text(Cow::Borrowed(text.as_bytes())),
                        Value::Array(_) | Value::Object(_) => Found::Compound,
                        Value::Bool(_) | Value::Number(_) => Found::Text(Cow::Owned(here.to_string().into_bytes())),
                    };
                    prop_assert_eq!(found, expected, "{} in {}", pointer, value);
                }
                match here {
                    Value::Object(members) => for (name, inner) in members {
                        let name = name.replace('~', "~0").replace('/', "~1");
                        todo.push((format!("{pointer}/{name}"), inner));
                    },
                    Value::Array(elements) => for (index, inner) in elements.iter().enumerate() {
                        todo.push((format!("{pointer}/{index}"), inner));
                    },
                    _ => {}
                }
            }
        }

        /// Whatever the record is made of, a glance sees what a close look sees.
        #[test]
        fn a_glance_is_not_mistaken(
            pieces in prop::collection::vec(
                prop_oneof![
                    "\"[abé]{0,20}\"", Just("\"a\":".to_owned()), "\"[ab]\":\"[xé]{0,40}\",", "-?[0-9]{1,3}[.e]?[0-9]?",
                    Just("true".to_owned()), Just("\\".to_owned()), "[{}\\[\\],: \"]",
                ],
                0..12,
            ),
            opened: bool,
        ) {
            let json = if opened { format!("{{{}", pieces.concat()) } else { pieces.concat() };
            for path in ["a", "b", "aa"] {
                let path = path.parse().unwrap();
                prop_assert_eq!(find(json.as_bytes(), &path), look_closely(json.as_bytes(), &path), "{}", json);
            }
        }

        #[test]
        fn the_next_quote_or_backslash_is_found(text in "[a\"\\\\!#\\[\\]é]{0,60}|[a-zé]{0,60}[\"\\\\]?[a-z\"]{0,9}") {
            let expected = text.bytes().position(|byte| matches!(byte, b'"' | b'\\'));
            prop_assert_eq!(quote_or_escape(text.as_bytes()), expected);
            prop_assert_eq!(is_plain(text.as_bytes()), expected.is_none());
        }

        /// No input makes it panic or run for ever.
        #[test]
        fn survives_any_bytes(json: Vec<u8>) {
            let _found = find(&json, &"a.0".parse().unwrap());
        }
    }
}
