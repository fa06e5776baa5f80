//! Requests and their repetition: the one place that sends anything over the network.

use std::error::Error;
use std::time::Duration;

use config::env::Env;
use config::{Fault, Notes};
use jiff::Timestamp;
use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{Client, NoProxy, Proxy, RequestBuilder, Response, StatusCode, redirect};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::auth::Login;
use crate::failure::Failure;
use crate::pace::{Pace, retry_after};
use crate::refusal::{Reason, Refusal};

/// Longest time one attempt may take, as in the official SDK for Python.
const ATTEMPT: Duration = Duration::from_mins(1);
/// Longest time to establish a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long to go on trying an address where nobody answers. Far less than the whole time limit: a misspelt host should not
/// cost minutes.
const UNREACHABLE: Duration = Duration::from_secs(12);

/// Largest answer that is read. A page of a listing has some hundred kilobytes.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Whether a request may be sent again when it is not known whether it was processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Doing it twice is the same as doing it once.
    Safe,
    /// Only when it was surely not processed.
    Unprocessed,
}

/// An HTTP client with its patience.
#[derive(Clone)]
pub struct Transport {
    client: Client,
    notes: Notes,
    pace: Pace,
    deadline: Instant,
    unreachable: Duration,
}

/// A good answer.
#[derive(Debug)]
pub struct Answer {
    body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Errors
    /// When it is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::Garbled(format!("its answer is not the JSON that the API promises: {error}"))
        })
    }
}

impl Transport {
    /// A client for the login's host, which gives up `limit` from now.
    ///
    /// # Errors
    /// A usage fault when a proxy's address cannot be used, or the system's certificates cannot be read.
    pub fn new(login: &Login, env: &Env, notes: Notes, limit: Duration) -> Result<Self, Fault> {
        // reqwest asks rustls for the provider of the process. A second call finds one installed, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = Client::builder()
            .user_agent(user_agent(login))
            .connect_timeout(CONNECT)
            // A redirect leads to a login page. Following it would hide that, and could carry the token elsewhere.
            .redirect(redirect::Policy::none())
            .no_proxy();
        let builder = if login.host().is_plain_loopback() {
            // Reading the system's certificates costs more than the rest of a short run, and no TLS is spoken here.
            builder.tls_certs_only([])
        } else {
            match proxy(env)? {
                Some(proxy) => builder.proxy(proxy),
                None => builder,
            }
        };
        let client = builder.build().map_err(|error| {
            Fault::usage("failed to set up TLS")
                .with_cause(chain(&error))
                .with_hint("SSL_CERT_FILE, when set, must name a PEM file with certificates")
        })?;
        let deadline = Instant::now() + limit;
        Ok(Self { client, notes, pace: Pace::default(), deadline, unreachable: UNREACHABLE })
    }

    /// The same with other pauses, for tests.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self.unreachable = self.unreachable.min(pace.longest * 4);
        self
    }

    /// What requests are built with.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// When to give up.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The pauses between attempts.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Sends what `build` makes, again and again while Databricks is busy or cannot be reached, as far as `repeat` allows
    /// and until the deadline.
    ///
    /// # Errors
    /// Why there is no good answer.
    pub async fn send(&self, repeat: Repeat, build: impl Fn() -> RequestBuilder) -> Result<Answer, Failure> {
        let started = Instant::now();
        let (mut attempt, mut busy) = (0, None);
        loop {
            attempt += 1;
            let failed = match self.attempt(build()).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if let Failed::Busy { last, .. } = &failed {
                busy = Some(last.clone());
            }
            let pause = match self.pause_after(failed, repeat, attempt, started) {
                Ok(pause) => pause,
                Err(failure) => {
                    return Err(match (failure, busy) {
                        // Time ran out in the middle of an attempt: what Databricks said before is worth more than that.
                        (Failure::Lost(_) | Failure::Unreachable(_), Some(last))
                            if repeat == Repeat::Safe && Instant::now() >= self.deadline =>
                        {
                            Failure::Busy { last, attempts: attempt, wait: None }
                        }
                        (failure, _) => failure,
                    });
                }
            };
            tracing::debug!(attempt, pause_ms = pause.as_millis(), "asking again");
            tokio::time::sleep(pause).await;
        }
    }

    /// The pause before the next attempt, or the failure to end with.
    fn pause_after(
        &self,
        failed: Failed,
        repeat: Repeat,
        attempt: u32,
        started: Instant,
    ) -> Result<Duration, Failure> {
        let now = Instant::now();
        let left = self.deadline.saturating_duration_since(now);
        let own = self.pace.pause(attempt);
        match failed {
            Failed::Busy { last, asked, processed } => {
                if processed && repeat == Repeat::Unprocessed {
                    return Err(Failure::Lost(last.describe()));
                }
                let pause = asked.map_or(own, |asked| asked + own.mul_f64(0.1));
                if pause < left {
                    self.notes.progress(format!("Databricks is busy: {}", last.message));
                    Ok(pause)
                } else {
                    Err(Failure::Busy { last, attempts: attempt, wait: asked.filter(|asked| *asked >= left) })
                }
            }
            Failed::Final(failure @ Failure::Unreachable(_)) => {
                if own < left && now.duration_since(started) < self.unreachable {
                    self.notes.progress("Databricks cannot be reached, trying again");
                    Ok(own)
                } else {
                    Err(failure)
                }
            }
            Failed::Final(failure @ Failure::Lost(_)) if repeat == Repeat::Safe && own < left => {
                self.notes.progress("the connection broke, trying again");
                drop(failure);
                Ok(own)
            }
            Failed::Final(failure) => Err(failure),
        }
    }

    async fn attempt(&self, request: RequestBuilder) -> Result<Answer, Failed> {
        let started = Instant::now();
        let left = self.deadline.saturating_duration_since(started);
        let response =
            request.timeout(ATTEMPT.min(left)).send().await.map_err(|error| Failed::Final(broken(&error)))?;
        let status = response.status();
        tracing::debug!(
            path = response.url().path(),
            status = status.as_u16(),
            took_ms = started.elapsed().as_millis(),
            "answered"
        );
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let asked = header(RETRY_AFTER).and_then(|text| retry_after(text, Timestamp::now()));
        if status.is_redirection() {
            let place = header(LOCATION).unwrap_or("nowhere").to_owned();
            return Err(Failed::Final(Failure::Redirected(place)));
        }
        let body = whole(response).await.map_err(Failed::Final)?;
        if status.is_success() {
            return Ok(Answer { body });
        }
        let refusal = Refusal::read(status, &body);
        if refusal.reason() == Reason::Busy {
            // A gateway that timed out does not know what became of the request.
            let processed = matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT);
            return Err(Failed::Busy { last: refusal, asked, processed });
        }
        Err(Failed::Final(Failure::Refused(refusal)))
    }
}

/// The body, unless it is no answer of an API any more.
async fn whole(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Failure::Garbled(format!("its answer has more than {MOST_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The tool, the system and the kind of login, as the official SDKs name themselves.
fn user_agent(login: &Login) -> String {
    let (tool, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    format!("{tool}/{version} os/{} auth/{}", std::env::consts::OS, login.method().auth_type())
}

/// One attempt that failed.
enum Failed {
    Busy { last: Refusal, asked: Option<Duration>, processed: bool },
    Final(Failure),
}

/// The proxy that the environment names for HTTPS.
fn proxy(env: &Env) -> Result<Option<Proxy>, Fault> {
    let named = env.first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]);
    let Some((variable, address)) = named else { return Ok(None) };
    let proxy = Proxy::https(address).map_err(|error| {
        // The address may hold a password, so it is not repeated.
        Fault::usage(format!("the proxy of {variable} cannot be used"))
            .with_cause(error.without_url())
            .with_hint(format!("set {variable} to something like http://proxy.example.com:3128, or unset it"))
    })?;
    let except = env.first(&["NO_PROXY", "no_proxy"]).and_then(|(_, list)| NoProxy::from_string(list));
    Ok(Some(proxy.no_proxy(except)))
}

/// Tells apart what happened to a request that got no answer.
fn broken(error: &reqwest::Error) -> Failure {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = source {
        if let Some(certificate) = certificate_error(inner) {
            return Failure::Untrusted(certificate.to_string());
        }
        source = inner.source();
    }
    if error.is_connect() {
        Failure::Unreachable(chain(error))
    } else if error.is_timeout() {
        Failure::Lost("there was no answer in time".to_owned())
    } else {
        Failure::Lost(chain(error))
    }
}

/// rustls hides its error inside I/O errors, whose `source` skips what they hold.
fn certificate_error<'error>(error: &'error (dyn Error + 'static)) -> Option<&'error rustls::Error> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls).filter(|error| matches!(error, rustls::Error::InvalidCertificate(_)));
    }
    let inner: &(dyn Error + 'static) = error.downcast_ref::<std::io::Error>()?.get_ref()?;
    certificate_error(inner)
}

/// The innermost reason. The outer ones only say that a request failed, and repeat the address.
fn chain(error: &reqwest::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::{CertificateError, Error};

    use super::certificate_error;

    #[test]
    fn a_certificate_that_is_not_trusted_is_found_however_deep_it_lies() {
        let nested = |error: Error| io::Error::other(io::Error::other(error));
        let untrusted = nested(Error::InvalidCertificate(CertificateError::UnknownIssuer));
        assert!(certificate_error(&untrusted).is_some());
        assert!(certificate_error(&nested(Error::HandshakeNotComplete)).is_none());
        assert!(certificate_error(&io::Error::other("x")).is_none());
    }
}
