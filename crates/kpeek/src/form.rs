//! The forms in which items are shown.

use config::names::{ShardId, StreamName};

use crate::csv::Csv;
use crate::decode::Decode;
use crate::envelope::Envelope;
use crate::plot::Plot;
use crate::record::Item;
use crate::stats::Stats;
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
    /// Nothing but a report at the end.
    Stats(Box<Stats>),
    /// Nothing but a drawing at the end.
    Plot(Box<Plot>),
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
            Self::Stats(stats) => stats.add(item),
            Self::Plot(plot) => plot.add(item),
        }
    }

    /// Appends what the form kept back, at the end of an answer.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Table(table) => table.finish(out),
            Self::Envelope(_) | Self::Raw(_) | Self::Csv(_) | Self::Template(..) => {}
            Self::Stats(_) | Self::Plot(_) => {}
        }
    }

    /// Whether nothing is shown before the end of the run.
    pub(crate) fn is_report(&self) -> bool {
        matches!(self, Self::Stats(_) | Self::Plot(_))
    }

    /// Whether each item ends a line.
    pub(crate) fn ends_lines(&self) -> bool {
        match self {
            Self::Raw(delimiter) => delimiter.ends_with(b"\n"),
            Self::Envelope(_) | Self::Table(_) | Self::Csv(_) | Self::Template(..) => true,
            Self::Stats(_) | Self::Plot(_) => true,
        }
    }

    /// A shard was read, and is this far behind its newest record.
    pub(crate) fn read(&mut self, shard: &ShardId, behind_ms: i64) {
        if let Self::Stats(stats) = self {
            stats.read(shard, behind_ms);
        }
    }

    /// Appends what comes at the end of the run.
    pub(crate) fn report(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Csv(csv) => csv.head(out),
            Self::Stats(stats) => stats.report(out),
            Self::Plot(plot) => plot.report(out),
            Self::Envelope(_) | Self::Raw(_) | Self::Table(_) | Self::Template(..) => {}
        }
    }

    /// What is unpacked unless somebody says: all for people to read, nothing in a copy or where stored bytes count.
    pub(crate) fn usual_decode(&self) -> Decode {
        match self {
            Self::Envelope(_) | Self::Raw(_) | Self::Stats(_) => Decode::None,
            Self::Table(_) | Self::Csv(_) | Self::Template(..) | Self::Plot(_) => Decode::Auto,
        }
    }
}
