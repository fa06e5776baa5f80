//! Who is calling: the identity behind a pair of keys.

/// An authenticated caller. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account it belongs to, twelve digits.
    pub account: String,
    /// What kind of identity it is.
    pub identity: Identity,
}

/// The three kinds of identity the sandbox knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The account's root user.
    Root,
    /// An IAM user.
    User {
        /// Its ARN, with the path.
        arn: String,
        /// Its unique id, `AIDA…`.
        id: String,
    },
    /// A session of a role.
    Session {
        /// The role's ARN, with the path.
        role_arn: String,
        /// The role's name, as it stands in the session's ARN.
        role_name: String,
        /// The role's unique id, `AROA…`.
        role_id: String,
        /// The name given when the role was assumed.
        session_name: String,
    },
}

impl Caller {
    /// The root user of an account.
    pub fn root(account: impl Into<String>) -> Self {
        Self { account: account.into(), identity: Identity::Root }
    }

    /// The ARN that `GetCallerIdentity` shows. A session's ARN has no path.
    pub fn arn(&self) -> String {
        match &self.identity {
            Identity::Root => format!("arn:aws:iam::{}:root", self.account),
            Identity::User { arn, .. } => arn.clone(),
            Identity::Session { role_name, session_name, .. } => {
                format!("arn:aws:sts::{}:assumed-role/{role_name}/{session_name}", self.account)
            }
        }
    }

    /// The `UserId` that `GetCallerIdentity` shows.
    pub fn user_id(&self) -> String {
        match &self.identity {
            Identity::Root => self.account.clone(),
            Identity::User { id, .. } => id.clone(),
            Identity::Session { role_id, session_name, .. } => format!("{role_id}:{session_name}"),
        }
    }
}
