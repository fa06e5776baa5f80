//! The answer to a PutRecords request, read from the bytes it came in.
//!
//! The SDK would make three strings of every entry. Here entries point into the answer, and what goes from it into a
//! receipt stays the JSON text that it is. Answers of the shape that the service documents are read at a glance;
//! everything else goes through serde_json.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memmem};
use serde::Deserialize;

use crate::plan::{Failure, Place, Span, Verdict};

/// The code of an entry that is neither stored nor refused.
const NO_VERDICT: &str = "NoVerdict";

/// What the service said.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What the verdicts point into.
    pub text: Text,
    /// One an entry of the request, in its order.
    pub verdicts: Vec<Verdict>,
}

/// The text of an answer.
#[derive(Clone, Debug, Default)]
pub struct Text(Bytes);

impl Text {
    /// A piece of it: what stands between the quotes of a JSON string.
    pub fn get(&self, span: Span) -> &[u8] {
        self.0.get(span.start as usize..span.end as usize).unwrap_or_default()
    }
}

/// Reads an answer.
///
/// # Errors
/// When it is not the JSON that the service documents.
pub fn read(answer: Bytes) -> Result<Answer, serde_json::Error> {
    match at_a_glance(&answer) {
        Some(verdicts) => Ok(Answer { text: Text(answer), verdicts }),
        None => thoroughly(&answer),
    }
}

/// Reads an answer in which everything is stored, nothing is escaped and nothing is unusual.
fn at_a_glance(answer: &[u8]) -> Option<Vec<Verdict>> {
    const RECORDS: &[u8] = br#""Records":["#;
    let mut at = memmem::find(answer, RECORDS)? + RECORDS.len();
    // What stands before must be whole members of the one object.
    let before = answer.get(1..at - RECORDS.len())?;
    let plain = |byte: &u8| !matches!(byte, b'{' | b'}' | b'[' | b']' | b'\\');
    if answer.first() != Some(&b'{') || !before.iter().all(plain) {
        return None;
    }
    let mut verdicts = Vec::with_capacity(answer.len() / 100);
    loop {
        let sequence = word(answer, &mut at, br#"{"SequenceNumber":""#)?;
        let shard = word(answer, &mut at, br#","ShardId":""#)?;
        verdicts.push(Verdict::Acked(Place { shard, sequence }));
        match answer.get(at..at + 2)? {
            b"}," => at += 2,
            b"}]" => return matches!(answer.get(at + 2)?, b',' | b'}').then_some(verdicts),
            _ => return None,
        }
    }
}

/// The string behind `name`, which must stand at `at`.
fn word(answer: &[u8], at: &mut usize, name: &[u8]) -> Option<Span> {
    let rest = answer.get(*at..)?.strip_prefix(name)?;
    let length = memchr(b'"', rest)?;
    let odd = |byte: &u8| !(0x20..0x7f).contains(byte) || *byte == b'\\';
    // Without an early way out, so that many bytes are looked at at once.
    if rest.get(..length)?.iter().fold(false, |any, byte| any | odd(byte)) {
        return None;
    }
    let start = *at + name.len();
    *at = start + length + 1;
    Some(Span { start: u32::try_from(start).ok()?, end: u32::try_from(start + length).ok()? })
}

#[derive(Deserialize)]
struct Wire<'answer> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Entry<'answer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'answer> {
    #[serde(borrow, default)]
    sequence_number: Option<Cow<'answer, str>>,
    #[serde(borrow, default)]
    shard_id: Option<Cow<'answer, str>>,
    #[serde(borrow, default)]
    error_code: Option<Cow<'answer, str>>,
    #[serde(borrow, default)]
    error_message: Option<Cow<'answer, str>>,
}

fn thoroughly(answer: &[u8]) -> Result<Answer, serde_json::Error> {
    let wire: Wire<'_> = serde_json::from_slice(answer)?;
    let mut text = BytesMut::new();
    let verdicts = wire.records.into_iter().map(|entry| verdict(&mut text, entry)).collect();
    Ok(Answer { text: Text(text.freeze()), verdicts })
}

fn verdict(text: &mut BytesMut, entry: Entry<'_>) -> Verdict {
    match (entry.error_code, entry.sequence_number, entry.shard_id) {
        (None, Some(sequence), Some(shard)) => {
            Verdict::Acked(Place { shard: note(text, &shard), sequence: note(text, &sequence) })
        }
        (code, ..) => {
            let code = code.map_or_else(|| NO_VERDICT.to_owned(), Cow::into_owned);
            let message = entry.error_message.map(Cow::into_owned).unwrap_or_default();
            let throttled = is_throttle(&code);
            Verdict::Failed(Box::new(Failure { code, message, throttled, last: false }))
        }
    }
}

/// Adds a string to the text, as JSON has it.
fn note(text: &mut BytesMut, string: &str) -> Span {
    let quoted = serde_json::Value::from(string).to_string();
    let inside = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    let start = u32::try_from(text.len()).unwrap_or(u32::MAX);
    text.extend_from_slice(inside.as_bytes());
    Span { start, end: u32::try_from(text.len()).unwrap_or(u32::MAX) }
}

/// Whether `code` says that less has to be sent.
pub fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceededException"
            | "KMSThrottlingException"
            | "LimitExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;
    use serde_json::json;

    use super::{at_a_glance, read, thoroughly};
    use crate::plan::{Failure, Verdict};

    /// Each verdict as `shard sequence` or `code: message`.
    fn shown(answer: &super::Answer) -> Vec<String> {
        let show = |verdict: &Verdict| match verdict {
            Verdict::Acked(place) => {
                let text = |span| String::from_utf8(answer.text.get(span).to_vec()).unwrap();
                format!("{} {}", text(place.shard), text(place.sequence))
            }
            Verdict::Failed(failure) => {
                let Failure { code, message, throttled, .. } = &**failure;
                format!("{code}: {message}{}", if *throttled { " (throttled)" } else { "" })
            }
        };
        answer.verdicts.iter().map(show).collect()
    }

    #[test]
    fn reads_what_the_service_documents() {
        let answer = br#"{"EncryptionType":"KMS","FailedRecordCount":1,"Records":[
                {"SequenceNumber":"495","ShardId":"shardId-000000000001"},
                {"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate \"x\" exceeded"},
                {"SequenceNumber":"4\u0039","ShardId":null},
                {"SequenceNumber":"4\u0039","ShardId":"s","New":{"a":[]}}]}"#;
        assert_eq!(
            shown(&read(Bytes::from_static(answer)).unwrap()),
            [
                "shardId-000000000001 495",
                "ProvisionedThroughputExceededException: Rate \"x\" exceeded (throttled)",
                "NoVerdict: ",
                "s 49",
            ]
        );
    }

    #[test]
    fn what_the_service_sends_day_by_day_is_read_at_a_glance() {
        for answer in [
            r#"{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"a"},{"SequenceNumber":"2","ShardId":"b"}]}"#,
            r#"{"EncryptionType":"KMS","FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"a"},{"SequenceNumber":"2","ShardId":"b"}]}"#,
            r#"{"Records":[{"SequenceNumber":"1","ShardId":"a"},{"SequenceNumber":"2","ShardId":"b"}],"EncryptionType":"NONE"}"#,
        ] {
            assert!(at_a_glance(answer.as_bytes()).is_some(), "{answer}");
            assert_eq!(shown(&read(Bytes::from_static(answer.as_bytes())).unwrap()), ["a 1", "b 2"]);
        }
    }

    #[test]
    fn what_is_unusual_is_not_read_at_a_glance() {
        for answer in [
            r#"{"Records":[]}"#,
            r#"{"New":{"Records":[{"SequenceNumber":"1","ShardId":"a"}]},"Records":[{"SequenceNumber":"2","ShardId":"b"}]}"#,
            r#"{"Records":[{"SequenceNumber":"1","ShardId":"a","New":1}]}"#,
            r#"{"Records":[{"SequenceNumber":"1","ShardId":"a\"b"}]}"#,
            "{\"Records\":[{\"SequenceNumber\":\"1\",\"ShardId\":\"a\nb\"}]}",
            r#"{"Records":[{"SequenceNumber":"1","ShardId":"a"}]"#,
            r#"{"Records":[{"SequenceNumber":"1","ShardId":"a"}"#,
            r#"{"Records":[{"SequenceNumber":"1","ShardId":"a"},]}"#,
        ] {
            assert_eq!(at_a_glance(answer.as_bytes()), None, "{answer}");
        }
    }

    #[test]
    fn refuses_what_is_no_answer() {
        for answer in [&b""[..], b"{}", b"<html>", br#"{"Records":[{"ShardId":7}]}"#] {
            assert!(read(Bytes::copy_from_slice(answer)).is_err());
        }
    }

    proptest! {
        /// Whatever is read at a glance is what a thorough look finds, and a receipt can quote it.
        #[test]
        fn a_glance_sees_what_is_there(
            words in prop::collection::vec(("[0-9]{1,4}|\\PC{0,3}", "[a-z-]{1,4}|[\"\\\\{}\\[\\],:é]{0,3}"), 1..4),
            cut in 0_usize..40,
        ) {
            let records: Vec<_> = words
                .iter()
                .map(|(sequence, shard)| json!({"SequenceNumber": sequence, "ShardId": shard}))
                .collect();
            let text = json!({"FailedRecordCount": 0, "Records": records}).to_string();
            let whole = read(Bytes::from(text.clone())).unwrap();
            for (verdict, (sequence, shard)) in whole.verdicts.iter().zip(&words) {
                let Verdict::Acked(place) = verdict else { panic!("{verdict:?}") };
                let quoted = |span| format!("\"{}\"", str::from_utf8(whole.text.get(span)).unwrap());
                prop_assert_eq!(&serde_json::from_str::<String>(&quoted(place.sequence)).unwrap(), sequence);
                prop_assert_eq!(&serde_json::from_str::<String>(&quoted(place.shard)).unwrap(), shard);
            }
            prop_assert_eq!(whole.verdicts.len(), words.len());
            prop_assert_eq!(shown(&whole), shown(&thoroughly(text.as_bytes()).unwrap()));
            // Cut off anywhere, it is read by neither; only the last brace is not missed at a glance.
            let cut = text.as_bytes().get(..text.len().saturating_sub(2 + cut)).unwrap_or_default();
            prop_assert!(read(Bytes::copy_from_slice(cut)).is_err());
        }
    }
}
