//! OAuth: where the token endpoint is, and a service principal's login with its secret.

use config::Secret;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::AccessToken;
use crate::failure::Failure;
use crate::host::Host;
use crate::transport::{Repeat, Transport};

/// Everything that the service principal may do.
pub(super) const SCOPE: &str = "all-apis";

/// Where to learn the token endpoint.
pub(super) struct Endpoint<'a> {
    pub(super) host: &'a Host,
    pub(super) discovery_url: Option<&'a str>,
}

#[derive(Deserialize)]
struct Metadata {
    token_endpoint: String,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<i64>,
}

impl Endpoint<'_> {
    /// The address of the token endpoint.
    pub(super) async fn discover(&self, transport: &Transport) -> Result<String, Failure> {
        let url = match self.discovery_url {
            Some(url) => url.to_owned(),
            None => self.host.join("/oidc/.well-known/oauth-authorization-server"),
        };
        checked(&url)?;
        let answer = transport.send(Repeat::Safe, || transport.client().get(&url)).await?;
        let metadata: Metadata = answer.json()?;
        checked(&metadata.token_endpoint)?;
        Ok(metadata.token_endpoint)
    }
}

/// Refuses an address that a secret must not be sent to.
fn checked(url: &str) -> Result<(), Failure> {
    match url.parse::<Host>() {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::Garbled(error.to_string())),
    }
}

/// Logs a service principal in.
pub(super) async fn client_credentials(
    transport: &Transport,
    endpoint: &Endpoint<'_>,
    client_id: &str,
    secret: &Secret,
) -> Result<AccessToken, Failure> {
    let url = endpoint.discover(transport).await?;
    let form = [("grant_type", "client_credentials"), ("scope", SCOPE)];
    let build = || transport.client().post(&url).basic_auth(client_id, Some(secret.reveal())).form(&form);
    ask(transport, build).await
}

/// Asks the token endpoint. A token that was issued twice does no harm.
pub(super) async fn ask(
    transport: &Transport,
    build: impl Fn() -> reqwest::RequestBuilder,
) -> Result<AccessToken, Failure> {
    let answer: TokenAnswer = transport.send(Repeat::Safe, build).await?.json()?;
    let expires_at = answer.expires_in.map(|seconds| Timestamp::now() + SignedDuration::from_secs(seconds));
    Ok(AccessToken::new(Secret::new(answer.access_token), expires_at))
}
