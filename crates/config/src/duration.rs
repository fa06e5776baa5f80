//! Durations as people write them: `500ms`, `30s`, `2m`, `1h30m`, `2d`, `1w`.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// The longest duration. No clock of the system has to count further, and nobody waits that long.
const LONGEST: Duration = Duration::from_hours(3650 * 24);

/// Reads a duration such as `500ms`, `30s`, `1m30s`, `2h`, `2d` or `1w`. A bare number is seconds, as in the AWS CLI; a day
/// has 24 hours.
///
/// # Errors
/// A sentence for the user when the text is no duration, a negative one, or one of more than 3650 days.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wanted = || format!("`{text}` is no duration; write one like 500ms, 30s, 2m, 1h30m, 2d or 1w");
    let duration = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let span: Span = text.parse().map_err(|_| too_long(text).unwrap_or_else(wanted))?;
            let signed = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wanted())?;
            Duration::try_from(signed).map_err(|_| wanted())?
        }
    };
    if duration > LONGEST { Err(is_too_long(text)) } else { Ok(duration) }
}

/// What to say of a number, with one unit, that is too large to be read.
fn too_long(text: &str) -> Option<String> {
    let unit = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    let is_large = text.len() - unit.len() > 10;
    (is_large && format!("1{unit}").parse::<Span>().is_ok()).then(|| is_too_long(text))
}

fn is_too_long(text: &str) -> String {
    format!("`{text}` is longer than 3650 days")
}

/// Writes a duration for people: `850ms`, `3.2s`, `2m05s`, `1h02m`.
pub fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..60 => format!("{:.1}s", duration.as_secs_f64()),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{parse, show};

    #[test]
    fn reads_what_people_write() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("5", 5000),
            ("1m 5s", 65_000),
            ("2d", 172_800_000),
            ("1 day", 86_400_000),
            ("1w", 604_800_000),
            ("1d12h", 129_600_000),
            ("3650d", 315_360_000_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "soon", "-5s", "5 parsecs", "1mo", "1y"] {
            assert!(parse(text).is_err_and(|said| said.contains("no duration")), "{text}");
        }
    }

    #[test]
    fn what_no_clock_counts_to_is_refused() {
        for text in ["18446744073709551615", "18446744073709551615s", "9223372036854775807s", "3651d", "522w"]
        {
            assert_eq!(parse(text), Err(format!("`{text}` is longer than 3650 days")));
        }
    }

    #[test]
    fn writes_what_people_read() {
        let shown = [850, 3200, 125_000, 3_720_000].map(|millis| show(Duration::from_millis(millis)));
        assert_eq!(shown, ["850ms", "3.2s", "2m05s", "1h02m"]);
    }
}
