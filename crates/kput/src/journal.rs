//! `--journal`: which records are dealt with, so that a run that was killed goes on where it stopped.
//!
//! One JSON line for the stream, then one a range of records: `{"done":[0,499],"content":"…","check":"…"}` when they are
//! stored, `{"lettered":[500,500],…}` when they were given up and are in the dead-letter file. Lines are
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

/// What an earlier run did with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is stored.
    Stored,
    /// It was given up, and is in the dead-letter file.
    Lettered,
}

#[derive(Deserialize, Serialize)]
struct Line {
    /// First and last record that are stored, by position in the input, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<[u64; 2]>,
    /// The same of records that are in the dead-letter file.
    #[serde(skip_serializing_if = "Option::is_none")]
    lettered: Option<[u64; 2]>,
    /// Sum over the payloads, hexadecimal.
    content: String,
    /// Sum over the line itself, hexadecimal.
    check: String,
}

impl Line {
    fn new(known: Known, range: Range) -> Self {
        let ends = Some([range.first, range.last]);
        let (done, lettered) = match known {
            Known::Stored => (ends, None),
            Known::Lettered => (None, ends),
        };
        Self { done, lettered, content: format!("{:016x}", range.content), check: Self::check(known, range) }
    }

    fn check(known: Known, range: Range) -> String {
        let sum = ranges::check(range);
        let sum = match known {
            Known::Stored => sum,
            Known::Lettered => !sum,
        };
        format!("{sum:016x}")
    }

    fn read(&self) -> Option<(Known, Range)> {
        let (known, [first, last]) = match (self.done, self.lettered) {
            (Some(ends), None) => (Known::Stored, ends),
            (None, Some(ends)) => (Known::Lettered, ends),
            (None, None) | (Some(_), Some(_)) => return None,
        };
        let range = Range { first, last, content: u64::from_str_radix(&self.content, 16).ok()? };
        (first <= last && self.check == Self::check(known, range)).then_some((known, range))
    }
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes of the file that are whole lines.
    length: u64,
    stored: Ranges,
    lettered: Ranges,
    /// What was dealt with since the last write.
    fresh: Vec<(u64, u64)>,
    /// A write failed. Nothing more is written, so that what the file says stays true.
    is_over: bool,
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
            length: 0,
            stored: Ranges::default(),
            lettered: Ranges::default(),
            fresh: Vec::new(),
            is_over: false,
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
        self.length = good;
        if good == 0 {
            let header = Header { kput_journal: VERSION, stream: stream.to_owned() };
            let mut text = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
            text.push(b'\n');
            self.append(&text).map_err(|error| error.to_string())?;
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
        let (known, range) = line.read().ok_or("its sum does not match")?;
        match known {
            Known::Stored => self.stored.add(range),
            Known::Lettered => self.lettered.add(range),
        }
        Ok(())
    }

    /// How many records earlier runs dealt with.
    pub fn known(&self) -> u64 {
        self.stored.count() + self.lettered.count()
    }

    /// What an earlier run did with record `number`, which holds `data`. Asked of every record in order.
    ///
    /// # Errors
    /// A pipe fault when the records of that place are not the ones the journal is about.
    pub fn knows(&mut self, number: u64, data: &[u8]) -> Result<Option<Known>, Fault> {
        let others = |range: Range| format!("records {} to {} are others", range.first + 1, range.last + 1);
        if self.stored.pass(number, data).map_err(|range| self.other_input(others(range)))? {
            return Ok(Some(Known::Stored));
        }
        let is_lettered =
            self.lettered.pass(number, data).map_err(|range| self.other_input(others(range)))?;
        Ok(is_lettered.then_some(Known::Lettered))
    }

    /// Checks, when the input is over after `records`, that it has all that the journal knows.
    ///
    /// # Errors
    /// A pipe fault when it does not: nothing says then that what was passed over was the same.
    pub fn is_complete(&self, records: u64) -> Result<(), Fault> {
        let last = self.stored.last().into_iter().chain(self.lettered.last()).max();
        last.map_or(Ok(()), |last| {
            let known = last + 1;
            Err(self
                .other_input(format!("it ends after {records} records, the journal knows record {known}")))
        })
    }

    fn other_input(&self, cause: String) -> Fault {
        Fault::pipe(format!("the input is not the one that the journal `{}` is about", self.path.display()))
            .with_cause(cause)
            .with_hint("give the same input in the same form, or name another journal")
    }

    /// Notes record `number`, whose payload has this [`content`]. Counts after [`Journal::write`].
    pub fn note(&mut self, number: u64, content: u64) {
        self.fresh.push((number, content));
    }

    /// Writes what became of all that was noted.
    ///
    /// # Errors
    /// When the file cannot be written, now or before. What was noted then is dealt with by the next run.
    pub fn write(&mut self, known: Known) -> Result<(), Fault> {
        let mut fresh = std::mem::take(&mut self.fresh);
        if fresh.is_empty() {
            return Ok(());
        }
        fresh.sort_unstable();
        let mut text = Vec::new();
        for range in ranges::coalesce(&fresh) {
            serde_json::to_writer(&mut text, &Line::new(known, range))
                .map_err(|error| self.fault(error.into()))?;
            text.push(b'\n');
        }
        self.append(&text).map_err(|error| self.fault(error))?;
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

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.is_over {
            return Err(io::Error::other("an earlier write failed"));
        }
        match self.file.write_all(lines) {
            Ok(()) => {
                self.length += lines.len() as u64;
                Ok(())
            }
            Err(error) => {
                self.is_over = true;
                // Half a line at the end is cut off by the next run too, where it cannot be now.
                drop(self.file.set_len(self.length));
                Err(error)
            }
        }
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

    use super::{Journal, Known, content};

    fn journal(folder: &Path) -> (PathBuf, Journal) {
        let path = folder.join("journal");
        let journal = Journal::open(&path, "orders").unwrap();
        (path, journal)
    }

    fn note(journal: &mut Journal, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            journal.note(number, content(number, number.to_string().as_bytes()));
        }
        journal.write(Known::Stored).unwrap();
    }

    fn known(path: &Path, count: u64) -> Vec<u64> {
        let mut journal = Journal::open(path, "orders").unwrap();
        let known = |number: &u64| journal.knows(*number, number.to_string().as_bytes()).unwrap().is_some();
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
        assert_eq!(journal.knows(0, b"0").unwrap(), Some(Known::Stored));
        assert_eq!(journal.knows(1, b"changed").unwrap(), Some(Known::Stored));
        let said = journal.knows(2, b"2").unwrap_err().to_text("kput");
        assert!(said.contains("records 1 to 3 are others"), "{said}");
    }

    #[test]
    fn an_input_that_ends_too_early_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut journal) = journal(folder.path());
        note(&mut journal, 0..5);
        drop(journal);
        let mut journal = Journal::open(&path, "orders").unwrap();
        assert!(journal.is_complete(0).is_err());
        for number in 0..5_u64 {
            let said = journal.is_complete(number).unwrap_err().to_text("kput");
            assert!(
                said.contains(&format!("ends after {number} records, the journal knows record 5")),
                "{said}"
            );
            journal.knows(number, number.to_string().as_bytes()).unwrap();
        }
        journal.is_complete(5).unwrap();
    }

    #[test]
    fn what_is_in_the_dead_letter_file_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut journal) = journal(folder.path());
        note(&mut journal, [0, 2]);
        journal.note(1, content(1, b"1"));
        journal.write(Known::Lettered).unwrap();
        drop(journal);
        let mut journal = Journal::open(&path, "orders").unwrap();
        assert_eq!(journal.known(), 3);
        let known: Vec<_> =
            (0..4_u64).map(|number| journal.knows(number, number.to_string().as_bytes()).unwrap()).collect();
        assert_eq!(known, [Some(Known::Stored), Some(Known::Lettered), Some(Known::Stored), None]);
        // A line of one kind is no line of the other.
        drop(journal);
        let text = fs::read_to_string(&path).unwrap().replacen("lettered", "done", 1);
        fs::write(&path, text + "\n").unwrap();
        assert!(Journal::open(&path, "orders").unwrap_err().to_text("kput").contains("line 4: its sum"));
    }
}
