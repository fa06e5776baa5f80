//! Why a call to Databricks has no result, and how that is told to the user.

use std::time::Duration;

use config::{Fault, Kind, duration};
use thiserror::Error;

use crate::auth::Login;
use crate::refusal::{Reason, Refusal};

/// A call without a result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// Databricks answered, and said no.
    #[error("{}", .0.describe())]
    Refused(Refusal),
    /// Databricks was busy until there was no time left.
    #[error("{} after {attempts} attempts", .last.describe())]
    Busy {
        /// The last answer.
        last: Refusal,
        /// How often it was asked.
        attempts: u32,
        /// How long it asked to wait, where that is longer than what was left.
        wait: Option<Duration>,
    },
    /// Nobody answers at the address: the request was surely not processed.
    #[error("{0}")]
    Unreachable(String),
    /// The connection broke after the request was sent: it may have been processed.
    #[error("{0}")]
    Lost(String),
    /// The server's certificate is not trusted.
    #[error("{0}")]
    Untrusted(String),
    /// The answer is not what the API promises.
    #[error("{0}")]
    Garbled(String),
    /// The server sent the caller elsewhere, as a login page does.
    #[error("the server redirects to {0}")]
    Redirected(String),
    /// No token could be had: the login already says why and what to do.
    #[error("{}", .0.message())]
    Login(Fault),
}

impl Failure {
    /// What Databricks' answer means, where it answered.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused(refusal) => Some(refusal.reason()),
            Self::Busy { .. } => Some(Reason::Busy),
            Self::Unreachable(_)
            | Self::Lost(_)
            | Self::Untrusted(_)
            | Self::Garbled(_)
            | Self::Redirected(_)
            | Self::Login(_) => None,
        }
    }

    /// The fault for a failure to do `doing`, such as ``create credential `x` ``.
    pub fn fault(self, doing: &str, login: &Login) -> Fault {
        let message = format!("failed to {doing}");
        let host = login.host();
        match self {
            Self::Refused(refusal) => {
                let code = refusal.code.clone().unwrap_or_else(|| refusal.status.to_string());
                let fault = Fault::new(kind_of(refusal.reason()), message)
                    .with_code(code)
                    .with_cause(refusal.describe());
                match refusal.reason() {
                    Reason::Unauthenticated => {
                        fault.with_cause(format!("logged in to {host} with {login}")).with_hint(login.renew())
                    }
                    Reason::Denied => {
                        fault.with_cause(format!("logged in to {host} with {login}")).with_hint(ASK_OWNER)
                    }
                    Reason::Broken => fault.with_hint("run it again; if it stays, give Databricks the request id"),
                    Reason::Missing => fault.with_hint("dbx-cred list shows what there is"),
                    Reason::InUse => fault.with_hint("add --force to do it all the same"),
                    Reason::NoCatalog => fault.with_hint(
                        "use a workspace with Unity Catalog: an account admin assigns the region's metastore to it",
                    ),
                    Reason::Invalid if refusal.code.as_deref().is_some_and(|code| code.contains("SELF_ASSUMING")) => {
                        fault.with_hint("dbx-cred validate says what is wrong with the role")
                    }
                    Reason::Invalid => fault.with_hint("dbx-cred --help shows what to give"),
                    Reason::Exists | Reason::Busy => fault,
                }
            }
            Self::Busy { ref last, wait, .. } => {
                let code = last.code.clone().unwrap_or_else(|| last.status.to_string());
                let fault = Fault::transient(message).with_code(code).with_cause(&self);
                match wait {
                    Some(wait) => {
                        let wait = duration::show(wait);
                        fault
                            .with_cause(format!("it asks to wait {wait}, longer than the time limit leaves"))
                            .with_hint(format!("wait {wait}, or allow more time, e.g. --timeout 10m"))
                    }
                    None => fault.with_hint("run it again later, or allow more time, e.g. --timeout 10m"),
                }
            }
            Self::Unreachable(_) => Fault::transient(message)
                .with_cause(format!("{host} cannot be reached"))
                .with_cause(&self)
                .with_hint(format!("check the address and the network; the address comes from {}", login.host_source())),
            Self::Lost(_) => Fault::transient(message)
                .with_cause(&self)
                .with_hint("run the same command again: it looks before it changes anything"),
            Self::Untrusted(_) => Fault::refused(message)
                .with_cause(format!("the certificate of {host} is not trusted"))
                .with_cause(&self)
                .with_hint("set SSL_CERT_FILE to a PEM file with the certificate of your proxy or authority"),
            Self::Garbled(_) => Fault::refused(message)
                .with_cause(format!("{host} does not answer as a Databricks workspace"))
                .with_cause(&self)
                .with_hint(format!("check the address; it comes from {}", login.host_source())),
            Self::Redirected(ref place) if place.contains(PRIVATE_LINK) => Fault::refused(message)
                .with_cause(format!("{host} can be reached over PrivateLink only"))
                .with_hint("run it from inside the network that the workspace allows"),
            Self::Redirected(_) => Fault::refused(message)
                .with_cause(format!("{host} does not answer as a Databricks workspace"))
                .with_cause(&self)
                .with_hint(format!(
                    "give the workspace's own address, like https://dbc-a1b2c3d4-e5f6.cloud.databricks.com; this one comes from {}",
                    login.host_source()
                )),
            Self::Login(fault) => fault,
        }
    }
}

/// How a workspace that is closed to the internet says so in the address it redirects to (official SDKs).
const PRIVATE_LINK: &str = "private-link-validation-error";

const ASK_OWNER: &str = "ask the credential's owner or a metastore admin for the privilege";

fn kind_of(reason: Reason) -> Kind {
    match reason {
        Reason::Unauthenticated
        | Reason::Denied
        | Reason::Missing
        | Reason::Exists
        | Reason::InUse
        | Reason::NoCatalog
        | Reason::Invalid => Kind::Refused,
        Reason::Busy | Reason::Broken => Kind::Transient,
    }
}
