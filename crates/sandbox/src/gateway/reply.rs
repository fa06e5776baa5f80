//! Answers in the protocol that the caller speaks.

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};

use crate::error::ServiceError;
use crate::query::Xml;

/// The header by which SDKs find the request id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// The header by which JSON services name the error.
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// How a service talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `awsJson1.1`: Kinesis.
    Json,
    /// The query protocol with XML answers, under this namespace: IAM and STS.
    Query(&'static str),
}

/// IAM's namespace.
pub(crate) const IAM: Protocol = Protocol::Query("https://iam.amazonaws.com/doc/2010-05-08/");
/// STS's namespace.
pub(crate) const STS: Protocol = Protocol::Query("https://sts.amazonaws.com/doc/2011-06-15/");

impl Protocol {
    /// The protocol of a request whose service is not known yet.
    pub(crate) fn guess(headers: &HeaderMap) -> Self {
        if headers.contains_key("x-amz-target") { Self::Json } else { STS }
    }

    /// The namespace of XML answers; JSON has none.
    pub(crate) fn namespace(self) -> &'static str {
        match self {
            Self::Json => "",
            Self::Query(namespace) => namespace,
        }
    }

    /// Renders a refusal.
    pub(crate) fn refuse(self, error: &ServiceError, request_id: &str) -> Response<Body> {
        let ServiceError { status, code, message } = error;
        let mut response = match self {
            Self::Json => {
                let body = serde_json::json!({ "__type": code, "message": message });
                whole(*status, "application/x-amz-json-1.1", body.to_string(), request_id)
            }
            Self::Query(namespace) => {
                let body = Xml::error(*status, code, message, namespace, request_id);
                whole(*status, "text/xml", body, request_id)
            }
        };
        if self == Self::Json
            && let Ok(value) = HeaderValue::from_str(code)
        {
            response.headers_mut().insert(ERROR_TYPE, value);
        }
        response
    }
}

/// A JSON answer of Kinesis.
pub(crate) fn json(body: impl Into<Bytes>, request_id: &str) -> Response<Body> {
    whole(200, "application/x-amz-json-1.1", body.into(), request_id)
}

/// An XML answer of IAM or STS.
pub(crate) fn xml(body: String, request_id: &str) -> Response<Body> {
    whole(200, "text/xml", body, request_id)
}

/// An answer that arrives piece by piece: SubscribeToShard.
pub(crate) fn events(body: Body, request_id: &str) -> Response<Body> {
    let mut response = Response::new(body);
    label(&mut response, "application/vnd.amazon.eventstream", request_id);
    response
}

/// An answer with a body that is there as a whole.
pub(crate) fn whole(
    status: u16,
    content_type: &'static str,
    body: impl Into<Bytes>,
    request_id: &str,
) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    label(&mut response, content_type, request_id);
    response
}

fn label(response: &mut Response<Body>, content_type: &'static str, request_id: &str) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, value);
    }
}
