//! Who is calling: a bearer token, and whom it stands for.

use http::{HeaderMap, header};

use super::Workspace;
use super::error::ApiError;
use super::principal::Principal;

/// The principal whose token the request carries.
pub(super) fn authenticate(workspace: &Workspace, headers: &HeaderMap) -> Result<Principal, ApiError> {
    let not_sent =
        || ApiError::unauthenticated("Credential was not sent or was of an unsupported type for this API.");
    let header = headers.get(header::AUTHORIZATION).ok_or_else(not_sent)?;
    let (scheme, token) = header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(not_sent)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(not_sent());
    }
    let token = token.trim();
    let now = workspace.now();
    let state = workspace.state();
    if let Some(principal) = state.directory.by_token(token) {
        return Ok(principal.clone());
    }
    let login =
        state.tokens.access(token).ok_or_else(|| ApiError::unauthenticated("Invalid access token."))?;
    if login.expired(now) {
        return Err(ApiError::unauthenticated("Access token has expired."));
    }
    if !login.opens_unity_catalog() {
        return Err(ApiError::denied("Provided OAuth token does not have required scopes: unity-catalog"));
    }
    state
        .directory
        .by_name(&login.principal)
        .cloned()
        .ok_or_else(|| ApiError::unauthenticated("The access token's principal does not exist any more."))
}
