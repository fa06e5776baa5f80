//! The front door of the sandbox's AWS: one HTTP endpoint for every service, which knows who is calling before
//! anything else happens.

mod authorise;
mod caller;
mod control;
mod http;
mod reply;
mod sigv4;

use std::sync::Arc;

use ::http::request::Parts;
use ::http::{Request, Response};
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use hyper::body::Incoming;
use uuid::Uuid;

pub(crate) use self::control::PREFIX as CONTROL_PREFIX;
pub(crate) use self::http::{routed, serve};

use self::control::{Call, Control, Outcome, Strike};
use self::reply::Protocol;
use self::sigv4::{Authorization, Rejection};
use crate::clock::Clock;
use crate::error::ServiceError;
use crate::iam::Iam;
use crate::kinesis::Engine;
use crate::query::Parameters;
use crate::sts::{Caller, Keyring, Sts};

/// The largest body that is read: PutRecords takes 10 MiB, and base64 and JSON make 14 of them.
const LONGEST_BODY: usize = 20 << 20;

/// Everything behind the endpoint.
pub(crate) struct Gateway {
    pub(crate) region: String,
    pub(crate) clock: Clock,
    pub(crate) keys: Arc<Keyring>,
    pub(crate) iam: Arc<Iam>,
    pub(crate) sts: Sts,
    pub(crate) engine: Engine,
    control: Control,
}

/// The connection shall be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("a fault was asked for: the connection is closed without an answer")]
pub(crate) struct Dropped;

/// A request whose caller is known.
struct Signed {
    caller: Caller,
    service: Service,
    operation: String,
    body: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Service {
    Kinesis,
    Iam,
    Sts,
}

impl Service {
    fn find(name: &str) -> Option<Self> {
        match name {
            "kinesis" => Some(Self::Kinesis),
            "iam" => Some(Self::Iam),
            "sts" => Some(Self::Sts),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Kinesis => "kinesis",
            Self::Iam => "iam",
            Self::Sts => "sts",
        }
    }

    fn protocol(self) -> Protocol {
        match self {
            Self::Kinesis => Protocol::Json,
            Self::Iam => reply::IAM,
            Self::Sts => reply::STS,
        }
    }
}

impl Gateway {
    pub(crate) fn new(
        region: String,
        clock: Clock,
        keys: Arc<Keyring>,
        iam: Arc<Iam>,
        sts: Sts,
        engine: Engine,
    ) -> Self {
        Self { region, clock, keys, iam, sts, engine, control: Control::default() }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
        let request_id = Uuid::new_v4().to_string();
        let (parts, body) = request.into_parts();
        let guess = Protocol::guess(&parts.headers);
        let Ok(body) = to_bytes(Body::new(body), LONGEST_BODY).await else {
            let error = ServiceError::new(
                413,
                "RequestEntityTooLarge",
                format!("The request is larger than {LONGEST_BODY} bytes."),
            );
            return Ok(guess.refuse(&error, &request_id));
        };
        if let Some(path) = parts.uri.path().strip_prefix(CONTROL_PREFIX) {
            return Ok(self.control.answer(&parts.method, path, &body, &self.iam, &self.engine));
        }
        match self.identify(&parts, body) {
            Ok(signed) => self.perform(&signed, &request_id).await,
            Err((protocol, error)) => {
                self.control.record(Call {
                    service: "unknown".to_owned(),
                    operation: header(&parts, "x-amz-target").unwrap_or_default().to_owned(),
                    caller: None,
                    outcome: error.code.to_string(),
                    status: error.status,
                });
                Ok(protocol.refuse(&error, &request_id))
            }
        }
    }

    /// Finds out who is calling what.
    fn identify(&self, parts: &Parts, body: Bytes) -> Result<Signed, (Protocol, ServiceError)> {
        let guess = Protocol::guess(&parts.headers);
        let reject = |protocol: Protocol| move |why: Rejection| (protocol, why.in_words_of(protocol));
        let authorization = Authorization::parse(&parts.headers).map_err(reject(guess))?;
        let service = Service::find(&authorization.service).ok_or_else(|| {
            reject(guess)(Rejection::Refused(format!(
                "Credential should be scoped to correct service: this sandbox has kinesis, iam and sts, not '{}'.",
                authorization.service
            )))
        })?;
        let protocol = service.protocol();
        let caller = caller::authenticate(&self.keys, &authorization, parts, &body, self.clock.now())
            .map_err(reject(protocol))?;
        if service == Service::Kinesis && authorization.region != self.region {
            return Err(reject(protocol)(Rejection::Refused(format!(
                "Credential should be scoped to a valid region, not '{}': this sandbox is in '{}'.",
                authorization.region, self.region
            ))));
        }
        let operation = match service {
            Service::Kinesis => header(parts, "x-amz-target")
                .and_then(authorise::operation)
                .ok_or_else(|| (protocol, ServiceError::new(400, "UnknownOperationException", "")))?
                .to_owned(),
            Service::Iam | Service::Sts => Parameters::parse(&body).action().to_owned(),
        };
        Ok(Signed { caller, service, operation, body })
    }

    /// Carries out a request, or lets the fault happen that waits for it.
    async fn perform(&self, signed: &Signed, request_id: &str) -> Result<Response<Body>, Dropped> {
        let Strike { delay, after, then } = self.control.strike(&signed.operation).unwrap_or_default();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        // What is to be spoiled afterwards happens first, whatever its answer would have been.
        let answer = (after || then == Outcome::Unharmed).then(|| self.dispatch(signed, request_id));
        let ended = match (then, answer) {
            (Outcome::Unharmed, Some(answer)) => answer,
            (Outcome::Fail(error), _) => Err(error),
            (Outcome::Reset | Outcome::Unharmed, _) => {
                self.record(signed, "reset", 0);
                return Err(Dropped);
            }
        };
        Ok(match ended {
            Ok(response) => {
                self.record(signed, "ok", 200);
                response
            }
            Err(error) => {
                tracing::debug!(operation = signed.operation, %error, "refused");
                self.record(signed, &error.code, error.status);
                signed.service.protocol().refuse(&error, request_id)
            }
        })
    }

    fn dispatch(&self, signed: &Signed, request_id: &str) -> Result<Response<Body>, ServiceError> {
        let Signed { caller, service, operation, body } = signed;
        let xml = match service {
            Service::Kinesis => {
                return authorise::call(&self.engine, &self.iam, caller, operation, body, request_id);
            }
            Service::Iam => self.iam.call(caller, &Parameters::parse(body))?,
            Service::Sts => self.sts.call(caller, &Parameters::parse(body))?,
        };
        let namespace = service.protocol().namespace();
        Ok(reply::xml(xml.response(operation, namespace, request_id), request_id))
    }

    fn record(&self, signed: &Signed, outcome: &str, status: u16) {
        self.control.record(Call {
            service: signed.service.name().to_owned(),
            operation: signed.operation.clone(),
            caller: Some(signed.caller.arn()),
            outcome: outcome.to_owned(),
            status,
        });
    }
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}
