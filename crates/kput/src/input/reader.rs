//! The reading thread: through every source, frame by frame, until the end or until nobody wants more.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::thread;

use config::Fault;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::key::{HashSource, KeySource, OnMissingKey};
use super::shape::{CsvValues, Place, Shape, Stop};
use super::slab::{Builder, Message};
use super::source::{Origin, Source, broken};
use super::splitter::{Frame, Splitter};
use super::{Form, csv as rows};
use crate::limits::RECORD_BYTES;

/// The longest line of an envelope: the largest record as a JSON string in which each byte is escaped, and room for the
/// other members.
const ENVELOPE_BYTES: usize = RECORD_BYTES * 6 + 64 * 1024;

/// What the reading thread is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the input is cut.
    pub form: Form,
    /// Where keys come from.
    pub key: KeySource,
    /// Where hash keys come from.
    pub hash: Option<HashSource>,
    /// What happens without a key, when the user says. An envelope may lack one all the same.
    pub on_missing: Option<OnMissingKey>,
    /// Whether empty lines are left out.
    pub skip_blank: bool,
    /// How CSV values become JSON.
    pub csv_values: CsvValues,
}

/// The records, as they come.
pub type Input = UnboundedReceiver<Message>;

/// Starts the reading thread. It ends with the process when it is caught in a read.
///
/// # Errors
/// When a file cannot be opened, or the system gives no thread.
pub fn spawn(source: Source, options: Options) -> Result<Input, Fault> {
    if let Source::Streams(origins) = &source {
        origins.iter().try_for_each(Origin::try_open)?;
    }
    // How much may be in it, the builder knows.
    let (to, from) = unbounded_channel();
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(move || {
            let mut builder = Builder::new(to);
            let ended = read(source, &options, &mut builder);
            // What was read before the end, or before the trouble, is sent all the same.
            let last = match (builder.hand_on(), ended) {
                (Err(_), _) | (_, Err(Stop::Unwanted)) => return,
                (Ok(()), Err(Stop::Broken(fault))) => Message::Broken(fault),
                (Ok(()), Ok(())) => Message::End,
            };
            // The receiver may be gone by now, and then nobody has to know.
            drop(builder.send(last));
        })
        .map_err(|error| Fault::transient("failed to start the reading thread").with_cause(error))?;
    Ok(from)
}

fn read(source: Source, options: &Options, to: &mut Builder) -> Result<(), Stop> {
    let shape = Shape {
        form: options.form,
        key: options.key.clone(),
        hash: options.hash.clone(),
        on_missing: options.on_missing,
    };
    match source {
        Source::Texts(texts) => {
            for (text, line) in texts.iter().zip(1..) {
                shape.take(to, text.as_bytes(), Place { source: "--data", line, unit: "text" })?;
            }
            Ok(())
        }
        Source::Streams(origins) => {
            let are_many = origins.len() > 1;
            for origin in origins {
                let name = origin.name();
                if are_many {
                    to.begin_file(&name)?;
                }
                let mut from = open(origin, options.form)?;
                match options.form {
                    Form::Csv => read_rows(&mut *from, &name, &shape, options.csv_values, to)?,
                    Form::Lines | Form::Raw | Form::Nul | Form::Envelope => {
                        read_frames(&mut *from, &name, &shape, options.skip_blank, to)?;
                    }
                }
            }
            Ok(())
        }
    }
}

fn open(origin: Origin, form: Form) -> Result<Box<dyn Read + Send>, Stop> {
    // A record that is a gzip file is to be stored as it is.
    origin.open(form != Form::Raw).map_err(Stop::Broken)
}

fn read_frames(
    from: &mut dyn Read,
    name: &str,
    shape: &Shape,
    skip_blank: bool,
    to: &mut Builder,
) -> Result<(), Stop> {
    let (delimiter, longest, unit) = match shape.form {
        Form::Raw => (None, RECORD_BYTES, "record"),
        Form::Nul => (Some(0), RECORD_BYTES, "record"),
        Form::Envelope => (Some(b'\n'), ENVELOPE_BYTES, "line"),
        Form::Lines | Form::Csv => (Some(b'\n'), RECORD_BYTES, "line"),
    };
    let mut splitter = Splitter::new(delimiter, longest);
    let mut line = 0;
    loop {
        let more = splitter.fill(from).map_err(|error| Stop::Broken(broken(name, error)))?;
        while let Some(frame) = splitter.next() {
            line += 1;
            let place = Place { source: name, line, unit };
            match frame {
                Frame::TooLong(length) => shape.too_long(to, length, place)?,
                Frame::Whole([] | [b'\r']) if skip_blank => {}
                Frame::Whole([] | [b'\r']) if unit == "line" => {
                    return Err(Stop::Broken(
                        place.fault("the line is empty").with_hint("--skip-blank leaves empty lines out"),
                    ));
                }
                Frame::Whole(bytes) => shape.take(to, bytes, place)?,
            }
        }
        if !more {
            return Ok(());
        }
        to.hand_on()?;
    }
}

fn read_rows(
    from: &mut dyn Read,
    name: &str,
    shape: &Shape,
    values: CsvValues,
    to: &mut Builder,
) -> Result<(), Stop> {
    let (to, unfinished) = (RefCell::new(to), Cell::new(0));
    let from = HandingOn {
        from: &mut without_mark(from).map_err(|error| Stop::Broken(broken(name, error)))?,
        to: &to,
        unfinished: &unfinished,
    };
    // Line feeds end rows, so that lines are counted right; the carriage return before one is cut off below.
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(from);
    let mut row = csv::ByteRecord::new();
    let hint = "--input csv reads a header and rows with as many columns, as RFC 4180 says";
    let mut names: Option<Vec<String>> = None;
    let mut returns = false;
    let mut object = Vec::new();
    while reader
        .read_byte_record(&mut row)
        .map_err(|error| Stop::Broken(broken(name, io::Error::other(error))))?
    {
        unfinished.set(0);
        let line = row.position().map_or(1, csv::Position::line);
        let place = Place { source: name, line, unit: "line" };
        let broken = |reason: String| Stop::Broken(place.fault(&reason).with_hint(hint));
        if names.is_none() {
            returns = row.iter().next_back().is_some_and(|last| last.ends_with(b"\r"));
        }
        if returns {
            rows::cut_return(&mut row);
        }
        match &names {
            None => names = Some(rows::names(&row).map_err(broken)?),
            // A blank line is no row. Where lines end in line feeds only, the parser has left it out.
            Some(names) if (names.len() > 1 || returns) && row.len() == 1 && row.get(0) == Some(b"") => {}
            Some(names) if names.len() != row.len() => {
                let reason = format!("the row has {} columns, the header has {}", row.len(), names.len());
                return Err(broken(reason));
            }
            Some(names) => {
                object.clear();
                rows::object(&mut object, names, &row, values)
                    .map_err(|reason| broken(format!("the row {reason}")))?;
                shape.take(&mut to.borrow_mut(), &object, place)?;
            }
        }
    }
    Ok(())
}

/// `from` without the byte order mark that a spreadsheet's export may begin with.
fn without_mark(from: &mut dyn Read) -> io::Result<impl Read> {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    let mut start = Vec::new();
    from.take(MARK.len() as u64).read_to_end(&mut start)?;
    if start == MARK {
        start.clear();
    }
    Ok(io::Cursor::new(start).chain(from))
}

/// Hands on what is there before a read that may block for long.
struct HandingOn<'a, 'builder> {
    from: &'a mut dyn Read,
    to: &'a RefCell<&'builder mut Builder>,
    /// Bytes read since the last whole row: a quote that nobody closes makes all of the input one row.
    unfinished: &'a Cell<usize>,
}

impl Read for HandingOn<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unfinished.get() > RECORD_BYTES {
            return Err(io::Error::other("a row is longer than any record; maybe a quote is not closed"));
        }
        match self.to.borrow_mut().hand_on() {
            Ok(()) => {
                let read = self.from.read(buffer)?;
                self.unfinished.set(self.unfinished.get() + read);
                Ok(read)
            }
            // As if the input were over: nobody wants the rest.
            Err(_) => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, spawn};
    use crate::input::{Arrival, CsvValues, Form, KeySource, Message, OnMissingKey, Origin, Source};

    fn options(form: Form, key: KeySource) -> Options {
        let on_missing = None;
        Options { form, key, hash: None, on_missing, skip_blank: false, csv_values: CsvValues::Infer }
    }

    fn field(path: &str) -> KeySource {
        KeySource::Field(path.parse().unwrap())
    }

    /// Every arrival as `line key payload`, and the fault that ended it.
    fn read(text: &str, options: Options) -> (Vec<String>, Option<String>) {
        let bytes = std::io::Cursor::new(text.as_bytes().to_vec());
        let mut input = spawn(Source::Streams(vec![Origin::Stdin(Box::new(bytes))]), options).unwrap();
        let mut seen = Vec::new();
        loop {
            match input.blocking_recv().unwrap() {
                Message::Batch(mut batch) => {
                    while let Some(arrival) = batch.lend() {
                        seen.push(match arrival {
                            Arrival::Record(record) => format!(
                                "{} {} {}",
                                record.line(),
                                record.key_text().unwrap_or_default(),
                                String::from_utf8_lossy(record.data())
                            ),
                            Arrival::Refused(refusal) => format!("{} refused {}", refusal.line, refusal.code),
                            Arrival::Skipped(refusal) => {
                                format!("{} skipped {}", refusal.line, refusal.message)
                            }
                        });
                    }
                }
                Message::File { first, name } => seen.push(format!("{name} from {first}")),
                Message::Broken(fault) => return (seen, Some(fault.to_text("kput"))),
                Message::End => return (seen, None),
            }
        }
    }

    #[test]
    fn lines_with_a_field_as_key() {
        let (seen, fault) = read("{\"id\":\"a\"}\n{\"id\":\"b\\n\"}", options(Form::Lines, field("id")));
        assert_eq!(seen, ["1 a {\"id\":\"a\"}", "2 b\n {\"id\":\"b\\n\"}"]);
        assert_eq!(fault, None);
    }

    #[test]
    fn a_bad_third_line_ends_it_after_the_first_two() {
        let input = "{\"id\":1}\n{\"id\":2}\n{\"x\":3}\n{\"id\":4}\n";
        let (seen, fault) = read(input, options(Form::Lines, field("id")));
        assert_eq!(seen.len(), 2);
        let fault = fault.unwrap();
        assert!(fault.contains("stdin, line 3: the record has no field `id`"), "{fault}");
        assert!(fault.contains("--on-missing-key"), "{fault}");
    }

    #[test]
    fn a_missing_key_can_be_skipped_or_random() {
        let input = "{\"id\":1}\nnot json\n";
        let skip = Options { on_missing: Some(OnMissingKey::Skip), ..options(Form::Lines, field("id")) };
        assert_eq!(read(input, skip).0, ["1 1 {\"id\":1}", "2 skipped the record is not JSON"]);
        let random = Options { on_missing: Some(OnMissingKey::Random), ..options(Form::Lines, field("id")) };
        let (seen, fault) = read(input, random);
        assert!(seen[1].ends_with(" not json") && seen[1].len() == "2 0123456789abcdef not json".len());
        assert_eq!(fault, None);
    }

    #[test]
    fn an_empty_line_is_an_error_unless_skipped() {
        let (_, fault) = read("a\n\nb\n", options(Form::Lines, KeySource::Random));
        assert!(fault.unwrap().contains("line 2: the line is empty"));
        let skip = Options { skip_blank: true, ..options(Form::Lines, KeySource::Absent) };
        assert_eq!(read("a\n\nb\n", skip).0, ["1  a", "3  b"]);
    }

    #[test]
    fn raw_and_nul_keep_line_feeds() {
        assert_eq!(read("a\nb\n", options(Form::Raw, KeySource::Absent)).0, ["1  a\nb\n"]);
        assert_eq!(read("a\nb\0c\0", options(Form::Nul, KeySource::Absent)).0, ["1  a\nb", "2  c"]);
        assert!(read("", options(Form::Raw, KeySource::Absent)).0.is_empty());
    }

    #[test]
    fn envelopes_bring_their_keys() {
        let input =
            "{\"partition_key\":\"k\",\"json\":{\"a\":1}}\n{\"partition_key\":\"l\",\"text\":\"t\"}\n";
        assert_eq!(read(input, options(Form::Envelope, KeySource::Envelope)).0, ["1 k {\"a\":1}", "2 l t"]);
        assert_eq!(
            read(input, options(Form::Envelope, KeySource::Literal("x".into()))).0[0],
            "1 x {\"a\":1}"
        );
        let keyless = "{\"partition_key\":null,\"text\":\"t\"}\n{\"text\":\"u\"}\n";
        assert_eq!(read(keyless, options(Form::Envelope, KeySource::Envelope)).0, ["1  t", "2  u"]);
        let skip =
            Options { on_missing: Some(OnMissingKey::Skip), ..options(Form::Envelope, KeySource::Envelope) };
        assert_eq!(read(keyless, skip).0[0], "1 skipped the record has no partition_key");
        let (_, fault) = read("nope\n", options(Form::Envelope, KeySource::Envelope));
        assert!(fault.unwrap().contains("line 1: the line is no envelope"));
    }

    #[test]
    fn csv_rows_become_objects() {
        let input = "sensor,t\r\na,1.50\r\n\"b\n\",\r\n";
        assert_eq!(
            read(input, options(Form::Csv, field("sensor"))).0,
            ["2 a {\"sensor\":\"a\",\"t\":1.50}", "3 b\n {\"sensor\":\"b\\n\",\"t\":null}"]
        );
        let exported = "\u{feff}\"id\",t\r\na,1\r\n\r\n";
        assert_eq!(read(exported, options(Form::Csv, field("id"))).0, ["2 a {\"id\":\"a\",\"t\":1}"]);
        assert_eq!(read("id\r\na\r\n\r\n", options(Form::Csv, field("id"))).0, ["2 a {\"id\":\"a\"}"]);
        let open = format!("id\n\"a\n{}", "x\n".repeat(crate::limits::RECORD_BYTES));
        let (_, fault) = read(&open, options(Form::Csv, KeySource::Absent));
        assert!(fault.unwrap().contains("maybe a quote is not closed"));
        let (seen, fault) = read("a,b\n1,2\n3\n", options(Form::Csv, KeySource::Absent));
        assert_eq!(seen.len(), 1);
        let fault = fault.unwrap();
        assert!(fault.contains("stdin, line 3: the row has 1 columns, the header has 2"), "{fault}");
    }

    #[test]
    fn a_record_no_stream_takes_is_refused_alone() {
        let input = format!("a\n{}\nb\n", "x".repeat(crate::limits::RECORD_BYTES + 1));
        let (seen, _) = read(&input, options(Form::Lines, KeySource::Absent));
        assert_eq!(seen, ["1  a", "2 refused RecordTooLarge", "3  b"]);
    }
}
