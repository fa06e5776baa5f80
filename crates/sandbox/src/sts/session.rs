//! A session: temporary keys that stand for a role until they expire.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::Caller;

/// What a caller asks for when it wants to become a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    /// The role to become.
    pub role_arn: String,
    /// The name the session shows in its ARN.
    pub session_name: String,
    /// The agreed word that a third party has to bring.
    pub external_id: Option<String>,
    /// How long the session should live.
    pub duration: Duration,
}

/// Temporary keys and whom they stand for.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// `ASIA…`.
    pub access_key_id: String,
    /// The secret that signs.
    pub secret_access_key: String,
    /// The token that goes with every signed request.
    pub session_token: String,
    /// When the keys stop working.
    pub expires_at: SystemTime,
    /// The session's own ARN.
    pub assumed_role_arn: String,
    /// The identity that the keys authenticate as.
    pub caller: Caller,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .field("assumed_role_arn", &self.assumed_role_arn)
            .finish_non_exhaustive()
    }
}
