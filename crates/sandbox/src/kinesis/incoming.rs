//! Records on their way in: read from the body, decoded, and checked against the API's model and the stream's settings.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;

use crate::error::ServiceError;

use super::error::{invalid_argument, serialization};
use super::hash;
use super::rule::{HASH_KEY, PARTITION_KEY};
use super::stream::{Distribution, Stream};
use super::violation::Violations;

/// The largest payload that any stream can be set to take, in bytes (API reference).
const LARGEST_DATA: usize = 10 * 1024 * 1024;

/// A text that is borrowed from the body where it has no escapes.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry<'a> {
    #[serde(borrow)]
    pub(super) data: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) partition_key: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) explicit_hash_key: Option<Text<'a>>,
}

/// A record that is ready to be stored.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) data: Bytes,
    pub(super) partition_key: Option<Arc<str>>,
    /// None when nothing says where it goes.
    pub(super) hash: Option<u128>,
}

impl Incoming {
    pub(super) fn size(&self) -> usize {
        self.data.len() + self.partition_key.as_deref().map_or(0, str::len)
    }
}

pub(super) fn text<'a>(text: Option<&'a Text<'_>>) -> Option<&'a str> {
    text.map(|text| text.0.as_ref())
}

/// Checks what the API's model says of each record, and decodes all payloads into one allocation.
/// `path` is what messages put in front of a record's members, given its place from 1.
pub(super) fn decode(
    entries: &[Entry<'_>],
    violations: &mut Violations,
    path: impl Fn(usize) -> String,
) -> Result<Vec<Incoming>, ServiceError> {
    let encoded =
        entries.iter().filter_map(|entry| entry.data.as_ref()).map(|data| data.0.len()).sum::<usize>();
    let mut payload = Vec::with_capacity(encoded / 4 * 3 + 3);
    let mut ranges = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let begin = payload.len();
        match &entry.data {
            None => violations.missing(&format!("{}data", path(index + 1))),
            Some(data) => STANDARD
                .decode_vec(data.0.as_bytes(), &mut payload)
                .map_err(|reason| serialization(format!("Data is not base64: {reason}")))?,
        }
        if payload.len() - begin > LARGEST_DATA {
            too_long(violations, &format!("{}data", path(index + 1)), LARGEST_DATA);
        }
        if let Some(key) = &entry.partition_key
            && !(1..=256).contains(&key.0.chars().count())
        {
            violations.text(&format!("{}partitionKey", path(index + 1)), &key.0, &PARTITION_KEY);
        }
        if let Some(hash) = &entry.explicit_hash_key {
            violations.text(&format!("{}explicitHashKey", path(index + 1)), &hash.0, &HASH_KEY);
        }
        ranges.push(begin..payload.len());
    }
    violations.check()?;
    let payload = Bytes::from(payload);
    let incoming = entries.iter().zip(ranges).map(|(entry, range)| entry.incoming(payload.slice(range)));
    incoming.collect()
}

impl Entry<'_> {
    fn incoming(&self, data: Bytes) -> Result<Incoming, ServiceError> {
        let hash = match (text(self.explicit_hash_key.as_ref()), text(self.partition_key.as_ref())) {
            (Some(explicit), _) => Some(explicit.parse().map_err(|_| {
                invalid_argument(format!(
                    "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. \
                     Specified value was {explicit}"
                ))
            })?),
            (None, Some(key)) => Some(hash::of_partition_key(key)),
            (None, None) => None,
        };
        Ok(Incoming { data, partition_key: text(self.partition_key.as_ref()).map(Arc::from), hash })
    }
}

/// What the stream itself asks of records: a key, unless it distributes them itself, and a size.
pub(super) fn check_records(
    stream: &Stream,
    incoming: &[Incoming],
    path: impl Fn(usize) -> String,
) -> Result<(), ServiceError> {
    let largest = usize::try_from(stream.max_record_kib).unwrap_or(usize::MAX) * 1024;
    let mut violations = Violations::default();
    for (index, record) in incoming.iter().enumerate() {
        if record.partition_key.is_none() && stream.distribution == Distribution::UserPartitionKey {
            violations.missing(&format!("{}partitionKey", path(index + 1)));
        }
        if record.data.len() > largest {
            too_long(&mut violations, &format!("{}data", path(index + 1)), largest);
        }
    }
    violations.check()?;
    match incoming.iter().find(|record| record.size() > largest) {
        Some(record) => Err(invalid_argument(format!(
            "Record data and partition key are {} bytes together, and stream {} takes {largest} at most.",
            record.size(),
            stream.name
        ))),
        None => Ok(()),
    }
}

/// The service does not show a payload that is too long.
fn too_long(violations: &mut Violations, path: &str, largest: usize) {
    violations.add(path, "", &format!("Member must have length less than or equal to {largest}"));
}
