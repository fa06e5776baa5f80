//! The sandbox's own endpoint, `/_sandbox/…`: break things on purpose, and look at what was called.
//! It is unsigned, and on loopback like everything else. `KINBRICKS_SANDBOX` in the environment holds its address.
//!
//! | request | what it does |
//! |---|---|
//! | `GET requests`, `DELETE requests` | the calls so far: service, operation, caller, outcome; forget them |
//! | `POST faults` | a [`Fault`] waits for the next calls of an operation, of whatever service |
//! | `DELETE faults` | forget those that still wait |
//! | `POST kinesis-faults` | a [`crate::kinesis::Fault`]: half a batch fails, iterators expire, … |
//! | `POST iam-delay` | `{"delay_ms":…}`: how long later writes of IAM take to have an effect |
//! | `… databricks/…` | the workspace's own, see [`crate::databricks`] |

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{Method, Response};
use serde::{Deserialize, Serialize};

use super::reply;
use crate::error::ServiceError;
use crate::iam::Iam;
use crate::kinesis::Engine;

/// The oldest calls are forgotten beyond this many.
const REMEMBERED_CALLS: usize = 10_000;

/// Where the control endpoint begins.
pub(crate) const PREFIX: &str = "/_sandbox/";

/// The faults that are waiting and the calls that were made.
#[derive(Default)]
pub(crate) struct Control(Mutex<State>);

#[derive(Default)]
struct State {
    faults: Vec<Fault>,
    calls: VecDeque<Call>,
}

/// Something that shall go wrong: the body of `POST /_sandbox/faults`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// The operation it strikes, for example `PutRecords`; `*` strikes any.
    operation: String,
    /// How many requests it strikes.
    #[serde(default = "once")]
    times: u32,
    /// Wait this long first.
    #[serde(default)]
    latency_ms: u64,
    /// Close the connection without an answer. With `after` the operation is carried out first.
    #[serde(default)]
    reset: bool,
    /// Let the operation happen, and only then spoil the answer.
    #[serde(default)]
    after: bool,
    /// Answer with this error code.
    code: Option<String>,
    /// … this HTTP status (400 when left out) …
    #[serde(default = "bad_request")]
    status: u16,
    /// … and this sentence.
    #[serde(default)]
    message: String,
}

fn once() -> u32 {
    1
}

fn bad_request() -> u16 {
    400
}

/// What a fault does to one request; by default, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) delay: Duration,
    /// Spoil the answer only after the operation was carried out.
    pub(crate) after: bool,
    pub(crate) then: Outcome,
}

/// How a struck request ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it would have anyway.
    #[default]
    Unharmed,
    /// With this error.
    Fail(ServiceError),
    /// With a closed connection.
    Reset,
}

/// One call, as `GET /_sandbox/requests` shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    pub(crate) service: String,
    pub(crate) operation: String,
    /// The caller's ARN; null when the request was not authenticated.
    pub(crate) caller: Option<String>,
    /// `ok`, the error's code, or `reset`.
    pub(crate) outcome: String,
    pub(crate) status: u16,
}

impl Control {
    /// The first fault that waits for `operation`, used up by one.
    pub(crate) fn strike(&self, operation: &str) -> Option<Strike> {
        let mut state = self.lock();
        let index =
            state.faults.iter().position(|fault| fault.operation == "*" || fault.operation == operation)?;
        let fault = &mut state.faults[index];
        fault.times = fault.times.saturating_sub(1);
        let strike = Strike {
            delay: Duration::from_millis(fault.latency_ms),
            after: fault.after,
            then: match &fault.code {
                Some(code) => {
                    Outcome::Fail(ServiceError::new(fault.status, code.clone(), fault.message.clone()))
                }
                None if fault.reset => Outcome::Reset,
                None => Outcome::Unharmed,
            },
        };
        if fault.times == 0 {
            state.faults.remove(index);
        }
        Some(strike)
    }

    /// Remembers a call.
    pub(crate) fn record(&self, call: Call) {
        let mut state = self.lock();
        if state.calls.len() == REMEMBERED_CALLS {
            state.calls.pop_front();
        }
        state.calls.push_back(call);
    }

    /// Answers a request to `/_sandbox/…`. `path` is what follows.
    pub(crate) fn answer(
        &self,
        method: &Method,
        path: &str,
        body: &[u8],
        iam: &Iam,
        engine: &Engine,
    ) -> Response<Body> {
        match (method.as_str(), path) {
            ("GET", "requests") => {
                let calls = self.lock().calls.clone();
                show(200, &serde_json::json!({ "requests": calls }))
            }
            ("DELETE", "requests") => {
                self.lock().calls.clear();
                done()
            }
            ("POST", "faults") => self.add_fault(body),
            ("DELETE", "faults") => {
                self.lock().faults.clear();
                done()
            }
            ("POST", "kinesis-faults") => match serde_json::from_slice(body) {
                Ok(fault) => {
                    engine.inject(fault);
                    done()
                }
                Err(error) => complain(&error),
            },
            ("POST", "iam-delay") => match serde_json::from_slice::<Delay>(body) {
                Ok(delay) => {
                    iam.set_delay(Duration::from_millis(delay.delay_ms));
                    done()
                }
                Err(error) => complain(&error),
            },
            _ => show(
                404,
                &serde_json::json!({ "error": format!("there is no `{method} {PREFIX}{path}`"),
                    "known": ["GET requests", "DELETE requests", "POST faults", "DELETE faults", "POST iam-delay", "POST kinesis-faults"] }),
            ),
        }
    }

    fn add_fault(&self, body: &[u8]) -> Response<Body> {
        match serde_json::from_slice::<Fault>(body) {
            Ok(fault) if fault.times == 0 => {
                show(400, &serde_json::json!({ "error": "`times` must be at least 1" }))
            }
            Ok(fault) if fault.code.is_none() && !fault.reset && fault.latency_ms == 0 => show(
                400,
                &serde_json::json!({ "error": "nothing would go wrong; give `code`, `reset` or `latency_ms`" }),
            ),
            Ok(fault) if http::StatusCode::from_u16(fault.status).is_err() => show(
                400,
                &serde_json::json!({ "error": format!("`{}` is not an HTTP status", fault.status) }),
            ),
            Ok(fault) => {
                self.lock().faults.push(fault);
                done()
            }
            Err(error) => complain(&error),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    delay_ms: u64,
}

fn done() -> Response<Body> {
    show(200, &serde_json::json!({}))
}

fn complain(error: &serde_json::Error) -> Response<Body> {
    show(400, &serde_json::json!({ "error": error.to_string() }))
}

fn show(status: u16, value: &serde_json::Value) -> Response<Body> {
    reply::whole(status, "application/json", value.to_string(), "sandbox")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> Control {
        let control = Control::default();
        assert_eq!(control.add_fault(json.as_bytes()).status(), 200, "{json}");
        control
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_says_and_only_its_operation() {
        let control = fault(r#"{"operation":"PutRecords","times":2,"code":"Boom","status":500}"#);
        assert_eq!(control.strike("GetRecords"), None);
        for _ in 0..2 {
            let strike = control.strike("PutRecords").unwrap();
            assert_eq!(strike.then, Outcome::Fail(ServiceError::new(500, "Boom", "")));
        }
        assert_eq!(control.strike("PutRecords"), None);
    }

    #[test]
    fn a_fault_with_a_misspelt_field_is_refused() {
        let control = Control::default();
        for wrong in [
            r#"{"operation":"PutRecords","code":"Boom","time":2}"#,
            r#"{"operation":"PutRecords","code":"Boom","times":0}"#,
            r#"{"operation":"PutRecords","code":"Boom","status":7}"#,
            r#"{"operation":"PutRecords"}"#,
            "{",
        ] {
            assert_eq!(control.add_fault(wrong.as_bytes()).status(), 400, "{wrong}");
        }
    }
}
