//! Temporary AWS keys that Databricks hands out.

use std::fmt;

use config::{Fault, Secret};
use jiff::Timestamp;

use crate::name::CredentialName;
use crate::wire::Vended;

/// Keys of the credential's role.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The key's id. It is no secret by itself, but nobody needs it in a log.
    pub access_key_id: Secret,
    /// The key.
    pub secret_access_key: Secret,
    /// The session.
    pub session_token: Secret,
    /// When they expire.
    pub expires_at: Option<Timestamp>,
}

impl Keys {
    /// What Databricks vended.
    ///
    /// # Errors
    /// A refused fault when it vended nothing for AWS.
    pub fn read(vended: Vended, name: &CredentialName) -> Result<Self, Fault> {
        let keys = vended.aws_temp_credentials.ok_or_else(|| {
            Fault::refused(format!("Databricks handed out no AWS keys for credential `{name}`"))
                .with_hint("dbx-cred show says what it is for")
        })?;
        Ok(Self {
            access_key_id: Secret::new(keys.access_key_id),
            secret_access_key: Secret::new(keys.secret_access_key),
            session_token: Secret::new(keys.session_token),
            expires_at: vended.expiration_time.and_then(|at| Timestamp::from_millisecond(at).ok()),
        })
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("****")
    }
}
