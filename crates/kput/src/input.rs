//! From bytes to records: one thread reads, splits, finds keys and hands batches of records on.
//!
//! It is a thread of its own because a read of stdin blocks; it is held back by how many slabs wait and how many bytes
//! when the service is slower than the pipe.

mod compression;
mod csv;
mod envelope;
mod key;
mod reader;
mod shape;
mod slab;
mod source;
mod splitter;

pub use key::{HashSource, KeySource, OnMissingKey, Template};
pub use reader::{Input, Options, spawn};
pub use shape::CsvValues;
pub use slab::{Arrival, Batch, Message, Refusal};
pub use source::{Origin, Source};

/// How the input is cut into records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// One record a line; the line feed is not part of it
    #[default]
    Lines,
    /// All of the input is one record
    Raw,
    /// Records end with a NUL byte
    Nul,
    /// What kpeek prints: the copy has the same payloads and keys
    Envelope,
    /// A header and rows; each row becomes a JSON object
    Csv,
}
