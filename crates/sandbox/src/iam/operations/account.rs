//! The account's own numbers: what is there, and how much may be.

use super::super::store::Call;
use crate::error::ServiceError;
use crate::query::Xml;

#[expect(clippy::unnecessary_wraps, reason = "an operation is a function that may fail")]
pub(super) fn summary(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    let quotas = call.state.settings.quotas.clone();
    let account = call.account();
    let mut entries = [
        ("AccountMFAEnabled", 0),
        ("AssumeRolePolicySizeQuota", quotas.trust_policy_size),
        ("AttachedPoliciesPerRoleQuota", quotas.policies_per_role),
        ("Policies", account.policies.len()),
        ("PoliciesQuota", quotas.policies),
        ("PolicySizeQuota", quotas.policy_size),
        ("RolePolicySizeQuota", quotas.role_inline_size),
        ("Roles", account.roles.len()),
        ("RolesQuota", quotas.roles),
        ("Users", account.users.len()),
        ("VersionsPerPolicyQuota", quotas.versions_per_policy),
    ];
    entries.sort_unstable();
    let mut xml = Xml::new();
    xml.element("SummaryMap", |xml| {
        for (key, value) in entries {
            xml.element("entry", |xml| {
                xml.text("key", key).text("value", value);
            });
        }
    });
    Ok(xml)
}
