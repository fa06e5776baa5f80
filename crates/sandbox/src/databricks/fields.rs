//! Reading a JSON request field by field, so that a wrong one is refused by its name.

use http::StatusCode;
use serde_json::{Map, Value};

use super::error::ApiError;

/// The members of a JSON object in a request. `null` counts as absent, unknown members are ignored, as
/// Databricks does.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    /// Where the object stands in the request, with a trailing dot; empty for the request itself.
    path: String,
    members: Map<String, Value>,
}

impl Fields {
    /// The fields of a request's body. No body at all is an object without members.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let malformed = |why: String| ApiError::new(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST", why);
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self { path: String::new(), members }),
            Ok(other) => Err(malformed(format!("the request must be a JSON object, not {}", kind(&other)))),
            Err(error) => Err(malformed(format!("the request is not JSON: {error}"))),
        }
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.value(field).is_some()
    }

    pub(super) fn text(&self, field: &str) -> Result<Option<&str>, ApiError> {
        self.value(field)
            .map(|value| value.as_str().ok_or_else(|| self.wrong(field, "a string", value)))
            .transpose()
    }

    /// A string that must be there and must not be empty.
    pub(super) fn required_text(&self, field: &str) -> Result<&str, ApiError> {
        match self.text(field)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(ApiError::invalid(format!("field `{}` is required", self.name(field)))),
        }
    }

    /// A boolean, false where absent.
    pub(super) fn flag(&self, field: &str) -> Result<bool, ApiError> {
        match self.value(field) {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| self.wrong(field, "a boolean", value)),
        }
    }

    /// A whole number, also when written as a string, as JSON for 64-bit numbers often is.
    pub(super) fn number(&self, field: &str) -> Result<Option<u64>, ApiError> {
        self.value(field)
            .map(|value| {
                value
                    .as_u64()
                    .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
                    .ok_or_else(|| self.wrong(field, "a whole number", value))
            })
            .transpose()
    }

    pub(super) fn object(&self, field: &str) -> Result<Option<Self>, ApiError> {
        self.value(field)
            .map(|value| match value {
                Value::Object(members) => {
                    Ok(Self { path: format!("{}.", self.name(field)), members: members.clone() })
                }
                other => Err(self.wrong(field, "an object", other)),
            })
            .transpose()
    }

    /// A list of objects, empty where absent.
    pub(super) fn objects(&self, field: &str) -> Result<Vec<Self>, ApiError> {
        self.list(field)?
            .iter()
            .enumerate()
            .map(|(index, value)| match value {
                Value::Object(members) => {
                    Ok(Self { path: format!("{}[{index}].", self.name(field)), members: members.clone() })
                }
                other => Err(self.wrong(&format!("{field}[{index}]"), "an object", other)),
            })
            .collect()
    }

    /// A list of strings, empty where absent.
    pub(super) fn texts(&self, field: &str) -> Result<Vec<&str>, ApiError> {
        self.list(field)?
            .iter()
            .enumerate()
            .map(|(index, value)| {
                value.as_str().ok_or_else(|| self.wrong(&format!("{field}[{index}]"), "a string", value))
            })
            .collect()
    }

    /// The first member that is none of `known`, for requests in which it can only be a misspelling.
    pub(super) fn unknown(&self, known: &[&str]) -> Option<&str> {
        self.members.keys().map(String::as_str).find(|member| !known.contains(member))
    }

    /// The field as an error names it.
    pub(super) fn name(&self, field: &str) -> String {
        format!("{}{field}", self.path)
    }

    fn list(&self, field: &str) -> Result<&[Value], ApiError> {
        match self.value(field) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.wrong(field, "a list", other)),
        }
    }

    fn value(&self, field: &str) -> Option<&Value> {
        self.members.get(field).filter(|value| !value.is_null())
    }

    fn wrong(&self, field: &str, wanted: &str, got: &Value) -> ApiError {
        ApiError::invalid(format!("field `{}` must be {wanted}, not {}", self.name(field), kind(got)))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: std::fmt::Debug>(result: Result<T, ApiError>) -> (String, String) {
        let error = result.expect_err("refused");
        (error.error_code.into_owned(), error.message)
    }

    #[test]
    fn malformed_bodies_say_where() {
        let (code, message) = refused(Fields::parse(b"{\"name\": }"));
        assert_eq!(code, "MALFORMED_REQUEST");
        assert!(message.contains("line 1 column"), "{message}");
        assert_eq!(refused(Fields::parse(b"[1]")).1, "the request must be a JSON object, not a list");
        assert!(Fields::parse(b"  ").is_ok());
    }

    #[test]
    fn a_wrong_field_is_named_with_its_path() {
        let fields =
            Fields::parse(br#"{"aws_iam_role":{"role_arn":7},"changes":[{"add":["A",2]}],"n":null}"#)
                .expect("an object");
        let role = fields.object("aws_iam_role").expect("an object").expect("present");
        assert_eq!(
            refused(role.text("role_arn")).1,
            "field `aws_iam_role.role_arn` must be a string, not a number"
        );
        let changes = fields.objects("changes").expect("objects");
        assert_eq!(
            refused(changes[0].texts("add")).1,
            "field `changes[0].add[1]` must be a string, not a number"
        );
        assert!(!fields.has("n"));
        assert_eq!(refused(fields.required_text("n")).1, "field `n` is required");
    }
}
