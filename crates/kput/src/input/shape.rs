//! From a frame to a record: opens envelopes, finds keys, and says where a record cannot be used.

use config::Fault;

use super::key::{self, HashSource, Key, KeySource, Missing, OnMissingKey};
use super::slab::{Builder, Unwanted};
use super::{Form, envelope};
use crate::limits::RECORD_BYTES;
use crate::record::{HashKey, NewKey};

/// How CSV values become JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum CsvValues {
    /// Numbers, true and false as such, empty as null, everything else as text
    #[default]
    Infer,
    /// Everything as text
    Text,
}

/// How frames become records.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) form: Form,
    pub(super) key: KeySource,
    pub(super) hash: Option<HashSource>,
    pub(super) on_missing: Option<OnMissingKey>,
}

/// Reading has to end.
pub(super) enum Stop {
    /// Nobody wants more.
    Unwanted,
    /// The input cannot be used.
    Broken(Fault),
}

impl From<Unwanted> for Stop {
    fn from(Unwanted: Unwanted) -> Self {
        Self::Unwanted
    }
}

/// Where a frame stood, for messages.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) source: &'a str,
    pub(super) line: u64,
    pub(super) unit: &'static str,
}

impl Place<'_> {
    pub(super) fn fault(self, what: &str) -> Fault {
        let Self { source, line, unit } = self;
        Fault::pipe(format!("{source}, {unit} {line}: {what}"))
    }
}

impl Shape {
    /// Adds the record in `frame`.
    pub(super) fn take(&self, to: &mut Builder, frame: &[u8], place: Place<'_>) -> Result<(), Stop> {
        if self.form == Form::Envelope {
            let opened = envelope::open(frame).map_err(|reason| {
                Stop::Broken(place.fault(&format!("the line {reason}")).with_hint(
                    "--input envelope reads what kpeek prints; leave it out when each line is a record",
                ))
            })?;
            return self.add(to, &opened.data, opened.key.as_deref(), opened.hash, place);
        }
        // What most inputs are, told apart first.
        if let (KeySource::Field(path), None) = (&self.key, &self.hash)
            && frame.len() <= RECORD_BYTES
            && let Some((start, length)) = key::inside(frame, path)
        {
            return Ok(to.add(place.line, frame, NewKey::Inside { start, length }, None)?);
        }
        self.add(to, frame, None, None, place)
    }

    fn add(
        &self,
        to: &mut Builder,
        data: &[u8],
        own_key: Option<&str>,
        own_hash: Option<HashKey>,
        place: Place<'_>,
    ) -> Result<(), Stop> {
        if data.len() > RECORD_BYTES {
            return self.too_long(to, data.len(), place);
        }
        let hash = match &self.hash {
            None => Ok(own_hash),
            Some(HashSource::Literal(hash)) => Ok(Some(*hash)),
            Some(HashSource::Field(path)) => key::hash(data, path).map(Some),
        };
        let held;
        let found = match &self.key {
            KeySource::Literal(text) => Ok(NewKey::Apart(text.as_bytes())),
            KeySource::Random => Ok(NewKey::Random(fastrand::u64(..))),
            KeySource::Absent => Ok(NewKey::Absent),
            KeySource::Envelope => match own_key {
                Some(text) => key::check(text.as_bytes()).map(|()| NewKey::Apart(text.as_bytes())),
                // It came from a stream that needs none; where one is needed, the service says so.
                None if self.on_missing.is_none() => Ok(NewKey::Absent),
                None => Err("has no partition_key".to_owned()),
            },
            KeySource::Field(_) | KeySource::Template(_) => match self.found(data) {
                Ok(Key::Inside { start, length }) => Ok(NewKey::Inside { start, length }),
                Ok(Key::Apart(text)) => {
                    held = text;
                    Ok(NewKey::Apart(&held))
                }
                Err(missing) => Err(missing),
            },
        };
        let missing = match (&found, &hash) {
            (Ok(found), Ok(hash)) => return Ok(to.add(place.line, data, *found, *hash)?),
            (Err(missing), _) | (_, Err(missing)) => missing,
        };
        match self.on_missing.unwrap_or_default() {
            // What is there is kept: only what is missing is made up.
            OnMissingKey::Random => {
                let found = found.unwrap_or_else(|_| NewKey::Random(fastrand::u64(..)));
                Ok(to.add(place.line, data, found, hash.unwrap_or_default())?)
            }
            OnMissingKey::Skip => Ok(to.skip(place.line, "NoKey", format!("the record {missing}"))?),
            OnMissingKey::Fail => Err(Stop::Broken(place.fault(&format!("the record {missing}")).with_hint(
                "--on-missing-key random gives such records a random key, --on-missing-key skip leaves them out",
            ))),
        }
    }

    fn found(&self, data: &[u8]) -> Result<Key, Missing> {
        match &self.key {
            KeySource::Field(path) => key::field(data, path),
            KeySource::Template(template) => key::templated(data, template),
            KeySource::Literal(_) | KeySource::Random | KeySource::Envelope | KeySource::Absent => {
                Err("has no field to look for".to_owned())
            }
        }
    }

    /// Adds the fact that a record is larger than any stream takes.
    pub(super) fn too_long(&self, to: &mut Builder, length: usize, place: Place<'_>) -> Result<(), Stop> {
        if self.form == Form::Envelope {
            return Err(Stop::Broken(
                place.fault(&format!("the envelope has {length} bytes, too many for any record")),
            ));
        }
        let message = format!("the record has {length} bytes, a stream takes at most {RECORD_BYTES}");
        Ok(to.refuse(place.line, "RecordTooLarge", message)?)
    }
}
