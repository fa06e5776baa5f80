//! Receipts: one line a record, in input order, whatever order the service answers in.

use std::collections::VecDeque;
use std::io::Write;

use config::{OutError, Output};
use serde::Serialize;

use crate::plan::Text;

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is stored.
    Stored {
        /// The shard it went to.
        shard: Text,
        /// Its place in the shard.
        sequence: Text,
        /// Its place in an aggregate.
        sub: Option<usize>,
    },
    /// It is not stored.
    Failed {
        /// A word for programs.
        code: String,
        /// A sentence for people.
        message: String,
    },
    /// It was left out on purpose.
    Skipped {
        /// Why.
        reason: String,
    },
    /// It was dealt with in an earlier run, which wrote its receipt.
    Known,
}

#[derive(Serialize)]
struct StoredLine<'a> {
    line: u64,
    shard_id: &'a str,
    sequence_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<usize>,
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

/// Brings receipts into input order and writes them.
pub struct Receipts<W: Write> {
    output: Output<W>,
    wanted: bool,
    /// Number of the first record that has no receipt yet.
    first: u64,
    waiting: VecDeque<Option<(u64, Receipt)>>,
    buffer: Vec<u8>,
}

impl<W: Write> Receipts<W> {
    /// Writes to `output`, unless nobody wants receipts.
    pub fn new(output: Output<W>, wanted: bool) -> Self {
        Self { output, wanted, first: 0, waiting: VecDeque::new(), buffer: Vec::new() }
    }

    /// Number of the first record without a receipt. Nothing waits when nobody wants receipts.
    pub fn first_open(&self) -> u64 {
        if self.wanted { self.first } else { u64::MAX }
    }

    /// Takes the receipt of record `number`, which stood in `line`, and writes every receipt whose turn it is.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn put(&mut self, number: u64, line: u64, receipt: Receipt) -> Result<(), OutError> {
        if !self.wanted {
            return Ok(());
        }
        let Ok(at) = usize::try_from(number - self.first) else { return Ok(()) };
        if at == 0 && self.waiting.is_empty() {
            self.first += 1;
            return self.write(line, &receipt);
        }
        if self.waiting.len() <= at {
            self.waiting.resize(at + 1, None);
        }
        if let Some(slot) = self.waiting.get_mut(at) {
            *slot = Some((line, receipt));
        }
        while let Some(Some((line, receipt))) = self.waiting.front_mut().map(Option::take) {
            self.waiting.pop_front();
            self.first += 1;
            self.write(line, &receipt)?;
        }
        Ok(())
    }

    /// Writes the receipts that wait for others which will never come.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn put_rest(&mut self) -> Result<(), OutError> {
        while let Some(slot) = self.waiting.pop_front() {
            self.first += 1;
            if let Some((line, receipt)) = slot {
                self.write(line, &receipt)?;
            }
        }
        self.flush()
    }

    /// Hands everything on.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn flush(&mut self) -> Result<(), OutError> {
        self.output.flush()
    }

    fn write(&mut self, line: u64, receipt: &Receipt) -> Result<(), OutError> {
        match receipt {
            Receipt::Stored { shard, sequence, sub: None } if is_word(shard) && is_word(sequence) => {
                // Most receipts are of this kind: written as they are, without a look at each character.
                self.buffer.clear();
                write!(self.buffer, "{{\"line\":{line},\"shard_id\":\"")?;
                self.buffer.extend_from_slice(shard.as_bytes());
                self.buffer.extend_from_slice(b"\",\"sequence_number\":\"");
                self.buffer.extend_from_slice(sequence.as_bytes());
                self.buffer.extend_from_slice(b"\"}\n");
                self.output.bytes(&self.buffer)
            }
            Receipt::Stored { shard, sequence, sub } => {
                let (shard_id, sequence_number) = (shard.as_str(), sequence.as_str());
                self.output.line(&StoredLine { line, shard_id, sequence_number, sub: *sub })
            }
            Receipt::Failed { code, message } => {
                self.output.line(&FailedLine { line, error: Reason { code, message } })
            }
            Receipt::Skipped { reason } => self.output.line(&SkippedLine { line, skipped: reason }),
            Receipt::Known => Ok(()),
        }
    }
}

/// Whether `text` stands in JSON as it is.
fn is_word(text: &Text) -> bool {
    text.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use config::Output;

    use super::{Receipt, Receipts};

    fn stored(sequence: &str) -> Receipt {
        Receipt::Stored {
            shard: "shardId-000000000001".to_owned().into(),
            sequence: sequence.to_owned().into(),
            sub: None,
        }
    }

    fn written(act: impl FnOnce(&mut Receipts<&mut Vec<u8>>)) -> Vec<String> {
        let mut bytes = Vec::new();
        let mut receipts = Receipts::new(Output::new(&mut bytes, false), true);
        act(&mut receipts);
        receipts.flush().unwrap();
        drop(receipts);
        String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn come_in_input_order() {
        let lines = written(|receipts| {
            for number in [2, 0, 3, 1] {
                receipts.put(number, number + 10, stored(&number.to_string())).unwrap();
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
            let sub = Receipt::Stored {
                shard: "a\"b".to_owned().into(),
                sequence: "1".to_owned().into(),
                sub: Some(3),
            };
            receipts.put(0, 1, sub).unwrap();
            let code = "InternalFailure".to_owned();
            receipts.put(1, 2, Receipt::Failed { code, message: "a \"b\"".to_owned() }).unwrap();
            receipts.put(2, 3, Receipt::Skipped { reason: "no key".to_owned() }).unwrap();
            receipts.put(3, 4, Receipt::Known).unwrap();
        });
        assert_eq!(
            lines,
            [
                r#"{"line":1,"shard_id":"a\"b","sequence_number":"1","sub":3}"#,
                r#"{"line":2,"error":{"code":"InternalFailure","message":"a \"b\""}}"#,
                r#"{"line":3,"skipped":"no key"}"#,
            ]
        );
    }

    #[test]
    fn the_rest_is_written_when_a_gap_stays_open() {
        let lines = written(|receipts| {
            receipts.put(1, 2, stored("1")).unwrap();
            receipts.put_rest().unwrap();
        });
        assert_eq!(lines.len(), 1);
    }
}
