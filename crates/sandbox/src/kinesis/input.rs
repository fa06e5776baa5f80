//! Reads a request's members, in the service's own two steps: a wrong JSON type is a `SerializationException` at once,
//! broken constraints are collected and reported together.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::ServiceError;

use super::error::serialization;
use super::rule::TextRule;
use super::violation::Violations;
use super::wire;

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
        Ok(Self::of(wire::read(body)?, String::new()))
    }

    fn of(members: Map<String, Value>, path: String) -> Self {
        Self { members, path, violations: Violations::default() }
    }

    /// # Errors
    /// `ValidationException` with every constraint that the members read so far break.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        self.violations.check()
    }

    pub(super) fn text(&mut self, name: &str, rule: &TextRule) -> Result<Option<String>, ServiceError> {
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
    pub(super) fn required_text(&mut self, name: &str, rule: &TextRule) -> Result<String, ServiceError> {
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
                // A microsecond up, because most thousandths have no exact binary form; not half a millisecond, which
                // would turn a client's "now" into the future.
                let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
                let rounded = time.saturating_add(Duration::from_micros(1));
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
        self.violations.absorb(inner.violations);
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
    use super::super::rule::NAME;
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
        let mut input = input(r#"{"A":1800000000.123,"B":1800000000,"C":1800000000.9997}"#);
        assert_eq!(input.time_ms("A").unwrap(), Some(1_800_000_000_123));
        assert_eq!(input.time_ms("B").unwrap(), Some(1_800_000_000_000));
        assert_eq!(input.time_ms("C").unwrap(), Some(1_800_000_000_999));
    }
}
