//! The account's users, service principals and groups: who exists, and who holds which secret.

use http::StatusCode;

use super::error::ApiError;
use super::principal::{ACCOUNT_USERS, Principal};

/// Everybody the workspace knows. It only ever grows.
#[derive(Debug)]
pub(super) struct Directory {
    principals: Vec<Principal>,
    groups: Vec<String>,
}

impl Directory {
    pub(super) fn new(principals: Vec<Principal>, groups: Vec<String>) -> Self {
        Self { principals, groups }
    }

    /// Adds a principal whose name is still free.
    pub(super) fn add(&mut self, principal: Principal) -> Result<(), ApiError> {
        if self.by_name(&principal.name).is_some() {
            let message = format!("Principal '{}' already exists", principal.name);
            return Err(ApiError::new(StatusCode::CONFLICT, "RESOURCE_ALREADY_EXISTS", message));
        }
        self.principals.push(principal);
        Ok(())
    }

    pub(super) fn by_token(&self, token: &str) -> Option<&Principal> {
        self.principals.iter().find(|principal| principal.token.reveal() == token)
    }

    /// The principal of that name. Names are unique and compared exactly.
    pub(super) fn by_name(&self, name: &str) -> Option<&Principal> {
        self.principals.iter().find(|principal| principal.name == name)
    }

    pub(super) fn by_subject(&self, subject: &str) -> Option<&Principal> {
        self.principals.iter().find(|principal| principal.federated_subject.as_deref() == Some(subject))
    }

    /// Refuses a name that no user, service principal or group has: a grant to it would reach nobody.
    pub(super) fn require(&self, name: &str) -> Result<(), ApiError> {
        let group = |known: &str| known == name;
        let known = self.by_name(name).is_some()
            || group(ACCOUNT_USERS)
            || self.groups.iter().any(|known| group(known))
            || self.principals.iter().flat_map(|principal| &principal.groups).any(|known| group(known));
        if known {
            return Ok(());
        }
        Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "PRINCIPAL_DOES_NOT_EXIST",
            format!("Could not find principal with name {name}"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_the_account_can_be_granted_something() {
        let mut ada = Principal::user("ada@example.com");
        ada.groups.push("analysts".to_owned());
        let directory = Directory::new(vec![ada], vec!["data-platform".to_owned()]);
        for name in ["ada@example.com", "analysts", "data-platform", "account users"] {
            assert!(directory.require(name).is_ok(), "{name}");
        }
        let error = directory.require("data-platfrom").expect_err("a typing error");
        assert_eq!(error.error_code, "PRINCIPAL_DOES_NOT_EXIST");
    }
}
