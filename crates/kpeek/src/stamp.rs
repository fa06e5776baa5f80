//! Arrival times as RFC 3339 in UTC with milliseconds, written without an allocation a record.

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// A point in time that serialises as RFC 3339.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(Timestamp);

impl Moment {
    /// A time in milliseconds since 1970, unless it is beyond what a calendar holds.
    pub(crate) fn of(millis: i64) -> Option<Self> {
        Timestamp::from_millisecond(millis).ok().map(Self)
    }

    /// Written as `format` says.
    pub(crate) fn show(self, format: &str) -> String {
        self.0.strftime(format).to_string()
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

const MILLIS_PER_SECOND: i64 = 1000;

/// Writes times. Records come by the thousand a second, so the last second's text is kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stamp {
    second: Option<i64>,
    /// `2024-01-15T10:00:00`.
    text: String,
}

impl Stamp {
    /// Appends `2024-01-15T10:00:00.123Z`; nothing when the time is beyond what a calendar holds.
    pub(crate) fn append(&mut self, out: &mut Vec<u8>, millis: i64) {
        let second = millis.div_euclid(MILLIS_PER_SECOND);
        if self.second != Some(second) {
            self.second = Some(second);
            self.text = Timestamp::from_second(second)
                .map(|time| time.to_string().trim_end_matches('Z').to_owned())
                .unwrap_or_default();
        }
        let fraction = millis.rem_euclid(MILLIS_PER_SECOND);
        out.extend_from_slice(self.text.as_bytes());
        out.push(b'.');
        for divisor in [100, 10, 1] {
            out.push(digit(fraction / divisor));
        }
        out.push(b'Z');
    }
}

/// The last decimal digit of a number.
fn digit(number: i64) -> u8 {
    b'0' + u8::try_from(number.rem_euclid(10)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::Stamp;

    #[test]
    fn writes_milliseconds_also_before_1970() {
        let mut stamp = Stamp::default();
        for (millis, wanted) in [
            (1_705_312_800_000, "2024-01-15T10:00:00.000Z"),
            (1_705_312_800_042, "2024-01-15T10:00:00.042Z"),
            (1_705_312_801_999, "2024-01-15T10:00:01.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            let mut out = Vec::new();
            stamp.append(&mut out, millis);
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
