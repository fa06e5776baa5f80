//! An STS for unit tests: one role, and a trust that is a closure instead of a document.

use std::time::{Duration, SystemTime};

use super::assume::Assume;
use super::change::Draft;
use super::credential::Credential;
use super::fields::Fields;
use super::principal::Principal;
use crate::error::ServiceError;
use crate::sts::{AssumeRole, Caller, Identity, Session};

/// The role that exists.
pub(super) const ROLE: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";

type Rule = Box<dyn Fn(Option<&str>) -> bool + Send + Sync>;

/// Decides by the external id alone whether the master role may come in.
pub(super) struct TrustFake {
    admits: Rule,
    self_assuming: bool,
}

impl TrustFake {
    pub(super) fn trusting(id: &'static str) -> Self {
        Self::new(move |given| given == Some(id))
    }

    pub(super) fn trusting_anybody() -> Self {
        Self::new(|_| true)
    }

    pub(super) fn trusting_any_id() -> Self {
        Self::new(|given| given.is_some())
    }

    pub(super) fn trusting_no_id() -> Self {
        Self::new(|given| given.is_none())
    }

    pub(super) fn self_assuming(mut self) -> Self {
        self.self_assuming = true;
        self
    }

    fn new(admits: impl Fn(Option<&str>) -> bool + Send + Sync + 'static) -> Self {
        Self { admits: Box::new(admits), self_assuming: false }
    }
}

impl Assume for TrustFake {
    fn master(&self) -> Caller {
        Caller { account: "414351767826".to_owned(), identity: session_of("master") }
    }

    fn assume_role(&self, caller: &Caller, request: &AssumeRole) -> Result<Session, ServiceError> {
        let from_itself = caller.account == "123456789012";
        let admitted =
            if from_itself { self.self_assuming } else { (self.admits)(request.external_id.as_deref()) };
        if !admitted || request.role_arn != ROLE {
            return Err(ServiceError::access_denied(format!("{} may not", caller.arn())));
        }
        Ok(Session {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: "secret".to_owned(),
            session_token: "token".to_owned(),
            expires_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000) + request.duration,
            assumed_role_arn: "arn:aws:sts::123456789012:assumed-role/databricks-kinesis-role/s".to_owned(),
            caller: Caller {
                account: "123456789012".to_owned(),
                identity: session_of("databricks-kinesis-role"),
            },
        })
    }
}

fn session_of(role_name: &str) -> Identity {
    Identity::Session {
        role_arn: format!("arn:aws:iam::123456789012:role/{role_name}"),
        role_name: role_name.to_owned(),
        role_id: "AROAEXAMPLE".to_owned(),
        session_name: "s".to_owned(),
    }
}

/// A credential for [`ROLE`].
pub(super) fn credential(external_id: &str) -> Credential {
    let body = format!(r#"{{"name":"c","purpose":"SERVICE","aws_iam_role":{{"role_arn":"{ROLE}"}}}}"#);
    let fields = Fields::parse(body.as_bytes()).expect("an object");
    let draft = Draft::read(&fields).expect("a good draft");
    draft.into_credential(external_id.to_owned(), &Principal::user("me@example.com"), 1)
}
