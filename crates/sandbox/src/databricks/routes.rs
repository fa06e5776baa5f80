//! One request from end to end: find the operation, let a fault strike, authenticate, do it, note it down.

use axum::Json;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use super::authentication::authenticate;
use super::control;
use super::error::ApiError;
use super::fault::Effect;
use super::journal::Call;
use super::login::Issuer;
use super::metastore::{Assignment, HostMetadata, Me, Summary};
use super::oauth::{Discovery, OAuthError};
use super::operation::{Guarded, Open, Operation};
use super::principal::Principal;
use super::query::Query;
use super::{Workspace, credentials, permissions};

/// The largest body that is read. The largest sensible request has a few kilobytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// The workspace's number, where the official SDK looks for it.
const ORG_ID_HEADER: &str = "x-databricks-org-id";

/// Answers any request to the workspace.
pub(super) async fn serve(State(workspace): State<Workspace>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match to_bytes(body, BODY_LIMIT).await {
        Ok(body) => route(&workspace, &parts, &body).await,
        Err(_) => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "MAX_REQUEST_SIZE_EXCEEDED",
            format!("the request broke off, or has more than {BODY_LIMIT} bytes"),
        )
        .into_response(),
    };
    response.headers_mut().insert(ORG_ID_HEADER, HeaderValue::from(workspace.options().workspace_id));
    response
}

async fn route(workspace: &Workspace, parts: &Parts, body: &Bytes) -> Response {
    let path = parts.uri.path();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    if let Some(path) = path.strip_prefix(control::PREFIX) {
        let answered = control::answer(workspace, &parts.method, path, &query, &parts.headers, body);
        return answered.unwrap_or_else(IntoResponse::into_response);
    }
    let Some(operation) = Operation::of(&parts.method, path) else {
        let message = format!("No API found for '{} {path}'", parts.method);
        let error = ApiError::new(StatusCode::NOT_FOUND, "ENDPOINT_NOT_FOUND", message);
        return noted(workspace, "unknown", settled(Err(error), None));
    };
    let perform = || handle(workspace, &operation, &query, parts, body);
    let Some(fault) = workspace.state().faults.strike(operation.name()) else {
        return noted(workspace, operation.name(), perform());
    };
    if !fault.after {
        tokio::time::sleep(fault.latency).await;
    }
    let done = match fault.effect {
        None => perform(),
        Some(effect) => spoil(effect, fault.after.then(perform).and_then(|done| done.caller)),
    };
    let response = noted(workspace, operation.name(), done);
    if fault.after {
        // Only now, so that the journal also has what a client did not wait for.
        tokio::time::sleep(fault.latency).await;
    }
    response
}

/// Writes a call into the journal and lets its response go.
fn noted(workspace: &Workspace, operation: &'static str, done: Done) -> Response {
    let Done { response, caller, outcome } = done;
    tracing::debug!(operation, caller, outcome, "a call to the workspace");
    let status = response.status().as_u16();
    workspace.state().journal.note(Call { service: "databricks", operation, caller, outcome, status });
    response
}

/// An answered request, and what the journal keeps of it.
struct Done {
    response: Response,
    caller: Option<String>,
    outcome: String,
}

/// What a client gets instead of the answer.
fn spoil(effect: Effect, caller: Option<String>) -> Done {
    match effect {
        Effect::Refuse(error) => {
            let outcome = error.error_code.to_string();
            Done { response: error.into_response(), caller, outcome }
        }
        Effect::Page(status, page) => {
            let response = (status, [(header::CONTENT_TYPE, "text/html")], page).into_response();
            Done { response, caller, outcome: "page".to_owned() }
        }
        Effect::Reset => {
            // A body that breaks off before its first byte makes the server close the connection without a word.
            let broken =
                stream::iter([Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))]);
            Done { response: Body::from_stream(broken).into_response(), caller, outcome: "reset".to_owned() }
        }
    }
}

/// Authenticates where that is needed, and carries the operation out.
fn handle(workspace: &Workspace, operation: &Operation, query: &Query, parts: &Parts, body: &[u8]) -> Done {
    match operation {
        Operation::Open(Open::GetHostMetadata) => {
            public(Json(HostMetadata::of(workspace.options())).into_response())
        }
        Operation::Open(Open::GetOAuthMetadata) => {
            public(Json(Discovery::of(&workspace.options().host)).into_response())
        }
        Operation::Open(Open::CreateToken) => match log_in(workspace, parts, body) {
            Ok(response) => public(response),
            Err(error) => {
                let outcome = error.error.to_owned();
                Done { response: error.into_response(), caller: None, outcome }
            }
        },
        Operation::Guarded(operation) => match authenticate(workspace, &parts.headers) {
            Ok(actor) => {
                let answered = answer(workspace, operation, query, body, &actor);
                settled(answered, Some(actor.name))
            }
            Err(error) => settled(Err(error), None),
        },
    }
}

fn public(response: Response) -> Done {
    Done { response, caller: None, outcome: "ok".to_owned() }
}

fn settled(answered: Result<Response, ApiError>, caller: Option<String>) -> Done {
    match answered {
        Ok(response) => Done { response, caller, outcome: "ok".to_owned() },
        Err(error) => {
            let outcome = error.error_code.to_string();
            Done { response: error.into_response(), caller, outcome }
        }
    }
}

fn log_in(workspace: &Workspace, parts: &Parts, body: &[u8]) -> Result<Response, OAuthError> {
    let options = workspace.options();
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let form = Query::parse(&String::from_utf8_lossy(body));
    let now = workspace.now();
    let state = &mut *workspace.state();
    let issuer = Issuer {
        host: &options.host,
        account_id: &options.account_id,
        directory: &state.directory,
        lifetime: state.settings.token_lifetime,
        now,
    };
    state.tokens.grant(&issuer, authorization, &form).map(|answer| Json(answer).into_response())
}

/// The operations that need to know who asks.
fn answer(
    workspace: &Workspace,
    operation: &Guarded,
    query: &Query,
    body: &[u8],
    actor: &Principal,
) -> Result<Response, ApiError> {
    match operation {
        Guarded::CreateCredential => json(credentials::create(workspace, body, actor)),
        Guarded::ListCredentials => json(credentials::list(workspace, query, actor)),
        Guarded::GetCredential(name) => json(credentials::get(workspace, name, actor)),
        Guarded::UpdateCredential(name) => json(credentials::update(workspace, name, body, actor)),
        Guarded::DeleteCredential(name) => json(credentials::delete(workspace, name, query, actor)),
        Guarded::ValidateCredential => json(credentials::validate(workspace, body, actor)),
        Guarded::GenerateTemporaryServiceCredential => json(credentials::vend(workspace, body, actor)),
        Guarded::GetGrants(name) => json(permissions::of_credential(workspace, name, query, actor)),
        Guarded::UpdateGrants(name) => json(permissions::change_credential(workspace, name, body, actor)),
        Guarded::GetMetastoreGrants(id) => json(permissions::of_metastore(workspace, id, query)),
        Guarded::UpdateMetastoreGrants(id) => json(permissions::change_metastore(workspace, id, body, actor)),
        Guarded::GetBindings(name) => json(permissions::bindings(workspace, name, query, actor)),
        Guarded::UpdateBindings(name) => json(permissions::change_bindings(workspace, name, body, actor)),
        Guarded::GetMetastoreAssignment => json(Ok(Assignment::of(workspace.options()))),
        Guarded::GetMetastoreSummary => json(Ok(Summary::of(workspace.options()))),
        Guarded::GetMe => json(Ok(Me::of(actor))),
    }
}

fn json<T: Serialize>(result: Result<T, ApiError>) -> Result<Response, ApiError> {
    result.map(|value| Json(value).into_response())
}
