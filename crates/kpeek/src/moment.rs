//! Points in time as people write them: `10m ago`, `today 09:00`, RFC 3339.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

/// What a time may look like, for help and errors.
pub(crate) const FORMS: &str = "`2024-01-15T10:00:00Z`, `10m ago`, `2d ago`, `1w ago`, `today 9:00`, `yesterday 18:30` or `2024-01-15 10:00`";

/// Reads a point in time; what names no offset is in the zone of `now`.
///
/// # Errors
/// A sentence for the user when the text is no point in time.
pub(crate) fn parse(text: &str, now: &ZonedDateTime) -> Result<Timestamp, String> {
    let text = text.trim();
    let wanted = || format!("`{text}` is no time; write one like {FORMS}");
    if text == "now" {
        return Ok(now.timestamp());
    }
    if let Some(ago) = text.strip_suffix("ago") {
        let ago = config::duration::parse(ago.trim()).map_err(|_| wanted())?;
        let ago = SignedDuration::try_from(ago).map_err(|_| wanted())?;
        let time = now.timestamp().checked_sub(ago).map_err(|_| wanted())?;
        // Kinesis counts in milliseconds, and so do people who read the time back.
        return Timestamp::from_millisecond(time.as_millisecond()).map_err(|_| wanted());
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp);
    }
    let civil = civil(text, now.date()).ok_or_else(wanted)?;
    let zone: TimeZone = now.time_zone().clone();
    civil.to_zoned_datetime(zone).map(|zoned| zoned.timestamp()).map_err(|_| wanted())
}

/// A time of the wall clock; `today` is the date it is there now.
fn civil(text: &str, today: Date) -> Option<DateTime> {
    let (day, rest) = match text.split_once(' ').unwrap_or((text, "")) {
        ("today", rest) => (today, rest),
        ("yesterday", rest) => (today.yesterday().ok()?, rest),
        // A bare time of day is today's; a bare date begins at midnight.
        (time, "") if time.contains(':') && !time.contains('-') => (today, time),
        (date, rest) if !rest.is_empty() && !date.contains('T') => (date.parse().ok()?, rest),
        _ => return text.parse::<DateTime>().ok(),
    };
    match rest.trim() {
        "" => Some(day.to_datetime(Time::midnight())),
        time => Some(day.to_datetime(time_of_day(time)?)),
    }
}

/// `09:00`, `9:00` or `9:00:30.5`.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, _) = text.split_once(':')?;
    if hour.len() == 1 { format!("0{text}").parse().ok() } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use jiff::ZonedDateTime;

    use super::parse;

    fn now() -> ZonedDateTime {
        "2024-01-15T10:30:00+01:00[Europe/Berlin]".parse().unwrap()
    }

    #[test]
    fn reads_what_people_write() {
        for (text, wanted) in [
            ("now", "2024-01-15T09:30:00Z"),
            ("10m ago", "2024-01-15T09:20:00Z"),
            ("1h30m ago", "2024-01-15T08:00:00Z"),
            ("90s ago", "2024-01-15T09:28:30Z"),
            ("1500ms ago", "2024-01-15T09:29:58.5Z"),
            ("2024-01-15T10:00:00Z", "2024-01-15T10:00:00Z"),
            ("2024-01-15T10:00:00.123+02:00", "2024-01-15T08:00:00.123Z"),
            ("1 day ago", "2024-01-14T09:30:00Z"),
            ("2d ago", "2024-01-13T09:30:00Z"),
            ("1w ago", "2024-01-08T09:30:00Z"),
            ("today 09:00", "2024-01-15T08:00:00Z"),
            ("today 9:00", "2024-01-15T08:00:00Z"),
            ("9:15", "2024-01-15T08:15:00Z"),
            ("2024-01-15 9:00", "2024-01-15T08:00:00Z"),
            ("today", "2024-01-14T23:00:00Z"),
            ("yesterday 18:30:15", "2024-01-14T17:30:15Z"),
            ("09:15", "2024-01-15T08:15:00Z"),
            ("2024-01-15", "2024-01-14T23:00:00Z"),
            ("2024-01-15 10:00", "2024-01-15T09:00:00Z"),
            ("2024-01-15T10:00:00", "2024-01-15T09:00:00Z"),
            // The zone's own rules hold, not today's offset.
            ("2023-07-01 12:00", "2023-07-01T10:00:00Z"),
        ] {
            assert_eq!(parse(text, &now()).unwrap().to_string(), wanted, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time_and_shows_how() {
        for text in [
            "",
            "soon",
            "ago",
            "ten minutes ago",
            "today nine",
            "today 25:00",
            "2024-13-01",
            "-5m ago",
            "1705312800",
        ] {
            let said = parse(text, &now()).unwrap_err();
            assert!(said.contains("is no time; write one like `2024-"), "{text}: {said}");
        }
    }
}
