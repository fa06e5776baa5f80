//! OAuth on the wire: discovery, a token, a refusal.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

/// The grant that trades an identity token for an access token (RFC 8693).
pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Where tokens are to be had.
#[derive(Debug, Serialize)]
pub(super) struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 2],
}

impl Discovery {
    pub(super) fn of(host: &str) -> Self {
        Self {
            issuer: format!("{host}/oidc"),
            authorization_endpoint: format!("{host}/oidc/v1/authorize"),
            token_endpoint: token_endpoint(host),
            grant_types_supported: ["client_credentials", TOKEN_EXCHANGE],
            token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
        }
    }
}

/// Where tokens are asked for, which is also whom an identity token may be addressed to.
pub(super) fn token_endpoint(host: &str) -> String {
    format!("{host}/oidc/v1/token")
}

/// The answer to a good login. It holds a token, so it has no `Debug`.
#[derive(Serialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: String,
    pub(super) token_type: &'static str,
    /// Seconds.
    pub(super) expires_in: u64,
    pub(super) scope: String,
}

/// A refused login, in OAuth's shape (RFC 6749, 5.2).
#[derive(Debug, Serialize)]
pub(super) struct OAuthError {
    #[serde(skip)]
    pub(super) status: StatusCode,
    pub(super) error: &'static str,
    error_description: String,
}

impl OAuthError {
    pub(super) fn invalid_client() -> Self {
        let error_description = "Client authentication failed".to_owned();
        Self { status: StatusCode::UNAUTHORIZED, error: "invalid_client", error_description }
    }

    pub(super) fn invalid_request(why: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: "invalid_request", error_description: why.into() }
    }

    pub(super) fn invalid_grant(why: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: "invalid_grant", error_description: why.into() }
    }

    pub(super) fn unsupported_grant(given: &str) -> Self {
        let error_description = format!("grant type `{given}` is not supported");
        Self { status: StatusCode::BAD_REQUEST, error: "unsupported_grant_type", error_description }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}
