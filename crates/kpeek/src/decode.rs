//! What was packed into a payload: gzip, zstd, and the envelopes of CloudWatch Logs.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The largest record (Kinesis service limits).
const RECORD_BYTES: u64 = 10 * 1024 * 1024;

/// A payload that would unpack to more is left as it is. Logs rarely shrink below a tenth.
const UNPACKED_BYTES: u64 = 10 * RECORD_BYTES;

const GZIP: &[u8] = &[0x1f, 0x8b, 0x08];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// What to unpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Decode {
    /// Everything that is recognised by its first bytes
    Auto,
    /// Nothing: payloads as they are stored
    None,
    /// gzip only
    Gzip,
    /// zstd only
    Zstd,
    /// Log events: one item each, out of the gzip envelopes of CloudWatch Logs
    CloudwatchLogs,
}

impl Decode {
    /// Hands each item of a payload to `show`, until that says stop. Says whether there was none behind the last one shown.
    pub(crate) fn items(self, payload: &[u8], mut show: impl FnMut(&[u8]) -> bool) -> bool {
        let unpacked = match self {
            Self::None => None,
            Self::Gzip => gunzip(payload),
            Self::Zstd => unzstd(payload),
            Self::CloudwatchLogs => gunzip(payload),
            Self::Auto => gunzip(payload).or_else(|| unzstd(payload)),
        };
        let unpacked = unpacked.map_or(Cow::Borrowed(payload), Cow::Owned);
        if matches!(self, Self::Auto | Self::CloudwatchLogs)
            && let Some(events) = log_events(&unpacked)
        {
            let shown = events.iter().take_while(|event| show(event)).count();
            // The one at which showing stopped was shown.
            return shown + 1 >= events.len();
        }
        show(&unpacked);
        true
    }
}

fn gunzip(payload: &[u8]) -> Option<Vec<u8>> {
    if payload.starts_with(GZIP) { unpack(MultiGzDecoder::new(payload)) } else { None }
}

fn unzstd(payload: &[u8]) -> Option<Vec<u8>> {
    if payload.starts_with(ZSTD) {
        unpack(zstd::stream::read::Decoder::with_buffer(payload).ok()?)
    } else {
        None
    }
}

/// Everything, or nothing when the content is damaged or too large.
fn unpack(reader: impl Read) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let mut reader = reader.take(UNPACKED_BYTES + 1);
    reader.read_to_end(&mut content).ok()?;
    (content.len() as u64 <= UNPACKED_BYTES).then_some(content)
}

/// What a subscription filter of CloudWatch Logs sends.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logs<'a> {
    #[serde(borrow)]
    message_type: Cow<'a, str>,
    #[serde(borrow)]
    log_group: Cow<'a, str>,
    #[serde(borrow)]
    log_stream: Cow<'a, str>,
    #[serde(borrow)]
    log_events: Vec<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow)]
    timestamp: &'a RawValue,
    #[serde(borrow)]
    message: &'a RawValue,
}

/// One log event on its own, with the names that CloudWatch Logs uses.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    log_group: &'a str,
    log_stream: &'a str,
    id: &'a RawValue,
    timestamp: &'a RawValue,
    message: &'a RawValue,
}

fn log_events(payload: &[u8]) -> Option<Vec<Vec<u8>>> {
    // Most payloads are something else; this is told without a parser.
    let start = payload.get(..payload.len().min(64))?;
    if !start.windows(13).any(|window| window == b"\"messageType\"") && !payload.starts_with(b"{\"owner\"") {
        return None;
    }
    let logs: Logs<'_> = serde_json::from_slice(payload).ok()?;
    // One without events is shown whole: nothing of it would be seen otherwise.
    if logs.message_type != "DATA_MESSAGE" || logs.log_events.is_empty() {
        return None;
    }
    let lines = logs.log_events.iter().map(|event| {
        let line = Line {
            log_group: &logs.log_group,
            log_stream: &logs.log_stream,
            id: event.id,
            timestamp: event.timestamp,
            message: event.message,
        };
        serde_json::to_vec(&line).ok()
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::Decode;

    fn items(decode: Decode, payload: &[u8]) -> Vec<String> {
        let mut items = Vec::new();
        decode.items(payload, |item| {
            items.push(String::from_utf8_lossy(item).into_owned());
            true
        });
        items
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn unpacks_what_it_recognises() {
        let gzipped = gzip(b"hello");
        let zstded = zstd::encode_all(&b"hello"[..], 1).unwrap();
        assert_eq!(items(Decode::Auto, &gzipped), ["hello"]);
        assert_eq!(items(Decode::Auto, &zstded), ["hello"]);
        assert_eq!(items(Decode::Gzip, &gzipped), ["hello"]);
        assert_eq!(items(Decode::Zstd, &zstded), ["hello"]);
        assert_eq!(items(Decode::Auto, b"hello"), ["hello"]);
        assert_eq!(items(Decode::Auto, b""), [""]);
        // Two members in a row are one content.
        assert_eq!(items(Decode::Auto, &[gzip(b"hel"), gzip(b"lo")].concat()), ["hello"]);
    }

    #[test]
    fn what_is_damaged_stays_as_it_is() {
        let mut gzipped = gzip(b"hello, hello, hello");
        gzipped.truncate(gzipped.len() - 4);
        let mut seen = Vec::new();
        Decode::Auto.items(&gzipped, |item| {
            seen.push(item.to_vec());
            true
        });
        assert_eq!(seen, [gzipped]);
    }

    #[test]
    fn nothing_is_unpacked_unasked() {
        let gzipped = gzip(b"hello");
        for decode in [Decode::None, Decode::Zstd] {
            assert_ne!(items(decode, &gzipped), ["hello"]);
        }
    }

    #[test]
    fn log_events_come_one_by_one() {
        let envelope = br#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"/aws/lambda/freezer","logStream":"2024/01/15/[$LATEST]ab","subscriptionFilters":["all"],"logEvents":[{"id":"1","timestamp":1705312800000,"message":"too \"warm\""},{"id":"2","timestamp":1705312800001,"message":"ok"}]}"#;
        let wanted = [
            r#"{"logGroup":"/aws/lambda/freezer","logStream":"2024/01/15/[$LATEST]ab","id":"1","timestamp":1705312800000,"message":"too \"warm\""}"#,
            r#"{"logGroup":"/aws/lambda/freezer","logStream":"2024/01/15/[$LATEST]ab","id":"2","timestamp":1705312800001,"message":"ok"}"#,
        ];
        assert_eq!(items(Decode::Auto, &gzip(envelope)), wanted);
        assert_eq!(items(Decode::CloudwatchLogs, &gzip(envelope)), wanted);
        assert_eq!(items(Decode::Gzip, &gzip(envelope)).len(), 1);
    }

    #[test]
    fn what_unpacks_to_more_than_is_sensible_stays_as_it_is() {
        let bomb = gzip(&vec![0; 101 * 1024 * 1024]);
        let mut seen = Vec::new();
        Decode::Auto.items(&bomb, |item| {
            seen.push(item.len());
            true
        });
        assert_eq!(seen, [bomb.len()]);
    }

    #[test]
    fn log_events_that_are_none_are_shown_whole() {
        let envelope = br#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"g","logStream":"s","subscriptionFilters":[],"logEvents":[]}"#;
        assert_eq!(items(Decode::Auto, &gzip(envelope)).len(), 1);
    }

    #[test]
    fn a_control_message_is_shown_whole() {
        let envelope = br#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE"}]}"#;
        assert_eq!(items(Decode::Auto, &gzip(envelope)).len(), 1);
    }
}
