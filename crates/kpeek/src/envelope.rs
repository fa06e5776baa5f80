//! The envelope: one JSON line a record, from which `kput --input envelope` puts exactly the same record again.
//!
//! Written by appending, not through a tree: a payload that is JSON already is copied byte for byte.

use aggregate::Tags;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::names::StreamName;

use crate::payload::Payload;
use crate::record::Item;
use crate::stamp::Stamp;

/// Writes envelopes of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    /// `{"stream":"…","shard_id":"`.
    head: String,
    stamp: Stamp,
}

impl Envelope {
    pub(crate) fn new(stream: &StreamName) -> Self {
        // The alphabets of stream names and shard ids hold nothing that JSON would escape.
        Self { head: format!(r#"{{"stream":"{stream}","shard_id":""#), stamp: Stamp::default() }
    }

    /// Appends one line.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, item: &Item<'_>) {
        out.extend_from_slice(self.head.as_bytes());
        out.extend_from_slice(item.shard.as_str().as_bytes());
        out.extend_from_slice(br#"","sequence_number":"#);
        string(out, item.sequence_number);
        out.extend_from_slice(br#","sub":"#);
        number(out, item.sub);
        out.extend_from_slice(br#","arrived_at":"#);
        match item.arrived_ms {
            Some(millis) => {
                out.push(b'"');
                self.stamp.append(out, millis);
                out.push(b'"');
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(br#","partition_key":"#);
        match item.partition_key {
            Some(key) => string(out, key),
            None => out.extend_from_slice(b"null"),
        }
        match Payload::of(item.payload) {
            Payload::Json(text) => {
                out.extend_from_slice(br#","json":"#);
                out.extend_from_slice(text.as_bytes());
            }
            Payload::Text(text) => {
                out.extend_from_slice(br#","text":"#);
                string(out, text);
            }
            Payload::Bytes(bytes) => {
                out.extend_from_slice(br#","bytes":""#);
                base64(out, bytes);
                out.push(b'"');
            }
        }
        if let Some(hash_key) = item.explicit_hash_key {
            out.extend_from_slice(br#","explicit_hash_key":"#);
            string(out, hash_key);
        }
        if !item.tags.is_empty() {
            tags(out, item.tags);
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Appends a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Writing a string into a Vec cannot fail.
    drop(serde_json::to_writer(out, text));
}

/// Appends the member that shows tags: a list, as a key may be there twice.
fn tags(out: &mut Vec<u8>, tags: Tags<'_>) {
    for (index, tag) in tags.iter().enumerate() {
        out.extend_from_slice(if index == 0 { br#","tags":[{"key":"# } else { br#",{"key":"# });
        string(out, tag.key);
        if let Some(value) = tag.value {
            out.extend_from_slice(br#","value":"#);
            string(out, value);
        }
        out.push(b'}');
    }
    out.push(b']');
}

/// Appends a decimal number; nearly always it is the 0 of a record that is not packed.
fn number(out: &mut Vec<u8>, number: u64) {
    match number {
        0 => out.push(b'0'),
        other => out.extend_from_slice(other.to_string().as_bytes()),
    }
}

/// Appends base64, encoded in place.
fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    let length = base64::encoded_len(bytes.len(), true).unwrap_or_default();
    out.resize(start + length, 0);
    if let Some(place) = out.get_mut(start..) {
        // The place is exactly as long as the text.
        drop(STANDARD.encode_slice(bytes, place));
    }
}

#[cfg(test)]
mod tests {
    use aggregate::Tags;
    use config::names::ShardId;

    use super::Envelope;
    use crate::record::Item;

    fn line(partition_key: Option<&str>, payload: &[u8]) -> String {
        let shard: ShardId = "1".parse().unwrap();
        let item = Item {
            shard: &shard,
            sequence_number: "49654",
            sub: 0,
            arrived_ms: Some(1_705_312_800_123),
            partition_key,
            explicit_hash_key: None,
            tags: Tags::default(),
            payload,
        };
        let mut out = Vec::new();
        Envelope::new(&"sensor-readings".parse().unwrap()).append(&mut out, &item);
        String::from_utf8(out).unwrap()
    }

    const HEAD: &str = r#"{"stream":"sensor-readings","shard_id":"shardId-000000000001","sequence_number":"49654","sub":0,"arrived_at":"2024-01-15T10:00:00.123Z","partition_key":"#;

    #[test]
    fn json_stands_in_it_byte_for_byte() {
        let payload = r#"{"sensor_id": "sensor_01","temperature_celsius":-18.20}"#;
        let wanted = format!("{HEAD}\"sensor_01\",\"json\":{payload}}}\n");
        assert_eq!(line(Some("sensor_01"), payload.as_bytes()), wanted);
    }

    #[test]
    fn text_is_escaped_and_bytes_are_base64() {
        assert_eq!(
            line(Some("k\"1"), "a\n\u{1}ä".as_bytes()),
            format!("{HEAD}\"k\\\"1\",\"text\":\"a\\n\\u0001ä\"}}\n")
        );
        assert_eq!(line(None, b"\xff\x00"), format!("{HEAD}null,\"bytes\":\"/wA=\"}}\n"));
        assert_eq!(line(Some("k"), b""), format!("{HEAD}\"k\",\"text\":\"\"}}\n"));
    }

    #[test]
    fn tags_come_last() {
        let encoded = b"\x22\x06\x0a\x01a\x12\x01\"\x22\x03\x0a\x01a";
        let mut item = Item {
            shard: &"1".parse().unwrap(),
            sequence_number: "49",
            sub: 3,
            arrived_ms: None,
            partition_key: Some("k"),
            explicit_hash_key: Some("7"),
            tags: Tags::decode(encoded).unwrap(),
            payload: b"{}",
        };
        let mut envelope = Envelope::new(&"s".parse().unwrap());
        let mut out = Vec::new();
        envelope.append(&mut out, &item);
        let line = String::from_utf8(std::mem::take(&mut out)).unwrap();
        let wanted = r#","json":{},"explicit_hash_key":"7","tags":[{"key":"a","value":"\""},{"key":"a"}]}"#;
        assert!(line.ends_with(&format!("{wanted}\n")), "{line}");
        item.tags = Tags::default();
        envelope.append(&mut out, &item);
        assert!(out.ends_with(b"\"7\"}\n"));
    }

    #[test]
    fn every_line_is_json() {
        for payload in [&b"\xf0\x9f"[..], b"{}", b"{", b"\"\\u12\"", b"[1,2\n]", "\u{2028}".as_bytes()] {
            let text = line(Some("k"), payload);
            serde_json::from_str::<serde_json::Value>(&text)
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(text.lines().count(), 1);
        }
    }
}
