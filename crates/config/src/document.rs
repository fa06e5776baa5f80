//! The connection document: one JSON object that flows through the pipe and grows.
//!
//! Each tool owns one member, sets it, and passes every other member through, known to it or not.

use std::fs;
use std::io::Read;

use serde::de::DeserializeOwned;
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::args::DocArgs;
use crate::fault::Fault;

/// The version of the document that this release reads and writes.
pub const VERSION: u64 = 1;

/// The member that carries the version.
const VERSION_MEMBER: &str = "kinbricks";

/// A typed member of the document.
pub trait Member: Serialize + DeserializeOwned {
    /// The member's name.
    const NAME: &'static str;
    /// The command that supplies it, for hints.
    const SUPPLIER: &'static str;
}

/// A connection document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    members: Map<String, Value>,
    came_in: bool,
}

impl Document {
    /// Reads the document that `args` names: `--doc FILE`, `--doc -`, or stdin unless that is a terminal.
    /// Empty input is an empty document.
    ///
    /// # Errors
    /// A pipe fault with line and column when the input is no such document; a usage fault when the file cannot be read.
    pub fn read(args: &DocArgs, stdin: &mut dyn Read, stdin_is_terminal: bool) -> Result<Self, Fault> {
        let mut text = String::new();
        let mut source = "stdin".to_owned();
        match args.doc.as_deref() {
            Some(path) if path != "-" => {
                source = format!("`{path}`");
                text = fs::read_to_string(path).map_err(|error| {
                    Fault::usage(format!("failed to read the connection document `{path}`"))
                        .with_cause(error)
                        .with_hint(
                            "--doc FILE takes a document that an earlier run wrote, e.g. connection.json",
                        )
                })?;
            }
            None if stdin_is_terminal => {}
            _ => {
                stdin.read_to_string(&mut text).map_err(|error| {
                    Fault::pipe("failed to read the connection document from stdin").with_cause(error)
                })?;
            }
        }
        Self::parse_from(&source, &text)
    }

    /// Reads a document that came in on stdin.
    ///
    /// # Errors
    /// A pipe fault with line and column when the text is not one JSON object of version 1.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        Self::parse_from("stdin", text)
    }

    /// Reads a document from text; `source` says where the text came from.
    fn parse_from(source: &str, text: &str) -> Result<Self, Fault> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let value: Value = serde_json::from_str(text).map_err(|error| {
            Fault::pipe(format!(
                "{source} is not a connection document: line {}, column {}: {}",
                error.line(),
                error.column(),
                reason(&error)
            ))
            .with_hint("pipe in what another kinbricks tool printed, e.g. kstream show sensor-readings | …")
        })?;
        let Value::Object(members) = value else {
            return Err(Fault::pipe(format!(
                "{source} is not a connection document: it is {}, not an object",
                kind(&value)
            ))
            .with_hint(
                "pipe in what another kinbricks tool printed, e.g. kstream show sensor-readings | …",
            ));
        };
        match members.get(VERSION_MEMBER) {
            None => {}
            Some(version) if version.as_u64() == Some(VERSION) => {}
            Some(other) => {
                return Err(Fault::pipe(format!(
                    "the connection document is of version {other}, this tool reads version {VERSION}"
                ))
                .with_hint("install the kinbricks release that wrote it, or write the document anew"));
            }
        }
        Ok(Self { members, came_in: true })
    }

    /// Whether any document came in, be it an empty object.
    pub fn came_in(&self) -> bool {
        self.came_in
    }

    /// The member `M`, when the document has it.
    ///
    /// # Errors
    /// A pipe fault that names the member, when its content is not what `M` needs.
    pub fn get<M: Member>(&self) -> Result<Option<M>, Fault> {
        match self.members.get(M::NAME) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => M::deserialize(value).map(Some).map_err(|error| {
                Fault::pipe(format!("the document's member `{}` cannot be used", M::NAME))
                    .with_cause(error)
                    .with_hint(format!("run `{}` again to write it anew", M::SUPPLIER))
            }),
        }
    }

    /// Sets the member `M`, at the end when it is new.
    ///
    /// # Errors
    /// A pipe fault when the member cannot be written as JSON.
    pub fn set<M: Member>(&mut self, member: &M) -> Result<(), Fault> {
        let value = serde_json::to_value(member).map_err(|error| {
            Fault::pipe(format!("failed to write the member `{}`", M::NAME)).with_cause(error)
        })?;
        self.members.insert(M::NAME.to_owned(), value);
        Ok(())
    }

    /// Removes the member `M`, as a take-down does; says whether it was there.
    pub fn remove<M: Member>(&mut self) -> bool {
        self.members.shift_remove(M::NAME).is_some()
    }

    /// Any member, as JSON.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Sets any member, as JSON.
    pub fn set_value(&mut self, name: &str, value: Value) {
        self.members.insert(name.to_owned(), value);
    }
}

impl Serialize for Document {
    /// The version comes first, then every member in the order it came in or was added.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest = self.members.iter().filter(|(name, _)| *name != VERSION_MEMBER);
        let version = Value::from(VERSION);
        let version_name = VERSION_MEMBER.to_owned();
        serializer.collect_map(std::iter::once((&version_name, &version)).chain(rest))
    }
}

/// serde's sentence without its own "at line …" tail, which the caller words itself.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let tail = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&tail).unwrap_or(&text).to_owned()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::Document;
    use crate::fault::Kind;
    use crate::member::Stream;

    const ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/s";

    #[test]
    fn every_other_member_passes_through_untouched() {
        let text = r#"{"zeta":[1.50,12345678901234567890123],"kinbricks":1,"alpha":{"b":1,"a":2}}"#;
        let mut document = Document::parse(text).unwrap();
        let stream: Stream = serde_json::from_str(&format!(r#"{{"name":"s","arn":"{ARN}"}}"#)).unwrap();
        document.set(&stream).unwrap();
        assert_eq!(
            serde_json::to_string(&document).unwrap(),
            format!(
                r#"{{"kinbricks":1,"zeta":[1.50,12345678901234567890123],"alpha":{{"b":1,"a":2}},"stream":{{"name":"s","arn":"{ARN}","kms_key":null}}}}"#
            )
        );
    }

    #[test]
    fn empty_input_is_an_empty_document_that_did_not_come_in() {
        let document = Document::parse(" \n").unwrap();
        assert!(!document.came_in());
        assert_eq!(serde_json::to_string(&document).unwrap(), r#"{"kinbricks":1}"#);
        assert!(Document::parse("{}").unwrap().came_in());
    }

    #[test]
    fn malformed_input_names_the_place() {
        let fault = Document::parse("{\n  \"stream\": oops }").unwrap_err();
        assert_eq!(fault.kind(), Kind::Pipe);
        assert!(fault.message().contains("line 2, column 13"), "{}", fault.message());
        let of_file = Document::parse_from("`connection.json`", "{").unwrap_err();
        assert!(of_file.message().starts_with("`connection.json` is not a connection document: line 1"));
        assert!(Document::parse("[1]").unwrap_err().message().contains("an array"));
    }

    #[test]
    fn another_version_is_refused() {
        let fault = Document::parse(r#"{"kinbricks":2}"#).unwrap_err();
        assert_eq!(fault.message(), "the connection document is of version 2, this tool reads version 1");
    }

    #[test]
    fn a_member_that_cannot_be_used_says_which_and_why() {
        let document = Document::parse(r#"{"stream":{"name":"s","arn":"nonsense"}}"#).unwrap();
        let fault = document.get::<Stream>().unwrap_err();
        let text = fault.to_text("t");
        assert!(text.contains("`stream`") && text.contains("`nonsense` is not a stream ARN"), "{text}");
        assert!(text.contains("kstream ensure"), "{text}");
    }
}
