//! The body of a PutRecords request, written straight from the records.
//!
//! The SDK's own serialiser wants every payload and every key in a vector of its own. This one encodes from where the
//! records lie into one buffer; [`crate::put`] hands that to the SDK before it signs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::plan::Item;
use crate::record::KeyAt;
use crate::scan::is_plain;
use crate::target::Target;

/// What an entry costs beside payload and key: the members' names and punctuation, and a hash key.
const ENTRY_OVERHEAD: usize = 48;

/// The body that asks to put `items`.
pub fn write(target: &Target, items: &[Item]) -> Vec<u8> {
    let payload: usize = items.iter().map(|item| item.record.size() * 4 / 3 + ENTRY_OVERHEAD).sum();
    let mut body = Vec::with_capacity(payload + 256);
    match &target.arn {
        Some(arn) => member(&mut body, b"{\"StreamARN\":", arn.as_str()),
        None => member(&mut body, b"{\"StreamName\":", target.name.as_str()),
    }
    body.extend_from_slice(b",\"Records\":[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        entry(&mut body, item);
    }
    body.extend_from_slice(b"]}");
    body
}

fn entry(body: &mut Vec<u8>, item: &Item) {
    let record = &item.record;
    body.extend_from_slice(b"{\"Data\":\"");
    base64(body, record.data());
    body.push(b'"');
    match record.key {
        KeyAt::Absent => {}
        KeyAt::Span { .. } if is_plain(record.key_bytes()) => {
            body.extend_from_slice(b",\"PartitionKey\":\"");
            body.extend_from_slice(record.key_bytes());
            body.push(b'"');
        }
        KeyAt::Span { .. } | KeyAt::Random(_) => {
            member(body, b",\"PartitionKey\":", &record.key_text().unwrap_or_default());
        }
    }
    if let Some(hash) = record.hash {
        member(body, b",\"ExplicitHashKey\":", &hash.0.to_string());
    }
    body.push(b'}');
}

fn member(body: &mut Vec<u8>, name: &[u8], value: &str) {
    body.extend_from_slice(name);
    body.extend_from_slice(serde_json::Value::from(value).to_string().as_bytes());
}

fn base64(body: &mut Vec<u8>, data: &[u8]) {
    let start = body.len();
    body.resize(start + data.len().div_ceil(3) * 4, 0);
    let room = body.get_mut(start..).unwrap_or_default();
    // The room is computed as RFC 4648 says, so it always suffices.
    let written = STANDARD.encode_slice(data, room).unwrap_or_default();
    body.truncate(start + written);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;
    use serde_json::json;

    use super::write;
    use crate::plan::Item;
    use crate::record::{HashKey, KeyAt, Record};

    fn item(bytes: &'static [u8], data_start: u32, key: KeyAt, hash: Option<HashKey>) -> Item {
        Item::new(
            Record { number: 0, line: 1, bytes: Bytes::from_static(bytes), data_start, key, hash },
            Instant::now(),
        )
    }

    #[test]
    fn is_the_request_the_service_documents() {
        let items = [
            item(b"hello", 0, KeyAt::Span { start: 1, length: 3 }, None),
            item(b"a\"\\\n\xc3\xa9world", 6, KeyAt::Span { start: 0, length: 6 }, Some(HashKey(u128::MAX))),
            item(b"", 0, KeyAt::Random(0xab), None),
            item(b"\xff\x00", 0, KeyAt::Absent, None),
        ];
        let body: serde_json::Value =
            serde_json::from_slice(&write(&"sensor-readings".parse().unwrap(), &items)).unwrap();
        assert_eq!(
            body,
            json!({"StreamName": "sensor-readings", "Records": [
                {"Data": "aGVsbG8=", "PartitionKey": "ell"},
                {"Data": "d29ybGQ=", "PartitionKey": "a\"\\\né", "ExplicitHashKey": "340282366920938463463374607431768211455"},
                {"Data": "", "PartitionKey": "00000000000000ab"},
                {"Data": "/wA="},
            ]})
        );
    }

    #[test]
    fn names_the_stream_as_the_user_did() {
        let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/x";
        let body = String::from_utf8(write(&arn.parse().unwrap(), &[])).unwrap();
        assert_eq!(body, format!("{{\"StreamARN\":\"{arn}\",\"Records\":[]}}"));
    }
}
