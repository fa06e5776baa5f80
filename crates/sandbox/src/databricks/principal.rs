//! Who can call the workspace: users and service principals, and the secrets that prove them.

use super::secret::Secret;

/// The group that everybody in the account belongs to.
pub const ACCOUNT_USERS: &str = "account users";

/// An identity of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name that grants use: a user's e-mail address, a service principal's application id.
    pub name: String,
    /// What people read.
    pub display_name: String,
    /// User or service principal.
    pub kind: PrincipalKind,
    /// The groups it belongs to, beside [`ACCOUNT_USERS`].
    pub groups: Vec<String>,
    /// Whether it administers the metastore, and so may do nearly everything.
    pub metastore_admin: bool,
    /// Its personal access token.
    pub token: Secret,
    /// The `sub` of identity tokens that may become this principal, where federation is set up.
    pub federated_subject: Option<String>,
}

/// What a principal is, and what only that kind has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A program, which can log in with its application id and a secret.
    ServicePrincipal {
        /// The OAuth client secret.
        client_secret: Secret,
    },
}

impl Principal {
    /// A person with a fresh token and no rights.
    pub fn user(email: impl Into<String>) -> Self {
        let name = email.into();
        Self::new(name.clone(), name, PrincipalKind::User)
    }

    /// A service principal with a fresh application id, token and client secret, and no rights.
    pub fn service_principal(display_name: impl Into<String>) -> Self {
        let client_secret = Secret::random("dose");
        let application_id = uuid::Uuid::new_v4().to_string();
        Self::new(application_id, display_name.into(), PrincipalKind::ServicePrincipal { client_secret })
    }

    fn new(name: String, display_name: String, kind: PrincipalKind) -> Self {
        Self {
            name,
            display_name,
            kind,
            groups: Vec::new(),
            metastore_admin: false,
            token: Secret::random("dapi"),
            federated_subject: None,
        }
    }

    /// The same principal, administering the metastore.
    #[must_use]
    pub fn as_metastore_admin(mut self) -> Self {
        self.metastore_admin = true;
        self
    }

    /// The client secret, for a service principal.
    pub fn client_secret(&self) -> Option<&Secret> {
        match &self.kind {
            PrincipalKind::User => None,
            PrincipalKind::ServicePrincipal { client_secret } => Some(client_secret),
        }
    }

    /// Whether a grant to `name` reaches this principal, directly or through a group.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name == name || name == ACCOUNT_USERS || self.groups.iter().any(|group| group == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_reach_a_principal_by_name_and_by_group() {
        let mut principal = Principal::user("ada@example.com");
        principal.groups.push("data-engineers".to_owned());
        assert!(principal.answers_to("ada@example.com"));
        assert!(principal.answers_to("data-engineers"));
        assert!(principal.answers_to("account users"));
        assert!(!principal.answers_to("data-platform"));
    }

    #[test]
    fn debug_holds_no_secret() {
        let principal = Principal::service_principal("pipeline");
        let shown = format!("{principal:?}");
        assert!(!shown.contains(principal.token.reveal()));
        assert!(!shown.contains(principal.client_secret().expect("a service principal has one").reveal()));
    }
}
