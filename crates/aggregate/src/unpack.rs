//! Taking an aggregate apart.

use md5::{Digest, Md5};
use thiserror::Error;

use crate::wire::{Fields, Torn, Value};
use crate::{DIGEST_BYTES, Entry, MAGIC, Tags};

/// Why bytes are no aggregate. A reader shows such a record as it is, as the KCL does.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Broken {
    /// It does not begin as an aggregate does: an ordinary record.
    #[error("it is not aggregated")]
    NotAggregated,
    /// It begins as one, but its checksum is another.
    #[error("its checksum does not match")]
    Checksum,
    /// Its checksum matches, but its content does not follow the format.
    #[error("its content is not an aggregate's: {0}")]
    Content(&'static str),
}

impl From<Torn> for Broken {
    fn from(Torn: Torn) -> Self {
        Self::Content("a field is torn")
    }
}

/// Whether `blob` begins as an aggregate does. Cheap; [`unpack`] decides.
pub fn looks_aggregated(blob: &[u8]) -> bool {
    blob.len() >= MAGIC.len() + DIGEST_BYTES && blob.starts_with(&MAGIC)
}

/// The records inside `blob`, in order. They borrow from it.
///
/// # Errors
/// When `blob` is no aggregate, or a damaged one.
pub fn unpack(blob: &[u8]) -> Result<Vec<Entry<'_>>, Broken> {
    let message = blob
        .strip_prefix(&MAGIC)
        .and_then(|rest| rest.split_at_checked(rest.len().checked_sub(DIGEST_BYTES)?))
        .ok_or(Broken::NotAggregated)?;
    let (message, digest) = message;
    if Md5::digest(message).as_slice() != digest {
        return Err(Broken::Checksum);
    }
    let (mut keys, mut hashes, mut records) = (Vec::new(), Vec::new(), Vec::new());
    let mut fields = Fields(message);
    while let Some((field, value)) = fields.next()? {
        match (field, value) {
            (1, Value::Bytes(bytes)) => keys.push(text(bytes)?),
            (2, Value::Bytes(bytes)) => hashes.push(text(bytes)?),
            (3, Value::Bytes(bytes)) => records.push(bytes),
            // A later version's fields are none of our business.
            _ => {}
        }
    }
    records.into_iter().map(|record| entry(record, &keys, &hashes)).collect()
}

fn entry<'a>(record: &'a [u8], keys: &[&'a str], hashes: &[&'a str]) -> Result<Entry<'a>, Broken> {
    let (mut key, mut hash, mut data) = (None, None, None);
    let mut tags = None;
    let mut fields = Fields(record);
    loop {
        let rest = fields.0;
        let Some((field, value)) = fields.next()? else { break };
        match (field, value) {
            (1, Value::Number(position)) => key = Some(position),
            (2, Value::Number(position)) => hash = Some(position),
            (3, Value::Bytes(bytes)) => data = Some(bytes),
            (4, Value::Bytes(_)) if tags.is_none() => tags = Some(rest),
            _ => {}
        }
    }
    let look_up = |table: &[&'a str], position: u64| {
        let position = usize::try_from(position).ok();
        position
            .and_then(|position| table.get(position).copied())
            .ok_or(Broken::Content("a record points outside a key table"))
    };
    Ok(Entry {
        partition_key: look_up(keys, key.ok_or(Broken::Content("a record has no partition key"))?)?,
        explicit_hash_key: hash.map(|hash| look_up(hashes, hash)).transpose()?,
        data: data.ok_or(Broken::Content("a record has no data"))?,
        tags: tags.map(Tags::decode).transpose()?.unwrap_or_default(),
    })
}

fn text(bytes: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(bytes).map_err(|_| Broken::Content("a key is not UTF-8"))
}
