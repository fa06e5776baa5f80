//! What a workspace is set up with.

use uuid::Uuid;

use super::principal::Principal;
use super::settings::Settings;
use crate::clock::Clock;
use crate::iam::UNITY_CATALOG_MASTER_ROLE;

/// Everything about a workspace that does not change while it runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address that clients use, without a trailing slash.
    pub host: String,
    /// The Databricks account, a UUID.
    pub account_id: String,
    /// The workspace's number.
    pub workspace_id: u64,
    /// The metastore the workspace is assigned to, a UUID.
    pub metastore_id: String,
    /// Its name, as error messages give it.
    pub metastore_name: String,
    /// The AWS region of workspace and metastore.
    pub region: String,
    /// The role that credentials name as the one to trust.
    pub unity_catalog_iam_arn: String,
    /// The person whose token the sandbox exports: metastore admin.
    pub admin: Principal,
    /// A service principal with the same rights, for OAuth logins.
    pub automation: Principal,
    /// A service principal that was granted nothing.
    pub stranger: Principal,
    /// Groups that can be granted something, beside those of the principals.
    pub groups: Vec<String>,
    /// How it behaves at the start.
    pub settings: Settings,
    /// The sandbox's clock.
    pub clock: Clock,
}

impl Options {
    /// A workspace in `region` that answers at `host`, with fresh ids and secrets.
    pub fn new(host: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            account_id: Uuid::new_v4().to_string(),
            workspace_id: 1_234_567_890_123_456,
            metastore_id: Uuid::new_v4().to_string(),
            metastore_name: "main".to_owned(),
            region: region.into(),
            unity_catalog_iam_arn: UNITY_CATALOG_MASTER_ROLE.to_owned(),
            admin: Principal::user("me@example.com").as_metastore_admin(),
            automation: Principal::service_principal("automation").as_metastore_admin(),
            stranger: Principal::service_principal("stranger"),
            groups: vec!["admins".to_owned(), "data-engineers".to_owned(), "data-platform".to_owned()],
            settings: Settings::default(),
            clock: Clock::system(),
        }
    }
}
