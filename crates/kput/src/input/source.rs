//! What is read: texts from the command line, files, stdin.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use config::Fault;

use super::compression;

/// What is read, in order.
pub enum Source {
    /// `--data`: each text is one record.
    Texts(Vec<String>),
    /// Files and stdin, one after the other.
    Streams(Vec<Origin>),
}

/// One stream of bytes.
pub enum Origin {
    /// Standard input, or what a test puts in its place.
    Stdin(Box<dyn Read + Send>),
    /// A file.
    File(PathBuf),
}

impl Origin {
    /// Its name for people: `stdin`, `readings.ndjson`.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Stdin(_) => "stdin".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Opens it and closes it again, so that a name that is wrong is told before anything is sent.
    pub(super) fn try_open(&self) -> Result<(), Fault> {
        match self {
            Self::Stdin(_) => Ok(()),
            Self::File(path) => File::open(path).map(drop).map_err(|error| self.cannot_open(error)),
        }
    }

    fn cannot_open(&self, error: io::Error) -> Fault {
        Fault::usage(format!("failed to open `{}`", self.name()))
            .with_cause(error)
            .with_hint("--file takes a file that you may read; --file - is stdin")
    }

    /// Opens it; `unpacked` if it is compressed.
    pub(super) fn open(self, unpacked: bool) -> Result<Box<dyn Read + Send>, Fault> {
        let name = self.name();
        let opened: Box<dyn Read + Send> = match self {
            Self::Stdin(read) => read,
            Self::File(ref path) => Box::new(File::open(path).map_err(|error| self.cannot_open(error))?),
        };
        if unpacked { compression::unpack(opened).map_err(|error| broken(&name, error)) } else { Ok(opened) }
    }
}

/// A read failed.
pub(super) fn broken(name: &str, error: io::Error) -> Fault {
    Fault::pipe(format!("failed to read {name}"))
        .with_cause(error)
        .with_hint("what was read before that is sent; the receipts say how far it got")
}
