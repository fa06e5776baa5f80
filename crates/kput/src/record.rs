//! A record on its way: its payload, its key and where in the input it stood.
//!
//! Key and payload are ranges of one shared piece of memory, so that a record costs no allocation of its own.

use std::borrow::Cow;

use bytes::Bytes;

/// Where a record's partition key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAt {
    /// UTF-8 text inside [`Record::bytes`].
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
#[derive(Clone, Debug)]
pub struct Record {
    /// Position in the whole input, from 0.
    pub number: u64,
    /// Line of its file (or position, for inputs without lines), from 1.
    pub line: u64,
    /// The memory that holds payload and key.
    pub bytes: Bytes,
    /// Where the payload starts in [`Record::bytes`]; it ends with them.
    pub data_start: u32,
    /// The partition key.
    pub key: KeyAt,
    /// `ExplicitHashKey`.
    pub hash: Option<HashKey>,
}

impl Record {
    /// The payload.
    pub fn data(&self) -> &[u8] {
        self.bytes.get(self.data_start as usize..).unwrap_or_default()
    }

    /// The key's text.
    pub fn key_text(&self) -> Option<Cow<'_, str>> {
        match self.key {
            KeyAt::Span { .. } => Some(String::from_utf8_lossy(self.key_bytes())),
            KeyAt::Random(number) => Some(Cow::Owned(random_key(number))),
            KeyAt::Absent => None,
        }
    }

    /// The key, where it is inside [`Record::bytes`].
    pub fn key_bytes(&self) -> &[u8] {
        match self.key {
            KeyAt::Span { start, length } => {
                self.bytes.get(start as usize..(start + length) as usize).unwrap_or_default()
            }
            KeyAt::Random(_) | KeyAt::Absent => &[],
        }
    }

    /// Bytes of the key's text.
    pub fn key_len(&self) -> usize {
        match self.key {
            KeyAt::Span { length, .. } => length as usize,
            KeyAt::Random(_) => RANDOM_KEY_BYTES,
            KeyAt::Absent => 0,
        }
    }

    /// What counts against the service's limits: payload plus key.
    pub fn size(&self) -> usize {
        self.data().len() + self.key_len()
    }
}

/// The text of a random key.
pub fn random_key(number: u64) -> String {
    format!("{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::HashKey;

    #[test]
    fn a_hash_key_is_a_plain_decimal_of_128_bits() {
        assert_eq!("0".parse(), Ok(HashKey(0)));
        assert_eq!("340282366920938463463374607431768211455".parse(), Ok(HashKey(u128::MAX)));
        for text in ["", "01", "-1", "+1", "0x1", "340282366920938463463374607431768211456"] {
            assert!(text.parse::<HashKey>().is_err_and(|said| said.contains("2^128-1")), "{text}");
        }
    }
}
