//! The type of a column, from the values that were seen in it.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde_json::Value;

use super::quote::identifier;

/// What is known of a value after seeing some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// Nothing but nulls.
    #[default]
    Unknown,
    /// true or false.
    Boolean,
    /// Whole numbers of 64 bits.
    Long,
    /// Whole numbers that need more.
    Decimal,
    /// Any numbers.
    Double,
    /// Days, as `2024-01-15`.
    Date,
    /// Times, as `2024-01-15T10:00:00`, with or without zone.
    Timestamp,
    /// Any text, or values that do not fit together.
    Text,
    /// Lists of one shape.
    List(Box<Self>),
    /// Objects: the fields in the order in which they were first seen.
    Object(Vec<(String, Self)>),
}

/// Whole numbers with at most this many digits fit Spark's largest DECIMAL.
const DECIMAL_DIGITS: usize = 38;

impl Shape {
    /// The shape of one value.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Unknown,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) => Self::of_number(&number.to_string()),
            Value::String(text) => Self::of_text(text),
            Value::Array(items) => {
                let mut inner = Self::Unknown;
                for item in items {
                    inner.take_in(Self::of(item));
                }
                Self::List(Box::new(inner))
            }
            Value::Object(members) => {
                Self::Object(members.iter().map(|(name, value)| (name.clone(), Self::of(value))).collect())
            }
        }
    }

    fn of_number(digits: &str) -> Self {
        if digits.parse::<i64>().is_ok() {
            Self::Long
        } else if digits.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit())
            && digits.trim_start_matches('-').len() <= DECIMAL_DIGITS
        {
            Self::Decimal
        } else {
            Self::Double
        }
    }

    /// Only what looks like a date or a time from its first four digits on: parsers accept far more than Spark does.
    fn of_text(text: &str) -> Self {
        let bytes = text.as_bytes();
        let dated =
            bytes.len() >= 10 && bytes.iter().take(4).all(u8::is_ascii_digit) && bytes.get(4) == Some(&b'-');
        if dated && bytes.len() == 10 && text.parse::<Date>().is_ok() {
            Self::Date
        } else if dated
            && matches!(bytes.get(10), Some(b'T' | b' '))
            && !text.contains('[')
            && (text.parse::<Timestamp>().is_ok() || text.parse::<DateTime>().is_ok())
        {
            Self::Timestamp
        } else {
            Self::Text
        }
    }

    /// Widens the shape so that it also fits `other`.
    pub fn take_in(&mut self, other: Self) {
        let joined = match (std::mem::take(self), other) {
            (one, other) if one == other => one,
            (Self::Unknown, known) | (known, Self::Unknown) => known,
            (Self::Long | Self::Decimal, Self::Long | Self::Decimal) => Self::Decimal,
            (Self::Long | Self::Decimal | Self::Double, Self::Long | Self::Decimal | Self::Double) => {
                Self::Double
            }
            (Self::Date | Self::Timestamp, Self::Date | Self::Timestamp) => Self::Timestamp,
            (Self::List(mut one), Self::List(other)) => {
                one.take_in(*other);
                Self::List(one)
            }
            (Self::Object(mut fields), Self::Object(others)) => {
                for (name, shape) in others {
                    match fields.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => known.take_in(shape),
                        None => fields.push((name, shape)),
                    }
                }
                Self::Object(fields)
            }
            // What does not fit together is kept as the text it was.
            _ => Self::Text,
        };
        *self = joined;
    }
}

impl fmt::Display for Shape {
    /// The type in Spark's DDL. An empty object has no columns, so its text is kept.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => formatter.write_str("BOOLEAN"),
            Self::Long => formatter.write_str("BIGINT"),
            Self::Decimal => write!(formatter, "DECIMAL({DECIMAL_DIGITS},0)"),
            Self::Double => formatter.write_str("DOUBLE"),
            Self::Date => formatter.write_str("DATE"),
            Self::Timestamp => formatter.write_str("TIMESTAMP"),
            Self::Unknown | Self::Text => formatter.write_str("STRING"),
            Self::List(inner) => write!(formatter, "ARRAY<{inner}>"),
            Self::Object(fields) if fields.is_empty() => formatter.write_str("STRING"),
            Self::Object(fields) => {
                formatter.write_str("STRUCT<")?;
                for (index, (name, shape)) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(formatter, "{comma}{}: {shape}", identifier(name))?;
                }
                formatter.write_str(">")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::Shape;

    fn check(values: &[&str], expected: &str) {
        let mut shape = Shape::Unknown;
        for text in values {
            shape.take_in(Shape::of(&serde_json::from_str::<Value>(text).unwrap()));
        }
        assert_eq!(shape.to_string(), expected, "{values:?}");
    }

    #[test]
    fn values_have_types() {
        check(&["true"], "BOOLEAN");
        check(&["-18.2"], "DOUBLE");
        check(&["1e3"], "DOUBLE");
        check(&["9223372036854775807"], "BIGINT");
        check(&["9223372036854775808"], "DECIMAL(38,0)");
        check(&["123456789012345678901234567890123456789"], "DOUBLE");
        check(&["\"sensor_01\""], "STRING");
        check(&["\"2024-01-15\""], "DATE");
        for text in [
            "2024-01-15T10:00:00",
            "2024-01-15 10:00:00.123",
            "2024-01-15T10:00:00Z",
            "2024-01-15T10:00:00+01:00",
        ] {
            check(&[&format!("\"{text}\"")], "TIMESTAMP");
        }
        for text in
            ["20240115", "2024-13-45", "2024-01-15T99:00:00", "2024-01-15T10:00:00[Europe/Berlin]", "10:00"]
        {
            check(&[&format!("\"{text}\"")], "STRING");
        }
        check(&["null"], "STRING");
        check(&["[1,2.5]"], "ARRAY<DOUBLE>");
        check(&["[]"], "ARRAY<STRING>");
        check(&["{\"a b\":{\"c`d\":1}}"], "STRUCT<`a b`: STRUCT<`c``d`: BIGINT>>");
        check(&["{}"], "STRING");
    }

    #[test]
    fn a_type_fits_every_value_that_was_seen() {
        check(&["1", "null", "2.5"], "DOUBLE");
        check(&["1", "9223372036854775808"], "DECIMAL(38,0)");
        check(&["\"2024-01-15\"", "\"2024-01-15T10:00:00\""], "TIMESTAMP");
        check(&["\"2024-01-15\"", "\"soon\""], "STRING");
        check(&["1", "\"1\""], "STRING");
        check(&["{\"a\":1}", "{\"b\":true,\"a\":0.5}"], "STRUCT<`a`: DOUBLE, `b`: BOOLEAN>");
        check(&["{\"a\":1}", "[1]"], "STRING");
        check(&["[]", "[\"x\"]", "[null]"], "ARRAY<STRING>");
    }
}
