//! What an account may have, with the defaults of the IAM quotas page.

use crate::error::ServiceError;

/// The quotas of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quotas {
    /// Characters in a trust policy. 2048 by default, up to 8192 on request.
    pub trust_policy_size: usize,
    /// Characters in one version of a managed policy, white space not counted.
    pub policy_size: usize,
    /// Characters in all inline policies of a role together, white space not counted.
    pub role_inline_size: usize,
    /// Versions of one managed policy.
    pub versions_per_policy: usize,
    /// Managed policies attached to one role.
    pub policies_per_role: usize,
    /// Roles in the account.
    pub roles: usize,
    /// Managed policies in the account.
    pub policies: usize,
    /// Tags on one thing.
    pub tags: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            trust_policy_size: 2048,
            policy_size: 6144,
            role_inline_size: 10_240,
            versions_per_policy: 5,
            policies_per_role: 10,
            roles: 1000,
            policies: 1500,
            tags: 50,
        }
    }
}

/// Refuses what goes over a quota, in AWS's words.
pub(crate) fn check(name: &str, wanted: usize, quota: usize) -> Result<(), ServiceError> {
    if wanted <= quota {
        return Ok(());
    }
    Err(ServiceError::new(409, "LimitExceeded", format!("Cannot exceed quota for {name}: {quota}")))
}

/// How long a policy is for a quota: white space outside of it does not count.
pub(crate) fn policy_length(document: &str) -> usize {
    document.chars().filter(|letter| !letter.is_whitespace()).count()
}
