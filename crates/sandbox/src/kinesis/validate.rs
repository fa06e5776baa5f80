//! Reads a request's members and checks them against the API's model, in the service's own two steps:
//! a wrong JSON type is a `SerializationException` at once, broken constraints are collected into one
//! `ValidationException` that lists them all.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::ServiceError;

use super::error::{serialization, validation};

/// What a text member has to look like.
pub(super) struct Text {
    length: RangeInclusive<usize>,
    pattern: Option<Pattern>,
}

struct Pattern {
    /// The expression as the service prints it.
    shown: &'static str,
    accepts: fn(&str) -> bool,
}

impl Text {
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
    fn broken_by(&self, value: &str) -> Vec<String> {
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

// The constraints of the API's model, version 2013-12-02.
pub(super) const NAME: Text = Text::matching(1..=128, "[a-zA-Z0-9_.-]+", is_name);
pub(super) const STREAM_ARN: Text =
    Text::matching(1..=2048, r"arn:aws.*:kinesis:.*:\d{12}:stream/\S+", |text| is_arn(text, "stream/"));
pub(super) const RESOURCE_ARN: Text =
    Text::matching(1..=2048, r"arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+", |text| is_arn(text, "stream/"));
pub(super) const CONSUMER_ARN: Text = Text::matching(
    1..=2048,
    r"^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+",
    |text| is_arn(text, "stream/") && text.contains("/consumer/"),
);
pub(super) const ITERATOR: Text = Text::new(1..=512);
pub(super) const NEXT_TOKEN: Text = Text::new(1..=1_048_576);
pub(super) const PARTITION_KEY: Text = Text::new(1..=256);
pub(super) const KEY_ID: Text = Text::new(1..=2048);
pub(super) const TAG_KEY: Text = Text::new(1..=128);
pub(super) const TAG_VALUE: Text = Text::new(0..=256);
pub(super) const HASH_KEY: Text =
    Text::matching(0..=usize::MAX, r"0|([1-9]\d{0,38})", |text| is_number(text, 39));
pub(super) const SEQUENCE: Text =
    Text::matching(0..=usize::MAX, r"0|([1-9]\d{0,128})", |text| is_number(text, 129));

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

/// The constraints that a request breaks, so far.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<String>);

impl Violations {
    /// Checks a text that was read by other means.
    pub(super) fn text(&mut self, path: &str, value: &str, rule: &Text) {
        for constraint in rule.broken_by(value) {
            self.add(path, &format!("'{value}'"), &constraint);
        }
    }

    /// Checks an integer that was read by other means.
    pub(super) fn integer(&mut self, path: &str, value: i64, range: RangeInclusive<i64>) {
        let (least, most) = range.into_inner();
        if value < least {
            let constraint = format!("Member must have value greater than or equal to {least}");
            self.add(path, &format!("'{value}'"), &constraint);
        }
        if value > most {
            let constraint = format!("Member must have value less than or equal to {most}");
            self.add(path, &format!("'{value}'"), &constraint);
        }
    }

    pub(super) fn missing(&mut self, path: &str) {
        self.add(path, "null", "Member must not be null");
    }

    /// `shown` is how the value appears in the message: quoted, `null`, or empty for what is too long to show.
    pub(super) fn add(&mut self, path: &str, shown: &str, constraint: &str) {
        let space = if shown.is_empty() { "" } else { " " };
        self.0.push(format!("Value{space}{shown} at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// # Errors
    /// `ValidationException` when anything was found.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        match self.0.len() {
            0 => Ok(()),
            1 => Err(validation(format!("1 validation error detected: {}", self.0.concat()))),
            count => Err(validation(format!("{count} validation errors detected: {}", self.0.join("; ")))),
        }
    }
}

/// The members of one request.
#[derive(Debug)]
pub(super) struct Input {
    members: Map<String, Value>,
    /// In front of the members' names in messages; empty for the request itself.
    path: String,
    violations: Violations,
}

impl Input {
    /// Reads a body; an empty one counts as `{}`, as it does for the service.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        if body.is_empty() {
            return Ok(Self::of(Map::new(), String::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self::of(members, String::new())),
            Ok(_) => Err(serialization("Start of structure or map was expected.")),
            Err(error) => Err(serialization(format!("The request is not JSON: {error}"))),
        }
    }

    fn of(members: Map<String, Value>, path: String) -> Self {
        Self { members, path, violations: Violations::default() }
    }

    /// # Errors
    /// `ValidationException` with every constraint that the members read so far break.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        self.violations.check()
    }

    pub(super) fn text(&mut self, name: &str, rule: &Text) -> Result<Option<String>, ServiceError> {
        let value = match self.member(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(other) => return Err(mismatch(other, "String")),
        };
        let path = self.path_of(name);
        self.violations.text(&path, &value, rule);
        Ok(Some(value))
    }

    /// A required text; empty when it is missing, which [`Input::check`] reports.
    pub(super) fn required_text(&mut self, name: &str, rule: &Text) -> Result<String, ServiceError> {
        let text = self.text(name, rule)?;
        Ok(self.required(name, text))
    }

    pub(super) fn integer(
        &mut self,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, ServiceError> {
        let value = match self.member(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number
                .as_i64()
                .ok_or_else(|| serialization("DECIMAL_VALUE can not be converted to an Integer"))?,
            Some(other) => return Err(mismatch(other, "Integer")),
        };
        let path = self.path_of(name);
        self.violations.integer(&path, value, range);
        Ok(Some(value))
    }

    pub(super) fn required_integer(
        &mut self,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Result<i64, ServiceError> {
        let number = self.integer(name, range)?;
        Ok(self.required(name, number))
    }

    /// An integer whose upper bound the service leaves to the operation.
    pub(super) fn count(&mut self, name: &str, minimum: u32) -> Result<Option<u32>, ServiceError> {
        let number = self.integer(name, i64::from(minimum)..=i64::from(i32::MAX))?;
        Ok(number.map(|number| u32::try_from(number).unwrap_or(0)))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, ServiceError> {
        match self.member(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(mismatch(other, "Boolean")),
        }
    }

    /// A time, which travels as seconds with a fraction; the answer is in milliseconds.
    pub(super) fn time_ms(&mut self, name: &str) -> Result<Option<u64>, ServiceError> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::Number(seconds)) => {
                let seconds = seconds.as_f64().unwrap_or(0.0).max(0.0);
                // Half a millisecond up, because most thousandths have no exact binary form.
                let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                let rounded = time.saturating_add(Duration::from_micros(500));
                Ok(Some(u64::try_from(rounded.as_millis()).unwrap_or(u64::MAX)))
            }
            Some(other) => Err(mismatch(other, "Date")),
        }
    }

    /// One of a set of words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        name: &str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, ServiceError> {
        let value = match self.member(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(other) => return Err(mismatch(other, "String")),
        };
        let found = words.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let path = self.path_of(name);
            let set: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let constraint = format!("Member must satisfy enum value set: [{}]", set.join(", "));
            self.violations.add(&path, &format!("'{value}'"), &constraint);
        }
        Ok(found)
    }

    /// A required word; the first of the set when it is missing, which [`Input::check`] reports.
    pub(super) fn required_choice<T: Copy>(
        &mut self,
        name: &str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, ServiceError> {
        let choice = self.choice(name, words)?;
        if self.member(name).is_none() {
            let path = self.path_of(name);
            self.violations.missing(&path);
        }
        Ok(choice)
    }

    /// Reads a member that is itself a structure; its violations count as this request's.
    pub(super) fn structure<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Result<T, ServiceError>,
    ) -> Result<Option<T>, ServiceError> {
        let members = match self.member(name) {
            None => return Ok(None),
            Some(Value::Object(members)) => members.clone(),
            Some(_) => return Err(serialization("Start of structure or map was expected.")),
        };
        let mut inner = Self::of(members, self.path_of(name));
        let value = read(&mut inner)?;
        self.violations.0.append(&mut inner.violations.0);
        Ok(Some(value))
    }

    /// Every name and text of a map member.
    pub(super) fn map(&mut self, name: &str) -> Result<Option<Vec<(String, String)>>, ServiceError> {
        let entries = match self.member(name) {
            None => return Ok(None),
            Some(Value::Object(entries)) => entries,
            Some(_) => return Err(serialization("Start of structure or map was expected.")),
        };
        let texts = entries.iter().map(|(key, value)| match value {
            Value::String(text) => Ok((key.clone(), text.clone())),
            Value::Null => Ok((key.clone(), String::new())),
            other => Err(mismatch(other, "String")),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// Every text of a list member.
    pub(super) fn list(&mut self, name: &str) -> Result<Option<Vec<String>>, ServiceError> {
        let entries = match self.member(name) {
            None => return Ok(None),
            Some(Value::Array(entries)) => entries,
            Some(_) => return Err(serialization("Unexpected field type: a list was expected.")),
        };
        let texts = entries.iter().map(|entry| match entry {
            Value::String(text) => Ok(text.clone()),
            other => Err(mismatch(other, "String")),
        });
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// The value, or a complaint and the type's empty value.
    pub(super) fn required<T: Default>(&mut self, name: &str, value: Option<T>) -> T {
        value.unwrap_or_else(|| {
            let path = self.path_of(name);
            self.violations.missing(&path);
            T::default()
        })
    }

    pub(super) fn violations(&mut self) -> &mut Violations {
        &mut self.violations
    }

    /// A member that is there: the service takes null for absent.
    fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// The member's name as messages spell it: lower-case first, and behind the structure's.
    fn path_of(&self, name: &str) -> String {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_lowercase());
        let name: String = first.into_iter().chain(letters).collect();
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }
}

fn mismatch(value: &Value, wanted: &str) -> ServiceError {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) | Value::Object(_) => {
            return serialization("Start of structure or map found where not expected.");
        }
    };
    let article = if wanted.starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    serialization(format!("{found} can not be converted to {article} {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(body: &str) -> Input {
        Input::parse(body.as_bytes()).unwrap()
    }

    fn complaint(input: &Input) -> String {
        input.check().unwrap_err().message
    }

    #[test]
    fn all_broken_constraints_come_in_one_message() {
        let mut input = input(r#"{"StreamName":"","Limit":0}"#);
        input.text("StreamName", &NAME).unwrap();
        input.integer("Limit", 1..=10_000).unwrap();
        input.required_text("ShardId", &NAME).unwrap();
        assert_eq!(
            complaint(&input),
            "4 validation errors detected: \
             Value '' at 'streamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; \
             Value '' at 'streamName' failed to satisfy constraint: Member must have length greater than or equal to 1; \
             Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1; \
             Value null at 'shardId' failed to satisfy constraint: Member must not be null"
        );
    }

    #[test]
    fn a_members_path_names_the_structure_around_it() {
        let mut input = input(r#"{"ShardFilter":{"Type":"SIDEWAYS"}}"#);
        input.structure("ShardFilter", |filter| filter.choice("Type", &[("AT_LATEST", ())])).unwrap();
        assert_eq!(
            complaint(&input),
            "1 validation error detected: Value 'SIDEWAYS' at 'shardFilter.type' failed to satisfy constraint: \
             Member must satisfy enum value set: [AT_LATEST]"
        );
    }

    #[test]
    fn a_wrong_type_is_a_serialization_error() {
        let error = input(r#"{"StreamName":7}"#).text("StreamName", &NAME).unwrap_err();
        assert_eq!(error.code, "SerializationException");
        assert_eq!(error.message, "NUMBER_VALUE can not be converted to a String");
        assert_eq!(Input::parse(b"[]").unwrap_err().code, "SerializationException");
        assert_eq!(Input::parse(b"{").unwrap_err().code, "SerializationException");
    }

    #[test]
    fn times_keep_their_milliseconds() {
        let mut input = input(r#"{"A":1800000000.123,"B":1800000000,"C":1800000000.9995}"#);
        assert_eq!(input.time_ms("A").unwrap(), Some(1_800_000_000_123));
        assert_eq!(input.time_ms("B").unwrap(), Some(1_800_000_000_000));
        assert_eq!(input.time_ms("C").unwrap(), Some(1_800_000_001_000));
    }

    #[test]
    fn numbers_have_no_leading_zero() {
        for (text, good) in [("0", true), ("10", true), ("01", false), ("", false), ("-1", false)] {
            assert_eq!(is_number(text, 39), good, "{text}");
        }
    }
}
