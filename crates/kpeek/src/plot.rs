//! `--plot FIELD`: a numeric field over time, drawn in the terminal.

use config::names::StreamName;
use serde::Serialize;

use crate::bars;
use crate::cell;
use crate::path::Path;
use crate::record::Item;
use crate::stamp::Moment;
use crate::timeline::{Join, Timeline};

/// Rows of the drawing.
const ROWS: usize = 16;

/// Columns in front of the drawing, for the scale.
const SCALE: usize = 10;

/// The narrowest drawing.
const NARROWEST: usize = 30;

/// From this time on, the axis needs dates.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Bins that `--json` prints at most.
const JSON_BINS: usize = 200;

/// The values of one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Values {
    count: u64,
    sum: f64,
    least: f64,
    most: f64,
}

impl Join for Values {
    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
    }
}

impl Values {
    fn mean(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a mean for people")]
        let count = self.count as f64;
        self.sum / count
    }
}

/// A drawing in the making.
#[derive(Debug)]
pub(crate) struct Plot {
    stream: StreamName,
    field: Path,
    as_json: bool,
    width: usize,
    values: Timeline<Values>,
    without: u64,
}

#[derive(Serialize)]
struct Bin {
    from: Option<Moment>,
    records: u64,
    mean: f64,
    min: f64,
    max: f64,
}

#[derive(Serialize)]
struct Drawn<'a> {
    stream: &'a str,
    field: String,
    records_without: u64,
    bins: Vec<Bin>,
}

impl Plot {
    /// Draws `field`, as JSON or `width` columns wide.
    pub(crate) fn new(stream: &StreamName, field: Path, as_json: bool, width: usize) -> Self {
        Self { stream: stream.clone(), field, as_json, width, values: Timeline::default(), without: 0 }
    }

    /// Takes an item's value.
    pub(crate) fn add(&mut self, item: &Item<'_>) {
        let text = std::str::from_utf8(item.payload).ok().and_then(|text| self.field.show(text));
        let value = text.and_then(|text| text.parse::<f64>().ok()).filter(|value| value.is_finite());
        match (value, item.arrived_ms) {
            (Some(value), Some(millis)) => {
                self.values.add(millis, Values { count: 1, sum: value, least: value, most: value });
            }
            _ => self.without += 1,
        }
    }

    /// Appends the drawing.
    pub(crate) fn report(&self, out: &mut Vec<u8>) {
        if self.as_json {
            let bins = self.values.in_bins(JSON_BINS).into_iter().filter_map(|(from, values)| {
                let values = values?;
                Some(Bin {
                    from: Moment::of(from),
                    records: values.count,
                    mean: values.mean(),
                    min: values.least,
                    max: values.most,
                })
            });
            let drawn = Drawn {
                stream: self.stream.as_str(),
                field: self.field.to_string(),
                records_without: self.without,
                bins: bins.collect(),
            };
            // Finite numbers always become JSON.
            drop(serde_json::to_writer(&mut *out, &drawn));
            out.push(b'\n');
        } else {
            self.draw(out);
        }
    }

    fn draw(&self, out: &mut Vec<u8>) {
        let width = self.width.max(NARROWEST);
        let mut line = |text: &str| {
            cell::cut(out, text, width);
            out.push(b'\n');
        };
        let bins = self.values.in_bins(width - SCALE);
        let Some(all) = bins.iter().filter_map(|(_, values)| *values).reduce(|mut all, values| {
            all.join(values);
            all
        }) else {
            line(&format!("no record has a number in `{}`", self.field));
            return;
        };
        line(&format!("{} in {}: values {}", self.field, self.stream, bars::count(all.count)));
        line(&format!("mean {}, least {}, most {}", number(all.mean()), number(all.least), number(all.most)));
        if self.without > 0 {
            line(&format!("without a number {}", bars::count(self.without)));
        }
        // A constant is drawn in the middle.
        let (low, high) =
            if all.most > all.least { (all.least, all.most) } else { (all.least - 1.0, all.most + 1.0) };
        let row_of = |value: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a row of the drawing, between 0 and ROWS"
            )]
            let row = ((high - value) / (high - low) * (ROWS - 1) as f64).round() as usize;
            row.min(ROWS - 1)
        };
        for row in 0..ROWS {
            let scale = match row {
                0 => number(high),
                row if row == ROWS - 1 => number(low),
                row if row == ROWS / 2 => number(f64::midpoint(low, high)),
                _ => String::new(),
            };
            let columns = bins.iter().map(|(_, values)| match values {
                Some(values) if row_of(values.mean()) == row => '●',
                Some(values) if (row_of(values.most)..=row_of(values.least)).contains(&row) => '│',
                Some(_) | None => ' ',
            });
            let drawn: String = columns.collect();
            line(format!("{scale:>width$} ┤{drawn}", width = SCALE - 2).trim_end());
        }
        if let Some((start, end)) = self.values.span_ms() {
            let format = if end - start > DAY_MS { "%m-%d %H:%M" } else { "%H:%M:%S" };
            let clock = |millis| Moment::of(millis).map(|time| time.show(format)).unwrap_or_default();
            let (start, end) = (clock(start), clock(end));
            let gap = bins.len().saturating_sub(start.len() + end.len() + " UTC".len()).max(1);
            line(&format!("{:width$}{}{}{} UTC", "", start, " ".repeat(gap), end, width = SCALE));
        }
    }
}

/// A number with as many digits as a scale needs.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        100_000.0.. => return format!("{value:.1e}"),
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use aggregate::Tags;
    use snapbox::{assert_data_eq, str};
    use unicode_width::UnicodeWidthStr;

    use super::Plot;
    use crate::record::Item;

    fn plot(as_json: bool, width: usize, payloads: impl IntoIterator<Item = String>) -> String {
        let shard = "0".parse().unwrap();
        let field = "temperature_celsius".parse().unwrap();
        let mut plot = Plot::new(&"s".parse().unwrap(), field, as_json, width);
        for (second, payload) in (0_i64..).zip(payloads) {
            let item = Item {
                shard: &shard,
                sequence_number: "1",
                sub: 0,
                arrived_ms: Some(1_705_312_800_000 + second * 1000),
                partition_key: None,
                explicit_hash_key: None,
                tags: Tags::default(),
                payload: payload.as_bytes(),
            };
            plot.add(&item);
        }
        let mut out = Vec::new();
        plot.report(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn wave() -> impl Iterator<Item = String> {
        (0..240).map(|second| {
            let value = f64::from(second) / 20.0;
            format!(r#"{{"temperature_celsius":{:.2}}}"#, -18.0 + value.sin() * 2.0)
        })
    }

    #[test]
    fn draws_a_wave() {
        assert_data_eq!(
            plot(false, 60, wave().chain(["no number".to_owned()])),
            str![[r#"
temperature_celsius in s: values 240
mean -18.0, least -20.0, most -16.0
without a number 1
   -16.0 ┤     ●●●                      ●●●
         ┤   │●  │●                    ●   ●│
         ┤   ●     ●                  ●     ●
         ┤  ●      ││                ●│     │●
         ┤ ││       ●               ││       ││
         ┤ ●         ●              ●         ●
         ┤││         ││            ││         ││
         ┤●           ●            ●           ●
   -18.0 ┤│           ││          ││           ││
         ┤             ●          ●             ●
         ┤             ││        ││             ││
         ┤              ●        ●               ●
         ┤               ●      ●                 ●      ●
         ┤               ││    ││                 │●    ││
         ┤                ●●  ●●                   │●  │●
   -20.0 ┤                 │●●│                     │●●●
          10:00:00                            10:04:00 UTC

"#]]
        );
    }

    #[test]
    fn is_never_wider_than_the_terminal() {
        for width in [30, 40, 77, 200] {
            for line in plot(false, width, wave()).lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_constant_and_a_text_that_is_a_number_are_drawn() {
        let drawn = plot(false, 40, [r#"{"temperature_celsius":"5"}"#.to_owned()]);
        assert!(drawn.contains("values 1\nmean 5.00") && drawn.contains('●'), "{drawn}");
    }

    #[test]
    fn an_axis_of_days_has_dates() {
        let mut plot = Plot::new(&"s".parse().unwrap(), "t".parse().unwrap(), false, 50);
        for hour in 0..50 {
            let payload = format!(r#"{{"t":{hour}}}"#);
            plot.add(&Item {
                shard: &"0".parse().unwrap(),
                sequence_number: "1",
                sub: 0,
                arrived_ms: Some(1_705_312_800_000 + hour * 3_600_000),
                partition_key: None,
                explicit_hash_key: None,
                tags: Tags::default(),
                payload: payload.as_bytes(),
            });
        }
        let mut out = Vec::new();
        plot.report(&mut out);
        let axis = String::from_utf8(out).unwrap().lines().last().unwrap().to_owned();
        assert!(axis.contains("01-15 10:00 ") && axis.ends_with(" 01-17 11:00 UTC"), "{axis}");
        assert!(axis.width() <= 50, "{axis}");
    }

    #[test]
    fn nothing_to_draw_is_said() {
        assert_eq!(plot(false, 60, ["{}".to_owned()]), "no record has a number in `temperature_celsius`\n");
    }

    #[test]
    fn json_holds_the_bins() {
        let drawn: serde_json::Value = serde_json::from_str(&plot(true, 60, wave())).unwrap();
        let bins = drawn["bins"].as_array().unwrap();
        assert_eq!(bins.iter().map(|bin| bin["records"].as_u64().unwrap()).sum::<u64>(), 240);
        assert_eq!(bins[0]["from"], "2024-01-15T10:00:00Z");
    }
}
