//! The forms in which items are shown.

use config::names::StreamName;

use crate::csv::Csv;
use crate::envelope::Envelope;
use crate::record::Item;
use crate::table::Table;
use crate::template::Template;

/// One form, with what it remembers from line to line.
#[derive(Debug)]
pub(crate) enum Form {
    /// One JSON line an item.
    Envelope(Envelope),
    /// Payloads, each followed by the delimiter.
    Raw(Vec<u8>),
    /// Columns for people.
    Table(Table),
    /// Columns for programs.
    Csv(Csv),
    /// Lines as the user lays them out.
    Template(StreamName, Template),
}

impl Form {
    /// Appends an item.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, item: &Item<'_>) {
        match self {
            Self::Envelope(envelope) => envelope.append(out, item),
            Self::Raw(delimiter) => {
                out.extend_from_slice(item.payload);
                out.extend_from_slice(delimiter);
            }
            Self::Table(table) => table.append(out, item),
            Self::Csv(csv) => csv.append(out, item),
            Self::Template(stream, template) => template.append(out, stream, item),
        }
    }

    /// Appends what the form kept back, at the end of an answer.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Table(table) => table.finish(out),
            Self::Envelope(_) | Self::Raw(_) | Self::Csv(_) | Self::Template(..) => {}
        }
    }
}
