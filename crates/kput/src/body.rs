//! The body of a PutRecords request, written straight from the records.
//!
//! The SDK's own serialiser wants every payload and every key in a vector of its own. This one encodes from where the
//! records lie into one buffer; [`crate::put`] hands that to the SDK before it signs.

mod memory;

use aggregate::OUTER_KEY;
use base64_simd::STANDARD;
use bytes::Bytes;

use crate::plan::{Content, Item};
use crate::record::{HashKey, KeyAt, Record};
use crate::scan::is_plain;
use crate::target::Target;

pub use memory::Memory;

/// What an entry costs beside payload and key: the members' names, punctuation and what base64 pads.
const ENTRY_OVERHEAD: usize = 36;

/// What a hash key costs: its member's name, punctuation and the digits of 2^128-1.
const HASH_OVERHEAD: usize = 61;

/// The body that asks to put `items`.
pub fn write(target: &Target, items: &[Item], memory: &Memory) -> Bytes {
    // Memory that turns out too small would be copied as a whole; only keys with escapes make it so.
    let mut body = memory.take(items.iter().map(length).sum::<usize>() + 256);
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
    memory.lend(body)
}

/// Bytes of an entry, or a few more.
fn length(item: &Item) -> usize {
    let is_hashed = match &item.content {
        Content::Alone(record) => record.hash().is_some(),
        Content::Packed(_) => true,
    };
    item.size() * 4 / 3 + ENTRY_OVERHEAD + if is_hashed { HASH_OVERHEAD } else { 0 }
}

fn entry(body: &mut Vec<u8>, item: &Item) {
    body.extend_from_slice(b"{\"Data\":\"");
    match &item.content {
        Content::Alone(record) => {
            STANDARD.encode_append(record.data(), body);
            body.push(b'"');
            key(body, record);
            hash(body, record.hash());
        }
        Content::Packed(pack) => {
            STANDARD.encode_append(pack.blob(), body);
            body.push(b'"');
            member(body, b",\"PartitionKey\":", OUTER_KEY);
            hash(body, Some(HashKey(pack.hash())));
        }
    }
    body.push(b'}');
}

fn key(body: &mut Vec<u8>, record: &Record) {
    match record.key() {
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
}

fn hash(body: &mut Vec<u8>, hash: Option<HashKey>) {
    if let Some(hash) = hash {
        member(body, b",\"ExplicitHashKey\":", &hash.0.to_string());
    }
}

fn member(body: &mut Vec<u8>, name: &[u8], value: &str) {
    body.extend_from_slice(name);
    body.extend_from_slice(serde_json::Value::from(value).to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use aggregate::Packer;
    use bytes::Bytes;
    use serde_json::json;

    use super::{Memory, length};
    use crate::bill::Bill;
    use crate::plan::{Hashes, Item, Pack, Part};
    use crate::record::tests::record;
    use crate::record::{HashKey, NewKey};
    use crate::target::Target;

    fn write(target: &Target, items: &[Item]) -> Bytes {
        super::write(target, items, &Memory::default())
    }

    fn item(data: &[u8], key: NewKey<'_>, hash: Option<HashKey>) -> Item {
        Item::new(record(0, data, key, hash), Instant::now())
    }

    #[test]
    fn is_the_request_the_service_documents() {
        let items = [
            item(b"hello", NewKey::Inside { start: 1, length: 3 }, None),
            item(b"world", NewKey::Apart(b"a\"\\\n\xc3\xa9"), Some(HashKey(u128::MAX))),
            item(b"", NewKey::Random(0xab), None),
            item(b"\xff\x00", NewKey::Absent, None),
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
    fn a_pack_goes_by_the_hash_of_its_first_record() {
        let blob = Packer::default().finish_unsealed();
        let mut pack = Pack::new(blob, vec![Part { number: 0, line: 1 }], Hashes::of(7), Bill::default());
        Pack::seal([&mut pack]);
        let items = [Item::packed(pack, Instant::now())];
        let body: serde_json::Value = serde_json::from_slice(&write(&"s".parse().unwrap(), &items)).unwrap();
        assert_eq!(
            body["Records"],
            json!([{"Data": "84mawtQdjNmPALIE6YAJmOz4Qn4=", "PartitionKey": "a", "ExplicitHashKey": "7"}])
        );
    }

    #[test]
    fn is_not_longer_than_the_memory_taken_for_it() {
        let target = "s".parse().unwrap();
        let empty = write(&target, &[]).len();
        for data in 0..50 {
            for hash in [None, Some(HashKey(u128::MAX))] {
                let item = item(&vec![0; data], NewKey::Apart(b"key"), hash);
                let (guess, bytes) = (length(&item), write(&target, &[item]).len() - empty + 1);
                assert!((bytes..bytes + 12).contains(&guess), "{data} bytes: {bytes} for {guess}");
            }
        }
    }

    #[test]
    fn names_the_stream_as_the_user_did() {
        let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/x";
        let body = write(&arn.parse().unwrap(), &[]);
        assert_eq!(body, format!("{{\"StreamARN\":\"{arn}\",\"Records\":[]}}"));
    }
}
