//! Reads the records of an answer in the shape in which the service writes them, without a parser for all of JSON.
//!
//! Ten thousand records a page are most of a body, and each has the same few members. What is unusual in any of them, an
//! escape, white space, a member that is not known, is not for here: then all of the answer goes through serde_json.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::{Data, Entry, Text};

/// What stands before the first record.
const RECORDS: &[u8] = br#""Records":["#;

/// The records of `body`, and the body without them.
pub(super) fn records(body: &[u8]) -> Option<(Vec<Entry<'_>>, Vec<u8>)> {
    let start = memmem::find(body, RECORDS)? + RECORDS.len();
    let mut glance = Glance { body, at: start };
    let mut records = Vec::new();
    if glance.skip(b"]").is_none() {
        loop {
            records.push(glance.record()?);
            match glance.byte()? {
                b',' => {}
                b']' => break,
                _ => return None,
            }
        }
    }
    let rest = [body.get(..start)?, body.get(glance.at - 1..)?].concat();
    Some((records, rest))
}

struct Glance<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Glance<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.body.get(self.at).copied()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, text: &[u8]) -> Option<()> {
        self.body.get(self.at..)?.starts_with(text).then(|| self.at += text.len())
    }

    fn record(&mut self) -> Option<Entry<'a>> {
        let (mut sequence_number, mut arrived, mut data, mut partition_key) = (None, None, None, None);
        self.skip(b"{")?;
        loop {
            self.skip(b"\"")?;
            let name = self.until_quote()?;
            self.skip(b":")?;
            // A member that comes twice is unusual enough.
            match name {
                b"SequenceNumber" if sequence_number.is_none() => sequence_number = Some(self.word()?),
                b"ApproximateArrivalTimestamp" if arrived.is_none() => arrived = Some(self.number()?),
                b"Data" if data.is_none() => {
                    self.skip(b"\"")?;
                    // Whether it is base64 is seen when it is decoded; an escape is not.
                    data = Some(self.until_quote().filter(|data| memchr(b'\\', data).is_none())?);
                }
                b"PartitionKey" if partition_key.is_none() => partition_key = Some(self.word()?),
                b"EncryptionType" => drop(self.word()?),
                _ => return None,
            }
            match self.byte()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        Some(Entry {
            sequence_number: Cow::Borrowed(sequence_number?),
            approximate_arrival_timestamp: arrived,
            data: Data::Base64(Cow::Borrowed(data?)),
            partition_key: partition_key.map(|key| Text(Cow::Borrowed(key))),
        })
    }

    /// What stands before the next quote, which is passed.
    fn until_quote(&mut self) -> Option<&'a [u8]> {
        let rest = self.body.get(self.at..)?;
        let length = memchr(b'"', rest)?;
        self.at += length + 1;
        rest.get(..length)
    }

    /// A string of plain ASCII.
    fn word(&mut self) -> Option<&'a str> {
        self.skip(b"\"")?;
        let word = self.until_quote()?;
        let odd = |byte: &u8| !(0x20..0x7f).contains(byte) || *byte == b'\\';
        // Without an early way out, so that many bytes are looked at at once.
        if word.iter().fold(false, |any, byte| any | odd(byte)) {
            return None;
        }
        std::str::from_utf8(word).ok()
    }

    fn number(&mut self) -> Option<f64> {
        let rest = self.body.get(self.at..)?;
        let length = rest.iter().position(|byte| matches!(byte, b',' | b'}'))?;
        let text = rest.get(..length)?;
        // Only what both JSON and the standard library call a number.
        let plain = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'E' | b'e' | b'-' | b'+');
        if !text.first()?.is_ascii_digit() || !text.last()?.is_ascii_digit() || !text.iter().all(plain) {
            return None;
        }
        self.at += length;
        std::str::from_utf8(text).ok()?.parse().ok()
    }
}
