//! A report for people: one bar a line, never wider than the terminal.

use unicode_width::UnicodeWidthStr;

use super::Report;
use crate::stamp::Moment;
use crate::{bars, cell};

/// The narrowest report; a narrower terminal wraps it.
const NARROWEST: usize = 40;

/// The longest bar.
const LONGEST_BAR: usize = 40;

/// The shortest; notes are cut off before.
const SHORTEST_BAR: usize = 4;

/// What marks a hot shard or key.
const HOT: &str = "HOT  ";

/// In front of what belongs to the line before.
const INDENT: &str = "  ";

/// Columns of the label in front of a bar.
const LABEL: usize = 12;

/// Appends the report.
pub(super) fn append(out: &mut Vec<u8>, report: &Report, width: usize) {
    let width = width.max(NARROWEST);
    let mut lines = Lines { out, width };
    lines.words(&format!(
        "{}: {} records, {}, {:.1} records/s, {}/s",
        report.stream,
        bars::count(report.records),
        bars::bytes(report.bytes),
        report.records_per_second,
        bars::bytes(whole(report.bytes_per_second)),
    ));
    if let (Some(first), Some(last)) = (report.first_arrived_at, report.last_arrived_at) {
        lines.words(&format!("arrived {} to {}", clock(first), clock(last)));
    }

    lines.section(
        "shards",
        report.shards.iter().map(|shard| {
            let rate = bars::bytes(whole(shard.peak_bytes_per_second));
            let note = format!("{} {}  peak {rate}/s", bars::percent(shard.share), bars::bytes(shard.bytes));
            let note = match shard.behind_ms {
                Some(behind) if behind > 0 => format!("{note}  {:.1} s behind", seconds(behind)),
                Some(_) | None => note,
            };
            Line { label: short(&shard.shard_id).to_owned(), value: shard.records, is_hot: shard.hot, note }
        }),
    );
    let keys = match report.keys.distinct {
        Some(distinct) => format!("keys: {}", bars::count(distinct as u64)),
        None => "keys: more than could be kept, counts are the least there are".to_owned(),
    };
    lines.section(
        &keys,
        report.keys.top.iter().map(|key| Line {
            label: cell::of_text(&key.partition_key).into_owned(),
            value: key.records,
            is_hot: key.hot,
            note: format!(
                "{} {}  {}/s",
                bars::percent(key.share),
                bars::bytes(key.bytes),
                bars::bytes(whole(key.bytes_per_second))
            ),
        }),
    );
    let plain = |label: String, value: u64| Line { label, value, is_hot: false, note: String::new() };
    lines.section(
        "sizes",
        report.sizes.iter().map(|bin| plain(format!("≤ {}", bars::bytes(bin.up_to_bytes)), bin.records)),
    );
    lines.section(
        "arrivals",
        report
            .arrivals
            .iter()
            .map(|bin| plain(bin.from.map(|from| from.show("%H:%M:%S")).unwrap_or_default(), bin.records)),
    );

    let shards: Vec<&str> =
        report.shards.iter().filter(|shard| shard.hot).map(|shard| short(&shard.shard_id)).collect();
    let keys: Vec<&str> =
        report.keys.top.iter().filter(|key| key.hot).map(|key| key.partition_key.as_str()).collect();
    if !shards.is_empty() {
        lines.head(&format!("hot shards: {}", shards.join(", ")));
    }
    if !keys.is_empty() {
        lines.head(&format!("hot keys: {}", cell::of_text(&keys.join(", "))));
    }
}

struct Lines<'a> {
    out: &'a mut Vec<u8>,
    width: usize,
}

impl Lines<'_> {
    fn line(&mut self, text: &str) {
        cell::cut(self.out, text, self.width);
        self.out.push(b'\n');
    }

    /// As many lines as it takes: of a rate or a hot key nothing may be cut off.
    fn words(&mut self, text: &str) {
        self.wrapped(String::new(), text);
    }

    fn wrapped(&mut self, mut line: String, text: &str) {
        for (index, word) in text.split(' ').enumerate() {
            if index > 0 && line.width() + 1 + word.width() > self.width {
                self.line(&line);
                INDENT.clone_into(&mut line);
            } else if index > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&line);
    }

    fn head(&mut self, text: &str) {
        self.out.push(b'\n');
        self.words(text);
    }

    fn section(&mut self, head: &str, lines: impl Iterator<Item = Line>) {
        self.head(head);
        let lines: Vec<Line> = lines.collect();
        let most = lines.iter().map(|line| line.value).max().unwrap_or_default();
        let digits = bars::count(most).len();
        let notes = lines.iter().map(Line::note_width).max().unwrap_or_default();
        let around = LABEL + 1 + 1 + digits;
        // Where they leave no bar, notes get lines of their own: no figure is cut off.
        let is_apart = around + SHORTEST_BAR + notes > self.width;
        let notes = if is_apart && lines.iter().any(|line| line.is_hot) { 2 + HOT.len() } else { notes };
        let notes = if is_apart { notes.min(2 + HOT.len()) } else { notes };
        // Bars can only be compared when all of a section have the same room.
        let room = self.width.saturating_sub(around + notes).clamp(SHORTEST_BAR, LONGEST_BAR);
        for Line { label, value, is_hot, note } in lines {
            let mut text = Vec::new();
            cell::fit(&mut text, &label, LABEL);
            text.push(b' ');
            cell::fit(&mut text, &bars::bar(value, most, room), room);
            let hot = if is_hot { HOT } else { "" };
            let beside = if is_apart { "" } else { &note };
            let text =
                format!("{} {:>digits$}  {hot}{beside}", String::from_utf8_lossy(&text), bars::count(value));
            self.line(text.trim_end());
            if is_apart && !note.is_empty() {
                self.wrapped(INDENT.to_owned(), &note.replace("  ", ", "));
            }
        }
    }
}

/// A bar with what stands around it.
struct Line {
    label: String,
    value: u64,
    is_hot: bool,
    note: String,
}

impl Line {
    fn note_width(&self) -> usize {
        match (self.note.len(), self.is_hot) {
            (0, false) => 0,
            (note, hot) => 2 + note + if hot { HOT.len() } else { 0 },
        }
    }
}

fn clock(time: Moment) -> String {
    time.show("%Y-%m-%d %H:%M:%S UTC")
}

fn short(shard: &str) -> &str {
    let digits = shard.strip_prefix("shardId-").unwrap_or(shard).trim_start_matches('0');
    if digits.is_empty() { "0" } else { digits }
}

fn whole(number: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate for people, never negative"
    )]
    let whole = number.round() as u64;
    whole
}

fn seconds(millis: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a lag for people")]
    let millis = millis as f64;
    millis / 1000.0
}

#[cfg(test)]
mod tests {
    use aggregate::Tags;
    use snapbox::{assert_data_eq, str};
    use unicode_width::UnicodeWidthStr;

    use super::super::Stats;
    use crate::record::Item;

    fn stats(as_json: bool, width: usize) -> String {
        let mut stats = Stats::new(&"sensor-readings".parse().unwrap(), as_json, width);
        let shards = ["0", "1", "2", "3"].map(|shard| shard.parse().unwrap());
        for number in 0..400_usize {
            // Half of all records have one key.
            let (shard, key) = if number % 2 == 0 {
                (&shards[1], "sensor_01".to_owned())
            } else {
                (&shards[number / 2 % 3], format!("sensor_{number}"))
            };
            let payload = vec![b'x'; 100 + number];
            let item = Item {
                shard,
                sequence_number: "1",
                sub: 0,
                arrived_ms: Some(1_705_312_800_000 + i64::try_from(number).unwrap() * 100),
                partition_key: Some(&key),
                explicit_hash_key: None,
                tags: Tags::default(),
                payload: &payload,
            };
            stats.add(&item);
        }
        for shard in &shards {
            stats.read(shard, 0);
        }
        stats.read(&shards[2], 2500);
        let mut out = Vec::new();
        stats.report(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn shows_bars_and_names_what_is_hot() {
        assert_data_eq!(
            stats(false, 80),
            str![[r#"
sensor-readings: 400 records, 120.6 KiB, 10.0 records/s, 3.0 KiB/s
arrived 2024-01-15 10:00:00 UTC to 2024-01-15 10:00:39 UTC

shards
0            ████▋               67  16.8 % 20.1 KiB  peak 1008 B/s
1            ██████████████████ 267  HOT  66.8 % 80.4 KiB  peak 3.4 KiB/s
2            ████▌               66  16.5 % 19.9 KiB  peak 992 B/s  2.5 s behind
3                                 0  0.0 % 0 B  peak 0 B/s

keys: 201
sensor_01    ██████████████████████████████ 200  HOT  50.0 % 60.1 KiB  1.5 KiB/s
sensor_1     ▎                                1  0.2 % 109 B  3 B/s
sensor_101   ▎                                1  0.2 % 211 B  5 B/s
sensor_103   ▎                                1  0.2 % 213 B  5 B/s
sensor_105   ▎                                1  0.2 % 215 B  5 B/s
sensor_107   ▎                                1  0.2 % 217 B  5 B/s
sensor_109   ▎                                1  0.2 % 219 B  5 B/s
sensor_11    ▎                                1  0.2 % 120 B  3 B/s
sensor_111   ▎                                1  0.2 % 221 B  6 B/s
sensor_113   ▎                                1  0.2 % 223 B  6 B/s

sizes
≤ 128 B      ███▎                                      20
≤ 256 B      ████████████████████▏                    127
≤ 512 B      ████████████████████████████████████████ 253

arrivals
10:00:00     ████████████████████████████████████████ 20
10:00:02     ████████████████████████████████████████ 20
10:00:04     ████████████████████████████████████████ 20
10:00:06     ████████████████████████████████████████ 20
10:00:08     ████████████████████████████████████████ 20
10:00:10     ████████████████████████████████████████ 20
10:00:12     ████████████████████████████████████████ 20
10:00:14     ████████████████████████████████████████ 20
10:00:16     ████████████████████████████████████████ 20
10:00:18     ████████████████████████████████████████ 20
10:00:20     ████████████████████████████████████████ 20
10:00:22     ████████████████████████████████████████ 20
10:00:24     ████████████████████████████████████████ 20
10:00:26     ████████████████████████████████████████ 20
10:00:28     ████████████████████████████████████████ 20
10:00:30     ████████████████████████████████████████ 20
10:00:32     ████████████████████████████████████████ 20
10:00:34     ████████████████████████████████████████ 20
10:00:36     ████████████████████████████████████████ 20
10:00:38     ████████████████████████████████████████ 20

hot shards: 1

hot keys: sensor_01

"#]]
        );
    }

    #[test]
    fn is_never_wider_than_the_terminal() {
        for width in [40, 60, 133] {
            for line in stats(false, width).lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn figures_that_do_not_fit_go_into_another_line() {
        let report = stats(false, 40);
        let head = report.split("\n\n").next().unwrap();
        let wanted = "sensor-readings: 400 records, 120.6 KiB,\n  10.0 records/s, 3.0 KiB/s\n\
            arrived 2024-01-15 10:00:00 UTC to\n  2024-01-15 10:00:39 UTC";
        assert_eq!(head, wanted);
        let shards = report.split("\n\n").nth(1).unwrap();
        assert_data_eq!(
            shards,
            str![[r#"
shards
0            ████▏             67
  16.8 % 20.1 KiB, peak 1008 B/s
1            ████████████████ 267  HOT
  66.8 % 80.4 KiB, peak 3.4 KiB/s
2            ████              66
  16.5 % 19.9 KiB, peak 992 B/s, 2.5 s
  behind
3                               0
  0.0 % 0 B, peak 0 B/s
"#]]
        );
    }

    #[test]
    fn two_shards_can_be_uneven_too() {
        let hot = |in_first: u64| {
            let mut stats = Stats::new(&"s".parse().unwrap(), true, 80);
            let shards = ["0", "1"].map(|shard| shard.parse().unwrap());
            for number in 0..100_u64 {
                let item = Item {
                    shard: &shards[usize::from(number >= in_first)],
                    sequence_number: "1",
                    sub: 0,
                    arrived_ms: Some(1_705_312_800_250 + i64::try_from(number).unwrap() * 1000),
                    partition_key: None,
                    explicit_hash_key: None,
                    tags: Tags::default(),
                    payload: b"x",
                };
                stats.add(&item);
            }
            let mut out = Vec::new();
            stats.report(&mut out);
            serde_json::from_slice::<serde_json::Value>(&out).unwrap()
        };
        assert_eq!(hot(90)["shards"][0]["hot"], true);
        assert_eq!(hot(60)["shards"][0]["hot"], false);
        let report = hot(90);
        assert_eq!(report["first_arrived_at"], "2024-01-15T10:00:00.25Z");
        assert_eq!(report["last_arrived_at"], "2024-01-15T10:01:39.25Z");
        assert_eq!(report["records_per_second"], 1.01);
    }

    #[test]
    fn json_holds_the_same_figures() {
        let report: serde_json::Value = serde_json::from_str(&stats(true, 80)).unwrap();
        assert_eq!(report["records"], 400);
        assert_eq!(report["shards"].as_array().unwrap().len(), 4);
        assert_eq!(report["shards"][1]["hot"], true);
        assert_eq!(report["shards"][3]["records"], 0);
        assert_eq!(report["shards"][2]["behind_ms"], 2500);
        assert_eq!(report["keys"]["distinct"], 201);
        assert_eq!(report["keys"]["top"][0]["partition_key"], "sensor_01");
        assert_eq!(report["keys"]["top"][0]["share"], 0.5);
        assert_eq!(report["keys"]["top"][0]["hot"], true);
        assert_eq!(report["keys"]["top"][1]["hot"], false);
        let sum = |name: &str| {
            report[name].as_array().unwrap().iter().map(|bin| bin["records"].as_u64().unwrap()).sum::<u64>()
        };
        assert_eq!((sum("sizes"), sum("arrivals")), (400, 400));
    }
}
