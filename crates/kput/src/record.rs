//! A record on its way: its payload, its key and where in the input it stood.
//!
//! Records that were read together share one piece of memory, a [`Slab`]. A record is a place in it, so it is cheap to
//! move and costs no allocation of its own.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Where a record's partition key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAt {
    /// UTF-8 text among the record's bytes.
    Span {
        /// First byte.
        start: u32,
        /// Length in bytes.
        length: u32,
    },
    /// Sixteen hexadecimal digits of a random number, written when the request is.
    Random(u64),
    /// No key: the stream distributes records by itself (`RecordDistributionStrategy` `AUTO`).
    Absent,
}

/// Bytes of a random key's text.
const RANDOM_KEY_BYTES: usize = 16;

/// A value that decides the shard directly (`ExplicitHashKey`): 0 to 2^128-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HashKey(pub u128);

impl std::str::FromStr for HashKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("`{text}` is no hash key; write a decimal number from 0 to 2^128-1");
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if plain { text.parse().map(Self).map_err(|_| wanted()) } else { Err(wanted()) }
    }
}

/// One record inside a slab.
#[derive(Clone, Debug)]
pub struct Spot {
    /// Position in the whole input, from 0.
    pub number: u64,
    /// Line of its file (or position, for inputs without lines), from 1.
    pub line: u64,
    /// Where the record's bytes begin in the slab: its key, unless that is in the payload, and its payload.
    pub start: u32,
    /// Where they end.
    pub end: u32,
    /// Where the payload begins, counted from `start`; it ends where the record does.
    pub data_start: u32,
    /// The partition key, counted from `start`.
    pub key: KeyAt,
    /// `ExplicitHashKey`.
    pub hash: Option<HashKey>,
}

/// Memory for many records. The last record that shares it frees it.
pub struct Slab {
    bytes: Vec<u8>,
    spots: Vec<Spot>,
    /// Given back when the slab is freed.
    _lease: Box<dyn Send + Sync>,
}

impl Slab {
    /// A slab of `bytes` with the records at `spots`. `lease` lives as long as the slab does.
    pub fn new(bytes: Vec<u8>, spots: Vec<Spot>, lease: impl Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { bytes, spots, _lease: Box::new(lease) })
    }

    /// Its records, in order.
    pub fn records(self: &Arc<Self>) -> impl Iterator<Item = Record> {
        (0..self.spots.len()).map(|at| Record { slab: Arc::clone(self), at })
    }

    /// Its records, in order, one at a time.
    pub fn walk(self: Arc<Self>) -> Walk {
        Walk { next: 0, record: Record { slab: self, at: 0 } }
    }
}

/// A way through the records of a slab. It lends them, so that only a record that is kept costs a share of the slab.
#[derive(Debug)]
pub struct Walk {
    /// The record that was lent last.
    record: Record,
    next: usize,
}

impl Walk {
    /// The next record.
    pub fn next(&mut self) -> Option<&Record> {
        if self.next >= self.record.slab.spots.len() {
            return None;
        }
        self.record.at = self.next;
        self.next += 1;
        Some(&self.record)
    }
}

/// One record of the input.
#[derive(Clone)]
pub struct Record {
    slab: Arc<Slab>,
    at: usize,
}

impl Record {
    fn spot(&self) -> &Spot {
        // Only a slab makes records, one for each of its spots.
        &self.slab.spots[self.at]
    }

    /// Key and payload as they lie in memory.
    fn bytes(&self) -> &[u8] {
        let Spot { start, end, .. } = self.spot();
        self.slab.bytes.get(*start as usize..*end as usize).unwrap_or_default()
    }

    /// Position in the whole input, from 0.
    pub fn number(&self) -> u64 {
        self.spot().number
    }

    /// Line of its file (or position, for inputs without lines), from 1.
    pub fn line(&self) -> u64 {
        self.spot().line
    }

    /// `ExplicitHashKey`.
    pub fn hash(&self) -> Option<HashKey> {
        self.spot().hash
    }

    /// Where its partition key is.
    pub fn key(&self) -> KeyAt {
        self.spot().key
    }

    /// The payload.
    pub fn data(&self) -> &[u8] {
        self.bytes().get(self.spot().data_start as usize..).unwrap_or_default()
    }

    /// The key's text.
    pub fn key_text(&self) -> Option<Cow<'_, str>> {
        match self.key() {
            // It was text when it was found.
            KeyAt::Span { .. } => Some(Cow::Borrowed(str::from_utf8(self.key_bytes()).unwrap_or_default())),
            KeyAt::Random(number) => Some(Cow::Owned(random_key(number))),
            KeyAt::Absent => None,
        }
    }

    /// The key, where it is among the record's bytes.
    pub fn key_bytes(&self) -> &[u8] {
        match self.key() {
            KeyAt::Span { start, length } => {
                self.bytes().get(start as usize..(start + length) as usize).unwrap_or_default()
            }
            KeyAt::Random(_) | KeyAt::Absent => &[],
        }
    }

    /// What counts against the service's limits: payload plus key.
    pub fn size(&self) -> usize {
        let Spot { start, end, data_start, key, .. } = self.spot();
        let key = match key {
            KeyAt::Span { length, .. } => *length as usize,
            KeyAt::Random(_) => RANDOM_KEY_BYTES,
            KeyAt::Absent => 0,
        };
        (end - start - data_start) as usize + key
    }
}

/// Payloads are nobody's business, and may be long.
impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spot().fmt(formatter)
    }
}

/// The text of a random key.
pub fn random_key(number: u64) -> String {
    format!("{number:016x}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{HashKey, KeyAt, Record, Slab, Spot};

    /// A record in a slab of its own: `bytes` hold the key, unless it is in the payload, and the payload.
    pub(crate) fn record(
        number: u64,
        bytes: &[u8],
        data_start: u32,
        key: KeyAt,
        hash: Option<HashKey>,
    ) -> Record {
        let end = u32::try_from(bytes.len()).unwrap();
        let spot = Spot { number, line: number + 1, start: 0, end, data_start, key, hash };
        Slab::new(bytes.to_vec(), vec![spot], ()).records().next().unwrap()
    }

    /// A record with a key and a payload of so many bytes.
    pub(crate) fn keyed(number: u64, key: &str, payload: usize) -> Record {
        let mut bytes = key.as_bytes().to_vec();
        bytes.resize(key.len() + payload, b'x');
        let length = u32::try_from(key.len()).unwrap();
        record(number, &bytes, length, KeyAt::Span { start: 0, length }, None)
    }

    #[test]
    fn a_hash_key_is_a_plain_decimal_of_128_bits() {
        assert_eq!("0".parse(), Ok(HashKey(0)));
        assert_eq!("340282366920938463463374607431768211455".parse(), Ok(HashKey(u128::MAX)));
        for text in ["", "01", "-1", "+1", "0x1", "340282366920938463463374607431768211456"] {
            assert!(text.parse::<HashKey>().is_err_and(|said| said.contains("2^128-1")), "{text}");
        }
    }

    #[test]
    fn a_record_is_its_place_in_the_slab() {
        let bytes = b"..keyPAYLOAD..".to_vec();
        let key = KeyAt::Span { start: 0, length: 3 };
        let spot = Spot { number: 7, line: 8, start: 2, end: 12, data_start: 3, key, hash: None };
        let inside = Spot { number: 9, start: 5, data_start: 0, key: KeyAt::Random(1), ..spot.clone() };
        let records: Vec<Record> = Slab::new(bytes, vec![spot, inside], ()).records().collect();
        assert_eq!(
            (records[0].data(), records[0].key_bytes(), records[0].size()),
            (&b"PAYLOAD"[..], &b"key"[..], 10)
        );
        assert_eq!((records[1].data(), records[1].number(), records[1].size()), (&b"PAYLOAD"[..], 9, 7 + 16));
    }
}
