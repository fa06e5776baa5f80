//! kpeek's envelope: one JSON object a line that carries a record's key and payload.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::record::HashKey;

/// The members of an envelope that make a record; the others say where it came from.
#[derive(Deserialize)]
struct Wire<'line> {
    #[serde(borrow, default)]
    partition_key: Option<Cow<'line, str>>,
    #[serde(borrow, default)]
    explicit_hash_key: Option<Cow<'line, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    json: Option<&'line RawValue>,
    #[serde(borrow, default)]
    text: Option<Cow<'line, str>>,
    #[serde(borrow, default)]
    bytes: Option<Cow<'line, str>>,
}

/// A member that is there, even if it is `null`: the payload may be these four bytes.
fn present<'line, D: Deserializer<'line>>(from: D) -> Result<Option<&'line RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// What an envelope carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope<'line> {
    pub(super) key: Option<Cow<'line, str>>,
    pub(super) hash: Option<HashKey>,
    pub(super) data: Cow<'line, [u8]>,
}

/// Opens an envelope. The error is a fragment such as `is no envelope: …`.
pub(super) fn open(line: &[u8]) -> Result<Envelope<'_>, String> {
    let wire: Wire<'_> = serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
        format!("is no envelope: column {}: {reason}", error.column())
    })?;
    let data = match (wire.json, wire.text, wire.bytes) {
        (Some(json), None, None) => Cow::Borrowed(json.get().as_bytes()),
        (None, Some(Cow::Borrowed(text)), None) => Cow::Borrowed(text.as_bytes()),
        (None, Some(Cow::Owned(text)), None) => Cow::Owned(text.into_bytes()),
        (None, None, Some(bytes)) => Cow::Owned(
            STANDARD
                .decode(bytes.as_bytes())
                .map_err(|error| format!("has bytes that are no base64: {error}"))?,
        ),
        _ => return Err("is no envelope: it needs exactly one of `json`, `text` and `bytes`".to_owned()),
    };
    let hash = wire.explicit_hash_key.map(|hash| hash.parse()).transpose()?;
    Ok(Envelope { key: wire.partition_key, hash, data })
}

#[cfg(test)]
mod tests {
    use super::open;

    #[test]
    fn takes_the_payload_byte_for_byte() {
        let payload =
            |line: &str| String::from_utf8(open(line.as_bytes()).unwrap().data.into_owned()).unwrap();
        assert_eq!(
            payload(r#"{"shard_id":"s","partition_key":"k","json":{"b": 1.50,"a":[ ]}}"#),
            r#"{"b": 1.50,"a":[ ]}"#
        );
        assert_eq!(payload(r#"{"text":"a\tbé"}"#), "a\tbé");
        assert_eq!(payload(r#"{"bytes":"aGk="}"#), "hi");
        assert_eq!(payload(r#"{"text":""}"#), "");
        assert_eq!(payload(r#"{"json":null}"#), "null");
    }

    #[test]
    fn says_what_is_wrong() {
        let wrong = |line: &str| open(line.as_bytes()).unwrap_err();
        assert!(wrong("{}").contains("exactly one of"));
        assert!(wrong(r#"{"text":"a","bytes":"aGk="}"#).contains("exactly one of"));
        assert!(wrong(r#"{"bytes":"*"}"#).contains("base64"));
        assert!(wrong("hello").contains("is no envelope: column 1"), "{}", wrong("hello"));
    }
}
