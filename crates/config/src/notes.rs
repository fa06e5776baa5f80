//! Standard error: what was done, warnings and progress. Results never go here.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use terminal_size::terminal_size_of;

/// Takes the progress line away.
const ERASE: &str = "\r\x1b[2K";

/// Where a tool tells people what it does. `--quiet` silences it; faults are not its business.
#[derive(Clone)]
pub struct Notes {
    tool: &'static str,
    quiet: bool,
    terminal: bool,
    line: Arc<Mutex<Line>>,
}

/// Where the notes go.
struct Line {
    writer: Box<dyn Write + Send>,
    /// Whether a progress line stands there.
    has_progress: bool,
}

impl Notes {
    /// Notes on the process's stderr.
    pub fn stderr(tool: &'static str, quiet: bool) -> Self {
        let stderr = io::stderr();
        let terminal = stderr.is_terminal();
        Self { tool, quiet, terminal, line: Line::new(stderr) }
    }

    /// Notes into `writer`, for tests.
    pub fn into_writer(tool: &'static str, writer: impl Write + Send + 'static) -> Self {
        Self { tool, quiet: false, terminal: false, line: Line::new(writer) }
    }

    /// What was done, such as ``created stream `orders` ``.
    pub fn say(&self, what: impl Display) {
        self.put(&format!("{}: {what}\n", self.tool), false);
    }

    /// Something the user should know but that stops nothing.
    pub fn warn(&self, what: impl Display) {
        self.put(&format!("{}: warning: {what}\n", self.tool), false);
    }

    /// One JSON line for programs, such as `--stats json`. Somebody asked for it, so `--quiet` does not silence it.
    pub fn json(&self, what: &impl serde::Serialize) {
        // What has no JSON form, such as a map with odd keys, is a bug of the caller that a test shows.
        if let Ok(text) = serde_json::to_string(what) {
            self.write(&format!("{text}\n"), false);
        }
    }

    /// Replaces the progress line, which is cut to the terminal's width. Does nothing unless stderr is a terminal.
    pub fn progress(&self, what: impl Display) {
        if self.terminal {
            let columns = terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
            self.put(&fit(&format!("{}: {what}", self.tool), columns), true);
        }
    }

    /// Removes the progress line, if there is one.
    pub fn clear(&self) {
        self.put("", false);
    }

    /// Whether stderr is a terminal that a person may be watching.
    pub fn is_terminal(&self) -> bool {
        self.terminal && !self.quiet
    }

    /// Writes once, so that the lines of two processes on one terminal do not mix.
    fn put(&self, text: &str, is_progress: bool) {
        if !self.quiet {
            self.write(text, is_progress);
        }
    }

    fn write(&self, text: &str, is_progress: bool) {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).put(text, is_progress);
    }
}

impl Line {
    fn new(writer: impl Write + Send + 'static) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { writer: Box::new(writer), has_progress: false }))
    }

    /// Writes `text` in place of the progress line.
    fn put(&mut self, text: &str, is_progress: bool) {
        let erase = if self.has_progress { ERASE } else { "" };
        self.has_progress = is_progress;
        if erase.is_empty() && text.is_empty() {
            return;
        }
        // A note that cannot be delivered stops nothing: the result is on stdout.
        drop(self.writer.write_all(format!("{erase}{text}").as_bytes()));
        drop(self.writer.flush());
    }
}

/// A line that is wider than the terminal could not be erased any more.
fn fit(text: &str, columns: Option<usize>) -> String {
    // A cursor behind the last column may stand in the next line already.
    match columns.filter(|columns| *columns > 1).map(|columns| columns - 1) {
        Some(room) if text.chars().count() > room => {
            text.chars().take(room - 1).chain(std::iter::once('…')).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::{Line, fit};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_progress_line_fits_the_terminal() {
        assert_eq!(fit("kpeek: 12 records", Some(80)), "kpeek: 12 records");
        assert_eq!(fit("kpeek: 12 records", Some(12)), "kpeek: 12 …");
        assert_eq!(fit("kpeek: 12 records", Some(1)), "kpeek: 12 records");
        assert_eq!(fit("kpeek: 12 records", None), "kpeek: 12 records");
    }

    #[test]
    fn only_a_progress_line_is_erased() {
        let shown = Shared::default();
        let line = Line::new(shown.clone());
        for (text, is_progress) in [("a\n", false), ("", false), ("one", true), ("b\n", false), ("", false)] {
            line.lock().unwrap().put(text, is_progress);
        }
        line.lock().unwrap().put("two", true);
        line.lock().unwrap().put("", false);
        let shown = String::from_utf8(shown.0.lock().unwrap().clone()).unwrap();
        assert_eq!(shown, "a\none\r\x1b[2Kb\ntwo\r\x1b[2K");
    }
}
