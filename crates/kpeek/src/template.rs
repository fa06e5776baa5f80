//! `--format`: one line an item, as the user lays it out.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::names::StreamName;

use crate::path::Path;
use crate::payload::Payload;
use crate::record::Item;
use crate::stamp::Stamp;

const FORMS: &str = "{stream} {shard_id} {sequence_number} {sub} {arrived_at} {partition_key} {payload} and {.FIELD} of a JSON payload";

/// A parsed template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
    stamp: Stamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Stream,
    ShardId,
    SequenceNumber,
    Sub,
    ArrivedAt,
    PartitionKey,
    Payload,
    Field(Path),
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => plain.push(unescape(characters.next())?),
                '{' => {
                    let Some((name, rest)) = characters.as_str().split_once('}') else {
                        let name = characters.as_str();
                        return Err(format!("`{{{name}` lacks its `}}`; write \\{{ for a brace"));
                    };
                    characters = rest.chars();
                    let piece = piece(name)?;
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(piece);
                }
                other => plain.push(other),
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces, stamp: Stamp::default() })
    }
}

fn piece(name: &str) -> Result<Piece, String> {
    Ok(match name {
        "stream" => Piece::Stream,
        "shard_id" => Piece::ShardId,
        "sequence_number" => Piece::SequenceNumber,
        "sub" => Piece::Sub,
        "arrived_at" => Piece::ArrivedAt,
        "partition_key" => Piece::PartitionKey,
        "payload" => Piece::Payload,
        field if field.starts_with(['.', '/']) => Piece::Field(field.parse()?),
        other => {
            return Err(format!(
                "there is no `{{{other}}}`; a template knows {FORMS}; write \\{{ for a brace"
            ));
        }
    })
}

fn unescape(character: Option<char>) -> Result<char, String> {
    match character {
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('r') => Ok('\r'),
        Some('0') => Ok('\0'),
        Some(same @ ('\\' | '{' | '}')) => Ok(same),
        Some(other) => Err(format!("`\\{other}` is no escape; write \\n, \\t, \\r, \\0, \\\\, \\{{ or \\}}")),
        None => Err("it ends in a single `\\`; write \\\\".to_owned()),
    }
}

/// What stands between two payloads: any text, with `\n`, `\t`, `\0` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delimiter(pub(crate) Vec<u8>);

impl Default for Delimiter {
    fn default() -> Self {
        Self(b"\n".to_vec())
    }
}

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut plain = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            plain.push(if character == '\\' { unescape(characters.next())? } else { character });
        }
        Ok(Self(plain.into_bytes()))
    }
}

impl Template {
    /// Appends one line.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, stream: &StreamName, item: &Item<'_>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Stream => out.extend_from_slice(stream.as_str().as_bytes()),
                Piece::ShardId => out.extend_from_slice(item.shard.as_str().as_bytes()),
                Piece::SequenceNumber => out.extend_from_slice(item.sequence_number.as_bytes()),
                Piece::Sub => out.extend_from_slice(item.sub.to_string().as_bytes()),
                Piece::ArrivedAt => {
                    if let Some(millis) = item.arrived_ms {
                        self.stamp.append(out, millis);
                    }
                }
                Piece::PartitionKey => {
                    out.extend_from_slice(item.partition_key.unwrap_or_default().as_bytes());
                }
                Piece::Payload => match Payload::of(item.payload) {
                    Payload::Json(text) | Payload::Text(text) => out.extend_from_slice(text.as_bytes()),
                    Payload::Bytes(bytes) => out.extend_from_slice(STANDARD.encode(bytes).as_bytes()),
                },
                Piece::Field(field) => {
                    let text = std::str::from_utf8(item.payload).unwrap_or_default();
                    out.extend_from_slice(field.show(text).unwrap_or_default().as_bytes());
                }
            }
        }
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::{Delimiter, Template};
    use crate::record::Item;
    use aggregate::Tags;

    fn line(template: &str, payload: &[u8]) -> String {
        let shard = "1".parse().unwrap();
        let item = Item {
            shard: &shard,
            sequence_number: "49",
            sub: 2,
            arrived_ms: Some(1_705_312_800_123),
            partition_key: Some("sensor_01"),
            explicit_hash_key: None,
            tags: Tags::default(),
            payload,
        };
        let mut out = Vec::new();
        template.parse::<Template>().unwrap().append(&mut out, &"s".parse().unwrap(), &item);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fills_in_what_is_known() {
        let payload = br#"{"temperature_celsius":-18.2,"where":{"room":"a b"}}"#;
        for (template, wanted) in [
            (
                "{arrived_at}\\t{partition_key}: {.temperature_celsius} °C",
                "2024-01-15T10:00:00.123Z\tsensor_01: -18.2 °C\n",
            ),
            ("{stream}/{shard_id}/{sequence_number}.{sub}", "s/shardId-000000000001/49.2\n"),
            ("\\{{/where/room}\\}{.missing}", "{a b}\n"),
            ("", "\n"),
        ] {
            assert_eq!(line(template, payload), wanted);
        }
        assert_eq!(line("{payload}", b"\xff"), "/w==\n");
    }

    #[test]
    fn says_what_a_template_knows() {
        for text in ["{key}", "{", "{}", "{partition_key", "a {.b", "\\x", "a\\"] {
            let said = text.parse::<Template>().unwrap_err();
            assert!(said.contains("write"), "{text}: {said}");
        }
    }

    #[test]
    fn delimiters_may_be_escaped() {
        let bytes = |text: &str| text.parse::<Delimiter>().unwrap().0;
        assert_eq!(bytes("\\0"), b"\0");
        assert_eq!(bytes(""), b"");
        assert_eq!(bytes(", \\n"), b", \n");
        assert!("\\x".parse::<Delimiter>().is_err());
    }
}
