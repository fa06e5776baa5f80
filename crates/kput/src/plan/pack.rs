//! Records that travel as one: an aggregate in the KPL's format, and what has to be known of its records.

use aggregate::{OUTER_KEY, seal, unpack};
use std::borrow::Cow;

use crate::bill::Bill;
use crate::record::{Filling, HashKey, NewKey, Record};

/// Where a packed record stood in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Position in the whole input, from 0.
    pub number: u64,
    /// Line of its file, from 1.
    pub line: u64,
}

/// The hash keys of a pack's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashes {
    /// That of the first record, which the pack is put with.
    pub first: u128,
    /// The lowest.
    pub lowest: u128,
    /// The highest.
    pub highest: u128,
}

impl Hashes {
    /// Those of one record.
    pub fn of(hash: u128) -> Self {
        Self { first: hash, lowest: hash, highest: hash }
    }

    /// Takes another record's in.
    pub fn add(&mut self, hash: u128) {
        self.lowest = self.lowest.min(hash);
        self.highest = self.highest.max(hash);
    }
}

/// An aggregate.
#[derive(Clone, Debug)]
pub struct Pack {
    blob: Vec<u8>,
    is_sealed: bool,
    parts: Vec<Part>,
    hashes: Hashes,
    alone: Bill,
}

impl Pack {
    /// `unsealed` is the aggregate of the records at `parts`, in order; `alone` is what they would cost one by one.
    pub fn new(unsealed: Vec<u8>, parts: Vec<Part>, hashes: Hashes, alone: Bill) -> Self {
        Self { blob: unsealed, is_sealed: false, parts, hashes, alone }
    }

    /// Puts the checksums into all packs that are to be sent: together, which takes less time than one by one.
    pub fn seal<'a>(packs: impl IntoIterator<Item = &'a mut Self>) {
        let mut blobs: Vec<&mut Vec<u8>> = packs
            .into_iter()
            .filter(|pack| !pack.is_sealed)
            .map(|pack| {
                pack.is_sealed = true;
                &mut pack.blob
            })
            .collect();
        seal(&mut blobs);
    }

    /// The aggregate: the payload of the entry. Good to be sent once it is sealed.
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }

    /// The hash key of the entry: that of its first record.
    pub fn hash(&self) -> u128 {
        self.hashes.first
    }

    /// The hash keys of its records.
    pub fn hashes(&self) -> Hashes {
        self.hashes
    }

    /// Where its records stood in the input.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What its records would cost one by one.
    pub fn alone(&self) -> Bill {
        self.alone
    }

    /// Position of its first record in the whole input.
    pub fn number(&self) -> u64 {
        self.parts.first().map_or(0, |part| part.number)
    }

    /// What counts against the service's limits: payload plus key.
    pub fn size(&self) -> usize {
        self.blob.len() + OUTER_KEY.len()
    }

    /// Its records again, as they came. Rarely needed, so nothing of them is kept but the aggregate itself.
    pub fn unpack(&self) -> Vec<Record> {
        let mut sealed = Cow::Borrowed(&self.blob);
        if !self.is_sealed {
            seal(&mut [sealed.to_mut()]);
        }
        // It is our own.
        let entries = unpack(&sealed).unwrap_or_default();
        let mut slab = Filling::with_capacity(self.blob.len(), entries.len());
        for (entry, part) in entries.iter().zip(&self.parts) {
            let key = NewKey::Apart(entry.partition_key.as_bytes());
            let hash = entry.explicit_hash_key.and_then(|hash| hash.parse().ok()).map(HashKey);
            slab.add(part.number, part.line, entry.data, key, hash);
        }
        slab.finish(()).records().collect()
    }
}
