//! The part of the protobuf encoding that the format needs.

/// Wire type of a varint.
pub(crate) const VARINT: u64 = 0;
/// Wire type of eight fixed bytes.
pub(crate) const FIXED64: u64 = 1;
/// Wire type of bytes behind their length.
pub(crate) const BYTES: u64 = 2;
/// Wire type of four fixed bytes.
pub(crate) const FIXED32: u64 = 5;

/// A field's number and wire type in one number.
pub(crate) const fn tag(field: u64, wire: u64) -> u64 {
    field << 3 | wire
}

/// Bytes that `number` takes as a varint: seven bits a byte.
pub(crate) fn varint_len(number: u64) -> usize {
    let bits = 64 - (number | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

/// Bytes of a field of `length` bytes whose tag takes one byte: tag, length, content.
pub(crate) fn bytes_len(length: usize) -> usize {
    1 + varint_len(length as u64) + length
}

/// What stands before a record's payload: some tags and numbers, collected apart and appended at once.
#[derive(Default)]
pub(crate) struct Head {
    bytes: [u8; Self::BYTES],
    length: usize,
}

impl Head {
    /// Four numbers of a record (two lengths and two positions, each below 2^32) and four tags of one byte.
    const BYTES: usize = 4 * 5 + 4;

    pub(crate) fn put(&mut self, mut number: u64) {
        while number >= 0x80 {
            #[expect(clippy::cast_possible_truncation, reason = "the low seven bits are meant")]
            self.push(number as u8 | 0x80);
            number >>= 7;
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
        self.push(number as u8);
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// Appends what was collected.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.length;
        // A copy of a length that is known when this is compiled costs a fraction of one that is not.
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, tag: u64, bytes: &[u8]) {
    let mut head = Head::default();
    head.put(tag);
    head.put(bytes.len() as u64);
    head.append_to(out);
    out.extend_from_slice(bytes);
}

/// The message ended in the middle of a field, or a length or number is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Torn;

/// A field of a message.
pub(crate) enum Value<'a> {
    /// A number.
    Number(u64),
    /// Bytes, a string or a message.
    Bytes(&'a [u8]),
    /// Something the format does not use.
    Other,
}

/// Reads a message field by field.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Result<u64, Torn> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(Torn)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7F);
            // The tenth byte has room for one bit only.
            if shift == 63 && bits > 1 {
                return Err(Torn);
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Torn)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Torn> {
        let length = usize::try_from(length).map_err(|_| Torn)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Torn)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next field's number and value; None at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, Torn> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            VARINT => Value::Number(self.varint()?),
            FIXED64 => self.take(8).map(|_| Value::Other)?,
            BYTES => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            FIXED32 => self.take(4).map(|_| Value::Other)?,
            _ => return Err(Torn),
        };
        Ok(Some((tag >> 3, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Fields, Head, Torn, varint_len};

    #[test]
    fn varints_survive_the_way_there_and_back() {
        for number in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let (mut head, mut bytes) = (Head::default(), Vec::new());
            head.put(number);
            head.append_to(&mut bytes);
            assert_eq!(bytes.len(), varint_len(number), "{number}");
            assert_eq!(Fields(&bytes).varint(), Ok(number));
        }
        assert_eq!(Fields(&[0x80]).varint(), Err(Torn));
        assert_eq!(Fields(&[0xFF; 11]).varint(), Err(Torn));
    }
}
