//! `temporary-service-credentials`: keys of the credential's role, from STS.

use std::time::SystemTime;

use http::StatusCode;
use serde::Serialize;

use super::assume::{Assume, CHAINED_SESSION, Steps};
use super::credential::{Credential, Purpose};
use super::error::ApiError;
use super::validate::not_self_assuming;
use crate::sts::Session;

/// `TemporaryCredentials` of the REST reference, for AWS. It holds keys, so it has no `Debug`.
#[derive(Serialize)]
pub(super) struct TemporaryCredentials {
    aws_temp_credentials: AwsKeys,
    /// Milliseconds since 1970.
    expiration_time: u64,
}

#[derive(Serialize)]
struct AwsKeys {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    /// Only for S3 access points.
    access_point: Option<String>,
}

impl TemporaryCredentials {
    /// Becomes the role and hands out its keys. A role that cannot assume itself is refused, as Databricks does
    /// since January 2025.
    pub(super) fn vend(sts: &dyn Assume, credential: &Credential) -> Result<Self, ApiError> {
        let name = credential.name.as_str();
        if credential.purpose != Purpose::Service {
            return Err(ApiError::invalid(format!(
                "credential `{name}` has purpose STORAGE; temporary service credentials need one with purpose SERVICE"
            )));
        }
        let steps = Steps::new(sts, credential, CHAINED_SESSION);
        let session = steps.enter().map_err(|error| not_configured(name, &error.message))?;
        steps.enter_again(&session).map_err(|error| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "INVALID_PARAMETER_VALUE.UC_IAM_ROLE_NON_SELF_ASSUMING",
                not_self_assuming(&error.message),
            )
        })?;
        Ok(session.into())
    }
}

/// A trust policy that does not let Databricks in. It is a permission problem, yet answered with status 400.
pub(super) fn not_configured(name: &str, why: &str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "PERMISSION_DENIED",
        format!(
            "Failed to get credentials: the AWS IAM role of credential '{name}' is not configured correctly. {why}"
        ),
    )
}

impl From<Session> for TemporaryCredentials {
    fn from(session: Session) -> Self {
        Self {
            expiration_time: epoch_ms(session.expires_at),
            aws_temp_credentials: AwsKeys {
                access_key_id: session.access_key_id,
                secret_access_key: session.secret_access_key,
                session_token: session.session_token,
                access_point: None,
            },
        }
    }
}

/// Milliseconds since 1970, as all of Databricks' times are.
pub(super) fn epoch_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::trust_fake::{TrustFake, credential};
    use super::*;

    fn refused(sts: &TrustFake) -> ApiError {
        match TemporaryCredentials::vend(sts, &credential("the-id")) {
            Err(error) => error,
            Ok(_) => panic!("keys were handed out"),
        }
    }

    #[test]
    fn keys_come_with_their_end_in_milliseconds() {
        let sts = TrustFake::trusting("the-id").self_assuming();
        let keys = TemporaryCredentials::vend(&sts, &credential("the-id")).expect("keys");
        let wire = serde_json::to_value(keys).expect("serializes");
        assert_eq!(wire["expiration_time"], 1_760_003_600_000_u64);
        assert_eq!(wire["aws_temp_credentials"]["access_key_id"], "ASIAEXAMPLE");
        assert!(wire["aws_temp_credentials"]["access_point"].is_null());
    }

    #[test]
    fn a_broken_trust_is_a_bad_request_with_a_permission_code() {
        let error = refused(&TrustFake::trusting("0000").self_assuming());
        assert_eq!((error.status, &*error.error_code), (StatusCode::BAD_REQUEST, "PERMISSION_DENIED"));
        assert!(error.message.contains("is not configured correctly"), "{}", error.message);
    }

    #[test]
    fn a_role_that_cannot_assume_itself_gets_no_keys() {
        let error = refused(&TrustFake::trusting("the-id"));
        assert!(error.error_code.ends_with("UC_IAM_ROLE_NON_SELF_ASSUMING"));
    }
}
