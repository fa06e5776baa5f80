//! Standard error: what was done, warnings and progress. Results never go here.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// Where a tool tells people what it does. `--quiet` silences it; faults are not its business.
#[derive(Clone)]
pub struct Notes {
    tool: &'static str,
    quiet: bool,
    terminal: bool,
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl Notes {
    /// Notes on the process's stderr.
    pub fn stderr(tool: &'static str, quiet: bool) -> Self {
        let stderr = io::stderr();
        let terminal = stderr.is_terminal();
        Self { tool, quiet, terminal, writer: Arc::new(Mutex::new(Box::new(stderr))) }
    }

    /// Notes into `writer`, for tests.
    pub fn into_writer(tool: &'static str, writer: impl Write + Send + 'static) -> Self {
        Self { tool, quiet: false, terminal: false, writer: Arc::new(Mutex::new(Box::new(writer))) }
    }

    /// What was done, such as ``created stream `orders` ``.
    pub fn say(&self, what: impl Display) {
        self.put(&format!("{}: {what}\n", self.tool));
    }

    /// Something the user should know but that stops nothing.
    pub fn warn(&self, what: impl Display) {
        self.put(&format!("{}: warning: {what}\n", self.tool));
    }

    /// One JSON line for programs, such as `--stats json`. Somebody asked for it, so `--quiet` does not silence it.
    pub fn json(&self, what: &impl serde::Serialize) {
        // What has no JSON form, such as a map with odd keys, is a bug of the caller that a test shows.
        if let Ok(text) = serde_json::to_string(what) {
            self.write(&format!("{text}\n"));
        }
    }

    /// Replaces the progress line. Does nothing unless stderr is a terminal.
    pub fn progress(&self, what: impl Display) {
        if self.terminal {
            self.put(&format!("\r\x1b[2K{}: {what}", self.tool));
        }
    }

    /// Removes the progress line, so that the next note starts clean.
    pub fn clear(&self) {
        if self.terminal {
            self.put("\r\x1b[2K");
        }
    }

    /// Whether stderr is a terminal that a person may be watching.
    pub fn is_terminal(&self) -> bool {
        self.terminal && !self.quiet
    }

    /// Writes once, so that the lines of two processes on one terminal do not mix.
    fn put(&self, text: &str) {
        if !self.quiet {
            self.write(text);
        }
    }

    fn write(&self, text: &str) {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // A note that cannot be delivered stops nothing: the result is on stdout.
        drop(writer.write_all(text.as_bytes()));
        drop(writer.flush());
    }
}
