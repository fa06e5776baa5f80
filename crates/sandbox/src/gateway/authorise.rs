//! Kinesis calls: may this caller do this, and then the engine's answer.

use axum::body::Body;
use http::Response;

use super::reply;
use crate::error::ServiceError;
use crate::iam::Iam;
use crate::kinesis::{self, Engine};
use crate::sts::{Caller, Identity};

/// The first part of `X-Amz-Target`.
const TARGET: &str = "Kinesis_20131202.";

/// The operation that `X-Amz-Target` names.
pub(crate) fn operation(target: &str) -> Option<&str> {
    target.strip_prefix(TARGET)
}

/// Asks IAM, then the engine.
pub(crate) fn call(
    engine: &Engine,
    iam: &Iam,
    caller: &Caller,
    operation: &str,
    body: &[u8],
    request_id: &str,
) -> Result<Response<Body>, ServiceError> {
    // Root may do everything, and is spared the second look at what may be 14 MB.
    if caller.identity != Identity::Root {
        let needed = engine.authorisation_of_body(operation, body)?;
        for action in std::iter::once(&needed.action).chain(&needed.further_actions) {
            iam.authorise(caller, action, &needed.resource)
                .map_err(|message| ServiceError::new(400, "AccessDeniedException", message))?;
        }
    }
    let caller = kinesis::Caller { account: caller.account.clone() };
    if operation == "SubscribeToShard" {
        let subscription = engine.subscribe(body, &caller)?;
        return Ok(reply::events(Body::from_stream(subscription), request_id));
    }
    let answer = engine.call(operation, body, &caller)?;
    Ok(reply::json(answer, request_id))
}
