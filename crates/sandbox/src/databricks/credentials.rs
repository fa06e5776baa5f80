//! The credential endpoints: what each reads from its request, and what it answers.

use serde::Serialize;
use uuid::Uuid;

use super::Workspace;
use super::catalog::{Change, CredentialList, Listing};
use super::change::{Draft, Patch, refuse_other_clouds};
use super::credential::{Credential, CredentialInfo, Purpose};
use super::error::ApiError;
use super::fields::Fields;
use super::options::Options;
use super::page::PageRequest;
use super::principal::Principal;
use super::query::Query;
use super::settings::ExternalIds;
use super::validate::{CheckName, Validation};
use super::vend::{TemporaryCredentials, epoch_ms, not_configured};

/// `{}`, the answer to a deletion.
#[derive(Serialize)]
pub(super) struct Nothing {}

pub(super) fn create(
    workspace: &Workspace,
    body: &[u8],
    actor: &Principal,
) -> Result<CredentialInfo, ApiError> {
    let options = workspace.options();
    let draft = Draft::read(&Fields::parse(body)?)?;
    workspace.state().catalog.admit(&draft, actor, &options.metastore_name)?;
    let settings = workspace.settings();
    let validated = settings.strict_create && !draft.skip_validation;
    let credential = draft.into_credential(external_id(workspace), actor, epoch_ms(workspace.now()));
    if validated {
        refuse_unusable(workspace, &credential)?;
    }
    let info = info(options, &credential);
    workspace.state().catalog.insert(credential)?;
    Ok(info)
}

pub(super) fn list(
    workspace: &Workspace,
    query: &Query,
    actor: &Principal,
) -> Result<CredentialList, ApiError> {
    let options = workspace.options();
    let listing = Listing {
        purpose: query.text("purpose").map(|purpose| Purpose::parse(purpose, "purpose")).transpose()?,
        include_unbound: query.flag("include_unbound")?,
        workspace_id: options.workspace_id,
        page: PageRequest::new(
            query.text("page_token"),
            query.max_results()?,
            workspace.settings().page_size,
        )?,
    };
    let state = workspace.state();
    let page = state.catalog.list(&listing, actor);
    Ok(CredentialList {
        credentials: page.credentials.into_iter().map(|credential| info(options, credential)).collect(),
        next_page_token: page.next_page_token,
    })
}

pub(super) fn get(workspace: &Workspace, name: &str, actor: &Principal) -> Result<CredentialInfo, ApiError> {
    let options = workspace.options();
    let state = workspace.state();
    let credential = state.catalog.find_bound(name, actor, options.workspace_id)?;
    Ok(info(options, credential))
}

pub(super) fn update(
    workspace: &Workspace,
    name: &str,
    body: &[u8],
    actor: &Principal,
) -> Result<CredentialInfo, ApiError> {
    let options = workspace.options();
    let fields = Fields::parse(body)?;
    let patch = Patch::read(&fields)?;
    if let Some(owner) = &patch.owner {
        workspace.state().directory.require(owner)?;
    }
    let change = Change {
        patch: &patch,
        new_external_id: external_id(workspace),
        actor,
        now_ms: epoch_ms(workspace.now()),
    };
    if workspace.settings().strict_create && !patch.skip_validation && patch.role_arn.is_some() {
        // The lock is free while STS is asked.
        let preview = workspace.state().catalog.preview(name, &change)?;
        refuse_unusable(workspace, &preview)?;
    }
    let mut state = workspace.state();
    let credential = state.catalog.update(name, &change)?;
    Ok(info(options, credential))
}

pub(super) fn delete(
    workspace: &Workspace,
    name: &str,
    query: &Query,
    actor: &Principal,
) -> Result<Nothing, ApiError> {
    let force = query.flag("force")?;
    let workspace_id = workspace.options().workspace_id;
    workspace.state().catalog.delete(name, force, actor, workspace_id)?;
    Ok(Nothing {})
}

pub(super) fn validate(
    workspace: &Workspace,
    body: &[u8],
    actor: &Principal,
) -> Result<Validation, ApiError> {
    let fields = Fields::parse(body)?;
    refuse_other_clouds(&fields)?;
    let purpose = fields.text("purpose")?.map(|purpose| Purpose::parse(purpose, "purpose")).transpose()?;
    if fields.has("aws_iam_role") {
        // Deprecated, and without a credential there is no external id to present.
        return Err(ApiError::invalid(
            "field `aws_iam_role` is deprecated here; create a credential and send `credential_name`",
        ));
    }
    let credential = usable(workspace, fields.required_text("credential_name")?, actor)?;
    if credential.purpose == Purpose::Storage || purpose == Some(Purpose::Storage) {
        return Err(ApiError::invalid(
            "the sandbox has no storage: it validates only credentials with purpose SERVICE",
        ));
    }
    Ok(Validation::run(workspace.sts(), &credential))
}

pub(super) fn vend(
    workspace: &Workspace,
    body: &[u8],
    actor: &Principal,
) -> Result<TemporaryCredentials, ApiError> {
    let fields = Fields::parse(body)?;
    for field in ["azure_options", "gcp_options"] {
        if fields.has(field) {
            return Err(ApiError::invalid(format!(
                "field `{field}` is for another cloud; this workspace runs on AWS"
            )));
        }
    }
    let credential = usable(workspace, fields.required_text("credential_name")?, actor)?;
    TemporaryCredentials::vend(workspace.sts(), &credential)
}

/// A copy of a credential that `actor` may use here, so that the lock is free while STS is asked.
fn usable(workspace: &Workspace, name: &str, actor: &Principal) -> Result<Credential, ApiError> {
    let state = workspace.state();
    let credential = state.catalog.find_bound(name, actor, workspace.options().workspace_id)?;
    if credential.usable_by(actor) {
        return Ok(credential.clone());
    }
    let title = credential.purpose.title();
    Err(ApiError::denied(format!("User does not have ACCESS on {title} '{}'.", credential.name.as_str())))
}

/// Refuses a credential whose role does not validate, as creating without `skip_validation` is documented to.
fn refuse_unusable(workspace: &Workspace, credential: &Credential) -> Result<(), ApiError> {
    let validation = Validation::run(workspace.sts(), credential);
    let Some(failure) = validation.failure() else { return Ok(()) };
    let message = failure.message.as_deref().unwrap_or_default();
    Err(match failure.configuration_operation {
        CheckName::AssumeRole => not_configured(credential.name.as_str(), message),
        CheckName::ExternalIdCondition | CheckName::SelfAssumeRole => ApiError::invalid(message),
    })
}

fn external_id(workspace: &Workspace) -> String {
    match workspace.settings().external_ids {
        ExternalIds::Random => Uuid::new_v4().to_string(),
        ExternalIds::Account => workspace.options().account_id.clone(),
    }
}

fn info(options: &Options, credential: &Credential) -> CredentialInfo {
    credential.info(&options.unity_catalog_iam_arn, &options.metastore_id)
}
