//! Memory that records share, and how they lie in it.
//!
//! A record's bytes are, one behind the other: its hash key in 16 bytes, if it has one; its partition key, unless that is
//! in the payload; its payload.

use std::sync::Arc;

use super::{HashKey, KeyAt, Record};

/// Bytes of a hash key.
pub(super) const HASH_BYTES: usize = size_of::<u128>();

/// One record inside a slab. There is one for every record on its way, so it is kept small.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// Position in the whole input, from 0.
    pub(super) number: u64,
    /// Line of its file (or position, for inputs without lines), from 1.
    pub(super) line: u64,
    /// The partition key, counted from `start`.
    pub(super) key: KeyAt,
    /// Where the record's bytes begin in the slab.
    pub(super) start: u32,
    /// Where they end.
    pub(super) end: u32,
    /// Where the payload begins, counted from `start`; it ends where the record does.
    pub(super) data_start: u32,
    /// Whether they begin with a hash key.
    pub(super) is_hashed: bool,
}

/// Memory for many records. The last record that shares it frees it.
pub struct Slab {
    pub(super) bytes: Vec<u8>,
    pub(super) spots: Vec<Spot>,
    /// Given back when the slab is freed.
    _lease: Box<dyn Send + Sync>,
}

impl Slab {
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
    pub fn lend(&mut self) -> Option<&Record> {
        if self.next >= self.record.slab.spots.len() {
            return None;
        }
        self.record.at = self.next;
        self.next += 1;
        Some(&self.record)
    }
}

/// The key of a record that is being added.
#[derive(Clone, Copy, Debug)]
pub enum NewKey<'a> {
    /// Text that is not in the payload.
    Apart(&'a [u8]),
    /// A range of the payload.
    Inside {
        /// First byte.
        start: usize,
        /// Length in bytes.
        length: usize,
    },
    /// A random number.
    Random(u64),
    /// None.
    Absent,
}

/// A slab that is being filled.
#[derive(Debug, Default)]
pub struct Filling {
    bytes: Vec<u8>,
    spots: Vec<Spot>,
}

impl Filling {
    /// One with room for so many bytes and records.
    pub fn with_capacity(bytes: usize, records: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), spots: Vec::with_capacity(records) }
    }

    /// Bytes in it.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Records in it.
    pub fn records(&self) -> usize {
        self.spots.len()
    }

    /// Bytes of memory that it takes for its bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Adds a record. Payloads and keys are far below 4 GiB.
    pub fn add(&mut self, number: u64, line: u64, data: &[u8], key: NewKey<'_>, hash: Option<HashKey>) {
        let start = self.bytes.len();
        if let Some(HashKey(hash)) = hash {
            self.bytes.extend_from_slice(&hash.to_be_bytes());
        }
        let behind_hash = self.bytes.len() - start;
        let key = match key {
            NewKey::Apart(text) => {
                self.bytes.extend_from_slice(text);
                KeyAt::Span { start: narrow(behind_hash), length: narrow(text.len()) }
            }
            NewKey::Inside { start, length } => {
                KeyAt::Span { start: narrow(behind_hash + start), length: narrow(length) }
            }
            NewKey::Random(number) => KeyAt::Random(number),
            NewKey::Absent => KeyAt::Absent,
        };
        let data_start = narrow(self.bytes.len() - start);
        self.bytes.extend_from_slice(data);
        let (start, end) = (narrow(start), narrow(self.bytes.len()));
        self.spots.push(Spot { number, line, key, start, end, data_start, is_hashed: hash.is_some() });
    }

    /// Gives memory back that will not be used, where it is much.
    pub fn shrink(&mut self) {
        if self.bytes.capacity() > 2 * self.bytes.len() {
            self.bytes.shrink_to_fit();
        }
        if self.spots.capacity() > 2 * self.spots.len() {
            self.spots.shrink_to_fit();
        }
    }

    /// The slab. `lease` lives as long as it does.
    pub fn finish(self, lease: impl Send + Sync + 'static) -> Arc<Slab> {
        Arc::new(Slab { bytes: self.bytes, spots: self.spots, _lease: Box::new(lease) })
    }
}

/// A slab holds one large record, or small ones that are little together: offsets fit 32 bits.
fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
