//! Workload identity federation: a token of another issuer, traded for one of Databricks.

use std::fs;

use config::Secret;
use serde::Deserialize;

use super::AccessToken;
use super::method::Issuer;
use super::oauth::{Endpoint, SCOPE, ask};
use crate::failure::Failure;
use crate::host::Host;
use crate::transport::{Repeat, Transport};
use crate::wire::HostMetadata;

/// Trades the issuer's token.
pub(super) async fn exchange(
    transport: &Transport,
    endpoint: &Endpoint<'_>,
    issuer: &Issuer,
    client_id: Option<&str>,
    audience: Option<&str>,
) -> Result<AccessToken, Failure> {
    let url = endpoint.discover(transport).await?;
    let audience = match audience {
        Some(audience) => audience.to_owned(),
        None => usual_audience(transport, endpoint.host).await.unwrap_or_else(|| url.clone()),
    };
    let identity = identity_token(transport, issuer, &audience).await?;
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", identity.reveal()),
        ("scope", SCOPE),
    ];
    if let Some(client_id) = client_id {
        form.push(("client_id", client_id));
    }
    ask(transport, || transport.client().post(&url).form(&form)).await
}

/// The audience that the host names, where it does. Only an issuer that is asked needs it, but it is asked seldom.
async fn usual_audience(transport: &Transport, host: &Host) -> Option<String> {
    let url = host.join("/.well-known/databricks-config");
    let answer = transport.send(Repeat::Safe, || transport.client().get(&url)).await.ok()?;
    answer.json::<HostMetadata>().ok()?.token_federation_default_oidc_audiences.into_iter().next()
}

async fn identity_token(transport: &Transport, issuer: &Issuer, audience: &str) -> Result<Secret, Failure> {
    match issuer {
        Issuer::Variable { token, .. } => Ok(token.clone()),
        Issuer::File { path } => {
            let text = fs::read_to_string(path).map_err(|error| Failure::Login(unreadable(path, &error)))?;
            let token = Secret::new(text.trim());
            if token.is_empty() {
                return Err(Failure::Login(unreadable(path, &"the file is empty")));
            }
            Ok(token)
        }
        Issuer::GitHub { url, token } => {
            #[derive(Deserialize)]
            struct Answer {
                value: String,
            }
            let build =
                || transport.client().get(url).query(&[("audience", audience)]).bearer_auth(token.reveal());
            let answer: Answer = transport.send(Repeat::Safe, build).await?.json()?;
            Ok(Secret::new(answer.value))
        }
    }
}

fn unreadable(path: &std::path::Path, why: &dyn std::fmt::Display) -> config::Fault {
    config::Fault::refused(format!("failed to read the identity token in `{}`", path.display()))
        .with_cause(why)
        .with_hint("DATABRICKS_OIDC_TOKEN_FILEPATH names a file that holds one token")
}
