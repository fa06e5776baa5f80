//! What a workspace tells about itself: host metadata, metastore, and who the caller is.

use serde::Serialize;

use super::options::Options;
use super::principal::{ACCOUNT_USERS, Principal, PrincipalKind};

/// `GET /.well-known/databricks-config`: what a client can learn before it logs in.
#[derive(Debug, Serialize)]
pub(super) struct HostMetadata {
    oidc_endpoint: String,
    account_id: String,
    workspace_id: String,
    cloud: &'static str,
    host_type: &'static str,
    token_federation_default_oidc_audiences: [String; 1],
}

impl HostMetadata {
    pub(super) fn of(options: &Options) -> Self {
        Self {
            oidc_endpoint: format!("{}/oidc", options.host),
            account_id: options.account_id.clone(),
            workspace_id: options.workspace_id.to_string(),
            cloud: "AWS",
            host_type: "workspace",
            token_federation_default_oidc_audiences: [format!("{}/oidc/v1/token", options.host)],
        }
    }
}

/// `GET …/current-metastore-assignment`.
#[derive(Debug, Serialize)]
pub(super) struct Assignment {
    workspace_id: u64,
    metastore_id: String,
    default_catalog_name: &'static str,
}

impl Assignment {
    pub(super) fn of(options: &Options) -> Self {
        Self {
            workspace_id: options.workspace_id,
            metastore_id: options.metastore_id.clone(),
            default_catalog_name: "workspace",
        }
    }
}

/// `GET …/metastore_summary`.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    metastore_id: String,
    name: String,
    cloud: &'static str,
    region: String,
    global_metastore_id: String,
    owner: String,
    privilege_model_version: &'static str,
    external_access_enabled: bool,
}

impl Summary {
    pub(super) fn of(options: &Options) -> Self {
        Self {
            metastore_id: options.metastore_id.clone(),
            name: options.metastore_name.clone(),
            cloud: "aws",
            region: options.region.clone(),
            global_metastore_id: format!("aws:{}:{}", options.region, options.metastore_id),
            owner: options.admin.name.clone(),
            privilege_model_version: "1.0",
            external_access_enabled: false,
        }
    }
}

/// `GET /api/2.0/preview/scim/v2/Me`, in SCIM's spelling.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Me {
    schemas: [&'static str; 1],
    id: String,
    user_name: String,
    display_name: String,
    active: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    emails: Vec<Email>,
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Email {
    value: String,
    primary: bool,
}

#[derive(Debug, Serialize)]
struct Group {
    display: String,
}

impl Me {
    pub(super) fn of(principal: &Principal) -> Self {
        let emails = match principal.kind {
            PrincipalKind::User => vec![Email { value: principal.name.clone(), primary: true }],
            PrincipalKind::ServicePrincipal { .. } => Vec::new(),
        };
        let groups = principal.groups.iter().map(String::as_str).chain([ACCOUNT_USERS]);
        Self {
            schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
            id: numeric_id(&principal.name),
            user_name: principal.name.clone(),
            display_name: principal.display_name.clone(),
            active: true,
            emails,
            groups: groups.map(|group| Group { display: group.to_owned() }).collect(),
        }
    }
}

/// A number that stays the same for a name (FNV-1a), since SCIM ids in a workspace are numbers.
fn numeric_id(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 11).to_string()
}
