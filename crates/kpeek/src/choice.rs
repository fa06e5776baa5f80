//! Which items are shown: by partition key, by a pattern, by a condition on JSON fields.
//!
//! The condition is a jq filter, because people who read JSON in a terminal know jq; jaq is its maintained
//! implementation in Rust, without C and without a process a record.

use std::fmt;

use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, data, unwrap_valr};
use jaq_json::Val;
use md5::{Digest, Md5};
use regex::bytes::Regex;
use serde::de::IgnoredAny;

use crate::decode::Decode;
use crate::record::Item;

/// Values nested deeper than this meet no condition. People write a handful of levels, and jq's own tests a few hundred.
const DEPTH: usize = 512;

/// Functions that would end the process, or look and write beyond the record.
const OUTSIDE: [&str; 10] = [
    "halt",
    "halt_error",
    "env",
    "input",
    "inputs",
    "input_filename",
    "debug",
    "debug_empty",
    "stderr",
    "stderr_empty",
];

/// What an item must be like.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Its partition key.
    pub(crate) key: Option<String>,
    /// What its payload must match.
    pub(crate) pattern: Option<Regex>,
    /// What must hold for its JSON payload.
    pub(crate) condition: Option<Condition>,
    /// What is unpacked to choose, where it is shown as it is stored.
    pub(crate) decode: Decode,
    /// On how many payloads the condition failed.
    failed: u64,
    /// How it failed the first time.
    first_failure: Option<String>,
}

impl Choice {
    /// Takes everything unless told otherwise.
    pub(crate) fn new(key: Option<String>, pattern: Option<Regex>, condition: Option<Condition>) -> Self {
        Self { key, pattern, condition, decode: Decode::None, failed: 0, first_failure: None }
    }

    /// Whether the item is to be shown: what is packed into it too may be what is looked for.
    pub(crate) fn takes(&mut self, item: &Item<'_>) -> bool {
        if self.key.as_deref().is_some_and(|key| item.partition_key != Some(key)) {
            return false;
        }
        if self.pattern.is_none() && self.condition.is_none() {
            return true;
        }
        let mut takes = false;
        self.decode.items(item.payload, |payload| {
            takes = self.meets(payload);
            !takes
        });
        takes
    }

    fn meets(&mut self, payload: &[u8]) -> bool {
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(payload)) {
            return false;
        }
        match self.condition.as_ref().map_or(Ok(true), |condition| condition.holds(payload)) {
            Ok(holds) => holds,
            Err(error) => {
                self.failed += 1;
                self.first_failure.get_or_insert(error);
                false
            }
        }
    }

    /// On how many payloads the condition failed, and how the first time.
    pub(crate) fn failures(&self) -> Option<(u64, &str)> {
        self.first_failure.as_deref().map(|first| (self.failed, first))
    }
}

/// Where a partition key lies: Kinesis takes its MD5 as a big-endian number.
pub(crate) fn hash_of_key(key: &str) -> u128 {
    u128::from_be_bytes(Md5::digest(key.as_bytes()).into())
}

/// A jq filter whose first result decides: `false`, `null`, nothing and an error mean no.
#[derive(Clone)]
pub(crate) struct Condition {
    text: String,
    filter: std::sync::Arc<Filter<data::JustLut<Val>>>,
}

impl Condition {
    /// Reads a filter such as `.temperature_celsius > -10`.
    ///
    /// # Errors
    /// A sentence for the user that says where the text goes wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |place: &str, what: String| {
            let column = column_of(place, text);
            format!(
                "`{text}` is no jq filter: column {column}: {what}; write one like '.temperature_celsius > -10'"
            )
        };
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let defs = defs.filter(|def| !OUTSIDE.contains(&def.name));
        let arena = Arena::default();
        let modules = Loader::new(defs).load(&arena, File { code: text, path: () }).map_err(|errors| {
            let missing = |expected: &str, place: &str| wrong(place, format!("{expected} is missing"));
            let first = match errors.into_iter().next() {
                Some((_, load::Error::Lex(errors))) => {
                    errors.first().map(|(expected, place)| missing(expected.as_str(), place))
                }
                Some((_, load::Error::Parse(errors))) => {
                    errors.first().map(|(expected, place)| missing(expected.as_str(), place))
                }
                Some((_, load::Error::Io(_))) | None => None,
            };
            first.unwrap_or_else(|| wrong(text, "it includes another file".to_owned()))
        })?;
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let funs = funs.filter(|(name, _, _)| !OUTSIDE.contains(name));
        let filter = Compiler::default().with_funs(funs).compile(modules).map_err(|errors| {
            let first = errors.into_iter().next().and_then(|(_, undefined)| undefined.into_iter().next());
            first.map_or_else(
                || wrong(text, "it cannot be compiled".to_owned()),
                |(name, kind)| wrong(name, format!("there is no {} `{name}`", kind.as_str())),
            )
        })?;
        Ok(Self { text: text.to_owned(), filter: std::sync::Arc::new(filter) })
    }

    /// # Errors
    /// How the filter failed.
    fn holds(&self, payload: &[u8]) -> Result<bool, String> {
        // The filter's own reader takes more than JSON, and goes down into nested values until the stack ends.
        let is_safe = serde_json::from_slice::<IgnoredAny>(payload).is_ok() && depth(payload) <= DEPTH;
        if !is_safe {
            return Ok(false);
        }
        let Ok(value) = jaq_json::read::parse_single(payload) else { return Ok(false) };
        let context = Ctx::<data::JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        let first = self.filter.id.run((context, value)).map(unwrap_valr).next();
        match first {
            None => Ok(false),
            Some(Ok(value)) => Ok(!matches!(value, Val::Null | Val::Bool(false))),
            Some(Err(error)) => Err(error.to_string()),
        }
    }
}

/// How deep the values of a JSON text are nested.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut is_escaped) = (false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The column, from 1, at which `place`, a part of `text`, begins; behind the end when it is no part of it.
fn column_of(place: &str, text: &str) -> usize {
    let offset = place.as_ptr().addr().checked_sub(text.as_ptr().addr());
    let before = offset.and_then(|offset| text.get(..offset)).unwrap_or(text);
    before.chars().count() + 1
}

impl fmt::Debug for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Condition").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, depth, hash_of_key};

    #[test]
    fn a_condition_holds_or_not() {
        let reading = br#"{"sensor_id":"sensor_01","temperature_celsius":-18.2,"tags":["cold"]}"#;
        for (filter, wanted) in [
            (".temperature_celsius > -10", false),
            (".temperature_celsius < -10", true),
            (".temperature_celsius < -10 and .sensor_id == \"sensor_01\"", true),
            (".sensor_id | test(\"^sensor_0\")", true),
            (".tags | index(\"cold\")", true),
            (".missing", false),
            (".missing.deeper", false),
            ("empty", false),
            ("0", true),
            (".tags | any(. == \"warm\")", false),
        ] {
            assert_eq!(Condition::parse(filter).unwrap().holds(reading), Ok(wanted), "{filter}");
        }
        assert!(Condition::parse(".sensor_id.deeper").unwrap().holds(reading).is_err());
    }

    #[test]
    fn a_filter_reaches_nothing_but_the_record() {
        for filter in ["halt", "halt(3)", "halt_error", "env", "$ENV", "input", "inputs", "debug", "stderr"] {
            let said = Condition::parse(filter).unwrap_err();
            assert!(said.contains("there is no"), "{filter}: {said}");
        }
    }

    #[test]
    fn what_is_no_json_meets_no_condition() {
        let condition = Condition::parse("true").unwrap();
        assert_eq!(Ok(true), condition.holds(b"{}\n"));
        assert_eq!(Ok(false), condition.holds(b"hello"));
        assert_eq!(Ok(false), condition.holds(b"\xff"));
        assert_eq!(Ok(false), condition.holds(b""));
    }

    #[test]
    fn a_payload_that_is_nested_without_end_meets_no_condition() {
        let condition = Condition::parse("true").unwrap();
        for opening in ["[", "{\"a\":"] {
            let deep = opening.repeat(500_000);
            assert_eq!(Ok(false), condition.holds(deep.as_bytes()));
        }
        let closed = ["[".repeat(500_000), "]".repeat(500_000)].concat();
        assert_eq!(Ok(false), condition.holds(closed.as_bytes()));
        let fine = ["[".repeat(512), "]".repeat(512)].concat();
        assert_eq!(Ok(true), condition.holds(fine.as_bytes()));
    }

    #[test]
    fn brackets_in_texts_are_no_nesting() {
        assert_eq!(depth(br#"{"a[[[\"{{":["x]]"],"b":[]}"#), 2);
        assert_eq!(depth(b"42"), 0);
    }

    #[test]
    fn a_bad_filter_says_where() {
        for (filter, wanted) in [
            (".a >", "column 5"),
            ("(.a", "column"),
            (".a | nonsense", "`nonsense`"),
            ("$x", "`$x`"),
            ("\"open", "column"),
        ] {
            let said = Condition::parse(filter).unwrap_err();
            assert!(said.contains("is no jq filter") && said.contains(wanted), "{filter}: {said}");
        }
    }

    #[test]
    fn keys_lie_where_kinesis_puts_them() {
        // MD5 of the empty text is d41d8cd98f00b204e9800998ecf8427e.
        assert_eq!(hash_of_key(""), 0xd41d_8cd9_8f00_b204_e980_0998_ecf8_427e);
    }
}
