//! Packing records into an aggregate.

use std::collections::BTreeMap;

use md5::{Digest, Md5};

use crate::wire::{BYTES, VARINT, bytes_len, put_bytes, put_varint, tag, varint_len};
use crate::{DIGEST_BYTES, Entry, MAGIC};

/// The partition key of the Kinesis record that carries an aggregate, as the KPL sets it. Its explicit hash key decides
/// the shard.
pub const OUTER_KEY: &str = "a";

const PARTITION_KEYS: u64 = tag(1, BYTES);
const HASH_KEYS: u64 = tag(2, BYTES);
const RECORDS: u64 = tag(3, BYTES);
const KEY_INDEX: u64 = tag(1, VARINT);
const HASH_INDEX: u64 = tag(2, VARINT);
const DATA: u64 = tag(3, BYTES);
const TAGS: u64 = tag(4, BYTES);

/// Strings that records refer to by position; each one is stored once.
#[derive(Clone, Debug, Default)]
struct Table {
    positions: BTreeMap<Box<str>, u64>,
    encoded: Vec<u8>,
}

impl Table {
    /// The position of `text`, and the bytes that adding it costs.
    fn look_up(&self, text: &str) -> (u64, usize) {
        match self.positions.get(text) {
            Some(position) => (*position, 0),
            None => (self.positions.len() as u64, bytes_len(text.len())),
        }
    }

    fn add(&mut self, tag: u64, text: &str) -> u64 {
        let (position, cost) = self.look_up(text);
        if cost > 0 {
            self.positions.insert(text.into(), position);
            put_bytes(&mut self.encoded, tag, text.as_bytes());
        }
        position
    }
}

/// Collects records into one aggregate.
#[derive(Clone, Debug, Default)]
pub struct Packer {
    keys: Table,
    hashes: Table,
    records: Vec<u8>,
    count: usize,
}

impl Packer {
    /// How many records are in it.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the aggregate as it is now.
    pub fn len(&self) -> usize {
        MAGIC.len() + self.keys.encoded.len() + self.hashes.encoded.len() + self.records.len() + DIGEST_BYTES
    }

    /// Bytes of the aggregate once `entry` is added.
    pub fn len_with(&self, entry: Entry<'_>) -> usize {
        let (key, key_cost) = self.keys.look_up(entry.partition_key);
        let hash = entry.explicit_hash_key.map(|hash| self.hashes.look_up(hash));
        let record = record_len(key, hash.map(|(position, _)| position), entry);
        self.len() + key_cost + hash.map_or(0, |(_, cost)| cost) + bytes_len(record)
    }

    /// Adds a record.
    pub fn add(&mut self, entry: Entry<'_>) {
        let key = self.keys.add(PARTITION_KEYS, entry.partition_key);
        let hash = entry.explicit_hash_key.map(|hash| self.hashes.add(HASH_KEYS, hash));
        put_varint(&mut self.records, RECORDS);
        put_varint(&mut self.records, record_len(key, hash, entry) as u64);
        put_varint(&mut self.records, KEY_INDEX);
        put_varint(&mut self.records, key);
        if let Some(hash) = hash {
            put_varint(&mut self.records, HASH_INDEX);
            put_varint(&mut self.records, hash);
        }
        put_bytes(&mut self.records, DATA, entry.data);
        for tag in entry.tags.messages() {
            put_bytes(&mut self.records, TAGS, tag);
        }
        self.count += 1;
    }

    /// The aggregate. The packer is empty after.
    pub fn finish(&mut self) -> Vec<u8> {
        let Self { keys, hashes, records, .. } = std::mem::take(self);
        let mut blob = Vec::with_capacity(
            MAGIC.len() + keys.encoded.len() + hashes.encoded.len() + records.len() + DIGEST_BYTES,
        );
        blob.extend_from_slice(&MAGIC);
        blob.extend_from_slice(&keys.encoded);
        blob.extend_from_slice(&hashes.encoded);
        blob.extend_from_slice(&records);
        let digest = Md5::digest(blob.get(MAGIC.len()..).unwrap_or_default());
        blob.extend_from_slice(&digest);
        blob
    }
}

/// Bytes of a record's message.
fn record_len(key: u64, hash: Option<u64>, entry: Entry<'_>) -> usize {
    let tags: usize = entry.tags.messages().map(|tag| bytes_len(tag.len())).sum();
    1 + varint_len(key) + hash.map_or(0, |hash| 1 + varint_len(hash)) + bytes_len(entry.data.len()) + tags
}
