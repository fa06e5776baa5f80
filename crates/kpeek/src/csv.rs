//! `--csv`: RFC 4180 with a header, one row an item.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::path::Path;
use crate::payload::Payload;
use crate::record::Item;
use crate::stamp::Stamp;

/// The columns in front of the payload.
const HEAD: &str = "shard_id,sequence_number,sub,arrived_at,partition_key";

/// Rows with the whole payload, or with some of its fields.
#[derive(Clone, Debug)]
pub(crate) struct Csv {
    fields: Vec<Path>,
    has_head: bool,
    stamp: Stamp,
}

impl Csv {
    /// Without `fields` the payload is one column, and another says how it is encoded.
    pub(crate) fn new(fields: Vec<Path>) -> Self {
        Self { fields, has_head: false, stamp: Stamp::default() }
    }

    /// Appends the header, once: also of a stream without a record.
    pub(crate) fn head(&mut self, out: &mut Vec<u8>) {
        if self.has_head {
            return;
        }
        self.has_head = true;
        out.extend_from_slice(HEAD.as_bytes());
        if self.fields.is_empty() {
            out.extend_from_slice(b",encoding,payload");
        }
        for field in &self.fields {
            out.push(b',');
            quoted(out, &field.to_string());
        }
        out.push(b'\n');
    }

    /// Appends one row, the header before the first.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, item: &Item<'_>) {
        self.head(out);
        out.extend_from_slice(item.shard.as_str().as_bytes());
        out.push(b',');
        out.extend_from_slice(item.sequence_number.as_bytes());
        out.push(b',');
        out.extend_from_slice(item.sub.to_string().as_bytes());
        out.push(b',');
        if let Some(millis) = item.arrived_ms {
            self.stamp.append(out, millis);
        }
        out.push(b',');
        quoted(out, item.partition_key.unwrap_or_default());
        if self.fields.is_empty() {
            match Payload::of(item.payload) {
                Payload::Json(text) => {
                    out.extend_from_slice(b",json,");
                    quoted(out, text);
                }
                Payload::Text(text) => {
                    out.extend_from_slice(b",text,");
                    quoted(out, text);
                }
                Payload::Bytes(bytes) => {
                    out.extend_from_slice(b",base64,");
                    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
                }
            }
        }
        let text = std::str::from_utf8(item.payload).unwrap_or_default();
        for field in &self.fields {
            out.push(b',');
            quoted(out, &field.show(text).unwrap_or_default());
        }
        out.push(b'\n');
    }
}

/// Quotes where a reader would otherwise see another cell.
fn quoted(out: &mut Vec<u8>, text: &str) {
    if !text.contains([',', '"', '\n', '\r']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::Csv;
    use crate::record::Item;
    use aggregate::Tags;

    fn rows(fields: &[&str], payloads: &[&[u8]]) -> String {
        let shard = "1".parse().unwrap();
        let mut csv = Csv::new(fields.iter().map(|field| field.parse().unwrap()).collect());
        let mut out = Vec::new();
        for payload in payloads {
            let item = Item {
                shard: &shard,
                sequence_number: "49",
                sub: 0,
                arrived_ms: Some(1_705_312_800_123),
                partition_key: Some("a,b"),
                explicit_hash_key: None,
                tags: Tags::default(),
                payload,
            };
            csv.append(&mut out, &item);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn quotes_what_needs_it() {
        let rows = rows(&[], &[br#"{"a":1}"#, b"two\nlines", b"\xff"]);
        let head = "shardId-000000000001,49,0,2024-01-15T10:00:00.123Z,\"a,b\"";
        let wanted = format!(
            "shard_id,sequence_number,sub,arrived_at,partition_key,encoding,payload\n\
             {head},json,\"{{\"\"a\"\":1}}\"\n{head},text,\"two\nlines\"\n{head},base64,/w==\n"
        );
        assert_eq!(rows, wanted);
    }

    #[test]
    fn fields_become_columns() {
        let rows = rows(&["a", "b.c"], &[br#"{"a":"x, y","b":{"c":1.50}}"#, b"{}"]);
        let lines: Vec<&str> = rows
            .lines()
            .map(|line| line.split_once("_key,").or(line.split_once("b\",")).unwrap().1)
            .collect();
        assert_eq!(lines, ["a,b.c", "\"x, y\",1.50", ","]);
    }
}
