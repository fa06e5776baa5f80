//! The role under which Unity Catalog calls, in each AWS partition that Databricks runs in.

/// A partition as Databricks names it. GovCloud holds two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatabricksPartition {
    /// Commercial AWS.
    Aws,
    /// GovCloud.
    AwsUsGov,
    /// GovCloud, for the Department of Defense.
    AwsUsGovDod,
}

impl DatabricksPartition {
    /// Every partition that Databricks has published a role for. There is none for `aws-cn`.
    pub const ALL: [Self; 3] = [Self::Aws, Self::AwsUsGov, Self::AwsUsGovDod];

    /// The partition with this name; `None` for names that Databricks does not use.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|partition| partition.name() == name)
    }

    /// The name that Databricks' Terraform provider takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsUsGovDod => "aws-us-gov-dod",
        }
    }

    /// The partition in its ARNs.
    pub fn arn_partition(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov | Self::AwsUsGovDod => "aws-us-gov",
        }
    }

    /// The Unity Catalog role to trust before a credential says which one it is.
    ///
    /// Source: `aws/constants.go` of the Databricks Terraform provider. Once a credential exists its own
    /// `unity_catalog_iam_arn` is the better source.
    pub fn unity_catalog_role(self) -> &'static str {
        match self {
            Self::Aws => "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL",
            Self::AwsUsGov => {
                "arn:aws-us-gov:iam::044793339203:role/unity-catalog-prod-UCMasterRole-1QRFA8SGY15OJ"
            }
            Self::AwsUsGovDod => {
                "arn:aws-us-gov:iam::170661010020:role/unity-catalog-prod-UCMasterRole-1DI6DL6ZP26AS"
            }
        }
    }
}

/// Whether `arn` is one of the published Unity Catalog roles.
pub(crate) fn is_unity_catalog_role(arn: &str) -> bool {
    DatabricksPartition::ALL.into_iter().any(|partition| partition.unity_catalog_role() == arn)
}
