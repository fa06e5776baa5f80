//! A Databricks workspace: one function a call, typed, logged in, repeated where that is safe.

use config::{Fault, Notes, World};
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::auth::{AccessToken, Login};
use crate::failure::Failure;
use crate::name::CredentialName;
use crate::pace::Pace;
use crate::refusal::Reason;
use crate::transport::{Answer, Repeat, Transport};
use crate::wire::{Create, Info, Page, SERVICE, Update, Validate, Validated, Vend, Vended};

/// Longest time a command takes, waiting included, where nobody says otherwise. A trust policy needs up to two minutes to
/// be seen everywhere.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(3);

const CREDENTIALS: &str = "/api/2.1/unity-catalog/credentials";
const VALIDATE: &str = "/api/2.1/unity-catalog/validate-credentials";
const VEND: &str = "/api/2.1/unity-catalog/temporary-service-credentials";

/// Names the workspace among those that a host serves (official SDKs).
const WORKSPACE_HEADER: &str = "X-Databricks-Workspace-Id";

/// A workspace that can be called.
pub struct Workspace {
    login: Login,
    transport: Transport,
    token: Mutex<Option<AccessToken>>,
    /// Warnings and progress.
    pub notes: Notes,
}

impl Workspace {
    /// Prepares the calls. Nothing is sent yet.
    ///
    /// # Errors
    /// When there is no login, or the settings of the network cannot be used.
    pub fn open(args: &config::args::DbxArgs, world: &World) -> Result<Self, Fault> {
        let login = Login::resolve(args, &world.settings, &world.notes)?;
        let limit = world.settings.timeout(args.timeout, DEFAULT_TIMEOUT)?;
        let transport = Transport::new(&login, world.env(), world.notes.clone(), limit)?;
        Ok(Self::new(login, transport, world.notes.clone()))
    }

    /// A workspace with this login.
    pub fn new(login: Login, transport: Transport, notes: Notes) -> Self {
        Self { login, transport, token: Mutex::new(None), notes }
    }

    /// Who calls.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// How requests are sent.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// When to give up.
    pub fn deadline(&self) -> Instant {
        self.transport.deadline()
    }

    /// The pauses between attempts.
    pub fn pace(&self) -> Pace {
        self.transport.pace()
    }

    /// The fault for a call that failed to do `doing`.
    pub fn fault(&self, doing: &str, failure: Failure) -> Fault {
        self.notes.clear();
        failure.fault(doing, &self.login)
    }

    /// The credential, or nothing when there is none.
    ///
    /// # Errors
    /// Why it is not known whether there is one.
    pub async fn find(&self, name: &CredentialName) -> Result<Option<Info>, Failure> {
        let path = format!("{CREDENTIALS}/{}", name.in_path());
        match self.get(&path, &[]).await {
            Ok(info) => Ok(Some(info)),
            Err(failure) if failure.reason() == Some(Reason::Missing) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Creates a credential. A broken connection leaves open whether it exists: [`Failure::Lost`].
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn create(&self, create: &Create<'_>) -> Result<Info, Failure> {
        self.send(Method::POST, CREDENTIALS, create, Repeat::Unprocessed).await?.json()
    }

    /// Changes a credential.
    ///
    /// # Errors
    /// Why it was not changed.
    pub async fn update(&self, name: &CredentialName, update: &Update<'_>) -> Result<Info, Failure> {
        let path = format!("{CREDENTIALS}/{}", name.in_path());
        self.send(Method::PATCH, &path, update, Repeat::Safe).await?.json()
    }

    /// Deletes a credential. A repetition that finds it gone has done its work.
    ///
    /// # Errors
    /// Why it was not deleted.
    pub async fn delete(&self, name: &CredentialName, force: bool) -> Result<(), Failure> {
        let path = format!("{CREDENTIALS}/{}", name.in_path());
        let query = if force { &[("force", "true")][..] } else { &[] };
        let build = |client: &reqwest::Client, url: String| client.delete(url).query(query);
        self.call(Repeat::Safe, &path, build).await.map(drop)
    }

    /// One page of the service credentials.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn list(&self, page_token: Option<&str>, include_unbound: bool) -> Result<Page, Failure> {
        let mut query = vec![("purpose", SERVICE), ("max_results", "0")];
        query.extend(page_token.map(|token| ("page_token", token)));
        if include_unbound {
            query.push(("include_unbound", "true"));
        }
        self.get(CREDENTIALS, &query).await
    }

    /// Lets Databricks try the credential.
    ///
    /// # Errors
    /// Why there is no answer. Checks that fail are an answer.
    pub async fn validate(&self, name: &CredentialName) -> Result<Validated, Failure> {
        let body = Validate { credential_name: name.as_str(), purpose: SERVICE };
        self.send(Method::POST, VALIDATE, &body, Repeat::Safe).await?.json()
    }

    /// Temporary keys of the credential's role.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn vend(&self, name: &CredentialName) -> Result<Vended, Failure> {
        let body = Vend { credential_name: name.as_str() };
        self.send(Method::POST, VEND, &body, Repeat::Safe).await?.json()
    }

    /// Reads anything.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Failure> {
        let build = |client: &reqwest::Client, url: String| client.get(url).query(query);
        self.call(Repeat::Safe, path, build).await?.json()
    }

    /// Sends anything.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn send<T: Serialize + ?Sized>(
        &self,
        method: Method,
        path: &str,
        body: &T,
        repeat: Repeat,
    ) -> Result<Answer, Failure> {
        let build = |client: &reqwest::Client, url: String| client.request(method.clone(), url).json(body);
        self.call(repeat, path, build).await
    }

    /// Logs in, sends, and logs in once more when the token was not accepted: it may have expired on its way.
    async fn call(
        &self,
        repeat: Repeat,
        path: &str,
        build: impl Fn(&reqwest::Client, String) -> RequestBuilder,
    ) -> Result<Answer, Failure> {
        let url = self.login.host().join(path);
        for last in [false, true] {
            let token = self.token().await?;
            let authorized = || {
                let request = build(self.transport.client(), url.clone())
                    .bearer_auth(token.secret().reveal())
                    .header(reqwest::header::ACCEPT, "application/json");
                match self.login.workspace_id() {
                    Some(id) => request.header(WORKSPACE_HEADER, id),
                    None => request,
                }
            };
            match self.transport.send(repeat, authorized).await {
                Err(failure)
                    if failure.reason() == Some(Reason::Unauthenticated)
                        && !last
                        && self.login.method().renews_itself() =>
                {
                    tracing::debug!("the token was not accepted, logging in again");
                    *self.token.lock().await = None;
                }
                ended => return ended,
            }
        }
        Err(Failure::Garbled("it refuses every token".to_owned()))
    }

    async fn token(&self) -> Result<AccessToken, Failure> {
        let mut held = self.token.lock().await;
        if let Some(token) = held.as_ref()
            && token.is_fresh(Timestamp::now())
        {
            return Ok(token.clone());
        }
        let token = self.login.token(&self.transport).await?;
        *held = Some(token.clone());
        Ok(token)
    }
}
