//! What the API's model, version 2013-12-02, says of texts: lengths and patterns, and how the service words a breach.

use std::ops::RangeInclusive;

/// What a text member has to look like.
pub(super) struct TextRule {
    length: RangeInclusive<usize>,
    pattern: Option<Pattern>,
}

struct Pattern {
    /// The expression as the service prints it.
    shown: &'static str,
    accepts: fn(&str) -> bool,
}

impl TextRule {
    const fn new(length: RangeInclusive<usize>) -> Self {
        Self { length, pattern: None }
    }

    const fn matching(length: RangeInclusive<usize>, shown: &'static str, accepts: fn(&str) -> bool) -> Self {
        Self { length, pattern: Some(Pattern { shown, accepts }) }
    }

    /// Whether a value keeps all constraints.
    pub(super) fn admits(&self, value: &str) -> bool {
        self.broken_by(value).is_empty()
    }

    /// Both bounds of the length, as messages about elements of a collection put them.
    pub(super) fn length_rule(&self) -> String {
        format!(
            "Member must have length less than or equal to {}, Member must have length greater than or equal to {}",
            self.length.end(),
            self.length.start()
        )
    }

    /// The constraints that `value` breaks, worded as the service words them.
    pub(super) fn broken_by(&self, value: &str) -> Vec<String> {
        let mut broken = Vec::new();
        if let Some(pattern) = &self.pattern
            && !(pattern.accepts)(value)
        {
            broken.push(format!("Member must satisfy regular expression pattern: {}", pattern.shown));
        }
        let length = value.chars().count();
        if length < *self.length.start() {
            broken.push(format!("Member must have length greater than or equal to {}", self.length.start()));
        }
        if length > *self.length.end() {
            broken.push(format!("Member must have length less than or equal to {}", self.length.end()));
        }
        broken
    }
}

pub(super) const NAME: TextRule = TextRule::matching(1..=128, "[a-zA-Z0-9_.-]+", is_name);
pub(super) const STREAM_ARN: TextRule =
    TextRule::matching(1..=2048, r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+", |text| is_arn(text, "stream/"));
pub(super) const RESOURCE_ARN: TextRule =
    TextRule::matching(1..=2048, r"arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+", |text| is_arn(text, "stream/"));
pub(super) const CONSUMER_ARN: TextRule = TextRule::matching(
    1..=2048,
    r"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+",
    |text| is_arn(text, "stream/") && text.contains("/consumer/"),
);
pub(super) const ITERATOR: TextRule = TextRule::new(1..=512);
pub(super) const NEXT_TOKEN: TextRule = TextRule::new(1..=1_048_576);
pub(super) const PARTITION_KEY: TextRule = TextRule::new(1..=256);
pub(super) const KEY_ID: TextRule = TextRule::new(1..=2048);
pub(super) const TAG_KEY: TextRule = TextRule::new(1..=128);
pub(super) const TAG_VALUE: TextRule = TextRule::new(0..=256);
pub(super) const HASH_KEY: TextRule =
    TextRule::matching(0..=usize::MAX, r"0|([1-9]\d{0,38})", |text| is_number(text, 39));
pub(super) const SEQUENCE: TextRule =
    TextRule::matching(0..=usize::MAX, r"0|([1-9]\d{0,128})", |text| is_number(text, 129));

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-'))
}

fn is_number(text: &str, digits: usize) -> bool {
    let leading_zero = text.starts_with('0') && text.len() > 1;
    (1..=digits).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit()) && !leading_zero
}

fn is_arn(text: &str, resource: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, _region, account, rest] = parts.as_slice() else { return false };
    *arn == "arn"
        && partition.starts_with("aws")
        && *service == "kinesis"
        && account.len() == 12
        && account.bytes().all(|digit| digit.is_ascii_digit())
        && rest
            .strip_prefix(resource)
            .is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_leading_zero() {
        for (text, good) in [("0", true), ("10", true), ("01", false), ("", false), ("-1", false)] {
            assert_eq!(is_number(text, 39), good, "{text}");
        }
    }

    #[test]
    fn an_arn_is_one_of_kinesis_with_an_account_and_a_name() {
        for (text, good) in [
            ("arn:aws:kinesis:eu-central-1:123456789012:stream/orders", true),
            ("arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/orders", true),
            ("arn:aws:kinesis:eu-central-1:123456789012:stream/", false),
            ("arn:aws:kinesis:eu-central-1:12345:stream/orders", false),
            ("arn:aws:s3:::orders", false),
            ("", false),
        ] {
            assert_eq!(STREAM_ARN.admits(text), good, "{text}");
        }
    }
}
