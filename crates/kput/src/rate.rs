//! `--rate`: `500/s` or `1MiB/s`.

use std::str::FromStr;

/// A rate to keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PutRate {
    /// Records a second.
    Records(f64),
    /// Bytes a second, payload and keys.
    Bytes(f64),
}

/// The units people write, and their bytes.
const UNITS: [(&str, f64); 7] = [
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("B", 1.0),
];

/// The slowest rate that still makes sense: one in a quarter of an hour.
const SLOWEST: f64 = 0.001;

/// The fastest, beyond any stream.
const FASTEST: f64 = 1e15;

impl FromStr for PutRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || format!("`{text}` is no rate; write one like 500/s, 1MiB/s or 250kB/s");
        let amount = text.strip_suffix("/s").ok_or_else(wanted)?;
        let unit = UNITS.iter().find_map(|(unit, bytes)| Some((amount.strip_suffix(unit)?, *bytes)));
        let number = |digits: &str, unit: f64| {
            let number = digits.trim().parse::<f64>().map_err(|_| wanted())? * unit;
            if (SLOWEST..=FASTEST).contains(&number) { Ok(number) } else { Err(wanted()) }
        };
        match unit {
            Some((digits, bytes)) => number(digits, bytes).map(Self::Bytes),
            None => number(amount, 1.0).map(Self::Records),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PutRate;

    #[test]
    fn reads_records_and_bytes_a_second() {
        assert_eq!("500/s".parse(), Ok(PutRate::Records(500.0)));
        assert_eq!("0.5/s".parse(), Ok(PutRate::Records(0.5)));
        assert_eq!("1MiB/s".parse(), Ok(PutRate::Bytes(1_048_576.0)));
        assert_eq!("250 kB/s".parse(), Ok(PutRate::Bytes(250_000.0)));
        assert_eq!("9B/s".parse(), Ok(PutRate::Bytes(9.0)));
        for text in
            ["", "500", "/s", "fast/s", "-1/s", "0/s", "1TiB/s", "inf/s", "NaN/s", "1e-25/s", "1e99GB/s"]
        {
            assert!(text.parse::<PutRate>().is_err_and(|said| said.contains("500/s")), "{text}");
        }
    }
}
