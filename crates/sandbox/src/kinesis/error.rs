//! The errors of Kinesis: their codes, the status that goes with each, and short ways to make the usual ones.

use crate::error::ServiceError;

/// A dry run found nothing to object to.
pub(super) const DRY_RUN: &str = "DryRunOperationException";
/// A shard iterator outlived its five minutes.
pub(super) const EXPIRED_ITERATOR: &str = "ExpiredIteratorException";
/// A page token outlived its five minutes.
pub(super) const EXPIRED_NEXT_TOKEN: &str = "ExpiredNextTokenException";
/// The service failed, for a whole request.
pub(super) const INTERNAL_FAILURE: &str = "InternalFailureException";
/// A parameter makes no sense for this stream.
pub(super) const INVALID_ARGUMENT: &str = "InvalidArgumentException";
/// A quota of the account or the stream is used up.
pub(super) const LIMIT_EXCEEDED: &str = "LimitExceededException";
/// A shard's rate is used up.
pub(super) const THROUGHPUT_EXCEEDED: &str = "ProvisionedThroughputExceededException";
/// The stream or consumer is not in a state that allows this.
pub(super) const RESOURCE_IN_USE: &str = "ResourceInUseException";
/// No such stream, shard or consumer.
pub(super) const RESOURCE_NOT_FOUND: &str = "ResourceNotFoundException";
/// The body is not JSON, or a member has the wrong JSON type.
pub(super) const SERIALIZATION: &str = "SerializationException";
/// The operation does not exist.
pub(super) const UNKNOWN_OPERATION: &str = "UnknownOperationException";
/// A member breaks a constraint of the API's model, or the capacity mode rules the operation out.
pub(super) const VALIDATION: &str = "ValidationException";

/// The HTTP status that the service sends with a code.
pub(super) fn status(code: &str) -> u16 {
    match code {
        INTERNAL_FAILURE | "InternalFailure" => 500,
        "ServiceUnavailable" | "ServiceUnavailableException" => 503,
        _ => 400,
    }
}

pub(super) fn error(code: &'static str, message: impl Into<String>) -> ServiceError {
    ServiceError::new(status(code), code, message)
}

pub(super) fn invalid_argument(message: impl Into<String>) -> ServiceError {
    error(INVALID_ARGUMENT, message)
}

pub(super) fn not_found(message: impl Into<String>) -> ServiceError {
    error(RESOURCE_NOT_FOUND, message)
}

pub(super) fn in_use(message: impl Into<String>) -> ServiceError {
    error(RESOURCE_IN_USE, message)
}

pub(super) fn limit_exceeded(message: impl Into<String>) -> ServiceError {
    error(LIMIT_EXCEEDED, message)
}

pub(super) fn throughput_exceeded(message: impl Into<String>) -> ServiceError {
    error(THROUGHPUT_EXCEEDED, message)
}

pub(super) fn validation(message: impl Into<String>) -> ServiceError {
    error(VALIDATION, message)
}

pub(super) fn serialization(message: impl Into<String>) -> ServiceError {
    error(SERIALIZATION, message)
}

/// What a dry run answers when the real request would have worked.
pub(super) fn dry_run() -> ServiceError {
    error(DRY_RUN, "The request would have succeeded, but the DryRun parameter is set.")
}
