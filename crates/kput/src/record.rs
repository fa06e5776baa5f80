//! A record on its way: its payload, its key and where in the input it stood.
//!
//! Records that were read together share one piece of memory, a [`Slab`]. A record is a place in it, so it is cheap to
//! move and costs no allocation of its own.

mod slab;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use slab::{HASH_BYTES, Spot};

pub use slab::{Filling, NewKey, Slab, Walk};

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
        if !self.spot().is_hashed {
            return None;
        }
        self.bytes().first_chunk::<HASH_BYTES>().map(|bytes| HashKey(u128::from_be_bytes(*bytes)))
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
    use super::{Filling, HashKey, NewKey, Record};

    /// A record in a slab of its own.
    pub(crate) fn record(number: u64, data: &[u8], key: NewKey<'_>, hash: Option<HashKey>) -> Record {
        let mut slab = Filling::default();
        slab.add(number, number + 1, data, key, hash);
        slab.finish(()).records().next().unwrap()
    }

    /// A record with a key and a payload of so many bytes.
    pub(crate) fn keyed(number: u64, key: &str, payload: usize) -> Record {
        record(number, &vec![b'x'; payload], NewKey::Apart(key.as_bytes()), None)
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
        let keys = [
            (NewKey::Apart(b"key"), "key", 3),
            (NewKey::Inside { start: 1, length: 2 }, "AY", 2),
            (NewKey::Random(0xab), "00000000000000ab", 16),
            (NewKey::Absent, "", 0),
        ];
        for hash in [None, Some(HashKey(7))] {
            let mut slab = Filling::default();
            for ((key, ..), number) in keys.iter().zip(0..) {
                slab.add(number, 2 * number, b"PAYLOAD", *key, hash);
            }
            let mut walk = slab.finish(()).walk();
            for ((_, text, length), number) in keys.iter().zip(0..) {
                let record = walk.lend().unwrap();
                assert_eq!((record.number(), record.line(), record.hash()), (number, 2 * number, hash));
                assert_eq!((record.data(), record.size()), (&b"PAYLOAD"[..], 7 + length));
                assert_eq!(record.key_text().unwrap_or_default(), *text);
            }
            assert!(walk.lend().is_none());
        }
    }
}
