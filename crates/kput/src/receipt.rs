//! Receipts: one line a record, in input order, whatever order the service answers in.

mod waiting;

use serde::Serialize;

use waiting::Waiting;

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
struct FailedLine<'a> {
    line: u64,
    error: Reason<'a>,
}

#[derive(Serialize)]
struct Reason<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct SkippedLine<'a> {
    line: u64,
    skipped: &'a str,
}

#[derive(Serialize)]
struct KnownLine<'a> {
    line: u64,
    known: &'a str,
}

/// Brings receipts into input order.
pub struct Receipts {
    /// Those whose turn has come.
    ready: Vec<u8>,
    wanted: bool,
    /// Number of the first record that has no receipt yet.
    first: u64,
    waiting: Waiting,
}

impl Receipts {
    /// None yet; none ever, unless they are `wanted`.
    pub fn new(wanted: bool) -> Self {
        Self { ready: Vec::new(), wanted, first: 0, waiting: Waiting::default() }
    }

    /// The receipts whose turn has come, for someone to write and take out.
    pub fn ready(&mut self) -> &mut Vec<u8> {
        &mut self.ready
    }

    /// Number of the first record without a receipt. Nothing waits when nobody wants receipts.
    pub fn first_open(&self) -> u64 {
        if self.wanted { self.first } else { u64::MAX }
    }

    /// Takes the receipt of record `number`, which stood in `line` and is stored.
    pub fn stored(&mut self, number: u64, line: u64, place: StoredAt<'_>) {
        self.put(number, |text| {
            let mut digits = itoa::Buffer::new();
            text.extend_from_slice(b"{\"line\":");
            text.extend_from_slice(digits.format(line).as_bytes());
            text.extend_from_slice(b",\"shard_id\":\"");
            text.extend_from_slice(place.shard);
            text.extend_from_slice(b"\",\"sequence_number\":\"");
            text.extend_from_slice(place.sequence);
            text.push(b'"');
            if let Some(sub) = place.sub {
                text.extend_from_slice(b",\"sub\":");
                text.extend_from_slice(digits.format(sub).as_bytes());
            }
            text.extend_from_slice(b"}\n");
        });
    }

    /// Takes the receipt of record `number`, which stood in `line` and is not stored by this run.
    pub fn unstored(&mut self, number: u64, line: u64, why: Unstored<'_>) {
        self.put(number, |text| match why {
            Unstored::Failed { code, message } => {
                json_line(text, &FailedLine { line, error: Reason { code, message } });
            }
            Unstored::Skipped(reason) => json_line(text, &SkippedLine { line, skipped: reason }),
            Unstored::Known(known) => json_line(text, &KnownLine { line, known }),
        });
    }

    fn put(&mut self, number: u64, write: impl FnOnce(&mut Vec<u8>)) {
        if !self.wanted {
            return;
        }
        let Ok(ahead) = usize::try_from(number - self.first) else { return };
        if ahead > 0 {
            self.waiting.keep(ahead, write);
            return;
        }
        write(&mut self.ready);
        self.first += 1;
        self.waiting.pass();
        while let Some(text) = self.waiting.next() {
            self.ready.extend_from_slice(text);
            self.first += 1;
        }
    }

    /// Makes those ready that wait for others which will never come.
    pub fn close_gaps(&mut self) {
        while !self.waiting.is_empty() {
            if let Some(text) = self.waiting.next() {
                self.ready.extend_from_slice(text);
            } else {
                self.waiting.pass();
            }
            self.first += 1;
        }
    }
}

fn json_line(text: &mut Vec<u8>, value: &impl Serialize) {
    // Strings and numbers always become JSON, and memory takes it.
    drop(serde_json::to_writer(&mut *text, value));
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::{Receipts, StoredAt, Unstored};

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
    fn the_rest_is_written_when_a_gap_stays_open() {
        let lines = written(|receipts| {
            store(receipts, 1, 2);
            store(receipts, 4, 5);
            receipts.close_gaps();
        });
        assert_eq!(lines.len(), 2);
    }
}
