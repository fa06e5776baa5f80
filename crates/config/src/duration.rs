//! Durations as people write them: `500ms`, `30s`, `2m`, `1h30m`.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads a duration such as `500ms`, `30s`, `1m30s` or `2h`. A bare number is seconds, as in the AWS CLI.
///
/// # Errors
/// A sentence for the user when the text is no duration, or a negative one.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wanted = || format!("`{text}` is no duration; write one like 500ms, 30s, 2m or 1h30m");
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let signed: SignedDuration = text.parse().map_err(|_| wanted())?;
    Duration::try_from(signed).map_err(|_| wanted())
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
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "soon", "-5s", "5 parsecs"] {
            assert!(parse(text).is_err_and(|said| said.contains("no duration")), "{text}");
        }
    }

    #[test]
    fn writes_what_people_read() {
        let shown = [850, 3200, 125_000, 3_720_000].map(|millis| show(Duration::from_millis(millis)));
        assert_eq!(shown, ["850ms", "3.2s", "2m05s", "1h02m"]);
    }
}
