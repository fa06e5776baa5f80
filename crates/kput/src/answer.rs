//! The answer to a PutRecords request, read from the bytes it came in.
//!
//! The SDK would make three strings of every entry. Here the entries borrow from the answer.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;

use crate::plan::{Failure, Text, Verdict};

/// The code of an entry that is neither stored nor refused.
const NO_VERDICT: &str = "NoVerdict";

#[derive(Deserialize)]
struct Wire<'answer> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Entry<'answer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'answer> {
    #[serde(borrow, default)]
    sequence_number: Option<Word<'answer>>,
    #[serde(borrow, default)]
    shard_id: Option<Word<'answer>>,
    #[serde(borrow, default)]
    error_code: Option<Word<'answer>>,
    #[serde(borrow, default)]
    error_message: Option<Word<'answer>>,
}

/// A text that borrows when it can: serde would copy an `Option<Cow<str>>`.
#[derive(Deserialize)]
struct Word<'answer>(#[serde(borrow)] Cow<'answer, str>);

/// One verdict an entry of the request, in its order.
///
/// # Errors
/// When the answer is not the JSON that the service documents.
pub fn verdicts(answer: &Bytes) -> Result<Vec<Verdict>, serde_json::Error> {
    let wire: Wire<'_> = serde_json::from_slice(answer)?;
    Ok(wire.records.into_iter().map(|entry| verdict(answer, entry)).collect())
}

fn verdict(answer: &Bytes, entry: Entry<'_>) -> Verdict {
    match (entry.error_code, entry.sequence_number, entry.shard_id) {
        (None, Some(sequence), Some(shard)) => {
            Verdict::Acked { shard: text(answer, shard.0), sequence: text(answer, sequence.0) }
        }
        (code, ..) => {
            let code = code.map_or_else(|| NO_VERDICT.to_owned(), |code| code.0.into_owned());
            let message = entry.error_message.map(|message| message.0.into_owned()).unwrap_or_default();
            Verdict::Failed(Failure { throttled: is_throttle(&code), code, message, last: false })
        }
    }
}

fn text(answer: &Bytes, text: Cow<'_, str>) -> Text {
    match text {
        Cow::Borrowed(text) => Text::part_of(answer, text),
        Cow::Owned(text) => Text::from(text),
    }
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

    use super::verdicts;
    use crate::plan::{Failure, Verdict};

    #[test]
    fn reads_what_the_service_documents() {
        let answer = Bytes::from_static(
            br#"{"EncryptionType":"KMS","FailedRecordCount":1,"Records":[
                {"SequenceNumber":"495","ShardId":"shardId-000000000001"},
                {"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate \"x\" exceeded"},
                {"SequenceNumber":"4\u0039","ShardId":null},
                {"SequenceNumber":"4\u0039","ShardId":"s","New":{"a":[]}}]}"#,
        );
        let failure = |code: &str, message: &str, throttled| {
            let (code, message) = (code.to_owned(), message.to_owned());
            Verdict::Failed(Failure { code, message, throttled, last: false })
        };
        assert_eq!(
            verdicts(&answer).unwrap(),
            [
                Verdict::Acked {
                    shard: "shardId-000000000001".to_owned().into(),
                    sequence: "495".to_owned().into()
                },
                failure("ProvisionedThroughputExceededException", "Rate \"x\" exceeded", true),
                failure("NoVerdict", "", false),
                Verdict::Acked { shard: "s".to_owned().into(), sequence: "49".to_owned().into() },
            ]
        );
    }

    #[test]
    fn refuses_what_is_no_answer() {
        for answer in [&b""[..], b"{}", b"<html>", br#"{"Records":[{"ShardId":7}]}"#] {
            assert!(verdicts(&Bytes::copy_from_slice(answer)).is_err());
        }
    }
}
