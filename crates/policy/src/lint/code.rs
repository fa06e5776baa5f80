//! The codes of findings, and how bad each of them is.

use std::fmt;

use serde::{Serialize, Serializer};

/// How bad a finding is. Ordered: the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Could be written better.
    Suggestion,
    /// Probably not what was meant.
    Warning,
    /// Lets somebody in, or do more, than is wise.
    Security,
    /// IAM refuses it, or it can never have its effect.
    Error,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $severity:ident $text:literal)+) => {
        /// Kinds of mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name),+ }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code in output.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// How bad a mistake of this kind is.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),+ }
            }
        }
    };
}

codes! {
    /// No statement at all.
    NoStatement Error "no-statement"
    /// A version that IAM does not know.
    UnknownVersion Error "unknown-version"
    /// No version, or the old one, with variables that it does not replace.
    VariablesNotReplaced Error "variables-not-replaced"
    /// No version, or the old one.
    OldVersion Suggestion "old-version"
    /// A member that IAM does not know.
    UnknownMember Error "unknown-member"
    /// Two statements with one name.
    DuplicateSid Error "duplicate-sid"
    /// A statement's name with other characters than letters and digits.
    SidCharacters Error "sid-characters"
    /// A character that the IAM API does not take.
    ForbiddenCharacter Error "forbidden-character"
    /// Too long for any quota.
    TooLong Error "too-long"
    /// Longer than the quota that accounts start with.
    OverQuota Warning "over-quota"
    /// A list without an item.
    EmptyList Warning "empty-list"
    /// An action without a service in front.
    ActionSyntax Error "action-syntax"
    /// An action that the service does not have.
    UnknownAction Warning "unknown-action"
    /// A principal where none may stand, or none where one must.
    PrincipalMisplaced Error "principal-misplaced"
    /// A resource where none may stand, or none where one must.
    ResourceMisplaced Error "resource-misplaced"
    /// A condition operator that IAM does not know.
    UnknownOperator Error "unknown-operator"
    /// A condition key that its service does not have.
    UnknownConditionKey Warning "unknown-condition-key"
    /// A value that the operator cannot compare with anything.
    ConditionValue Warning "condition-value"
    /// A principal of a form that IAM does not take.
    InvalidPrincipal Error "invalid-principal"
    /// A wildcard inside a principal: it matches nobody.
    WildcardInPrincipal Error "wildcard-in-principal"
    /// The id of a deleted role or user: it matches nobody, a namesake included.
    DeadPrincipal Error "dead-principal"
    /// Principals of different partitions.
    PartitionMismatch Error "partition-mismatch"
    /// An action that a trust policy cannot grant.
    NotATrustAction Error "not-a-trust-action"
    /// Anybody may assume the role.
    EveryonePrincipal Security "everyone-principal"
    /// A whole foreign account is trusted where one role would do.
    ForeignRoot Security "foreign-root"
    /// `NotPrincipal`, which trusts whom nobody thought of.
    NotPrincipal Security "not-principal"
    /// A foreign account is trusted without an external ID.
    MissingExternalId Security "missing-external-id"
    /// The placeholder stands where Databricks' external ID belongs.
    PlaceholderExternalId Security "placeholder-external-id"
    /// The external ID is compared in a way that lets others pass.
    LooseExternalId Security "loose-external-id"
    /// An external ID that STS never passes on.
    InvalidExternalId Warning "invalid-external-id"
    /// A resource that is no ARN.
    ResourceSyntax Error "resource-syntax"
    /// An action whose kind of resource is not among the statement's resources.
    ActionResourceMismatch Warning "action-resource-mismatch"
    /// An action that knows no resource but `*`.
    ActionNeedsStar Warning "action-needs-star"
    /// A resource that none of the statement's actions acts on.
    UnusedResource Warning "unused-resource"
    /// Everything is allowed.
    AllowsEverything Security "allows-everything"
    /// Every action of a service is allowed.
    AllowsService Security "allows-service"
    /// Any role may be assumed that lets the caller in.
    AssumesAnyRole Security "assumes-any-role"
    /// All actions but some are allowed, those of tomorrow included.
    AllowsNotAction Security "allows-not-action"
    /// All resources but some are allowed, those of tomorrow included.
    AllowsNotResource Security "allows-not-resource"
    /// A refusal in the same document takes back everything that a statement grants.
    Unreachable Warning "unreachable"
    /// Another statement of the document says the same or more.
    Redundant Suggestion "redundant"
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Severity {
    /// The word in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suggestion => "suggestion",
            Self::Warning => "warning",
            Self::Security => "security",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
