//! A policy document that is kept exactly as it was written, and the errors of reading one.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use thiserror::Error;

use crate::shape;
use crate::statement::{self, Statement};

/// A policy document. Reading and writing one changes nothing: member order, unknown members and the spelling of numbers stay
/// (but for an exponent, which gains its sign: `1e2` becomes `1e+2`).
///
/// What this crate understands has been checked: every statement has an `Effect` of `Allow` or `Deny`, exactly one of
/// `Action` and `NotAction`, and lists hold strings. So the views that [`Document::statements`] gives never fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    value: Value,
}

/// Why a text is not a policy document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// The text is not JSON, or says the same member twice.
    #[error("policy is not valid JSON at line {line}, column {column}: {reason}")]
    Json {
        /// Line of the first offending character, from 1.
        line: usize,
        /// Column of the first offending character, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The JSON is fine but is not shaped like a policy.
    #[error("policy is malformed at `{pointer}`: {sentence}")]
    Shape {
        /// JSON pointer to the offending value; empty for the document itself.
        pointer: String,
        /// What is wrong there.
        sentence: String,
    },
}

impl Document {
    /// Reads a document from JSON text.
    ///
    /// # Errors
    /// When the text is not JSON, repeats a member, or is not shaped like a policy.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.trim_start().starts_with("%7B") || text.trim_start().starts_with("%7b") {
            return Err(ParseError::Json {
                line: 1,
                column: 1,
                reason: "the text is percent-encoded, as the IAM API returns it; decode it first".to_owned(),
            });
        }
        let mut scan = serde_json::Deserializer::from_str(text);
        UniqueMembers.deserialize(&mut scan).and_then(|()| scan.end()).map_err(|error| json_error(&error))?;
        Self::from_value(serde_json::from_str(text).map_err(|error| json_error(&error))?)
    }

    /// Takes a JSON value as a document.
    ///
    /// # Errors
    /// When the value is not shaped like a policy.
    pub fn from_value(value: Value) -> Result<Self, ParseError> {
        shape::check(&value)?;
        Ok(Self { value })
    }

    /// Takes a value that this crate built itself, or made from a checked document, and so has the right shape.
    pub(crate) fn known(value: Value) -> Self {
        Self { value }
    }

    /// The JSON as it was read.
    pub fn as_value(&self) -> &Value {
        &self.value
    }

    /// The JSON as it was read, given away.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// The language version, when the document states one. Without one IAM assumes `2008-10-17`, which knows no variables.
    pub fn version(&self) -> Option<&str> {
        self.value.get("Version").and_then(Value::as_str)
    }

    /// The statements in their order. A single statement object counts as a list of one.
    pub fn statements(&self) -> impl Iterator<Item = Statement<'_>> {
        statement::all(&self.value)
    }
}

/// Compact JSON on one line.
impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, formatter)
    }
}

impl ParseError {
    /// JSON pointer to the offending value, when the text was JSON at all.
    pub fn pointer(&self) -> Option<&str> {
        match self {
            Self::Json { .. } => None,
            Self::Shape { pointer, .. } => Some(pointer),
        }
    }
}

fn json_error(error: &serde_json::Error) -> ParseError {
    let message = error.to_string();
    let reason = message.split_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    ParseError::Json { line: error.line(), column: error.column(), reason: reason.to_owned() }
}

/// Walks a JSON text and refuses an object that says a member twice.
///
/// `serde_json` keeps the last one silently. In a policy that would hide, say, the first of two `Effect`s from the reader.
#[derive(Clone, Copy)]
struct UniqueMembers;

impl<'de> DeserializeSeed<'de> for UniqueMembers {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueMembers {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if seen.contains(&name) {
                return Err(A::Error::custom(format_args!("the member `{name}` stands twice in one object")));
            }
            members.next_value_seed(self)?;
            seen.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Document::parse(text).map(|document| document.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn unknown_members_order_and_number_spelling_survive() {
        let text = r#"{"Zebra":1.50,"Statement":[{"Note":{"b":1e+2,"a":null},"Effect":"Deny","Action":["s3:*"],"Resource":"*","Condition":{"NumericEquals":{"x":10.0}}}],"Version":"2012-10-17","Id":"x"}"#;
        assert_eq!(Document::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn one_statement_object_is_a_list_of_one() {
        let document =
            Document::parse(r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#).unwrap();
        let pointers: Vec<_> = document.statements().map(|statement| statement.pointer()).collect();
        assert_eq!(pointers, ["/Statement"]);
    }

    #[test]
    fn broken_json_is_placed() {
        assert_eq!(
            refused("{\n  \"Version\" \"2012-10-17\"}"),
            "policy is not valid JSON at line 2, column 13: expected `:`"
        );
        assert_eq!(
            refused("{\"Statement\":[],\n\"Statement\":[]}"),
            "policy is not valid JSON at line 2, column 11: the member `Statement` stands twice in one object"
        );
        assert!(refused("%7B%22Version%22").contains("percent-encoded"));
        assert!(refused("").contains("line 1, column 0"));
        assert!(refused("{\"Statement\":[]} x").contains("trailing characters"));
    }
}
