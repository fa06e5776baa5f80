//! From a signed request to the one who signed it, or the refusal that each service words in its own way.

use std::time::SystemTime;

use http::request::Parts;

use super::reply::Protocol;
use super::sigv4::{Authorization, Rejection};
use crate::error::ServiceError;
use crate::sts::{Caller, Keyring};

/// Checks the key, the signature, the token and the expiry, in this order: a stranger learns nothing about
/// a session.
pub(crate) fn authenticate(
    keys: &Keyring,
    authorization: &Authorization,
    parts: &Parts,
    body: &[u8],
    now: SystemTime,
) -> Result<Caller, Rejection> {
    let key = keys.find(&authorization.access_key_id).ok_or(Rejection::UnknownKey)?;
    authorization.verify(parts, body, &key.secret, now)?;
    let token = parts.headers.get("x-amz-security-token").map(http::HeaderValue::as_bytes);
    match (&key.session, token) {
        (None, None) => {}
        (Some(session), Some(token)) if session.token.as_bytes() == token => {
            if session.expires_at <= now {
                return Err(Rejection::Expired);
            }
        }
        _ => return Err(Rejection::UnknownKey),
    }
    Ok(key.caller)
}

impl Rejection {
    /// The refusal as the service words it.
    pub(crate) fn in_words_of(self, protocol: Protocol) -> ServiceError {
        let json = protocol == Protocol::Json;
        // JSON services answer 400 and end their codes in `Exception`; the query services answer 403.
        let status = if json { 400 } else { 403 };
        let (json_code, query_code, message) = match self {
            Self::Missing => (
                "MissingAuthenticationTokenException",
                "MissingAuthenticationToken",
                if json { "Missing Authentication Token" } else { "Request is missing Authentication Token" }.to_owned(),
            ),
            Self::Incomplete(message) => {
                ("IncompleteSignatureException", "IncompleteSignature", message)
            }
            Self::UnknownKey => (
                "UnrecognizedClientException",
                "InvalidClientTokenId",
                "The security token included in the request is invalid.".to_owned(),
            ),
            Self::Expired => (
                "ExpiredTokenException",
                "ExpiredToken",
                "The security token included in the request is expired".to_owned(),
            ),
            Self::WrongSignature => (
                "InvalidSignatureException",
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS \
                 Secret Access Key and signing method. Consult the service documentation for details."
                    .to_owned(),
            ),
            Self::Refused(message) => ("InvalidSignatureException", "SignatureDoesNotMatch", message),
        };
        ServiceError::new(status, if json { json_code } else { query_code }, message)
    }
}
