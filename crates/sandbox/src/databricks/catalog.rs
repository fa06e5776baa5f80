//! The metastore's credentials: creating, finding, listing, changing and deleting them, and who may.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use super::binding::Bindings;
use super::change::{Draft, Patch, check_read_only};
use super::credential::{Credential, CredentialInfo, CredentialName, IsolationMode, Purpose, Stamp};
use super::error::ApiError;
use super::grants::Grants;
use super::page::PageRequest;
use super::principal::Principal;

/// All credentials of one metastore, and what is granted on the metastore itself.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    credentials: BTreeMap<CredentialName, Credential>,
    pub(super) grants: Grants,
}

/// One page of a listing, not yet on the wire.
#[derive(Debug)]
pub(super) struct CredentialPage<'a> {
    pub(super) credentials: Vec<&'a Credential>,
    pub(super) next_page_token: Option<String>,
}

/// What a listing asks for.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) purpose: Option<Purpose>,
    pub(super) include_unbound: bool,
    pub(super) workspace_id: u64,
    pub(super) page: PageRequest,
}

/// A change that somebody asks for.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) patch: &'a Patch,
    /// What the credential gets if it is pointed at another role.
    pub(super) new_external_id: String,
    pub(super) actor: &'a Principal,
    /// Milliseconds since 1970.
    pub(super) now_ms: u64,
}

impl Catalog {
    /// Checks that `actor` may create this credential and that its name is free.
    pub(super) fn admit(&self, draft: &Draft, actor: &Principal, metastore: &str) -> Result<(), ApiError> {
        let privilege = draft.purpose.create_privilege();
        if !actor.metastore_admin && !self.grants.allow(actor, privilege) {
            return Err(ApiError::denied(format!(
                "User does not have {} on Metastore '{metastore}'.",
                privilege.replace('_', " "),
            )));
        }
        self.refuse_taken(&draft.name)
    }

    /// Stores a new credential.
    pub(super) fn insert(&mut self, credential: Credential) -> Result<(), ApiError> {
        self.refuse_taken(&credential.name)?;
        self.credentials.insert(credential.name.clone(), credential);
        Ok(())
    }

    /// The credential of that name, in any case, if `actor` may see it.
    pub(super) fn find(&self, name: &str, actor: &Principal) -> Result<&Credential, ApiError> {
        let found = CredentialName::parse(name, "name").ok().and_then(|name| self.credentials.get(&name));
        let credential = found.ok_or_else(|| missing(name))?;
        if credential.visible_to(actor) {
            return Ok(credential);
        }
        let title = credential.purpose.title();
        Err(ApiError::denied(format!(
            "User does not have any privilege on {title} '{}'.",
            credential.name.as_str()
        )))
    }

    /// The credential of that name, if `actor` may see it and `workspace_id` may use it.
    pub(super) fn find_bound(
        &self,
        name: &str,
        actor: &Principal,
        workspace_id: u64,
    ) -> Result<&Credential, ApiError> {
        let credential = self.find(name, actor)?;
        if credential.bound_to(workspace_id) {
            return Ok(credential);
        }
        Err(ApiError::denied(format!(
            "Workspace {workspace_id} is not bound to {} '{}', which is isolated.",
            credential.purpose.title(),
            credential.name.as_str(),
        )))
    }

    /// The credential of that name, for changing what its managers and metastore admins may change: grants and
    /// bindings.
    pub(super) fn find_administered(
        &mut self,
        name: &str,
        actor: &Principal,
    ) -> Result<&mut Credential, ApiError> {
        let credential = self.find(name, actor)?;
        if !credential.managed_by(actor) && !actor.metastore_admin {
            return Err(not_managed(credential));
        }
        let name = credential.name.clone();
        self.credentials.get_mut(&name).ok_or_else(|| missing(name.as_str()))
    }

    /// One page of the credentials that `actor` may see.
    pub(super) fn list(&self, listing: &Listing, actor: &Principal) -> CredentialPage<'_> {
        let entries = self.credentials.values().map(|credential| (credential.name.as_str(), credential));
        let (mut credentials, next_page_token) = listing.page.cut(entries);
        credentials.retain(|credential| {
            let bound = credential.bound_to(listing.workspace_id);
            let unbound_shown =
                listing.include_unbound && (credential.managed_by(actor) || actor.metastore_admin);
            listing.purpose.is_none_or(|purpose| purpose == credential.purpose)
                && credential.visible_to(actor)
                && (bound || unbound_shown)
        });
        CredentialPage { credentials, next_page_token }
    }

    /// The credential as it would be after a change.
    pub(super) fn preview(&self, name: &str, change: &Change<'_>) -> Result<Credential, ApiError> {
        let Change { patch, actor, .. } = change;
        let current = self.find(name, actor)?;
        // Administering the metastore is enough to take a credential over, not to rewrite somebody else's.
        let takes_over = actor.metastore_admin && !patch.changes_more_than_owner();
        if !takes_over && !current.managed_by(actor) {
            return Err(not_managed(current));
        }
        let mut credential = current.clone();
        if let Some(role_arn) = &patch.role_arn
            && *role_arn != credential.role_arn
        {
            if !patch.force {
                refuse_dependants(&credential, "updated")?;
            }
            credential.role_arn = role_arn.clone();
            credential.external_id.clone_from(&change.new_external_id);
        }
        if let Some(name) = &patch.new_name
            && *name != credential.name
        {
            self.refuse_taken(name)?;
            credential.name = name.clone();
        }
        if let Some(comment) = &patch.comment {
            credential.comment = Some(comment.clone()).filter(|comment| !comment.is_empty());
        }
        if let Some(mode) = patch.isolation_mode {
            credential.isolation_mode = mode;
        }
        if let Some(read_only) = patch.read_only {
            check_read_only(read_only, credential.purpose)?;
            credential.read_only = read_only;
        }
        if let Some(owner) = &patch.owner {
            credential.owner.clone_from(owner);
        }
        credential.updated = Stamp { at_ms: change.now_ms, by: actor.name.clone() };
        Ok(credential)
    }

    /// Changes a credential.
    pub(super) fn update(&mut self, name: &str, change: &Change<'_>) -> Result<&Credential, ApiError> {
        let old = self.find(name, change.actor)?.name.clone();
        let credential = self.preview(name, change)?;
        self.credentials.remove(&old);
        let new = credential.name.clone();
        Ok(self.credentials.entry(new).or_insert(credential))
    }

    /// Deletes a credential.
    pub(super) fn delete(
        &mut self,
        name: &str,
        force: bool,
        actor: &Principal,
        workspace_id: u64,
    ) -> Result<(), ApiError> {
        let credential = self.find_bound(name, actor, workspace_id)?;
        if !credential.managed_by(actor) {
            return Err(not_managed(credential));
        }
        if !force {
            refuse_dependants(credential, "deleted")?;
        }
        let name = credential.name.clone();
        self.credentials.remove(&name);
        Ok(())
    }

    fn refuse_taken(&self, name: &CredentialName) -> Result<(), ApiError> {
        match self.credentials.get(name) {
            None => Ok(()),
            Some(taken) => {
                let error_code = match taken.purpose {
                    Purpose::Service => "CREDENTIAL_ALREADY_EXISTS",
                    Purpose::Storage => "STORAGE_CREDENTIAL_ALREADY_EXISTS",
                };
                let message = format!("{} '{}' already exists", taken.purpose.title(), name.as_str());
                Err(ApiError::new(StatusCode::CONFLICT, error_code, message))
            }
        }
    }
}

impl Draft {
    /// The credential that the draft becomes when `actor` creates it.
    pub(super) fn into_credential(self, external_id: String, actor: &Principal, now_ms: u64) -> Credential {
        let stamp = Stamp { at_ms: now_ms, by: actor.name.clone() };
        Credential {
            id: Uuid::new_v4().to_string(),
            name: self.name,
            purpose: self.purpose,
            role_arn: self.role_arn,
            external_id,
            comment: self.comment,
            owner: actor.name.clone(),
            isolation_mode: IsolationMode::Open,
            bindings: Bindings::default(),
            grants: Grants::default(),
            read_only: self.read_only,
            dependants: BTreeSet::new(),
            created: stamp.clone(),
            updated: stamp,
        }
    }
}

fn missing(name: &str) -> ApiError {
    let message = format!("Credential '{name}' does not exist.");
    ApiError::new(StatusCode::NOT_FOUND, "CREDENTIAL_DOES_NOT_EXIST", message)
}

fn not_managed(credential: &Credential) -> ApiError {
    ApiError::denied(format!(
        "User is not an owner of {} '{}' and does not have MANAGE on it.",
        credential.purpose.title(),
        credential.name.as_str(),
    ))
}

fn refuse_dependants(credential: &Credential, done: &str) -> Result<(), ApiError> {
    if credential.dependants.is_empty() {
        return Ok(());
    }
    let dependants: Vec<&str> = credential.dependants.iter().map(String::as_str).collect();
    Err(ApiError::new(
        StatusCode::BAD_REQUEST,
        "INVALID_STATE",
        format!(
            "{} '{}' cannot be {done} because it is used by {}; use the force option to do it all the same.",
            credential.purpose.title(),
            credential.name.as_str(),
            dependants.join(", "),
        ),
    ))
}

/// `ListCredentialsResponse` of the REST reference. Empty members are left out, as protocol buffers do.
#[derive(Debug, Serialize)]
pub(super) struct CredentialList {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) credentials: Vec<CredentialInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_page_token: Option<String>,
}
