//! A refusal in the words of the service that refuses. The gateway renders it in the caller's protocol.

use std::borrow::Cow;

/// An error that a client of AWS would see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// The error code on the wire, for example `NoSuchEntity`.
    pub code: Cow<'static, str>,
    /// The sentence for a person.
    pub message: String,
}

impl ServiceError {
    /// An error with this status, code and sentence.
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    /// `AccessDenied`, as IAM and STS word it.
    pub fn access_denied(message: impl Into<String>) -> Self {
        Self::new(403, "AccessDenied", message)
    }

    /// `ValidationError`: a parameter that breaks a rule of its own.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }
}
