//! From a way to log in to a token.

use config::{Fault, Secret};
use jiff::Timestamp;

use super::{Login, Method, cli, federation, oauth};
use crate::failure::Failure;
use crate::transport::Transport;

/// A token is renewed when it has less than this left, so that it does not expire on its way (official SDKs: 20
/// minutes or half of its life, too much for short runs).
const MARGIN_SECONDS: i64 = 60;

/// A bearer token.
#[derive(Clone, Debug)]
pub struct AccessToken {
    secret: Secret,
    expires_at: Option<Timestamp>,
}

impl AccessToken {
    /// A token that lasts until `expires_at`, or nobody knows how long.
    pub fn new(secret: Secret, expires_at: Option<Timestamp>) -> Self {
        Self { secret, expires_at }
    }

    /// The token, for an `Authorization` header.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Whether it can still be used.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end.as_second() - now.as_second() > MARGIN_SECONDS)
    }
}

impl Login {
    /// Fetches a token.
    ///
    /// # Errors
    /// [`Failure::Login`] with a fault that says what was tried and what to do.
    pub async fn token(&self, transport: &Transport) -> Result<AccessToken, Failure> {
        let fetched = match self.method() {
            Method::Pat { token, .. } => return Ok(AccessToken::new(token.clone(), None)),
            Method::Cli { executable } => {
                return cli::token(executable, self.host(), self.profile(), transport.deadline())
                    .await
                    .map_err(Failure::Login);
            }
            Method::ClientSecret { client_id, secret, discovery_url, .. } => {
                oauth::client_credentials(
                    transport,
                    &oauth::Endpoint { host: self.host(), discovery_url: discovery_url.as_deref() },
                    client_id,
                    secret,
                )
                .await
            }
            Method::Federated { client_id, issuer, audience, discovery_url } => {
                federation::exchange(
                    transport,
                    &oauth::Endpoint { host: self.host(), discovery_url: discovery_url.as_deref() },
                    issuer,
                    client_id.as_deref(),
                    audience.as_deref(),
                )
                .await
            }
        };
        fetched.map_err(|failure| {
            let fault = failure.fault(&format!("log in to {} with {self}", self.host()), self);
            Failure::Login(relogin(fault, self))
        })
    }
}

/// A refused login always has something to renew.
fn relogin(fault: Fault, login: &Login) -> Fault {
    fault.or_hint(login.renew())
}
