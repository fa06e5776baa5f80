//! The Unity Catalog API's own JSON: what is sent, and what is read of the answers.
//!
//! Databricks leaves out any field it has no value for, so everything that is read is optional here; the caller says what
//! it cannot do without.

use serde::{Deserialize, Serialize};

/// What a service credential is for.
pub const SERVICE: &str = "SERVICE";

/// The role inside a request. Databricks refuses the output fields in an update, so there are none.
#[derive(Debug, Serialize)]
pub struct RoleInput<'a> {
    /// The role that Databricks will assume.
    pub role_arn: &'a str,
}

/// `POST credentials`.
#[derive(Debug, Serialize)]
pub struct Create<'a> {
    /// The credential's name.
    pub name: &'a str,
    /// [`SERVICE`].
    pub purpose: &'static str,
    /// The role.
    pub aws_iam_role: RoleInput<'a>,
    /// A sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<&'a str>,
    /// The role need not be there yet: `dbx-cred validate` asks when it is.
    pub skip_validation: bool,
}

/// `PATCH credentials/{name}`: only what changes.
#[derive(Debug, Default, Serialize)]
pub struct Update<'a> {
    /// Another role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_iam_role: Option<RoleInput<'a>>,
    /// Another comment; empty removes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<&'a str>,
    /// Another isolation mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation_mode: Option<&'a str>,
    /// Also when something depends on the credential.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// As in [`Create`].
    pub skip_validation: bool,
}

/// The role inside an answer.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RoleInfo {
    /// The role that Databricks assumes.
    #[serde(default)]
    pub role_arn: Option<String>,
    /// The Databricks role that assumes it.
    #[serde(default)]
    pub unity_catalog_iam_arn: Option<String>,
    /// What Databricks sends along.
    #[serde(default)]
    pub external_id: Option<String>,
}

/// A credential as Databricks describes it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Info {
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its id.
    #[serde(default)]
    pub id: Option<String>,
    /// `SERVICE` or `STORAGE`.
    #[serde(default)]
    pub purpose: Option<String>,
    /// Its role, on AWS.
    #[serde(default)]
    pub aws_iam_role: Option<RoleInfo>,
    /// A sentence for people.
    #[serde(default)]
    pub comment: Option<String>,
    /// Who may change it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Whether all workspaces may use it.
    #[serde(default)]
    pub isolation_mode: Option<String>,
    /// When it was made, in milliseconds since 1970.
    #[serde(default)]
    pub created_at: Option<i64>,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<String>,
    /// When it was changed, in milliseconds since 1970.
    #[serde(default)]
    pub updated_at: Option<i64>,
    /// Who changed it.
    #[serde(default)]
    pub updated_by: Option<String>,
}

/// One page of `GET credentials`.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// The credentials; a page may have none and not be the last.
    #[serde(default)]
    pub credentials: Vec<Info>,
    /// Absent or empty on the last page.
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// `POST validate-credentials`.
#[derive(Debug, Serialize)]
pub struct Validate<'a> {
    /// The credential's name.
    pub credential_name: &'a str,
    /// [`SERVICE`].
    pub purpose: &'static str,
}

/// The answer of `validate-credentials`.
#[derive(Debug, Deserialize)]
pub struct Validated {
    /// The checks; none at all proves nothing.
    #[serde(default)]
    pub results: Vec<CheckResult>,
}

/// One check.
#[derive(Clone, Debug, Deserialize)]
pub struct CheckResult {
    /// `PASS`, `FAIL` or `SKIP`.
    #[serde(default)]
    pub result: Option<String>,
    /// Why it did not pass.
    #[serde(default)]
    pub message: Option<String>,
    /// Which check. Databricks' own pages read it, the published API does not promise it.
    #[serde(default)]
    pub configuration_operation: Option<String>,
    /// The same by another name.
    #[serde(default)]
    pub operation: Option<String>,
}

/// `POST temporary-service-credentials`.
#[derive(Debug, Serialize)]
pub struct Vend<'a> {
    /// The credential's name.
    pub credential_name: &'a str,
}

/// The answer of `temporary-service-credentials`. It holds keys, so it has no `Debug`.
#[derive(Deserialize)]
pub struct Vended {
    /// The keys, on AWS.
    #[serde(default)]
    pub aws_temp_credentials: Option<VendedKeys>,
    /// When they expire, in milliseconds since 1970.
    #[serde(default)]
    pub expiration_time: Option<i64>,
}

/// The keys. They have no `Debug`.
#[derive(Deserialize)]
pub struct VendedKeys {
    /// The key's id.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
    /// The session.
    pub session_token: String,
}

/// `PATCH permissions/credential/{name}`.
#[derive(Debug, Serialize)]
pub struct ChangeGrants<'a> {
    /// One entry a principal.
    pub changes: Vec<ChangeGrant<'a>>,
}

/// What changes for one principal.
#[derive(Debug, Serialize)]
pub struct ChangeGrant<'a> {
    /// A user's email, a group's name, or a service principal's application id.
    pub principal: &'a str,
    /// Privileges to give.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<&'static str>,
    /// Privileges to take.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<&'static str>,
}

/// `GET permissions/credential/{name}`: one page.
#[derive(Debug, Deserialize)]
pub struct Grants {
    /// One entry a principal.
    #[serde(default)]
    pub privilege_assignments: Vec<Grant>,
    /// Absent or empty on the last page.
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// What one principal holds.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Grant {
    /// Who.
    #[serde(default)]
    pub principal: String,
    /// What.
    #[serde(default)]
    pub privileges: Vec<String>,
}

/// `PATCH bindings/credential/{name}`.
#[derive(Debug, Default, Serialize)]
pub struct ChangeBindings {
    /// Workspaces to bind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<Binding>,
    /// Workspaces to unbind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<Binding>,
}

/// `GET bindings/credential/{name}`.
#[derive(Debug, Deserialize)]
pub struct Bindings {
    /// The bound workspaces.
    #[serde(default)]
    pub bindings: Vec<Binding>,
    /// Absent or empty on the last page.
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// A workspace that may use an isolated credential.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Binding {
    /// The workspace's number.
    pub workspace_id: u64,
    /// What it may do.
    #[serde(default = "read_write")]
    pub binding_type: String,
}

/// The binding that lets a workspace use the credential.
pub fn read_write() -> String {
    "BINDING_TYPE_READ_WRITE".to_owned()
}

/// All workspaces of the metastore may use the credential.
pub const OPEN: &str = "ISOLATION_MODE_OPEN";
/// Only bound workspaces may.
pub const ISOLATED: &str = "ISOLATION_MODE_ISOLATED";

/// `GET current-metastore-assignment`.
#[derive(Debug, Deserialize)]
pub struct Assignment {
    /// The workspace's number.
    #[serde(default)]
    pub workspace_id: Option<u64>,
}

/// `GET metastore_summary`.
#[derive(Debug, Deserialize)]
pub struct MetastoreSummary {
    /// The AWS region of metastore and workspace.
    #[serde(default)]
    pub region: Option<String>,
}

/// `GET Me`.
#[derive(Debug, Deserialize)]
pub struct Me {
    /// The user's email, or the service principal's application id.
    #[serde(default, rename = "userName")]
    pub user_name: Option<String>,
}

/// `GET /.well-known/databricks-config`: what a host tells before anybody logs in.
#[derive(Debug, Default, Deserialize)]
pub struct HostMetadata {
    /// The Databricks account.
    #[serde(default)]
    pub account_id: Option<String>,
    /// The workspace's number, as text.
    #[serde(default)]
    pub workspace_id: Option<String>,
    /// `AWS`, …
    #[serde(default)]
    pub cloud: Option<String>,
    /// The audiences that identity tokens are best asked for.
    #[serde(default)]
    pub token_federation_default_oidc_audiences: Vec<String>,
}
