//! A field of a JSON payload: a dotted path such as `location.room.0`, or a JSON pointer such as `/location/room/0`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    text: String,
    steps: Vec<String>,
}

impl Path {
    /// The field's text in `json`, exactly as it stands there; none when the text is no JSON or has no such field.
    pub(crate) fn find<'json>(&self, json: &'json str) -> Option<&'json str> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let found = Seek { steps: &self.steps }.deserialize(&mut deserializer).ok()?;
        found.map(RawValue::get)
    }

    /// The field for people: a text without its quotes, anything else as it stands there.
    pub(crate) fn show<'json>(&self, json: &'json str) -> Option<Cow<'json, str>> {
        let raw = self.find(json)?;
        if raw.starts_with('"') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(raw.into()) }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let steps: Vec<String> = match text.strip_prefix('/') {
            // RFC 6901: `~1` is a slash, `~0` a tilde.
            Some(pointer) => {
                pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
            }
            None => text.strip_prefix('.').unwrap_or(text).split('.').map(str::to_owned).collect(),
        };
        if text.is_empty() || (!text.starts_with('/') && steps.iter().any(String::is_empty)) {
            return Err(format!(
                "`{text}` is no field; write one like temperature_celsius, location.room or /location/room"
            ));
        }
        Ok(Self { text: text.to_owned(), steps })
    }
}

/// Walks down without building what it passes by.
struct Seek<'path> {
    steps: &'path [String],
}

impl<'json> DeserializeSeed<'json> for Seek<'_> {
    type Value = Option<&'json RawValue>;

    fn deserialize<D: Deserializer<'json>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.steps {
            [] => serde::Deserialize::deserialize(deserializer).map(Some),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'json> Visitor<'json> for Seek<'_> {
    type Value = Option<&'json RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'json>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            // As in every JSON reader, the last of two fields with the same name wins.
            match self.steps.split_first() {
                Some((step, rest)) if *step == name => found = map.next_value_seed(Seek { steps: rest })?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'json>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let wanted = self.steps.first().and_then(|step| step.parse::<usize>().ok());
        let rest = self.steps.get(1..).unwrap_or_default();
        let mut found = None;
        let mut index = 0;
        loop {
            if Some(index) == wanted {
                match sequence.next_element_seed(Seek { steps: rest })? {
                    Some(element) => found = element,
                    None => return Ok(found),
                }
            } else if sequence.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    const JSON: &str = r#"{"a": 1.50, "b":{"c":[10,{"d":"x\ny"}],"":0}, "a":2e1, "x/y":true, "n":null}"#;

    #[test]
    fn finds_the_text_as_it_stands() {
        for (path, wanted) in [
            ("a", Some("2e1")),
            (".a", Some("2e1")),
            ("b.c.0", Some("10")),
            ("b.c.1.d", Some(r#""x\ny""#)),
            ("/b/c/1", Some(r#"{"d":"x\ny"}"#)),
            ("/x~1y", Some("true")),
            ("/b/", Some("0")),
            ("n", Some("null")),
            ("b.c.2", None),
            ("b.c.x", None),
            ("a.b", None),
            ("n.b", None),
            ("zz", None),
        ] {
            assert_eq!(path.parse::<Path>().unwrap().find(JSON), wanted, "{path}");
        }
    }

    #[test]
    fn shows_texts_without_quotes() {
        assert_eq!("b.c.1.d".parse::<Path>().unwrap().show(JSON).unwrap(), "x\ny");
        assert_eq!("a".parse::<Path>().unwrap().show(JSON).unwrap(), "2e1");
    }

    #[test]
    fn what_is_no_json_has_no_fields() {
        for text in ["", "hello", "{", "42", "[]", "\"a\""] {
            assert_eq!("a".parse::<Path>().unwrap().find(text), None, "{text}");
        }
    }

    #[test]
    fn nesting_without_end_is_no_danger() {
        let deep = "{\"a\":".repeat(200_000);
        assert_eq!("a".parse::<Path>().unwrap().find(&deep), None);
        assert_eq!("a.a.a".parse::<Path>().unwrap().find(&deep), None);
    }

    #[test]
    fn an_empty_step_is_refused() {
        for text in ["", "a..b", "a.", "."] {
            assert!(text.parse::<Path>().unwrap_err().contains("is no field"), "{text}");
        }
    }
}
