//! Standard output: results only, as JSON, with a closed pipe told apart from every other failure.

use std::io::{self, Write};

use serde::Serialize;
use thiserror::Error;

use crate::fault::Fault;

/// Standard output could not take a line.
#[derive(Debug, Error)]
pub enum OutError {
    /// The reader closed the pipe. A reader tool ends with 0; a tool with side effects finishes what is in flight and ends with 3.
    #[error("the reader of stdout closed the pipe")]
    Closed,
    /// The disk is full, or another failure to write.
    #[error("failed to write to stdout: {0}")]
    Failed(io::Error),
}

impl From<io::Error> for OutError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Failed(error) }
    }
}

impl From<OutError> for Fault {
    fn from(error: OutError) -> Self {
        Self::pipe(error.to_string())
    }
}

/// A buffered writer of results. What was written counts only after [`Output::flush`].
pub struct Output<W: Write> {
    writer: io::BufWriter<W>,
    pretty: bool,
}

/// Results leave in pieces of this size when nobody follows them live.
const BUFFER_BYTES: usize = 64 * 1024;

impl<W: Write> Output<W> {
    /// Writes to `writer`; `pretty` indents documents, never streams.
    pub fn new(writer: W, pretty: bool) -> Self {
        Self { writer: io::BufWriter::with_capacity(BUFFER_BYTES, writer), pretty }
    }

    /// One JSON document, indented with `--pretty`, and flushed: it is the whole result.
    ///
    /// # Errors
    /// When stdout is closed or cannot be written.
    pub fn document<T: Serialize>(&mut self, value: &T) -> Result<(), OutError> {
        let text =
            if self.pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        self.text(&text.map_err(io::Error::from)?)?;
        self.text("\n")?;
        self.flush()
    }

    /// One NDJSON line.
    ///
    /// # Errors
    /// When stdout is closed or cannot be written.
    pub fn line<T: Serialize>(&mut self, value: &T) -> Result<(), OutError> {
        serde_json::to_writer(&mut self.writer, value).map_err(io::Error::from)?;
        self.writer.write_all(b"\n")?;
        Ok(())
    }

    /// Text as it is.
    ///
    /// # Errors
    /// When stdout is closed or cannot be written.
    pub fn text(&mut self, text: &str) -> Result<(), OutError> {
        self.bytes(text.as_bytes())
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// When stdout is closed or cannot be written.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), OutError> {
        Ok(self.writer.write_all(bytes)?)
    }

    /// Hands everything on to the reader. A full disk is noticed here, so every tool ends with it.
    ///
    /// # Errors
    /// When stdout is closed or cannot be written.
    pub fn flush(&mut self) -> Result<(), OutError> {
        Ok(self.writer.flush()?)
    }

    /// Whether documents are indented.
    pub fn is_pretty(&self) -> bool {
        self.pretty
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{self, Write};

    use super::{OutError, Output};

    /// A place to write to that is not there.
    pub(crate) struct Broken(pub(crate) io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_told_apart_from_a_full_disk() {
        let write = |kind| Output::new(Broken(kind), false).document(&1);
        assert!(matches!(write(io::ErrorKind::BrokenPipe), Err(OutError::Closed)));
        assert!(matches!(write(io::ErrorKind::StorageFull), Err(OutError::Failed(_))));
    }

    #[test]
    fn pretty_indents_documents_but_not_lines() {
        let mut bytes = Vec::new();
        let mut output = Output::new(&mut bytes, true);
        output.line(&[1]).unwrap();
        output.document(&[1]).unwrap();
        drop(output);
        assert_eq!(String::from_utf8(bytes).unwrap(), "[1]\n[\n  1\n]\n");
    }
}
