//! `--journal`: which records are dealt with, so that a run that was killed goes on where it stopped.
//!
//! One JSON line for the stream, then one a range of records: `{"done":[0,499],"content":"…","check":"…"}`. Lines are
//! appended, each with one write, before the receipts of its records. A kill can lose only what was not written yet;
//! a power cut can tear the last line, which is then cut off. `content` is a sum over the payloads, so that a run with
//! another input is noticed.

mod ranges;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use config::Fault;
use serde::{Deserialize, Serialize};

pub use ranges::content;
use ranges::{Range, Ranges};

/// The version of the format.
const VERSION: u32 = 1;

/// Bytes of a line at most; the longest that is ever written, with a stream's ARN, has some 300.
const LONGEST_LINE: u64 = 4096;

/// How every journal begins.
const HEADER_START: &str = "{\"kput_journal\"";

/// The disk is asked to keep what was written at least this often.
const SYNC_EVERY: Duration = Duration::from_secs(1);

#[derive(Deserialize, Serialize)]
struct Header {
    kput_journal: u32,
    stream: String,
}

#[derive(Deserialize, Serialize)]
struct Line {
    /// First and last record, by position in the input, from 0.
    done: [u64; 2],
    /// Sum over the payloads, hexadecimal.
    content: String,
    /// Sum over the line itself, hexadecimal.
    check: String,
}

impl Line {
    fn new(range: Range) -> Self {
        let check = format!("{:016x}", ranges::check(range));
        Self { done: [range.first, range.last], content: format!("{:016x}", range.content), check }
    }

    fn range(&self) -> Option<Range> {
        let content = u64::from_str_radix(&self.content, 16).ok()?;
        let range = Range { first: self.done[0], last: self.done[1], content };
        let right = range.first <= range.last && self.check == format!("{:016x}", ranges::check(range));
        right.then_some(range)
    }
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    known: Ranges,
    /// What was dealt with since the last write.
    fresh: Vec<(u64, u64)>,
    synced: Instant,
}

impl Journal {
    /// Opens the journal of `stream` at `path`, or begins one.
    ///
    /// # Errors
    /// A usage fault when the file cannot be used: it is another stream's, another process uses it, or it is damaged.
    pub fn open(path: &Path, stream: &str) -> Result<Self, Fault> {
        let trouble = |reason: String| {
            Fault::usage(format!("failed to use the journal `{}`", path.display())).with_cause(reason)
        };
        let file = OpenOptions::new().create(true).read(true).append(true).open(path);
        let file = file.map_err(|error| {
            trouble(error.to_string()).with_hint("--journal takes a file that you may write")
        })?;
        if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(trouble("it is no regular file".to_owned())
                .with_hint("a journal is read again by the next run: name a file on a disk"));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(trouble("another kput is using it".to_owned())
                    .with_hint("wait for that one, or give each run its own journal"));
            }
            Err(TryLockError::Error(error)) => return Err(trouble(error.to_string())),
        }
        let mut journal = Self {
            path: path.to_owned(),
            file,
            known: Ranges::default(),
            fresh: Vec::new(),
            synced: Instant::now(),
        };
        journal.load(stream).map_err(|reason| {
            trouble(reason).with_hint(format!(
                "a journal belongs to one stream and one input; name another file, or remove {}",
                path.display()
            ))
        })?;
        Ok(journal)
    }

    /// Reads what an earlier run wrote, and begins the file when there is nothing.
    fn load(&mut self, stream: &str) -> Result<(), String> {
        let mut reader = BufReader::new(self.file.try_clone().map_err(|error| error.to_string())?);
        let (mut text, mut good, mut number) = (String::new(), 0_u64, 0_u64);
        loop {
            text.clear();
            let length = match reader.by_ref().take(LONGEST_LINE).read_line(&mut text) {
                Ok(length) => length as u64,
                // Not text: what a power cut can leave at the end.
                Err(error) if error.kind() == io::ErrorKind::InvalidData && number > 0 => break,
                Err(error) => return Err(error.to_string()),
            };
            if length == 0 {
                break;
            }
            number += 1;
            if !text.ends_with('\n') {
                // The last line of a run that died while writing it. A file that never had a whole line may be no journal.
                if number == 1 && !text.starts_with(HEADER_START) && !HEADER_START.starts_with(&text) {
                    return Err("it is no kput journal".to_owned());
                }
                break;
            }
            let read = if number == 1 { Self::header(&text, stream) } else { self.range(&text) };
            match read {
                Ok(()) => good += length,
                Err(reason) => {
                    let mut rest = String::new();
                    // Damage at the very end is a torn write; damage before good lines is not ours to guess at.
                    match reader.by_ref().take(LONGEST_LINE).read_line(&mut rest) {
                        Ok(0) if number > 1 => break,
                        _ => return Err(format!("line {number}: {reason}")),
                    }
                }
            }
        }
        self.file
            .set_len(good)
            .and_then(|()| self.file.seek(SeekFrom::End(0)))
            .map_err(|error| error.to_string())?;
        if good == 0 {
            let header = Header { kput_journal: VERSION, stream: stream.to_owned() };
            self.append(&header).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn header(text: &str, stream: &str) -> Result<(), String> {
        let header: Header = serde_json::from_str(text).map_err(|_| "it is no kput journal".to_owned())?;
        if header.kput_journal != VERSION {
            return Err(format!("it has version {}, this kput writes {VERSION}", header.kput_journal));
        }
        if header.stream != stream {
            return Err(format!("it is the journal of stream `{}`, not of `{stream}`", header.stream));
        }
        Ok(())
    }

    fn range(&mut self, text: &str) -> Result<(), String> {
        let line: Line = serde_json::from_str(text).map_err(|_| "it is no journal line".to_owned())?;
        let range = line.range().ok_or("its sum does not match")?;
        self.known.add(range);
        Ok(())
    }

    /// How many records earlier runs dealt with.
    pub fn known(&self) -> u64 {
        self.known.count()
    }

    /// Whether record `number`, which holds `data`, was dealt with by an earlier run.
    ///
    /// # Errors
    /// A pipe fault when the records of that place are not the ones the journal is about.
    pub fn knows(&mut self, number: u64, data: &[u8]) -> Result<bool, Fault> {
        self.known.pass(number, data).map_err(|range| {
            Fault::pipe(format!(
                "the input is not the one that the journal `{}` is about",
                self.path.display()
            ))
            .with_cause(format!("records {} to {} are others", range.first + 1, range.last + 1))
            .with_hint("give the same input in the same form, or name another journal")
        })
    }

    /// Notes that record `number`, whose payload has this [`content`], is dealt with. Counts after [`Journal::write`].
    pub fn done(&mut self, number: u64, content: u64) {
        self.fresh.push((number, content));
    }

    /// Writes what was noted.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&mut self) -> Result<(), Fault> {
        if self.fresh.is_empty() {
            return Ok(());
        }
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable();
        let mut text = Vec::new();
        for range in ranges::coalesce(&fresh) {
            serde_json::to_writer(&mut text, &Line::new(range)).map_err(|error| self.fault(error.into()))?;
            text.push(b'\n');
        }
        self.file.write_all(&text).map_err(|error| self.fault(error))?;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.sync()?;
        }
        Ok(())
    }

    /// Asks the disk to keep what was written.
    ///
    /// # Errors
    /// When it cannot.
    pub fn sync(&mut self) -> Result<(), Fault> {
        self.synced = Instant::now();
        self.file.sync_data().map_err(|error| self.fault(error))
    }

    fn append(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }

    fn fault(&self, error: io::Error) -> Fault {
        Fault::pipe(format!("failed to write the journal `{}`", self.path.display()))
            .with_cause(error)
            .with_hint("make room, then run the same command again: it goes on where the journal ends")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{Journal, content};

    fn journal(folder: &Path) -> (PathBuf, Journal) {
        let path = folder.join("journal");
        let journal = Journal::open(&path, "orders").unwrap();
        (path, journal)
    }

    fn note(journal: &mut Journal, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            journal.done(number, content(number, number.to_string().as_bytes()));
        }
        journal.write().unwrap();
    }

    fn known(path: &Path, count: u64) -> Vec<u64> {
        let mut journal = Journal::open(path, "orders").unwrap();
        let known = |number: &u64| journal.knows(*number, number.to_string().as_bytes()).unwrap();
        (0..count).filter(known).collect()
    }

    #[test]
    fn what_was_written_is_known_to_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut journal) = journal(folder.path());
        note(&mut journal, [0, 1, 2, 5]);
        note(&mut journal, [4, 7]);
        drop(journal);
        assert_eq!(known(&path, 10), [0, 1, 2, 4, 5, 7]);
        assert_eq!(Journal::open(&path, "orders").unwrap().known(), 6);
    }

    #[test]
    fn a_file_cut_anywhere_knows_a_part_and_never_more() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut journal) = journal(folder.path());
        note(&mut journal, 0..3);
        note(&mut journal, 5..8);
        note(&mut journal, 3..5);
        drop(journal);
        let whole = fs::read(&path).unwrap();
        let mut sizes = Vec::new();
        for length in 0..=whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let seen = known(&path, 10);
            assert!(seen.iter().all(|number| *number < 8), "{seen:?}");
            sizes.push(seen.len());
            // And it can be written on.
            let mut journal = Journal::open(&path, "orders").unwrap();
            note(&mut journal, [9]);
            drop(journal);
            assert_eq!(known(&path, 10).len(), seen.len() + 1);
        }
        sizes.dedup();
        assert_eq!(sizes, [0, 3, 6, 8]);
    }

    #[test]
    fn refuses_what_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (path, journal) = journal(folder.path());
        let open = |stream: &str| Journal::open(&path, stream).unwrap_err().to_text("kput");
        assert!(open("orders").contains("another kput is using it"));
        drop(journal);
        assert!(open("other").contains("journal of stream `orders`"), "{}", open("other"));
        let device = Journal::open(Path::new("/dev/full"), "orders").unwrap_err();
        assert!(device.to_text("kput").contains("no regular file"));
        for text in ["hello\nworld\n", "hello", "{}\n", &"x".repeat(100_000)] {
            fs::write(&path, text).unwrap();
            assert!(open("orders").contains("no kput journal"));
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is left alone");
        }
    }

    #[test]
    fn damage_in_the_middle_is_not_guessed_at() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut journal) = journal(folder.path());
        note(&mut journal, 0..3);
        note(&mut journal, 5..8);
        drop(journal);
        let text = fs::read_to_string(&path).unwrap().replacen("[0,2]", "[0,9]", 1);
        fs::write(&path, text).unwrap();
        let said = Journal::open(&path, "orders").unwrap_err().to_text("kput");
        assert!(said.contains("line 2: its sum does not match"), "{said}");
    }

    #[test]
    fn another_input_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut journal) = journal(folder.path());
        note(&mut journal, 0..3);
        drop(journal);
        let mut journal = Journal::open(&path, "orders").unwrap();
        assert!(journal.knows(0, b"0").unwrap() && journal.knows(1, b"changed").unwrap());
        let said = journal.knows(2, b"2").unwrap_err().to_text("kput");
        assert!(said.contains("records 1 to 3 are others"), "{said}");
    }
}
