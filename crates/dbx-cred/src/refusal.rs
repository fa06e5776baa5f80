//! Databricks' error bodies: their several shapes, read into one refusal.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// An answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Databricks' own code, such as `PERMISSION_DENIED`.
    pub code: Option<String>,
    /// The sentence for people.
    pub message: String,
    /// What the support desk asks for.
    pub request_id: Option<String>,
}

/// What a refusal means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The token is wrong or has expired.
    Unauthenticated,
    /// The caller is known and may not.
    Denied,
    /// There is no such thing.
    Missing,
    /// The name is taken.
    Exists,
    /// Something depends on it.
    InUse,
    /// The workspace has no Unity Catalog, or not this part of it.
    NoCatalog,
    /// The request is wrong.
    Invalid,
    /// Too many requests, or the service is down for a moment.
    Busy,
    /// Databricks failed.
    Broken,
}

impl Refusal {
    /// Reads an error answer.
    pub fn read(status: StatusCode, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        let plain = |code: Option<&str>, message: &str| Self {
            status: status.as_u16(),
            code: code.map(str::to_owned),
            message: shorten(message),
            request_id: None,
        };
        if text.is_empty() {
            return plain(None, status.canonical_reason().unwrap_or("no reason given"));
        }
        if let Ok(body) = serde_json::from_str::<Body>(text) {
            return body.refusal(status);
        }
        if let Some((code, message)) = code_and_message(text) {
            return plain(Some(code), message);
        }
        let inside = ["pre", "title"].into_iter().find_map(|tag| between(text, tag));
        plain(None, inside.unwrap_or(text))
    }

    /// What it means. The code decides where it is known, else the status.
    pub fn reason(&self) -> Reason {
        let by_code = self.code.as_deref().and_then(|code| {
            // A code may carry a detail behind a period.
            let code = code.split('.').next().unwrap_or(code);
            Some(match code {
                "UNAUTHENTICATED" | "invalid_client" | "invalid_grant" => Reason::Unauthenticated,
                "PERMISSION_DENIED" => Reason::Denied,
                "INVALID_STATE" => Reason::InUse,
                "RESOURCE_EXHAUSTED" | "REQUEST_LIMIT_EXCEEDED" | "TEMPORARILY_UNAVAILABLE" => Reason::Busy,
                "INVALID_PARAMETER_VALUE" | "BAD_REQUEST" | "MALFORMED_REQUEST" => Reason::Invalid,
                "INTERNAL_ERROR" => Reason::Broken,
                "METASTORE_DOES_NOT_EXIST"
                | "ENDPOINT_NOT_FOUND"
                | "FEATURE_DISABLED"
                | "NOT_IMPLEMENTED" => Reason::NoCatalog,
                code if code.ends_with("ALREADY_EXISTS") => Reason::Exists,
                code if code.ends_with("DOES_NOT_EXIST") || code.ends_with("NOT_FOUND") => Reason::Missing,
                _ => return None,
            })
        });
        by_code.unwrap_or(match self.status {
            401 => Reason::Unauthenticated,
            403 => Reason::Denied,
            404 => Reason::Missing,
            409 => Reason::Exists,
            429 | 502..=504 => Reason::Busy,
            500.. => Reason::Broken,
            _ => Reason::Invalid,
        })
    }

    /// The sentence, the code and the request id, in a form that can follow a colon.
    pub fn describe(&self) -> String {
        let message = self.message.trim_end_matches('.');
        let status = self.status.to_string();
        let code = self.code.as_deref().unwrap_or(&status);
        match &self.request_id {
            Some(id) => format!("{message} ({code}, request {id})"),
            None => format!("{message} ({code})"),
        }
    }
}

/// Every member that some Databricks API puts into an error. All are read as any JSON: a surprise in one must not
/// hide the others.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    error_code: Option<Value>,
    #[serde(default)]
    message: Option<Value>,
    /// OAuth, and API 1.2.
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    error_description: Option<Value>,
    /// Okta's form of an OAuth error.
    #[serde(default, rename = "errorCode")]
    okta_code: Option<Value>,
    #[serde(default, rename = "errorSummary")]
    okta_summary: Option<Value>,
    /// SCIM.
    #[serde(default)]
    detail: Option<Value>,
    #[serde(default, rename = "scimType")]
    scim_type: Option<Value>,
    #[serde(default)]
    details: Value,
}

impl Body {
    fn refusal(self, status: StatusCode) -> Refusal {
        let code = [&self.error_code, &self.okta_code, &self.scim_type]
            .into_iter()
            .find_map(|field| text(field.as_ref()));
        let error = text(self.error.as_ref());
        let message = [&self.message, &self.error_description, &self.okta_summary, &self.detail]
            .into_iter()
            .find_map(|field| text(field.as_ref()));
        let (code, message) = match (code, message, error) {
            // OAuth says the code in `error`; the old API says the sentence there.
            (None, Some(message), Some(error)) => (Some(error), message),
            (code, Some(message), _) => (code, message),
            (code, None, Some(error)) => (code, error),
            (code, None, None) => (code, status.canonical_reason().unwrap_or("no reason given").to_owned()),
        };
        let detail = |kind: &str, member: &str| {
            let found = self.details.as_array()?.iter().find(|detail| {
                detail.get("@type").and_then(Value::as_str).is_some_and(|name| name.ends_with(kind))
            })?;
            found.get(member).and_then(Value::as_str).map(str::to_owned)
        };
        Refusal {
            status: status.as_u16(),
            code: code.or_else(|| detail(".ErrorInfo", "reason")),
            message: shorten(&message),
            request_id: detail(".RequestInfo", "request_id"),
        }
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// `CODE: message`, as some gateways answer.
fn code_and_message(text: &str) -> Option<(&str, &str)> {
    let (code, message) = text.split_once(": ")?;
    let is_code = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    is_code.then_some((code, message))
}

/// The text of an HTML element.
fn between<'text>(html: &'text str, tag: &str) -> Option<&'text str> {
    let (_, rest) = html.split_once(&format!("<{tag}>"))?;
    let (inside, _) = rest.split_once(&format!("</{tag}>"))?;
    Some(inside)
}

/// Most characters of a foreign sentence that an error repeats.
const MOST_CHARACTERS: usize = 500;

/// One line of a bearable length.
fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::{Reason, Refusal};

    fn check(status: u16, body: &str, described: &str, reason: Reason) {
        let refusal = Refusal::read(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert_eq!(refusal.describe(), described);
        assert_eq!(refusal.reason(), reason, "{refusal:?}");
    }

    #[test]
    fn the_common_shape_has_code_sentence_and_request_id() {
        check(
            403,
            r#"{"error_code":"PERMISSION_DENIED","message":"User does not have CREATE SERVICE CREDENTIAL on Metastore 'main'.",
               "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"PERMISSION_DENIED","domain":"x","metadata":{}},
                          {"@type":"type.googleapis.com/google.rpc.RequestInfo","request_id":"e25eb9b8","serving_data":""}]}"#,
            "User does not have CREATE SERVICE CREDENTIAL on Metastore 'main' (PERMISSION_DENIED, request e25eb9b8)",
            Reason::Denied,
        );
    }

    #[test]
    fn the_other_shapes_are_read_too() {
        check(404, "", "Not Found (404)", Reason::Missing);
        check(400, r#"{"error_code":1003,"message":"odd"}"#, "odd (1003)", Reason::Invalid);
        check(
            401,
            r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#,
            "Client authentication failed (invalid_client)",
            Reason::Unauthenticated,
        );
        check(400, r#"{"error":"old sentence"}"#, "old sentence (400)", Reason::Invalid);
        check(
            409,
            r#"{"detail":"taken","scimType":"uniqueness","status":"409"}"#,
            "taken (uniqueness)",
            Reason::Exists,
        );
        check(
            401,
            r#"{"errorCode":"invalid_client","errorSummary":"no such client"}"#,
            "no such client (invalid_client)",
            Reason::Unauthenticated,
        );
        check(400, "REQUEST_LIMIT_EXCEEDED: slow down", "slow down (REQUEST_LIMIT_EXCEEDED)", Reason::Busy);
        check(
            403,
            "<html><title>Forbidden</title><pre>IP not\n allowed</pre></html>",
            "IP not allowed (403)",
            Reason::Denied,
        );
        check(
            502,
            "<html><head><title>502 Bad Gateway</title></head></html>",
            "502 Bad Gateway (502)",
            Reason::Busy,
        );
        check(500, "boom", "boom (500)", Reason::Broken);
    }

    #[test]
    fn codes_beat_the_status() {
        let json = |code: &str| format!(r#"{{"error_code":"{code}","message":"m"}}"#);
        check(400, &json("PERMISSION_DENIED"), "m (PERMISSION_DENIED)", Reason::Denied);
        check(
            400,
            &json("STORAGE_CREDENTIAL_ALREADY_EXISTS"),
            "m (STORAGE_CREDENTIAL_ALREADY_EXISTS)",
            Reason::Exists,
        );
        check(400, &json("CREDENTIAL_DOES_NOT_EXIST"), "m (CREDENTIAL_DOES_NOT_EXIST)", Reason::Missing);
        check(
            400,
            &json("INVALID_PARAMETER_VALUE.UC_IAM_ROLE_NON_SELF_ASSUMING"),
            "m (INVALID_PARAMETER_VALUE.UC_IAM_ROLE_NON_SELF_ASSUMING)",
            Reason::Invalid,
        );
        check(400, &json("INVALID_STATE"), "m (INVALID_STATE)", Reason::InUse);
        check(418, &json("SOMETHING_NEW"), "m (SOMETHING_NEW)", Reason::Invalid);
    }

    #[test]
    fn a_wall_of_text_is_cut() {
        let refusal = Refusal::read(StatusCode::BAD_REQUEST, "ä".repeat(9000).as_bytes());
        assert_eq!(refusal.message.chars().count(), 501);
    }
}
