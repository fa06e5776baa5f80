//! Names of IAM: roles, their ARNs, policies, and the external ID of a trust policy.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{AccountId, Arn, NameError, Partition, name_of_characters, shown_as_text};

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
}

const ALPHABET: &str = "a-z A-Z 0-9 _ + = , . @ -";

name_of_characters! {
    /// A role's name: 1 to 64 characters of `[\w+=,.@-]` (IAM API model, `roleNameType`).
    RoleName, "a role name", (1, 64), is_name_character, ALPHABET
}

name_of_characters! {
    /// A managed policy's name: 1 to 128 characters of `[\w+=,.@-]` (IAM API model, `policyNameType`).
    PolicyName, "a policy name", (1, 128), is_name_character, ALPHABET
}

impl PolicyName {
    /// The name of a role's policy unless another is given: the role's with `-policy` in place of `-role`.
    pub fn of_role(role: &RoleName) -> Self {
        let stem = role.as_str().strip_suffix("-role").unwrap_or(role.as_str());
        // Both have one alphabet, and 64 characters and the ending are fewer than 128.
        Self(format!("{stem}-policy"))
    }
}

name_of_characters! {
    /// An external ID: 2 to 1224 characters of `[\w+=,.@:\/-]` (STS API model, `externalIdType`). It is not a secret:
    /// everybody who may view the role sees it.
    ExternalId, "an external ID", (2, 1224), is_external_id_character, "a-z A-Z 0-9 _ + = , . @ : / -"
}

fn is_external_id_character(character: char) -> bool {
    is_name_character(character) || ":/".contains(character)
}

impl ExternalId {
    /// What the guide writes until Databricks has given out the real one.
    pub const PLACEHOLDER: &'static str = "0000";

    /// Whether this is the guide's placeholder.
    pub fn is_placeholder(&self) -> bool {
        self.0 == Self::PLACEHOLDER
    }
}

/// A role's ARN: `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleArn {
    arn: Arn,
    account: AccountId,
    name: RoleName,
}

impl RoleArn {
    /// The ARN that a role of this name gets. It can be predicted: nothing in it is random.
    pub fn predict(partition: &Partition, account: &AccountId, name: &RoleName) -> Self {
        let text = format!("arn:{partition}:iam::{account}:role/{name}");
        // Every part was checked already, so this cannot be refused; the fallback keeps the function total.
        let arn = text.parse().unwrap_or_else(|_| unreachable!("an ARN of checked parts"));
        Self { arn, account: account.clone(), name: name.clone() }
    }

    /// The ARN as any ARN.
    pub fn arn(&self) -> &Arn {
        &self.arn
    }

    /// The ARN's text.
    pub fn as_str(&self) -> &str {
        self.arn.as_str()
    }

    /// The account that owns the role.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The role's name, without its path.
    pub fn name(&self) -> &RoleName {
        &self.name
    }

    /// The partition of the ARN.
    pub fn partition(&self) -> Partition {
        self.arn.partition()
    }

    /// The path between `role` and the name: `/` unless the role was put elsewhere.
    pub fn path(&self) -> &str {
        let path = self.arn.resource().strip_prefix("role").unwrap_or_default();
        path.strip_suffix(self.name.as_str()).unwrap_or("/")
    }
}

shown_as_text!(RoleArn);

impl FromStr for RoleArn {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        const WANTED: &str = "a role ARN";
        let shape = || {
            NameError::new(
                text,
                WANTED,
                "write one like arn:aws:iam::123456789012:role/databricks-kinesis-role",
            )
        };
        let arn: Arn = text.parse().map_err(|_| shape())?;
        if arn.service() != "iam" || !arn.region().is_empty() {
            return Err(shape());
        }
        let path = arn.resource().strip_prefix("role/").ok_or_else(shape)?;
        let name = path.rsplit('/').next().unwrap_or_default();
        let name =
            name.parse().map_err(|error: NameError| NameError::new(text, WANTED, error.to_string()))?;
        let account = arn.account().ok_or_else(shape)?;
        Ok(Self { arn, account, name })
    }
}

/// A role as people name it: by its name, or by its ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleRef {
    /// A role of the caller's account.
    Name(RoleName),
    /// A role by its ARN, path included.
    Arn(RoleArn),
}

impl RoleRef {
    /// The role's name.
    pub fn name(&self) -> &RoleName {
        match self {
            Self::Name(name) => name,
            Self::Arn(arn) => arn.name(),
        }
    }

    /// The role's ARN, when it was named by one.
    pub fn arn(&self) -> Option<&RoleArn> {
        match self {
            Self::Name(_) => None,
            Self::Arn(arn) => Some(arn),
        }
    }
}

impl std::fmt::Display for RoleRef {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name().as_str())
    }
}

impl FromStr for RoleRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.starts_with("arn:") { text.parse().map(Self::Arn) } else { text.parse().map(Self::Name) }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExternalId, PolicyName, RoleArn, RoleName, RoleRef};
    use crate::names::Partition;

    #[test]
    fn a_role_arn_keeps_its_path_and_knows_its_name() {
        let arn: RoleArn = "arn:aws:iam::123456789012:role/team/x/reader".parse().unwrap();
        assert_eq!((arn.name().as_str(), arn.path()), ("reader", "/team/x/"));
        assert_eq!(arn.as_str(), "arn:aws:iam::123456789012:role/team/x/reader");
    }

    #[test]
    fn the_arn_of_a_role_can_be_predicted() {
        let name: RoleName = "databricks-kinesis-role".parse().unwrap();
        let predicted = RoleArn::predict(&Partition::aws(), &"123456789012".parse().unwrap(), &name);
        assert_eq!(predicted.to_string().parse::<RoleArn>().unwrap(), predicted);
    }

    #[test]
    fn a_role_may_be_named_by_its_arn() {
        let by_arn: RoleRef = "arn:aws:iam::123456789012:role/team/reader".parse().unwrap();
        assert_eq!((by_arn.name().as_str(), by_arn.arn().is_some()), ("reader", true));
        let by_name: RoleRef = "reader".parse().unwrap();
        assert_eq!((by_name.to_string().as_str(), by_name.arn()), ("reader", None));
        assert!("team/reader".parse::<RoleRef>().is_err());
    }

    #[test]
    fn the_guides_policy_name_follows_from_its_roles() {
        let longest = "r".repeat(64);
        for (role, policy) in [
            ("databricks-kinesis-role", "databricks-kinesis-policy"),
            ("reader", "reader-policy"),
            ("role-reader", "role-reader-policy"),
            ("-role", "-policy"),
            (&longest, &format!("{longest}-policy")),
        ] {
            let name = PolicyName::of_role(&role.parse().unwrap());
            assert_eq!(name.as_str().parse(), Ok(name.clone()), "{role}");
            assert_eq!(name.as_str(), policy);
        }
    }

    #[test]
    fn refuses_what_is_no_role() {
        for text in [
            "databricks-kinesis-role",
            "arn:aws:iam::123456789012:user/me",
            "arn:aws:sts::123456789012:assumed-role/r/s",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::1234:role/x",
        ] {
            assert!(text.parse::<RoleArn>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_external_id_of_one_character_is_refused() {
        assert!("0000".parse::<ExternalId>().unwrap().is_placeholder());
        assert!("0".parse::<ExternalId>().is_err());
        assert!("".parse::<ExternalId>().is_err());
    }
}
