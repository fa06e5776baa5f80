//! `--dead-letter`: what was given up, whole, so that it can be sent again.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::Fault;
use serde::Serialize;

use crate::plan::Failure;
use crate::record::Record;

/// A file of envelopes.
#[derive(Debug)]
pub struct DeadLetters {
    path: PathBuf,
    writer: BufWriter<File>,
}

#[derive(Serialize)]
struct Letter<'a> {
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    error: Reason<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explicit_hash_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'a str,
    message: &'a str,
}

impl DeadLetters {
    /// Opens `path` to append. Done before the first record is sent, so that a bad path costs nothing.
    ///
    /// # Errors
    /// A usage fault when the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
            Fault::usage(format!("failed to open the dead-letter file `{}`", path.display()))
                .with_cause(error)
                .with_hint("--dead-letter takes a file that you may write")
        })?;
        Ok(Self { path: path.to_owned(), writer: BufWriter::new(file) })
    }

    /// Adds a record, the file it came from if there are several, and why it was given up.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, record: &Record, file: Option<&str>, failure: &Failure) -> Result<(), Fault> {
        let text = std::str::from_utf8(record.data()).ok();
        let key = record.key_text();
        let letter = Letter {
            line: record.line(),
            file,
            error: Reason { code: &failure.code, message: &failure.message },
            partition_key: key.as_deref(),
            explicit_hash_key: record.hash().map(|hash| hash.0.to_string()),
            text,
            bytes: text.is_none().then(|| STANDARD.encode(record.data())),
        };
        serde_json::to_writer(&mut self.writer, &letter)
            .map_err(io::Error::from)
            .and_then(|()| self.writer.write_all(b"\n"))
            .map_err(|error| self.fault(error))
    }

    /// Hands everything to the disk's care.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn flush(&mut self) -> Result<(), Fault> {
        self.writer.flush().map_err(|error| self.fault(error))
    }

    fn fault(&self, error: io::Error) -> Fault {
        Fault::pipe(format!("failed to write the dead-letter file `{}`", self.path.display()))
            .with_cause(error)
            .with_hint("make room, or name another file with --dead-letter")
    }
}
