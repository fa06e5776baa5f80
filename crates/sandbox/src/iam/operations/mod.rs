//! The operations by name, and what they share: how documents and times are written, and which ARN they act on.

mod account;
mod attachment;
mod inline;
mod policy;
mod policy_version;
mod role;
mod trust;
mod user;

use std::time::SystemTime;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::store::{Call, State};
use crate::error::ServiceError;
use crate::query::{Parameters, Xml};
use crate::sts::Caller;

/// Carries out one operation.
pub(crate) type Operation = fn(&mut Call<'_>) -> Result<Xml, ServiceError>;

/// RFC 3986: everything but the unreserved letters is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The operation with this name.
pub(crate) fn find(name: &str) -> Result<Operation, ServiceError> {
    let operation: Operation = match name {
        "CreateRole" => role::create,
        "GetRole" => role::get,
        "ListRoles" => role::list,
        "UpdateRole" => role::update,
        "UpdateRoleDescription" => role::update_description,
        "DeleteRole" => role::delete,
        "TagRole" => role::tag,
        "UntagRole" => role::untag,
        "ListRoleTags" => role::list_tags,
        "ListInstanceProfilesForRole" => role::list_instance_profiles,
        "UpdateAssumeRolePolicy" => trust::update,
        "CreatePolicy" => policy::create,
        "GetPolicy" => policy::get,
        "ListPolicies" => policy::list,
        "DeletePolicy" => policy::delete,
        "TagPolicy" => policy::tag,
        "UntagPolicy" => policy::untag,
        "ListPolicyTags" => policy::list_tags,
        "CreatePolicyVersion" => policy_version::create,
        "GetPolicyVersion" => policy_version::get,
        "ListPolicyVersions" => policy_version::list,
        "SetDefaultPolicyVersion" => policy_version::set_default,
        "DeletePolicyVersion" => policy_version::delete,
        "AttachRolePolicy" => attachment::attach_to_role,
        "DetachRolePolicy" => attachment::detach_from_role,
        "ListAttachedRolePolicies" => attachment::list_of_role,
        "AttachUserPolicy" => attachment::attach_to_user,
        "DetachUserPolicy" => attachment::detach_from_user,
        "ListAttachedUserPolicies" => attachment::list_of_user,
        "ListEntitiesForPolicy" => attachment::list_entities,
        "PutRolePermissionsBoundary" => attachment::put_boundary,
        "DeleteRolePermissionsBoundary" => attachment::delete_boundary,
        "PutRolePolicy" => inline::put_on_role,
        "GetRolePolicy" => inline::get_of_role,
        "DeleteRolePolicy" => inline::delete_of_role,
        "ListRolePolicies" => inline::list_of_role,
        "PutUserPolicy" => inline::put_on_user,
        "DeleteUserPolicy" => inline::delete_of_user,
        "ListUserPolicies" => inline::list_of_user,
        "CreateUser" => user::create,
        "GetUser" => user::get,
        "ListUsers" => user::list,
        "DeleteUser" => user::delete,
        "CreateAccessKey" => user::create_key,
        "ListAccessKeys" => user::list_keys,
        "DeleteAccessKey" => user::delete_key,
        "GetAccountSummary" => account::summary,
        _ => {
            return Err(ServiceError::new(
                400,
                "InvalidAction",
                format!("Could not find operation {name} for version 2010-05-08"),
            ));
        }
    };
    Ok(operation)
}

/// The ARN that an operation acts on, for the policies of the one who calls.
pub(crate) fn resource(state: &State, caller: &Caller, parameters: &Parameters) -> String {
    let account = &caller.account;
    let known = state.accounts.get(account);
    let path = parameters.optional("Path").unwrap_or("/");
    if let Some(name) = parameters.optional("RoleName") {
        return known
            .and_then(|known| known.roles.get(&name.to_lowercase()))
            .map_or_else(|| format!("arn:aws:iam::{account}:role{path}{name}"), |role| role.arn.clone());
    }
    if let Some(name) = parameters.optional("UserName") {
        return known
            .and_then(|known| known.users.get(&name.to_lowercase()))
            .map_or_else(|| format!("arn:aws:iam::{account}:user{path}{name}"), |user| user.arn.clone());
    }
    if let Some(arn) = parameters.optional("PolicyArn") {
        return arn.to_owned();
    }
    match (parameters.action(), parameters.optional("PolicyName")) {
        (_, Some(name)) => format!("arn:aws:iam::{account}:policy{path}{name}"),
        ("ListRoles", None) => format!("arn:aws:iam::{account}:role/"),
        ("ListPolicies", None) => format!("arn:aws:iam::{account}:policy/"),
        ("ListUsers", None) => format!("arn:aws:iam::{account}:user/"),
        ("GetUser" | "CreateAccessKey" | "ListAccessKeys" | "DeleteAccessKey", None) => caller.arn(),
        _ => "*".to_owned(),
    }
}

/// A time as IAM writes it, to the second.
pub(crate) fn time(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// A document as IAM writes it into XML.
fn encoded(document: &serde_json::Value) -> String {
    utf8_percent_encode(&document.to_string(), ENCODED).to_string()
}

/// The answer of operations that have no result.
fn nothing() -> Xml {
    Xml::acknowledgement()
}
