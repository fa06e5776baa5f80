//! A refusal in Databricks' shape: an error code, a sentence, and the request's id for the support desk.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use uuid::Uuid;

/// The domain that Unity Catalog's errors name as their origin.
const DOMAIN: &str = "unity-catalog.databricks.com";

/// An error that a client of the workspace sees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error_code}: {message}")]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) error_code: Cow<'static, str>,
    pub(super) message: String,
    /// Whole seconds that the client is asked to wait.
    pub(super) retry_after: Option<u64>,
}

impl ApiError {
    pub(super) fn new(
        status: StatusCode,
        error_code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self { status, error_code: error_code.into(), message: message.into(), retry_after: None }
    }

    /// A field that cannot be used as it is. `message` names the field.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_PARAMETER_VALUE", message)
    }

    /// The caller is known and may not.
    pub(super) fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", message)
    }

    /// The caller is not known.
    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message)
    }

    /// The body as the wire has it.
    fn body(&self) -> Body<'_> {
        Body {
            error_code: &self.error_code,
            message: &self.message,
            details: [
                Detail::ErrorInfo { reason: &self.error_code, domain: DOMAIN, metadata: Empty {} },
                Detail::RequestInfo { request_id: Uuid::new_v4().to_string(), serving_data: "" },
            ],
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"DatabricksRealm\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error_code: &'a str,
    message: &'a str,
    details: [Detail<'a>; 2],
}

#[derive(Serialize)]
#[serde(tag = "@type")]
enum Detail<'a> {
    #[serde(rename = "type.googleapis.com/google.rpc.ErrorInfo")]
    ErrorInfo { reason: &'a str, domain: &'a str, metadata: Empty },
    #[serde(rename = "type.googleapis.com/google.rpc.RequestInfo")]
    RequestInfo { request_id: String, serving_data: &'a str },
}

#[derive(Serialize)]
struct Empty {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_shape_that_the_official_parsers_read() {
        let error = ApiError::denied("no");
        let body = serde_json::to_value(error.body()).expect("serializes");
        assert_eq!(body["error_code"], "PERMISSION_DENIED");
        assert_eq!(body["details"][0]["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
        assert_eq!(body["details"][0]["domain"], "unity-catalog.databricks.com");
        assert_eq!(body["details"][0]["metadata"], serde_json::json!({}));
        assert_eq!(body["details"][1]["@type"], "type.googleapis.com/google.rpc.RequestInfo");
        assert!(Uuid::parse_str(body["details"][1]["request_id"].as_str().expect("a string")).is_ok());
    }

    #[test]
    fn a_throttled_answer_says_how_long_to_wait() {
        let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", "slow down");
        error.retry_after = Some(7);
        let response = error.into_response();
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
    }
}
