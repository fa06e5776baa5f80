//! Faults on purpose: the next requests of an operation are slowed down, refused, or cut off.

use std::time::Duration;

use http::StatusCode;

use super::error::ApiError;
use super::fields::Fields;
use super::operation;

/// The longest a fault may hold a request up. A client's own limit is usually a minute.
const LATENCY_LIMIT: Duration = Duration::from_mins(2);

/// Strikes any operation.
const ANY: &str = "*";

/// The members of a fault. Another one is a misspelling, and would leave a test testing nothing.
const MEMBERS: [&str; 10] = [
    "operation",
    "times",
    "latency_ms",
    "after",
    "reset",
    "status",
    "error_code",
    "message",
    "retry_after",
    "body",
];

/// The faults that wait for their requests, in the order they were asked for.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

/// One kind of mishap, and how often it is still to happen.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    operation: String,
    left: u64,
    /// How long the request waits, before or after the operation.
    pub(super) latency: Duration,
    /// Whether the operation is carried out before its answer is spoilt or held up.
    pub(super) after: bool,
    /// What becomes of the answer. Without an effect it only comes late.
    pub(super) effect: Option<Effect>,
}

/// How an answer is spoilt.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    /// It is this error.
    Refuse(ApiError),
    /// It is this status with a page that is not JSON, as proxies send.
    Page(StatusCode, String),
    /// There is none: the connection closes.
    Reset,
}

impl Fault {
    /// Reads `{"operation":…,"times":…,"status":…,"error_code":…,…}`.
    pub(super) fn read(fields: &Fields) -> Result<Self, ApiError> {
        if let Some(unknown) = fields.unknown(&MEMBERS) {
            return Err(ApiError::invalid(format!(
                "field `{unknown}` is not part of a fault; use {}",
                MEMBERS.join(", "),
            )));
        }
        let operation = fields.text("operation")?.unwrap_or(ANY).to_owned();
        if operation != ANY && !operation::NAMES.contains(&operation.as_str()) {
            return Err(ApiError::invalid(format!(
                "`{operation}` in field `operation` is not one; use {ANY} or one of {}",
                operation::NAMES.join(", "),
            )));
        }
        let left = fields.number("times")?.unwrap_or(1);
        if left == 0 {
            return Err(ApiError::invalid("field `times` must be at least 1"));
        }
        let latency = Duration::from_millis(fields.number("latency_ms")?.unwrap_or(0));
        if latency > LATENCY_LIMIT {
            return Err(ApiError::invalid(format!(
                "field `latency_ms` is more than {}",
                LATENCY_LIMIT.as_millis()
            )));
        }
        Ok(Self { operation, left, latency, after: fields.flag("after")?, effect: Effect::read(fields)? })
    }
}

impl Effect {
    fn read(fields: &Fields) -> Result<Option<Self>, ApiError> {
        if fields.flag("reset")? {
            return Ok(Some(Self::Reset));
        }
        let Some(status) = fields.number("status")? else {
            return match ["error_code", "message", "retry_after", "body"]
                .into_iter()
                .find(|field| fields.has(field))
            {
                None => Ok(None),
                Some(field) => Err(ApiError::invalid(format!("field `{field}` needs a `status`"))),
            };
        };
        let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.filter(|status| status.is_client_error() || status.is_server_error());
        let status = status
            .ok_or_else(|| ApiError::invalid("field `status` must be an HTTP status of 400 or more"))?;
        if let Some(body) = fields.text("body")? {
            return Ok(Some(Self::Page(status, body.to_owned())));
        }
        let error_code = match fields.text("error_code")? {
            Some(code) => code.to_owned(),
            None => usual_code(status).to_owned(),
        };
        let message = fields.text("message")?.unwrap_or("The sandbox was asked to fail this request.");
        let mut error = ApiError::new(status, error_code, message);
        error.retry_after = fields.number("retry_after")?;
        Ok(Some(Self::Refuse(error)))
    }
}

/// The error code that usually comes with a status.
fn usual_code(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "BAD_REQUEST",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "RESOURCE_DOES_NOT_EXIST",
        409 => "RESOURCE_CONFLICT",
        429 => "RESOURCE_EXHAUSTED",
        503 => "TEMPORARILY_UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL_ERROR",
    }
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first fault that waits for `operation`, used up by one.
    pub(super) fn strike(&mut self, operation: &str) -> Option<Fault> {
        let matches = |fault: &Fault| fault.operation == ANY || fault.operation == operation;
        let index = self.0.iter().position(matches)?;
        let fault = self.0.get_mut(index)?;
        fault.left -= 1;
        let struck = fault.clone();
        if struck.left == 0 {
            self.0.remove(index);
        }
        Some(struck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(body: &str) -> Result<Fault, ApiError> {
        Fault::read(&Fields::parse(body.as_bytes()).expect("an object"))
    }

    #[test]
    fn a_fault_strikes_its_operation_as_often_as_it_says() {
        let mut faults = Faults::default();
        faults.add(
            fault(r#"{"operation":"GetCredential","times":2,"status":429,"retry_after":1}"#).expect("good"),
        );
        assert!(faults.strike("CreateCredential").is_none());
        for _ in 0..2 {
            let Some(Fault { effect: Some(Effect::Refuse(error)), .. }) = faults.strike("GetCredential")
            else {
                panic!("not struck")
            };
            assert_eq!((&*error.error_code, error.retry_after), ("RESOURCE_EXHAUSTED", Some(1)));
        }
        assert!(faults.strike("GetCredential").is_none());
    }

    #[test]
    fn a_fault_that_would_do_nothing_is_refused() {
        for (body, part) in [
            (r#"{"operation":"GetCredentials"}"#, "GetCredential,"),
            (r#"{"times":0}"#, "`times`"),
            (r#"{"time":2}"#, "`time` is not part"),
            (r#"{"status":200}"#, "`status`"),
            (r#"{"error_code":"X"}"#, "`error_code` needs"),
            (r#"{"latency_ms":3600000}"#, "`latency_ms`"),
        ] {
            let message = fault(body).expect_err(body).message;
            assert!(message.contains(part), "{message}");
        }
    }
}
