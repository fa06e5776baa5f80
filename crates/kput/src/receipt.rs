//! Receipts: one line a record, in input order, whatever order the service answers in.

mod waiting;

use serde::Serialize;

use waiting::Waiting;

use crate::plan::Part;

/// What became of a record that is not stored by this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unstored<'a> {
    /// It was given up or refused.
    Failed {
        /// A word for programs.
        code: &'a str,
        /// A sentence for people.
        message: &'a str,
    },
    /// It was left out on purpose, for this reason.
    Skipped(&'a str),
    /// It was dealt with in an earlier run, as the journal says: `stored` or `dead-letter`. That run may have been
    /// killed before it could give the receipt.
    Known(&'static str),
}

/// Where a record is stored. Both words are JSON strings without their quotes, as the service wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredAt<'a> {
    /// The shard.
    pub shard: &'a [u8],
    /// Its place in the shard.
    pub sequence: &'a [u8],
    /// Its place in an aggregate.
    pub sub: Option<usize>,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'a str,
    message: &'a str,
}

/// Brings receipts into input order.
pub struct Receipts {
    wanted: bool,
    files: Files,
    order: InOrder,
}

impl Receipts {
    /// None yet; none ever, unless they are `wanted`.
    pub fn new(wanted: bool) -> Self {
        Self { wanted, files: Files::default(), order: InOrder::default() }
    }

    /// The receipts whose turn has come, for someone to write and take out.
    pub fn ready(&mut self) -> &mut Vec<u8> {
        &mut self.order.ready
    }

    /// Number of the first record without a receipt. Nothing waits when nobody wants receipts.
    pub fn first_open(&self) -> u64 {
        if self.wanted { self.order.first } else { u64::MAX }
    }

    /// Notes that the records from `first` on are of the file called `name`: their receipts say so.
    pub fn begin_file(&mut self, first: u64, name: String) {
        self.files.0.push((first, name));
    }

    /// The file that record `number` came from, when there are several.
    pub fn file(&self, number: u64) -> Option<&str> {
        self.files.of(number)
    }

    /// Takes the receipt of record `number`, which stood in `line` and is stored.
    pub fn stored(&mut self, number: u64, line: u64, place: StoredAt<'_>) {
        self.put(number, line, |text| {
            place_members(text, place);
            if let Some(sub) = place.sub {
                text.extend_from_slice(b",\"sub\":");
                text.extend_from_slice(itoa::Buffer::new().format(sub).as_bytes());
            }
        });
    }

    /// Takes the receipt of record `number`, which stood in `line` and is not stored by this run.
    pub fn unstored(&mut self, number: u64, line: u64, why: Unstored<'_>) {
        self.put(number, line, |text| match why {
            Unstored::Failed { code, message } => member(text, b",\"error\":", &Reason { code, message }),
            Unstored::Skipped(reason) => member(text, b",\"skipped\":", &reason),
            Unstored::Known(known) => member(text, b",\"known\":", &known),
        });
    }

    /// Records were stored as one, in the order of `parts`.
    pub fn stored_together(&mut self, parts: &[Part], place: StoredAt<'_>) {
        if !self.wanted {
            return;
        }
        if !self.files.0.is_empty() {
            for (part, sub) in parts.iter().zip(0..) {
                self.stored(part.number, part.line, StoredAt { sub: Some(sub), ..place });
            }
            return;
        }
        self.order.put_together(parts, |common| {
            place_members(common, place);
            common.extend_from_slice(b",\"sub\":");
        });
    }

    /// Takes a receipt that says what `members` adds.
    fn put(&mut self, number: u64, line: u64, members: impl FnOnce(&mut Vec<u8>)) {
        if !self.wanted {
            return;
        }
        let file = self.files.of(number);
        self.order.put(number, |text| {
            text.extend_from_slice(LINE);
            text.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
            if let Some(file) = file {
                member(text, b",\"file\":", &file);
            }
            members(text);
            text.extend_from_slice(END);
        });
    }

    /// Makes those ready that wait for others which will never come.
    pub fn close_gaps(&mut self) {
        self.order.close_gaps();
    }
}

/// How a receipt begins, before the line's number.
const LINE: &[u8] = b"{\"line\":";

/// How it ends.
const END: &[u8] = b"}\n";

/// The members that say where a record is stored.
fn place_members(text: &mut Vec<u8>, place: StoredAt<'_>) {
    text.extend_from_slice(b",\"shard_id\":\"");
    text.extend_from_slice(place.shard);
    text.extend_from_slice(b"\",\"sequence_number\":\"");
    text.extend_from_slice(place.sequence);
    text.push(b'"');
}

/// The receipt of one of the records that were stored together: what is `common` to them ends before its position.
fn line_of_many(text: &mut Vec<u8>, line: u64, common: &[u8], sub: usize) {
    const NUMBERS: usize = 2 * 20;
    text.reserve(LINE.len() + common.len() + END.len() + NUMBERS);
    text.extend_from_slice(LINE);
    text.extend_from_slice(itoa::Buffer::new().format(line).as_bytes());
    text.extend_from_slice(common);
    text.extend_from_slice(itoa::Buffer::new().format(sub).as_bytes());
    text.extend_from_slice(END);
}

/// Of several files, the number of the first record of each, and its name.
#[derive(Debug, Default)]
struct Files(Vec<(u64, String)>);

impl Files {
    fn of(&self, number: u64) -> Option<&str> {
        let behind = self.0.partition_point(|(first, _)| *first <= number);
        self.0.get(behind.checked_sub(1)?).map(|(_, name)| name.as_str())
    }
}

/// Texts that come in any order and leave in that of their numbers.
#[derive(Debug, Default)]
struct InOrder {
    /// Those whose turn has come.
    ready: Vec<u8>,
    /// The number whose turn it is.
    first: u64,
    waiting: Waiting,
}

impl InOrder {
    fn put(&mut self, number: u64, write: impl FnOnce(&mut Vec<u8>)) {
        let Ok(ahead) = usize::try_from(number - self.first) else { return };
        if ahead > 0 {
            self.waiting.keep(ahead, write);
            return;
        }
        write(&mut self.ready);
        self.passed();
    }

    /// Takes texts that have in common what `write` appends.
    fn put_together(&mut self, parts: &[Part], write: impl FnOnce(&mut Vec<u8>)) {
        let group = self.waiting.begin_group(write);
        for (&Part { number, line }, sub) in parts.iter().zip(0..) {
            let Ok(ahead) = usize::try_from(number - self.first) else { continue };
            if ahead > 0 {
                self.waiting.keep_one_of(group, ahead, line, sub);
            } else {
                line_of_many(&mut self.ready, line, self.waiting.common(group), sub);
                self.passed();
            }
        }
        self.waiting.end_group(group);
    }

    /// The one whose turn it was is written.
    fn passed(&mut self) {
        self.first += 1;
        self.waiting.pass();
        while self.waiting.next(&mut self.ready) {
            self.first += 1;
        }
    }

    fn close_gaps(&mut self) {
        while !self.waiting.is_empty() {
            if !self.waiting.next(&mut self.ready) {
                self.waiting.pass();
            }
            self.first += 1;
        }
    }
}

fn member(text: &mut Vec<u8>, name: &[u8], value: &impl Serialize) {
    text.extend_from_slice(name);
    // Strings always become JSON, and memory takes it.
    drop(serde_json::to_writer(text, value));
}

#[cfg(test)]
mod tests {
    use super::{Receipts, StoredAt, Unstored};
    use crate::plan::Part;

    fn written(act: impl FnOnce(&mut Receipts)) -> Vec<String> {
        let mut receipts = Receipts::new(true);
        act(&mut receipts);
        str::from_utf8(receipts.ready()).unwrap().lines().map(str::to_owned).collect()
    }

    fn store(receipts: &mut Receipts, number: u64, line: u64) {
        let sequence = number.to_string();
        let place = StoredAt { shard: b"shardId-000000000001", sequence: sequence.as_bytes(), sub: None };
        receipts.stored(number, line, place);
    }

    #[test]
    fn come_in_input_order() {
        let lines = written(|receipts| {
            for number in [2, 0, 3, 1] {
                store(receipts, number, number + 10);
            }
            assert_eq!(receipts.first_open(), 4);
        });
        let expected = [0, 1, 2, 3].map(|number| {
            format!(
                r#"{{"line":{},"shard_id":"shardId-000000000001","sequence_number":"{number}"}}"#,
                number + 10
            )
        });
        assert_eq!(lines, expected);
    }

    #[test]
    fn every_kind_is_one_line_of_json() {
        let lines = written(|receipts| {
            let place = StoredAt { shard: br#"a\"b"#, sequence: b"1", sub: Some(3) };
            receipts.stored(0, 1, place);
            let failed = Unstored::Failed { code: "InternalFailure", message: "a \"b\"" };
            receipts.unstored(1, 2, failed);
            receipts.unstored(2, 3, Unstored::Skipped("no key"));
            receipts.unstored(3, 4, Unstored::Known("stored"));
        });
        assert_eq!(
            lines,
            [
                r#"{"line":1,"shard_id":"a\"b","sequence_number":"1","sub":3}"#,
                r#"{"line":2,"error":{"code":"InternalFailure","message":"a \"b\""}}"#,
                r#"{"line":3,"skipped":"no key"}"#,
                r#"{"line":4,"known":"stored"}"#,
            ]
        );
    }

    #[test]
    fn records_that_were_stored_as_one_have_the_receipts_they_would_have_alone() {
        let parts = |numbers: [u64; 3]| numbers.map(|number| Part { number, line: number * 7 + 1 });
        let packs = [(b"1", parts([2, 5, 7])), (b"2", parts([0, 3, 4])), (b"3", parts([1, 6, 8]))];
        for file in [None, Some("a")] {
            let begin = |receipts: &mut Receipts| {
                if let Some(file) = file {
                    receipts.begin_file(0, String::from(file));
                }
            };
            let place = |sequence| StoredAt { shard: b"shardId-000000000001", sequence, sub: None };
            let together = written(|receipts| {
                begin(receipts);
                for (sequence, parts) in &packs {
                    receipts.stored_together(parts, place(*sequence));
                }
            });
            let alone = written(|receipts| {
                begin(receipts);
                for (sequence, parts) in &packs {
                    for (part, sub) in parts.iter().zip(0..) {
                        receipts.stored(
                            part.number,
                            part.line,
                            StoredAt { sub: Some(sub), ..place(*sequence) },
                        );
                    }
                }
            });
            assert_eq!((together.len(), together), (9, alone));
        }
    }

    #[test]
    fn of_several_files_each_is_named() {
        let lines = written(|receipts| {
            receipts.begin_file(0, "a".to_owned());
            receipts.begin_file(2, "b \"c\"".to_owned());
            for number in [3, 2, 1, 0] {
                receipts.unstored(number, number % 2 + 1, Unstored::Known("stored"));
            }
        });
        let file = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["file"].clone();
        assert_eq!(lines.iter().map(file).collect::<Vec<_>>(), ["a", "a", "b \"c\"", "b \"c\""]);
        assert!(lines[0].starts_with(r#"{"line":1,"file":"a","#));
    }

    #[test]
    fn the_rest_is_written_when_a_gap_stays_open() {
        let lines = written(|receipts| {
            store(receipts, 1, 2);
            store(receipts, 4, 5);
            receipts.close_gaps();
        });
        assert_eq!(lines.len(), 2);
    }
}
