//! A Unity Catalog credential: a name for an IAM role, and the external id that Databricks shows when it
//! assumes it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::binding::Bindings;
use super::error::ApiError;
use super::grants::Grants;
use super::principal::Principal;
use super::role_arn::RoleArn;

/// Unity Catalog's limit for the name of any object, in characters.
const NAME_LIMIT: usize = 255;

/// A checked name, in lower case as Unity Catalog stores it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CredentialName(String);

impl CredentialName {
    /// Checks a name that stood in `field`.
    pub(super) fn parse(text: &str, field: &str) -> Result<Self, ApiError> {
        let forbidden = |symbol: char| symbol.is_ascii_control() || matches!(symbol, '.' | ' ' | '/');
        let why = if text.is_empty() {
            "is empty".to_owned()
        } else if text.chars().count() > NAME_LIMIT {
            format!("has more than {NAME_LIMIT} characters")
        } else if text.chars().any(forbidden) {
            format!("`{text}` has a period, a space, a slash or a control character")
        } else {
            return Ok(Self(text.to_lowercase()));
        };
        Err(ApiError::invalid(format!("field `{field}` is not a valid name: it {why}")))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a credential is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Purpose {
    Service,
    Storage,
}

impl Purpose {
    /// Reads a purpose that stood in `field`.
    pub(super) fn parse(text: &str, field: &str) -> Result<Self, ApiError> {
        match text {
            "SERVICE" => Ok(Self::Service),
            "STORAGE" => Ok(Self::Storage),
            other => Err(ApiError::invalid(format!(
                "`{other}` in field `{field}` is not a purpose; use SERVICE or STORAGE"
            ))),
        }
    }

    /// The securable as messages name it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Service => "Service Credential",
            Self::Storage => "Storage Credential",
        }
    }

    /// The metastore privilege that allows creating one.
    pub(super) fn create_privilege(self) -> &'static str {
        match self {
            Self::Service => "CREATE_SERVICE_CREDENTIAL",
            Self::Storage => "CREATE_STORAGE_CREDENTIAL",
        }
    }
}

/// Whether all workspaces of the metastore may use a credential, or only bound ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum IsolationMode {
    #[serde(rename = "ISOLATION_MODE_OPEN")]
    Open,
    #[serde(rename = "ISOLATION_MODE_ISOLATED")]
    Isolated,
}

impl IsolationMode {
    /// Reads a mode that stood in `field`.
    pub(super) fn parse(text: &str, field: &str) -> Result<Self, ApiError> {
        match text {
            "ISOLATION_MODE_OPEN" => Ok(Self::Open),
            "ISOLATION_MODE_ISOLATED" => Ok(Self::Isolated),
            other => Err(ApiError::invalid(format!(
                "`{other}` in field `{field}` is not an isolation mode; use ISOLATION_MODE_OPEN or \
                 ISOLATION_MODE_ISOLATED"
            ))),
        }
    }
}

/// A stored credential.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) id: String,
    pub(super) name: CredentialName,
    pub(super) purpose: Purpose,
    pub(super) role_arn: RoleArn,
    pub(super) external_id: String,
    pub(super) comment: Option<String>,
    pub(super) owner: String,
    pub(super) isolation_mode: IsolationMode,
    pub(super) bindings: Bindings,
    pub(super) grants: Grants,
    pub(super) read_only: bool,
    /// What uses it, and keeps it from being deleted or pointed elsewhere without force.
    pub(super) dependants: BTreeSet<String>,
    pub(super) created: Stamp,
    pub(super) updated: Stamp,
}

/// Who did something, and when.
#[derive(Debug, Clone)]
pub(super) struct Stamp {
    /// Milliseconds since 1970.
    pub(super) at_ms: u64,
    pub(super) by: String,
}

impl Credential {
    /// Whether `actor` may know that it exists.
    pub(super) fn visible_to(&self, actor: &Principal) -> bool {
        actor.metastore_admin || self.owned_by(actor) || self.grants.reach(actor)
    }

    /// Whether `actor` may change it: its owner, or a holder of MANAGE. Administering the metastore is not
    /// enough.
    pub(super) fn managed_by(&self, actor: &Principal) -> bool {
        self.owned_by(actor) || self.grants.allow(actor, "MANAGE")
    }

    /// Whether `actor` may have keys from it, or try it.
    pub(super) fn usable_by(&self, actor: &Principal) -> bool {
        actor.metastore_admin || self.owned_by(actor) || self.grants.allow(actor, "ACCESS")
    }

    /// Whether the workspace may use it.
    pub(super) fn bound_to(&self, workspace_id: u64) -> bool {
        self.isolation_mode == IsolationMode::Open || self.bindings.contain(workspace_id)
    }

    fn owned_by(&self, actor: &Principal) -> bool {
        actor.answers_to(&self.owner)
    }

    /// The credential as the wire has it.
    pub(super) fn info(&self, unity_catalog_iam_arn: &str, metastore_id: &str) -> CredentialInfo {
        CredentialInfo {
            name: self.name.as_str().to_owned(),
            full_name: self.name.as_str().to_owned(),
            id: self.id.clone(),
            purpose: self.purpose,
            aws_iam_role: AwsIamRole {
                role_arn: self.role_arn.as_str().to_owned(),
                unity_catalog_iam_arn: unity_catalog_iam_arn.to_owned(),
                external_id: self.external_id.clone(),
            },
            comment: self.comment.clone(),
            owner: self.owner.clone(),
            isolation_mode: self.isolation_mode,
            metastore_id: metastore_id.to_owned(),
            created_at: self.created.at_ms,
            created_by: self.created.by.clone(),
            updated_at: self.updated.at_ms,
            updated_by: self.updated.by.clone(),
            read_only: self.read_only,
            used_for_managed_storage: false,
        }
    }
}

/// `CredentialInfo` of the REST reference.
#[derive(Debug, Serialize)]
pub(super) struct CredentialInfo {
    name: String,
    full_name: String,
    id: String,
    purpose: Purpose,
    aws_iam_role: AwsIamRole,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    owner: String,
    isolation_mode: IsolationMode,
    metastore_id: String,
    created_at: u64,
    created_by: String,
    updated_at: u64,
    updated_by: String,
    read_only: bool,
    used_for_managed_storage: bool,
}

#[derive(Debug, Serialize)]
struct AwsIamRole {
    role_arn: String,
    unity_catalog_iam_arn: String,
    external_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_kept_in_lower_case() {
        assert_eq!(
            CredentialName::parse("Kinesis-Sensor_Größe", "name").expect("good").as_str(),
            "kinesis-sensor_größe"
        );
        let long = "x".repeat(256);
        for bad in ["", "a b", "a/b", "a.b", "a\u{7f}b", long.as_str()] {
            let message = CredentialName::parse(bad, "new_name").expect_err("refused").message;
            assert!(message.starts_with("field `new_name` is not a valid name: it "), "{message}");
        }
    }
}
