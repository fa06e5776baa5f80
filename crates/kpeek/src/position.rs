//! Where reading begins: the five starting positions of Kinesis, as people type them.

use std::fmt;

use jiff::{Timestamp, ZonedDateTime};

use crate::moment;

/// Longest sequence number: the API model's pattern `0|([1-9]\d{0,128})`.
const SEQUENCE_NUMBER_DIGITS: usize = 129;

/// Where to begin to read a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// The oldest record there is.
    TrimHorizon,
    /// Only what arrives from now on.
    Latest,
    /// What arrived at this time or later.
    At(Timestamp),
    /// The record with this sequence number.
    AtSequence(String),
    /// The record behind the one with this sequence number.
    AfterSequence(String),
}

impl Position {
    /// Reads `trim-horizon`, `latest`, `at:TIME`, `at-seq:N`, `after-seq:N`, or a bare TIME.
    ///
    /// # Errors
    /// A sentence for the user.
    pub(crate) fn parse(text: &str, now: &ZonedDateTime) -> Result<Self, String> {
        let sequence = |number: &str| {
            let is_one = is_sequence_number(number);
            is_one.then(|| number.to_owned()).ok_or_else(|| {
                format!("`{number}` is no sequence number: it is the long decimal number in a record's `sequence_number`")
            })
        };
        match text.split_once(':') {
            None if text == "trim-horizon" => Ok(Self::TrimHorizon),
            None if text == "latest" => Ok(Self::Latest),
            Some(("at", time)) => past(time, now).map(Self::At),
            Some(("at-seq", number)) => sequence(number).map(Self::AtSequence),
            Some(("after-seq", number)) => sequence(number).map(Self::AfterSequence),
            _ => match moment::parse(text, now) {
                Ok(_) => past(text, now).map(Self::At),
                Err(_) => Err(format!(
                    "`{text}` is no position; write trim-horizon, latest, at:TIME, at-seq:N or after-seq:N, with a TIME like {}",
                    moment::FORMS
                )),
            },
        }
    }

    /// Where to begin in a shard that was born from one that was read: nothing in it may be missed, and nothing from
    /// before a time that was asked for may be shown.
    pub(crate) fn of_descendants(&self) -> Self {
        match self {
            Self::At(time) => Self::At(*time),
            Self::TrimHorizon | Self::Latest | Self::AtSequence(_) | Self::AfterSequence(_) => {
                Self::TrimHorizon
            }
        }
    }

    /// Where to begin in a shard that has nothing to do with those that were read from here.
    pub(crate) fn of_strangers(&self) -> Self {
        // The sequence number of another shard says nothing here, and nothing was asked to be left out.
        if self.is_of_one_shard() { Self::TrimHorizon } else { self.clone() }
    }

    /// Whether the position means something in one shard only.
    pub(crate) fn is_of_one_shard(&self) -> bool {
        matches!(self, Self::AtSequence(_) | Self::AfterSequence(_))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TrimHorizon => formatter.write_str("trim-horizon"),
            Self::Latest => formatter.write_str("latest"),
            Self::At(time) => write!(formatter, "at:{time}"),
            Self::AtSequence(number) => write!(formatter, "at-seq:{number}"),
            Self::AfterSequence(number) => write!(formatter, "after-seq:{number}"),
        }
    }
}

/// A time that Kinesis accepts as a position: it refuses one in the future.
fn past(text: &str, now: &ZonedDateTime) -> Result<Timestamp, String> {
    let time = moment::parse(text, now)?;
    if time > now.timestamp() {
        return Err(format!(
            "`{text}` lies in the future; write --from latest to see what arrives from now on"
        ));
    }
    Ok(time)
}

fn is_sequence_number(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && text.len() <= SEQUENCE_NUMBER_DIGITS && (text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ZonedDateTime};
    use proptest::prelude::*;

    use super::Position;

    fn now() -> ZonedDateTime {
        "2024-01-15T10:30:00+01:00[Europe/Berlin]".parse().unwrap()
    }

    #[test]
    fn reads_the_five_positions() {
        let parse = |text| Position::parse(text, &now()).unwrap();
        assert_eq!(parse("trim-horizon"), Position::TrimHorizon);
        assert_eq!(parse("latest"), Position::Latest);
        assert_eq!(parse("at:10m ago"), Position::At("2024-01-15T09:20:00Z".parse().unwrap()));
        assert_eq!(parse("at:today 09:00"), Position::At("2024-01-15T08:00:00Z".parse().unwrap()));
        assert_eq!(parse("at-seq:4961"), Position::AtSequence("4961".to_owned()));
        assert_eq!(parse("after-seq:0"), Position::AfterSequence("0".to_owned()));
    }

    #[test]
    fn a_bare_time_is_a_position_too() {
        for text in ["10m ago", "today 09:00", "2024-01-15T09:20:00Z", "09:00"] {
            let parsed = Position::parse(text, &now());
            assert_eq!(parsed, Position::parse(&format!("at:{text}"), &now()), "{text}");
            assert!(parsed.is_ok(), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_what_to_write() {
        for (text, wanted) in [
            ("oldest", "`oldest` is no position; write trim-horizon, latest"),
            ("at:soon", "`soon` is no time"),
            ("at-seq:12a", "`12a` is no sequence number"),
            ("after-seq:", "`` is no sequence number"),
            ("at-seq:007", "`007` is no sequence number"),
            ("at:2099-01-01T00:00:00Z", "lies in the future; write --from latest"),
        ] {
            let said = Position::parse(text, &now()).unwrap_err();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(position in prop_oneof![
            Just(Position::TrimHorizon),
            Just(Position::Latest),
            (0_i64..1_700_000_000_000).prop_map(|millis| Position::At(Timestamp::from_millisecond(millis).unwrap())),
            "[1-9][0-9]{0,128}".prop_map(Position::AtSequence),
            "[1-9][0-9]{0,128}".prop_map(Position::AfterSequence),
        ]) {
            prop_assert_eq!(Position::parse(&position.to_string(), &now()), Ok(position));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ignored = Position::parse(&text, &now());
        }
    }
}
