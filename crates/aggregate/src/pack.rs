//! Packing records into an aggregate.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::digest::digests;
use crate::wire::{BYTES, Head, VARINT, bytes_len, put_bytes, tag, varint_len};
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
    /// Positions, found by the text they stand for.
    positions: HashTable<u32>,
    /// Where the text at each position lies in `encoded`.
    texts: Vec<(u32, u32)>,
    encoded: Vec<u8>,
    hasher: DefaultHashBuilder,
}

/// Where a partition key stands in the aggregate that a [`Packer`] is at. It holds until that one is finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPlace(u32);

/// Where a text is, or will be, in a [`Table`].
#[derive(Clone, Copy, Debug)]
struct Place {
    position: u64,
    hash: u64,
    /// Bytes that it costs to add the text; 0 when it is there.
    cost: usize,
}

impl Table {
    fn look_up(&self, text: &str) -> Place {
        let hash = self.hasher.hash_one(text.as_bytes());
        match self.positions.find(hash, |position| self.text(*position) == text.as_bytes()) {
            Some(position) => Place { position: u64::from(*position), hash, cost: 0 },
            None => Place { position: self.texts.len() as u64, hash, cost: bytes_len(text.len()) },
        }
    }

    fn text(&self, position: u32) -> &[u8] {
        let (start, end) = self.texts.get(position as usize).copied().unwrap_or_default();
        self.encoded.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Adds `text` at the place that [`Table::look_up`] has found for it.
    #[expect(clippy::cast_possible_truncation, reason = "an aggregate is smaller than 4 GiB")]
    fn add(&mut self, tag: u64, text: &str, place: Place) {
        if place.cost == 0 {
            return;
        }
        put_bytes(&mut self.encoded, tag, text.as_bytes());
        let end = self.encoded.len();
        self.texts.push(((end - text.len()) as u32, end as u32));
        let Self { positions, texts, encoded, hasher } = self;
        positions.insert_unique(place.hash, place.position as u32, |position| {
            let (start, end) = texts.get(*position as usize).copied().unwrap_or_default();
            hasher.hash_one(encoded.get(start as usize..end as usize).unwrap_or_default())
        });
    }

    fn clear(&mut self) {
        self.positions.clear();
        self.texts.clear();
        self.encoded.clear();
    }
}

/// Where a record's keys are, and how long its message is.
#[derive(Clone, Copy, Debug)]
struct Placed {
    key: Place,
    hash: Option<Place>,
    record: usize,
}

impl Placed {
    /// Bytes that the record adds to the aggregate.
    fn cost(&self) -> usize {
        self.key.cost + self.hash.map_or(0, |hash| hash.cost) + bytes_len(self.record)
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
        self.len() + self.place(entry).cost()
    }

    /// Adds a record.
    pub fn add(&mut self, entry: Entry<'_>) {
        let placed = self.place(entry);
        self.put(entry, placed);
    }

    /// Adds a record if the aggregate then has at most `max_bytes`, and says where its partition key stands in it. None
    /// when there is no room.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "an aggregate is smaller than 4 GiB")]
    pub fn add_within(&mut self, entry: Entry<'_>, max_bytes: usize) -> Option<KeyPlace> {
        let placed = self.place(entry);
        let fits = self.len() + placed.cost() <= max_bytes;
        fits.then(|| {
            self.put(entry, placed);
            KeyPlace(placed.key.position as u32)
        })
    }

    /// Adds a record whose partition key is in the aggregate already, without looking it up, if the aggregate then has
    /// at most `max_bytes`; says whether it did. The record has neither a hash key nor tags.
    #[must_use]
    pub fn add_again_within(&mut self, key: KeyPlace, data: &[u8], max_bytes: usize) -> bool {
        let KeyPlace(position) = key;
        debug_assert!((position as usize) < self.keys.texts.len(), "a place in another aggregate");
        let entry = Entry { data, ..Entry::default() };
        let record = record_len(u64::from(position), None, entry);
        let fits = self.len() + bytes_len(record) <= max_bytes;
        if fits {
            self.put_record(record, u64::from(position), None, entry);
        }
        fits
    }

    fn place(&self, entry: Entry<'_>) -> Placed {
        let key = self.keys.look_up(entry.partition_key);
        let hash = entry.explicit_hash_key.map(|hash| self.hashes.look_up(hash));
        let record = record_len(key.position, hash.map(|hash| hash.position), entry);
        Placed { key, hash, record }
    }

    fn put(&mut self, entry: Entry<'_>, Placed { key, hash, record }: Placed) {
        self.keys.add(PARTITION_KEYS, entry.partition_key, key);
        if let Some((place, text)) = hash.zip(entry.explicit_hash_key) {
            self.hashes.add(HASH_KEYS, text, place);
        }
        self.put_record(record, key.position, hash.map(|hash| hash.position), entry);
    }

    /// Appends a record's message, which has `length` bytes, its keys by their positions.
    fn put_record(&mut self, length: usize, key: u64, hash: Option<u64>, entry: Entry<'_>) {
        let mut head = Head::default();
        head.put(RECORDS);
        head.put(length as u64);
        head.put(KEY_INDEX);
        head.put(key);
        if let Some(hash) = hash {
            head.put(HASH_INDEX);
            head.put(hash);
        }
        head.put(DATA);
        head.put(entry.data.len() as u64);
        head.append_to(&mut self.records);
        self.records.extend_from_slice(entry.data);
        for tag in entry.tags.messages() {
            put_bytes(&mut self.records, TAGS, tag);
        }
        self.count += 1;
    }

    /// The aggregate. The packer is empty after, and keeps its memory for the next one.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut blob = self.finish_unsealed();
        seal(&mut [&mut blob]);
        blob
    }

    /// The aggregate without its checksum, which [`seal`] puts in for several at once, in less time.
    pub fn finish_unsealed(&mut self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.len());
        blob.extend_from_slice(&MAGIC);
        blob.extend_from_slice(&self.keys.encoded);
        blob.extend_from_slice(&self.hashes.encoded);
        blob.extend_from_slice(&self.records);
        blob.extend_from_slice(&[0; DIGEST_BYTES]);
        self.keys.clear();
        self.hashes.clear();
        self.records.clear();
        self.count = 0;
        blob
    }
}

/// Puts the checksums into aggregates of [`Packer::finish_unsealed`].
pub fn seal(blobs: &mut [&mut Vec<u8>]) {
    let message = |blob: &Vec<u8>| MAGIC.len()..blob.len().saturating_sub(DIGEST_BYTES);
    let messages: Vec<&[u8]> = blobs.iter().map(|blob| blob.get(message(blob)).unwrap_or_default()).collect();
    let digests = digests(&messages);
    for (blob, digest) in blobs.iter_mut().zip(digests) {
        let end = message(blob).end;
        blob.truncate(end);
        blob.extend_from_slice(&digest);
    }
}

/// Bytes of a record's message.
fn record_len(key: u64, hash: Option<u64>, entry: Entry<'_>) -> usize {
    let tags: usize = entry.tags.messages().map(|tag| bytes_len(tag.len())).sum();
    1 + varint_len(key) + hash.map_or(0, |hash| 1 + varint_len(hash)) + bytes_len(entry.data.len()) + tags
}
