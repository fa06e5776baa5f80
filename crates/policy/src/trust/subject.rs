//! What a trust policy for Databricks is about: which role, trusting whom, under which external ID.

use thiserror::Error;

use crate::arn::{self, Arn};

/// Stands in for the external ID until Databricks has issued one. Legal for IAM, refused by Databricks' validation.
pub const PLACEHOLDER_EXTERNAL_ID: &str = "0000";

/// Shortest external ID that STS takes, in characters (STS API reference, `AssumeRole`).
pub const EXTERNAL_ID_MIN_CHARS: usize = 2;
/// Longest external ID that STS takes, in characters (STS API reference, `AssumeRole`).
pub const EXTERNAL_ID_MAX_CHARS: usize = 1224;

/// A role that Databricks is to assume. Everything in it has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustSubject {
    role_arn: String,
    unity_catalog_arn: String,
    external_id: String,
    partition: String,
    account: String,
}

/// Why no trust policy can be about this.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SubjectError {
    /// Not the ARN of a role.
    #[error("`{arn}` is not the ARN of a role; write `arn:aws:iam::ACCOUNT:role/NAME`")]
    Role {
        /// What was given.
        arn: String,
    },
    /// The role and Unity Catalog live in different partitions, which cannot trust each other.
    #[error(
        "role `{role}` is in partition `{role_partition}`, but Unity Catalog's `{master}` is in `{master_partition}`"
    )]
    Partition {
        /// The role.
        role: String,
        /// Its partition.
        role_partition: String,
        /// Unity Catalog's role.
        master: String,
        /// Its partition.
        master_partition: String,
    },
    /// Not what STS takes as an external ID.
    #[error("external ID `{text}` is not one that STS takes: 2 to 1224 letters, digits and `_+=,.@:/-`")]
    ExternalId {
        /// What was given.
        text: String,
    },
}

impl TrustSubject {
    /// A role by its ARN (path included), the Unity Catalog role that is to assume it, and the external ID it must send.
    ///
    /// # Errors
    /// When an ARN is not that of a role, the two are in different partitions, or STS would refuse the external ID.
    pub fn new(role_arn: &str, unity_catalog_arn: &str, external_id: &str) -> Result<Self, SubjectError> {
        let role = role(role_arn)?;
        let master = self::role(unity_catalog_arn)?;
        if role.partition != master.partition {
            return Err(SubjectError::Partition {
                role: role_arn.to_owned(),
                role_partition: role.partition.to_owned(),
                master: unity_catalog_arn.to_owned(),
                master_partition: master.partition.to_owned(),
            });
        }
        if !is_external_id(external_id) {
            return Err(SubjectError::ExternalId { text: external_id.to_owned() });
        }
        Ok(Self {
            role_arn: role_arn.to_owned(),
            unity_catalog_arn: unity_catalog_arn.to_owned(),
            external_id: external_id.to_owned(),
            partition: role.partition.to_owned(),
            account: role.account.to_owned(),
        })
    }

    /// The role's ARN, path included.
    pub fn role_arn(&self) -> &str {
        &self.role_arn
    }

    /// The Unity Catalog role that assumes it.
    pub fn unity_catalog_arn(&self) -> &str {
        &self.unity_catalog_arn
    }

    /// The external ID that Unity Catalog sends.
    pub fn external_id(&self) -> &str {
        &self.external_id
    }

    /// The partition of both roles.
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// The account of the role.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Whether the external ID is still the placeholder.
    pub fn has_placeholder(&self) -> bool {
        self.external_id == PLACEHOLDER_EXTERNAL_ID
    }

    /// The root of the role's account.
    pub fn account_root(&self) -> String {
        format!("arn:{}:iam::{}:root", self.partition, self.account)
    }
}

/// Whether STS takes `text` as an external ID.
pub fn is_external_id(text: &str) -> bool {
    (EXTERNAL_ID_MIN_CHARS..=EXTERNAL_ID_MAX_CHARS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&byte))
}

fn role(text: &str) -> Result<Arn<'_>, SubjectError> {
    Arn::split(text)
        .filter(|arn| arn.service == "iam" && arn.region.is_empty() && arn::is_account(arn.account))
        .filter(|arn| {
            let name = arn.resource.strip_prefix("role/").unwrap_or_default();
            !name.is_empty() && !name.ends_with('/') && !name.contains(['*', '?', ':', ' '])
        })
        .ok_or_else(|| SubjectError::Role { arn: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/team/databricks-kinesis-role";
    const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";

    #[test]
    fn a_subject_knows_its_account() {
        let subject = TrustSubject::new(ROLE, MASTER, "0000").unwrap();
        assert_eq!((subject.partition(), subject.account()), ("aws", "123456789012"));
        assert_eq!(subject.account_root(), "arn:aws:iam::123456789012:root");
        assert!(subject.has_placeholder());
    }

    #[test]
    fn what_cannot_work_is_refused() {
        for role in [
            "",
            "databricks-kinesis-role",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::123456789012:root",
        ] {
            assert_eq!(
                TrustSubject::new(role, MASTER, "0000"),
                Err(SubjectError::Role { arn: role.to_owned() })
            );
        }
        for id in ["", "0", "a b", "blüte", "x\"y"] {
            assert_eq!(
                TrustSubject::new(ROLE, MASTER, id),
                Err(SubjectError::ExternalId { text: id.to_owned() })
            );
        }
        let gov = "arn:aws-us-gov:iam::044793339203:role/unity-catalog-prod-UCMasterRole-1QRFA8SGY15OJ";
        assert!(matches!(TrustSubject::new(ROLE, gov, "0000"), Err(SubjectError::Partition { .. })));
    }
}
