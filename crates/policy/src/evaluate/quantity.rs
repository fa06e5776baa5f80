//! Numbers, times and addresses in conditions.

use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::civil::Date;

/// Compares two decimal numbers exactly: sequence numbers and byte counts do not fit a float. `None` when either is no number.
pub(super) fn compare_numbers(left: &str, right: &str) -> Option<Ordering> {
    let (left, right) = (Decimal::parse(left)?, Decimal::parse(right)?);
    Some(match (left.negative, right.negative) {
        (false, false) => left.magnitude_cmp(&right),
        (true, true) => right.magnitude_cmp(&left),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    })
}

/// Compares two times: RFC 3339, a date alone (its midnight, UTC), or seconds since 1970. `None` when either is no time.
pub(super) fn compare_times(left: &str, right: &str) -> Option<Ordering> {
    Some(time(left)?.cmp(&time(right)?))
}

/// Whether `address` lies in `range`: an address, or an address with a prefix length (`10.0.0.0/8`, `2001:db8::/32`).
pub(super) fn in_range(range: &str, address: &str) -> bool {
    let (base, length) = range.split_once('/').map_or((range, None), |(base, length)| (base, Some(length)));
    let (Ok(base), Ok(address)) = (base.parse::<IpAddr>(), address.parse::<IpAddr>()) else { return false };
    let (base, address, width) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            (u128::from(base.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let length = match length.map(str::parse::<u32>) {
        None => width,
        Some(Ok(length)) if length <= width => length,
        Some(_) => return false,
    };
    // A prefix of no bits holds every address; shifting by the whole width would overflow.
    let shift = width - length;
    base.checked_shr(shift).unwrap_or(0) == address.checked_shr(shift).unwrap_or(0)
}

/// Whether numeric conditions can compare with `text`.
pub(crate) fn is_number(text: &str) -> bool {
    Decimal::parse(text).is_some()
}

/// Whether date conditions can compare with `text`.
pub(crate) fn is_time(text: &str) -> bool {
    time(text).is_some()
}

/// Whether address conditions can compare with `text`.
pub(crate) fn is_address_range(text: &str) -> bool {
    // A range holds its own first address, and what is none holds nothing.
    text.split('/').next().is_some_and(|address| in_range(text, address))
}

fn time(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).ok();
    }
    text.parse().ok().or_else(|| text.parse::<Date>().ok()?.in_tz("UTC").ok().map(|zoned| zoned.timestamp()))
}

/// A decimal number as its digits, without zeros that mean nothing.
struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !numeric(whole) || !numeric(fraction) {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        Some(Self { negative: negative && !(whole.is_empty() && fraction.is_empty()), whole, fraction })
    }

    fn magnitude_cmp(&self, other: &Self) -> Ordering {
        (self.whole.len(), self.whole, self.fraction).cmp(&(other.whole.len(), other.whole, other.fraction))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (left, right, expected) in [
            ("10", "9", Some(Ordering::Greater)),
            ("1.50", "1.5", Some(Ordering::Equal)),
            ("-0", "0", Some(Ordering::Equal)),
            ("-2", "-1", Some(Ordering::Less)),
            ("0.25", "0.3", Some(Ordering::Less)),
            ("9007199254740993", "9007199254740992", Some(Ordering::Greater)),
            ("007", "7", Some(Ordering::Equal)),
            ("x", "7", None),
            ("", "7", None),
            (".", "7", None),
        ] {
            assert_eq!(compare_numbers(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(compare_times("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"), Some(Ordering::Equal));
        assert_eq!(compare_times("2026-01-01", "2026-01-01T00:00:00Z"), Some(Ordering::Equal));
        assert_eq!(compare_times("1767225600", "2026-01-01T00:00:01Z"), Some(Ordering::Less));
        assert_eq!(compare_times("yesterday", "2026-01-01"), None);
    }

    #[test]
    fn addresses() {
        for (range, address, expected) in [
            ("203.0.113.0/24", "203.0.113.9", true),
            ("203.0.113.0/24", "203.0.114.9", false),
            ("203.0.113.9", "203.0.113.9", true),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.0/x", "10.0.0.0", false),
            ("nonsense", "10.0.0.0", false),
        ] {
            assert_eq!(in_range(range, address), expected, "{range} {address}");
        }
    }
}
