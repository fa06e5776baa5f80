//! The workspace's own endpoint, `/_sandbox/databricks/…`: break things on purpose, make principals, and look
//! at what was called. Nothing of it exists at Databricks.
//!
//! | request | what it does |
//! |---|---|
//! | `POST faults`, `DELETE faults` | a fault for the next requests, see [`super::fault`]; forget all faults |
//! | `GET requests`, `DELETE requests` | the calls so far; forget them |
//! | `POST settings` | changes [`super::settings`], and shows all of them |
//! | `POST dependants` | `{"credential":…,"dependant":…}`: something now uses a credential |
//! | `POST principals` | `{"user":…}` or `{"service_principal":…}`: a new one and its secrets |
//! | `POST identity-tokens`, `GET identity-token` | a token of the identity provider that federation trusts |
//!
//! The last two hand out secrets, so they want a metastore admin's token. `GET identity-token?audience=…`
//! speaks as GitHub Actions does, with the same token as `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;

use super::Workspace;
use super::authentication::authenticate;
use super::error::ApiError;
use super::fault::Fault;
use super::fields::Fields;
use super::login::IdentityToken;
use super::principal::Principal;
use super::query::Query;
use super::secret::Secret;

/// Where the endpoint begins.
pub(super) const PREFIX: &str = "/_sandbox/databricks/";

/// The subject of identity tokens for which none was asked.
const SUBJECT: &str = "repo:acme/pipeline:ref:refs/heads/main";

/// How long an identity token is good for.
const IDENTITY_TOKEN_LIFETIME: Duration = Duration::from_mins(5);

/// Answers a request. `path` is what follows [`PREFIX`].
pub(super) fn answer(
    workspace: &Workspace,
    method: &Method,
    path: &str,
    query: &Query,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, ApiError> {
    let fields = Fields::parse(body)?;
    match (method.as_str(), path) {
        ("POST", "faults") => {
            let fault = Fault::read(&fields)?;
            workspace.state().faults.add(fault);
            Ok(done())
        }
        ("DELETE", "faults") => {
            workspace.state().faults.clear();
            Ok(done())
        }
        ("GET", "requests") => {
            Ok(Json(serde_json::json!({ "requests": workspace.state().journal })).into_response())
        }
        ("DELETE", "requests") => {
            workspace.state().journal.clear();
            Ok(done())
        }
        ("POST", "settings") => {
            let state = &mut *workspace.state();
            state.settings = state.settings.changed(&fields)?;
            Ok(Json(state.settings.wire()).into_response())
        }
        ("POST", "dependants") => {
            let name = fields.required_text("credential")?;
            let dependant = fields.required_text("dependant")?.to_owned();
            let admin = &workspace.options().admin;
            workspace.state().catalog.find_administered(name, admin)?.dependants.insert(dependant);
            Ok(done())
        }
        ("POST", "principals") => {
            require_admin(workspace, headers)?;
            let principal = principal(&fields)?;
            workspace.state().directory.add(principal.clone())?;
            Ok(Json(NewPrincipal::of(&principal)).into_response())
        }
        ("POST", "identity-tokens") => {
            require_admin(workspace, headers)?;
            Ok(identity_token(workspace, fields.text("subject")?, fields.required_text("audience")?))
        }
        ("GET", "identity-token") => {
            require_admin(workspace, headers)?;
            let audience = query.text("audience").unwrap_or(&workspace.options().account_id);
            Ok(identity_token(workspace, query.text("subject"), audience))
        }
        _ => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "ENDPOINT_NOT_FOUND",
            format!("there is no `{method} {PREFIX}{path}` in the sandbox"),
        )),
    }
}

fn require_admin(workspace: &Workspace, headers: &HeaderMap) -> Result<(), ApiError> {
    let caller = authenticate(workspace, headers)?;
    if caller.metastore_admin {
        return Ok(());
    }
    Err(ApiError::denied("this hands out secrets, so it needs a metastore admin's token"))
}

fn principal(fields: &Fields) -> Result<Principal, ApiError> {
    let mut principal = match (fields.text("user")?, fields.text("service_principal")?) {
        (Some(email), None) => Principal::user(email),
        (None, Some(display_name)) => Principal::service_principal(display_name),
        _ => return Err(ApiError::invalid("give either `user` or `service_principal`")),
    };
    principal.groups = fields.texts("groups")?.into_iter().map(str::to_owned).collect();
    principal.metastore_admin = fields.flag("metastore_admin")?;
    principal.federated_subject = fields.text("federated_subject")?.map(str::to_owned);
    Ok(principal)
}

fn identity_token(workspace: &Workspace, subject: Option<&str>, audience: &str) -> Response {
    let token = IdentityToken {
        subject: subject.unwrap_or(SUBJECT).to_owned(),
        audience: audience.to_owned(),
        expires_at: workspace.now() + IDENTITY_TOKEN_LIFETIME,
    };
    let jwt = workspace.state().tokens.identify(token);
    Json(serde_json::json!({ "value": jwt.reveal() })).into_response()
}

fn done() -> Response {
    Json(serde_json::json!({})).into_response()
}

/// The answer to making a principal: the one place its secrets are shown.
#[derive(Serialize)]
struct NewPrincipal<'a> {
    name: &'a str,
    token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

impl<'a> NewPrincipal<'a> {
    fn of(principal: &'a Principal) -> Self {
        let client_secret = principal.client_secret();
        Self {
            name: &principal.name,
            token: principal.token.reveal(),
            client_id: client_secret.map(|_| principal.name.as_str()),
            client_secret: client_secret.map(Secret::reveal),
        }
    }
}
