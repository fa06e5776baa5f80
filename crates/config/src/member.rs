//! The members of the connection document that kinbricks tools write and read.
//!
//! Each struct is a promise to other programs: adding a field is fine, changing one is a new version of the document.
//! Readers take only what they need, so every field that a reader can do without is optional.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::Member;
use crate::names::{AccountId, Arn, ExternalId, Partition, Region, RoleArn, RoleName, StreamArn, StreamName};

macro_rules! member {
    ($type:ident, $name:literal, $supplier:literal) => {
        impl Member for $type {
            const NAME: &'static str = $name;
            const SUPPLIER: &'static str = $supplier;
        }
    };
}

/// Who is calling AWS, as `aws-check` saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The caller's account.
    pub account: AccountId,
    /// The caller's ARN.
    pub arn: Arn,
    /// The caller's partition.
    pub partition: Partition,
    /// The region that requests go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Whether the caller is the account's root user.
    #[serde(default)]
    pub root: bool,
}
member!(Identity, "identity", "aws-check");

/// A stream, as `kstream` left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// The stream's name.
    pub name: StreamName,
    /// The stream's ARN.
    pub arn: StreamArn,
    /// `CREATING`, `ACTIVE`, `UPDATING` or `DELETING`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// `ON_DEMAND` or `PROVISIONED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Shards that take records now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_shards: Option<i32>,
    /// Largest record, data and partition key together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_record_size_kib: Option<i32>,
    /// How long a record can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_hours: Option<i32>,
    /// The KMS key that encrypts the stream, or null.
    #[serde(default)]
    pub kms_key: Option<String>,
}
member!(Stream, "stream", "kstream ensure");

/// A Databricks service credential, as `dbx-cred` left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// The credential's name.
    pub name: String,
    /// The credential's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The role that Databricks assumes.
    pub role_arn: RoleArn,
    /// The external ID that Databricks sends.
    pub external_id: ExternalId,
    /// The Databricks role that assumes it.
    pub unity_catalog_iam_arn: RoleArn,
    /// The workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}
member!(Credential, "credential", "dbx-cred ensure");

/// The two policy documents, as `iam-policy-gen` wrote them. Each stage of it adds one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// Who may assume the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Value>,
    /// What the role may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Value>,
}
member!(Policies, "policies", "iam-policy-gen trust");

/// An IAM role with its policy, as `iam-role` left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// The role's name.
    pub name: RoleName,
    /// The role's ARN.
    pub arn: RoleArn,
    /// The role's unique id: another one after the role is deleted and made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The customer managed policy that is attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_arn: Option<Arn>,
    /// The policy's default version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
}
member!(Role, "role", "iam-role ensure");

/// What `trust-sync` found and did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// `in-sync`, `cosmetic` or `drift`.
    pub verdict: String,
    /// Whether the live policy was written.
    #[serde(default)]
    pub changed: bool,
    /// `databricks` or `arn-like`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// Why the verdict is what it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Value>,
    /// The document that was replaced, for an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Value>,
}
member!(Trust, "trust", "trust-sync");

/// What Databricks said of the credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// `pass`, `fail`, or `unproven` where a check was skipped or none was made.
    pub verdict: String,
    /// How often Databricks was asked.
    pub attempts: u32,
    /// How long it took, waiting included.
    pub waited_ms: u64,
    /// Every check of the last answer.
    #[serde(default)]
    pub checks: Vec<Value>,
}
member!(Validation, "validation", "dbx-cred validate");

/// What `dbx-cred prove` could and could not do with the keys that Databricks hands out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// `pass`, `fail`, or `unproven` where a step could not be tried.
    pub verdict: String,
    /// Who AWS took the holder of the keys for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<Arn>,
    /// Every step, in order.
    #[serde(default)]
    pub steps: Vec<Value>,
    /// The record that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Value>,
}
member!(Proof, "proof", "dbx-cred prove");
