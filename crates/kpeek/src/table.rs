//! `--table`: what the console's Data Viewer shows, for all shards at once and as wide as the terminal.

use crate::cell;
use crate::record::Item;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The narrowest table; a narrower terminal wraps it.
const NARROWEST: usize = 30;

/// The widest key column, as a part of the table's width: 1 / this.
const KEY_PART: usize = 4;

/// The narrowest key column, where that part leaves it the room: the first keys may be shorter than those to come.
const LEAST_KEY: usize = 10;

/// From this width on, ids and times stand in full.
const WIDE: usize = 120;

/// From this width on, the sequence number has room.
const WIDEST: usize = 180;

/// Between two columns.
const GAP: &str = "  ";

/// A table whose columns are measured by the first answer and then stay, so that a followed stream needs no look back.
#[derive(Debug)]
pub(crate) struct Table {
    width: usize,
    zone: TimeZone,
    layout: Option<Layout>,
    kept: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    shard: String,
    arrived_ms: Option<i64>,
    key: String,
    data: String,
    sequence_number: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    shard: usize,
    arrived: usize,
    key: usize,
    data: usize,
    sequence_number: usize,
}

impl Table {
    /// A table `width` columns wide, with times in `zone`.
    pub(crate) fn new(width: usize, zone: TimeZone) -> Self {
        Self { width: width.max(NARROWEST), zone, layout: None, kept: Vec::new() }
    }

    /// Adds an item; it is written at [`Table::finish`].
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, item: &Item<'_>) {
        let shard = item.shard.as_str();
        let row = Row {
            shard: if self.width < WIDE { short(shard).to_owned() } else { shard.to_owned() },
            arrived_ms: item.arrived_ms,
            key: item.partition_key.map_or_else(|| "–".to_owned(), |key| cell::of_text(key).into_owned()),
            data: cell::of_payload(item.payload).into_owned(),
            sequence_number: item.sequence_number.to_owned(),
        };
        match self.layout {
            Some(layout) => self.line(out, layout, &row),
            None => self.kept.push(row),
        }
    }

    /// Ends an answer: the first one decides the columns.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.kept.is_empty() {
            return;
        }
        let rows = std::mem::take(&mut self.kept);
        let layout = self.measure(&rows);
        self.layout = Some(layout);
        let head = Row {
            shard: "SHARD".to_owned(),
            arrived_ms: None,
            key: "KEY".to_owned(),
            data: "DATA".to_owned(),
            sequence_number: "SEQUENCE NUMBER".to_owned(),
        };
        self.columns(out, layout, &head, "ARRIVED");
        for row in &rows {
            self.line(out, layout, row);
        }
    }

    fn measure(&self, rows: &[Row]) -> Layout {
        let widest = |name: &str, text: fn(&Row) -> &str| {
            rows.iter().map(|row| cell::width(text(row))).max().unwrap_or_default().max(name.len())
        };
        // A later shard may have a longer number; two more digits are room enough.
        let shard = widest("SHARD", |row| &row.shard).min(self.width / 4);
        let arrived = match self.width {
            WIDE.. => "2024-01-15 10:00:00.000".len(),
            60.. => "10:00:00.000".len(),
            _ => "10:00:00".len(),
        };
        let key = widest("KEY", |row| &row.key).max(LEAST_KEY).min((self.width / KEY_PART).max("KEY".len()));
        let sequence_number =
            if self.width >= WIDEST { widest("SEQUENCE NUMBER", |row| &row.sequence_number) } else { 0 };
        let gaps = GAP.len() * if sequence_number > 0 { 4 } else { 3 };
        let data = self.width.saturating_sub(shard + arrived + key + sequence_number + gaps);
        Layout { shard, arrived, key, data, sequence_number }
    }

    fn line(&self, out: &mut Vec<u8>, layout: Layout, row: &Row) {
        let format = match self.width {
            WIDE.. => "%Y-%m-%d %H:%M:%S%.3f",
            60.. => "%H:%M:%S%.3f",
            _ => "%H:%M:%S",
        };
        let arrived = row.arrived_ms.and_then(|millis| Timestamp::from_millisecond(millis).ok()).map_or_else(
            || "–".to_owned(),
            |time| time.to_zoned_datetime(self.zone.clone()).strftime(format).to_string(),
        );
        self.columns(out, layout, row, &arrived);
    }

    #[expect(clippy::unused_self, reason = "a line belongs to its table")]
    fn columns(&self, out: &mut Vec<u8>, layout: Layout, row: &Row, arrived: &str) {
        for (text, width) in
            [(row.shard.as_str(), layout.shard), (arrived, layout.arrived), (&row.key, layout.key)]
        {
            cell::fit(out, text, width);
            out.extend_from_slice(GAP.as_bytes());
        }
        if layout.sequence_number > 0 {
            cell::fit(out, &row.data, layout.data);
            out.extend_from_slice(GAP.as_bytes());
            cell::cut(out, &row.sequence_number, layout.sequence_number);
        } else {
            cell::cut(out, &row.data, layout.data);
        }
        out.push(b'\n');
    }
}

/// `shardId-000000000012` as `12`.
fn short(shard: &str) -> &str {
    let digits = shard.strip_prefix("shardId-").unwrap_or(shard);
    match digits.trim_start_matches('0') {
        "" => "0",
        number => number,
    }
}

#[cfg(test)]
mod tests {
    use aggregate::Tags;
    use jiff::tz::TimeZone;
    use snapbox::{assert_data_eq, str};
    use unicode_width::UnicodeWidthStr;

    use super::Table;
    use crate::record::Item;

    fn shown(width: usize) -> String {
        let mut table = Table::new(width, TimeZone::UTC);
        let mut out = Vec::new();
        let data = r#"{"timestamp":"2024-01-15T10:00:00","sensor_id":"sensor_01","location":"Freezer A","temperature_celsius":-18.2}"#;
        let items: [(&str, Option<&str>, &[u8]); 3] = [
            ("2", Some("sensor_01"), data.as_bytes()),
            ("0", None, b"\xca\xfe"),
            ("12", Some("日本語キー"), "a\tb\n\u{1b}[2J".as_bytes()),
        ];
        for (shard, partition_key, payload) in items {
            let shard = shard.parse().unwrap();
            let item = Item {
                shard: &shard,
                sequence_number: "49654129835712345678901234567890123456789012345678901234",
                sub: 0,
                arrived_ms: Some(1_705_312_800_123),
                partition_key,
                explicit_hash_key: None,
                tags: Tags::default(),
                payload,
            };
            table.append(&mut out, &item);
        }
        assert!(out.is_empty(), "columns are measured first");
        table.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fits_forty_columns() {
        assert_data_eq!(
            shown(40),
            str![[r#"
SHARD  ARRIVED   KEY         DATA
2      10:00:00  sensor_01   {"timestam…
0      10:00:00  –           <2 bytes> …
12     10:00:00  日本語キー  a·b⏎·[2J

"#]]
        );
    }

    #[test]
    fn fits_eighty_columns() {
        assert_data_eq!(
            shown(80),
            str![[r#"
SHARD  ARRIVED       KEY         DATA
2      10:00:00.123  sensor_01   {"timestamp":"2024-01-15T10:00:00","sensor_id"…
0      10:00:00.123  –           <2 bytes> cafe
12     10:00:00.123  日本語キー  a·b⏎·[2J

"#]]
        );
    }

    #[test]
    fn shows_everything_when_there_is_room() {
        assert_data_eq!(
            shown(200),
            str![[r#"
SHARD                 ARRIVED                  KEY         DATA                                                                                 SEQUENCE NUMBER
shardId-000000000002  2024-01-15 10:00:00.123  sensor_01   {"timestamp":"2024-01-15T10:00:00","sensor_id":"sensor_01","location":"Freezer A",…  49654129835712345678901234567890123456789012345678901234
shardId-000000000000  2024-01-15 10:00:00.123  –           <2 bytes> cafe                                                                       49654129835712345678901234567890123456789012345678901234
shardId-000000000012  2024-01-15 10:00:00.123  日本語キー  a·b⏎·[2J                                                                             49654129835712345678901234567890123456789012345678901234

"#]]
        );
    }

    #[test]
    fn never_is_a_line_wider_than_the_terminal() {
        for width in 30..220 {
            for line in shown(width).lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }
}
