//! Bars and numbers for terminals.

/// Parts of a block that a terminal can draw.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A bar of `value` where `most` is `width` columns long; whatever is more than nothing can be seen.
pub(crate) fn bar(value: u64, most: u64, width: usize) -> String {
    if value == 0 || most == 0 {
        return String::new();
    }
    let width = u128::try_from(width).unwrap_or_default();
    let eighths = (u128::from(value) * width * 8).div_ceil(u128::from(most)).min(width * 8);
    let full = usize::try_from(eighths / 8).unwrap_or_default();
    let mut text = "█".repeat(full);
    let rest = usize::try_from(eighths % 8).unwrap_or_default();
    text.extend(rest.checked_sub(1).and_then(|rest| EIGHTHS.get(rest)));
    text
}

/// `12 B`, `3.4 KiB`, `1.2 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let power = (count.ilog2() / 10).clamp(1, 4);
    let tenths = u128::from(count) * 10 / (1_u128 << (10 * power));
    let unit =
        usize::try_from(power - 1).ok().and_then(|index| UNITS.get(index)).copied().unwrap_or_default();
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `12.3 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::{bar, bytes, count};

    #[test]
    fn bars_are_never_longer_than_their_room() {
        assert_eq!(bar(0, 10, 4), "");
        assert_eq!(bar(10, 10, 4), "████");
        assert_eq!(bar(5, 10, 4), "██");
        assert_eq!(bar(1, 1_000_000, 4), "▏");
        assert_eq!(bar(u64::MAX, u64::MAX, 3), "███");
        assert_eq!(bar(3, 16, 2), "▍");
        assert_eq!(bar(1, 0, 3), "");
    }

    #[test]
    fn numbers_are_easy_to_read() {
        let shown = [0, 1023, 1024, 1536, 1_048_576, 5_000_000_000].map(bytes);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "4.6 GiB"]);
        let shown = [0, 999, 1000, 1_234_567].map(count);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
