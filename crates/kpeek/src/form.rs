//! The forms in which items are shown.

use config::names::StreamName;

use crate::envelope::Envelope;
use crate::record::Item;
use crate::table::Table;

/// One form, with what it remembers from line to line.
#[derive(Debug)]
pub(crate) enum Form {
    /// One JSON line an item.
    Envelope(Envelope),
    /// Payloads, each followed by the delimiter.
    Raw(Vec<u8>),
    /// Columns for people.
    Table(Table),
}

impl Form {
    pub(crate) fn envelope(stream: &StreamName) -> Self {
        Self::Envelope(Envelope::new(stream))
    }

    /// Appends an item.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, item: &Item<'_>) {
        match self {
            Self::Envelope(envelope) => envelope.append(out, item),
            Self::Raw(delimiter) => {
                out.extend_from_slice(item.payload);
                out.extend_from_slice(delimiter);
            }
            Self::Table(table) => table.append(out, item),
        }
    }

    /// Appends what the form kept back, at the end of an answer or of the run.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Table(table) => table.finish(out),
            Self::Envelope(_) | Self::Raw(_) => {}
        }
    }
}
