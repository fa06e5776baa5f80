//! Where a record's partition key and hash key come from.

use std::borrow::Cow;

use crate::limits::KEY_CHARACTERS;
use crate::record::HashKey;
use crate::scan::{Found, Path, find};

/// Where partition keys come from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The same for every record.
    Literal(String),
    /// A field of the record.
    Field(Path),
    /// Fields of the record with text between them.
    Template(Template),
    /// A new one for every record.
    Random,
    /// The envelope's own.
    Envelope,
    /// None: the stream distributes by itself.
    Absent,
}

/// Where hash keys come from.
#[derive(Clone, Debug)]
pub enum HashSource {
    /// The same for every record.
    Literal(HashKey),
    /// A field of the record.
    Field(Path),
}

/// What happens to a record whose key cannot be found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum OnMissingKey {
    /// Stop, with the line number
    #[default]
    Fail,
    /// Give it a random key
    Random,
    /// Leave it out
    Skip,
}

/// A key made of fields: `{sensor_id}/{location}`. `{{` and `}}` are braces.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Field(Path),
}

impl std::str::FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| {
            Err(format!("`{text}` is no key template: {what}; write one like {{sensor_id}}/{{location}}"))
        };
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '{' | '}' if characters.peek() == Some(&character) => {
                    characters.next();
                    plain.push(character);
                }
                '}' => return wrong("a `}` has no `{`"),
                '{' => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    let mut path = String::new();
                    loop {
                        match characters.next() {
                            Some('}') => break,
                            Some(inner) => path.push(inner),
                            None => return wrong("a `{` has no `}`"),
                        }
                    }
                    parts.push(Part::Field(path.parse()?));
                }
                other => plain.push(other),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        if parts.iter().any(|part| matches!(part, Part::Field(_))) {
            Ok(Self { parts })
        } else {
            wrong("it names no field")
        }
    }
}

/// A key that was found in a payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A range of the payload.
    Inside { start: usize, length: usize },
    /// Text of its own, in UTF-8.
    Apart(Vec<u8>),
}

/// Why a payload gives no key: a fragment such as ``has no field `id` ``.
pub(super) type Missing = String;

/// The key at `path` as a range of the payload, if it is there as it is; [`field`] says what else it is.
#[inline]
pub(super) fn inside(data: &[u8], path: &Path) -> Option<(usize, usize)> {
    match find(data, path) {
        Found::Text(Cow::Borrowed(text)) if check(text).is_ok() => Some((offset(data, text), text.len())),
        _ => None,
    }
}

/// The key at `path`.
pub(super) fn field(data: &[u8], path: &Path) -> Result<Key, Missing> {
    let text = text(data, path)?;
    check(&text)?;
    Ok(match text {
        Cow::Borrowed(text) => Key::Inside { start: offset(data, text), length: text.len() },
        Cow::Owned(text) => Key::Apart(text),
    })
}

/// Where `text`, a part of `data`, begins: the distance of their addresses.
fn offset(data: &[u8], text: &[u8]) -> usize {
    text.as_ptr().addr() - data.as_ptr().addr()
}

/// The key a template makes.
pub(super) fn templated(data: &[u8], template: &Template) -> Result<Key, Missing> {
    let mut key = Vec::new();
    for part in &template.parts {
        match part {
            Part::Text(text) => key.extend_from_slice(text.as_bytes()),
            Part::Field(path) => key.extend_from_slice(&text(data, path)?),
        }
    }
    check(&key)?;
    Ok(Key::Apart(key))
}

/// The hash key at `path`.
pub(super) fn hash(data: &[u8], path: &Path) -> Result<HashKey, Missing> {
    String::from_utf8_lossy(&text(data, path)?)
        .parse()
        .map_err(|reason| format!("has a bad field `{path}`: {reason}"))
}

fn text<'data>(data: &'data [u8], path: &Path) -> Result<Cow<'data, [u8]>, Missing> {
    match find(data, path) {
        Found::Text(text) => Ok(text),
        Found::Missing => Err(format!("has no field `{path}`")),
        Found::Null => Err(format!("has null in field `{path}`")),
        Found::Compound => Err(format!("has no text in field `{path}`, but an object or an array")),
        Found::Malformed => Err("is not JSON".to_owned()),
    }
}

/// Refuses text that the service would not take as a key.
#[inline]
pub(super) fn check(key: &[u8]) -> Result<(), Missing> {
    if key.is_empty() {
        return Err("has an empty key".to_owned());
    }
    // More bytes than characters: most keys need no counting.
    if key.len() > KEY_CHARACTERS {
        let characters = String::from_utf8_lossy(key).chars().count();
        if characters > KEY_CHARACTERS {
            return Err(format!("has a key of {characters} characters, allowed are {KEY_CHARACTERS}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Key, Template, check, field, templated};

    #[test]
    fn a_plain_field_is_not_copied() {
        let data = br#"{"sensor_id":"sensor_01"}"#;
        assert_eq!(field(data, &"sensor_id".parse().unwrap()), Ok(Key::Inside { start: 14, length: 9 }));
        let data = br#"{"id":"a\nb"}"#;
        assert_eq!(field(data, &"id".parse().unwrap()), Ok(Key::Apart(b"a\nb".to_vec())));
    }

    #[test]
    fn a_template_fills_its_fields() {
        let key =
            |template: &str| templated(br#"{"a":"x","b":{"c":7}}"#, &template.parse::<Template>().unwrap());
        assert_eq!(key("{a}/{b.c}"), Ok(Key::Apart(b"x/7".to_vec())));
        assert_eq!(key("{{{/b/c}}}"), Ok(Key::Apart(b"{7}".to_vec())));
        assert_eq!(key("{z}"), Err("has no field `z`".to_owned()));
        for template in ["plain", "{a", "a}", "{}"] {
            assert!(template.parse::<Template>().is_err(), "{template}");
        }
    }

    #[test]
    fn a_key_has_1_to_256_characters_not_bytes() {
        assert!(check(b"").is_err());
        assert!(check("é".repeat(256).as_bytes()).is_ok());
        assert!(check("é".repeat(257).as_bytes()).is_err());
    }
}
