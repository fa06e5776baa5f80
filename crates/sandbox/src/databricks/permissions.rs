//! The endpoints for grants and workspace bindings.

use http::StatusCode;

use super::Workspace;
use super::binding::{BindingChanges, BindingList};
use super::error::ApiError;
use super::fields::Fields;
use super::grants::{Assignments, GrantChanges, Securable};
use super::principal::Principal;
use super::query::Query;

/// The smallest page that a listing of grants may ask for: a page must have room for one whole assignment.
const SMALLEST_GRANT_PAGE: usize = 150;

pub(super) fn of_credential(
    workspace: &Workspace,
    name: &str,
    query: &Query,
    actor: &Principal,
) -> Result<Assignments, ApiError> {
    check_page(query)?;
    let state = workspace.state();
    let credential = state.catalog.find(name, actor)?;
    Ok(credential.grants.assignments(query.text("principal")))
}

pub(super) fn change_credential(
    workspace: &Workspace,
    name: &str,
    body: &[u8],
    actor: &Principal,
) -> Result<Assignments, ApiError> {
    let fields = Fields::parse(body)?;
    let state = &mut *workspace.state();
    let credential = state.catalog.find_administered(name, actor)?;
    let changes = GrantChanges::read(&fields, Securable::Credential, &state.directory)?;
    credential.grants.apply(changes);
    Ok(credential.grants.assignments(None))
}

pub(super) fn of_metastore(workspace: &Workspace, id: &str, query: &Query) -> Result<Assignments, ApiError> {
    check_page(query)?;
    check_metastore(workspace, id)?;
    Ok(workspace.state().catalog.grants.assignments(query.text("principal")))
}

pub(super) fn change_metastore(
    workspace: &Workspace,
    id: &str,
    body: &[u8],
    actor: &Principal,
) -> Result<Assignments, ApiError> {
    check_metastore(workspace, id)?;
    if !actor.metastore_admin {
        let name = &workspace.options().metastore_name;
        return Err(ApiError::denied(format!("User is not an owner of Metastore '{name}'.")));
    }
    let fields = Fields::parse(body)?;
    let state = &mut *workspace.state();
    let changes = GrantChanges::read(&fields, Securable::Metastore, &state.directory)?;
    state.catalog.grants.apply(changes);
    Ok(state.catalog.grants.assignments(None))
}

pub(super) fn bindings(
    workspace: &Workspace,
    name: &str,
    query: &Query,
    actor: &Principal,
) -> Result<BindingList, ApiError> {
    query.max_results()?;
    Ok(workspace.state().catalog.find_administered(name, actor)?.bindings.list())
}

pub(super) fn change_bindings(
    workspace: &Workspace,
    name: &str,
    body: &[u8],
    actor: &Principal,
) -> Result<BindingList, ApiError> {
    let changes = BindingChanges::read(&Fields::parse(body)?)?;
    let mut state = workspace.state();
    let credential = state.catalog.find_administered(name, actor)?;
    credential.bindings.apply(changes);
    Ok(credential.bindings.list())
}

fn check_page(query: &Query) -> Result<(), ApiError> {
    match query.max_results()? {
        Some(size) if size < SMALLEST_GRANT_PAGE => Err(ApiError::invalid(format!(
            "parameter `max_results` must be 0, or {SMALLEST_GRANT_PAGE} or more, not {size}"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn check_metastore(workspace: &Workspace, id: &str) -> Result<(), ApiError> {
    if id == workspace.options().metastore_id {
        return Ok(());
    }
    let message = format!("Metastore '{id}' does not exist.");
    Err(ApiError::new(StatusCode::NOT_FOUND, "METASTORE_DOES_NOT_EXIST", message))
}
