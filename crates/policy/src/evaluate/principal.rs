//! Who makes a request, and which names in a policy mean them.

use std::fmt;

use thiserror::Error;

use super::Via;
use crate::arn::{self, Arn};
use crate::statement::{NamedPrincipal, PrincipalKind};

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// The root user of an account.
    Root {
        /// Such as `aws`.
        partition: String,
        /// Twelve digits.
        account: String,
    },
    /// An IAM user.
    User {
        /// `arn:aws:iam::123456789012:user/path/name`.
        arn: String,
        /// The unique id, `AIDA…`, when it is known.
        id: Option<String>,
    },
    /// A session of a role.
    Session {
        /// The role's ARN, path included.
        role_arn: String,
        /// The role's unique id, `AROA…`, when it is known.
        role_id: Option<String>,
        /// `arn:aws:sts::123456789012:assumed-role/role/session`.
        session_arn: String,
    },
    /// A session from `GetFederationToken`.
    FederatedUser {
        /// `arn:aws:sts::123456789012:federated-user/name`.
        arn: String,
    },
    /// An AWS service.
    Service {
        /// Such as `ec2.amazonaws.com`.
        name: String,
    },
    /// A request without a signature.
    Anonymous,
}

/// A text that names nobody who could make a request.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` names no principal; write an ARN such as `arn:aws:iam::123456789012:role/NAME`")]
pub struct PrincipalError {
    text: String,
}

/// The session name used where a role's ARN stands for one of its sessions.
const ANY_SESSION: &str = "session";

impl Principal {
    /// Reads who is meant by an ARN, an account id (its root), a service's name, or `*` (a request without a signature).
    ///
    /// A role's ARN stands for a session of that role. A session's ARN does not carry the role's path: for a role with one,
    /// use [`Principal::session`].
    ///
    /// # Errors
    /// When the text is none of these.
    pub fn from_arn(text: &str) -> Result<Self, PrincipalError> {
        let fault = || PrincipalError { text: text.to_owned() };
        if text == "*" {
            return Ok(Self::Anonymous);
        }
        if arn::is_account(text) {
            return Ok(Self::Root { partition: "aws".to_owned(), account: text.to_owned() });
        }
        let Some(parts) = Arn::split(text) else {
            return if is_service(text) { Ok(Self::Service { name: text.to_owned() }) } else { Err(fault()) };
        };
        if !arn::is_account(parts.account) || text.contains(['*', '?']) {
            return Err(fault());
        }
        let (kind, name) = parts.resource.split_once('/').unwrap_or((parts.resource, ""));
        match (parts.service, kind) {
            ("iam", "root") if name.is_empty() => {
                Ok(Self::Root { partition: parts.partition.to_owned(), account: parts.account.to_owned() })
            }
            ("iam", "user") if !name.is_empty() => Ok(Self::User { arn: text.to_owned(), id: None }),
            ("iam", "role") if !name.is_empty() => Ok(Self::session(text, None, ANY_SESSION)),
            ("sts", "assumed-role") => match name.split_once('/') {
                Some((role, session)) if !role.is_empty() && !session.is_empty() => {
                    let role_arn = format!("arn:{}:iam::{}:role/{role}", parts.partition, parts.account);
                    Ok(Self::session(&role_arn, None, session))
                }
                _ => Err(fault()),
            },
            ("sts", "federated-user") if !name.is_empty() => Ok(Self::FederatedUser { arn: text.to_owned() }),
            _ => Err(fault()),
        }
    }

    /// A session of the role `role_arn`, whose unique id is given when it is known.
    pub fn session(role_arn: &str, role_id: Option<&str>, session_name: &str) -> Self {
        let parts = Arn::split(role_arn);
        let (partition, account) = parts.map_or(("aws", ""), |arn| (arn.partition, arn.account));
        // Sessions drop the role's path.
        let role = role_arn.rsplit('/').next().unwrap_or_default();
        Self::Session {
            role_arn: role_arn.to_owned(),
            role_id: role_id.map(str::to_owned),
            session_arn: format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session_name}"),
        }
    }

    /// The ARN that `GetCallerIdentity` would show; `None` for services and requests without a signature.
    pub fn arn(&self) -> Option<String> {
        match self {
            Self::Root { partition, account } => Some(format!("arn:{partition}:iam::{account}:root")),
            Self::User { arn, .. } | Self::FederatedUser { arn } => Some(arn.clone()),
            Self::Session { session_arn, .. } => Some(session_arn.clone()),
            Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// The account the principal belongs to; `None` for services and requests without a signature.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Root { account, .. } => Some(account),
            Self::User { arn, .. } | Self::FederatedUser { arn } | Self::Session { role_arn: arn, .. } => {
                Arn::split(arn).map(|parts| parts.account)
            }
            Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// The partition the principal belongs to; `None` for services and requests without a signature.
    pub fn partition(&self) -> Option<&str> {
        match self {
            Self::Root { partition, .. } => Some(partition),
            Self::User { arn, .. } | Self::FederatedUser { arn } | Self::Session { role_arn: arn, .. } => {
                Arn::split(arn).map(|parts| parts.partition)
            }
            Self::Service { .. } | Self::Anonymous => None,
        }
    }

    /// How a name in a policy means this principal, or `None` when it means somebody else.
    ///
    /// A wildcard inside an ARN matches nobody: IAM takes only a bare `*`.
    pub(super) fn named_by(&self, named: &NamedPrincipal<'_>) -> Option<Via> {
        match named.kind {
            PrincipalKind::Aws => self.named_by_aws(named.value),
            PrincipalKind::Service => {
                matches!(self, Self::Service { name } if *name == named.value).then_some(Via::Direct)
            }
            PrincipalKind::Federated | PrincipalKind::CanonicalUser | PrincipalKind::Other(_) => None,
        }
    }

    fn named_by_aws(&self, value: &str) -> Option<Via> {
        if value == "*" {
            return Some(Via::Everyone);
        }
        let direct = match self {
            Self::Root { .. } | Self::FederatedUser { .. } => self.arn().is_some_and(|arn| arn == value),
            Self::User { arn, id } => arn == value || id.as_deref() == Some(value),
            Self::Session { role_arn, role_id, session_arn } => {
                role_arn == value || session_arn == value || role_id.as_deref() == Some(value)
            }
            Self::Service { .. } | Self::Anonymous => false,
        };
        if direct {
            return Some(Via::Direct);
        }
        let same_account = if arn::is_account(value) {
            self.account() == Some(value)
        } else {
            Arn::split(value).is_some_and(|root| {
                root.is_root()
                    && self.account() == Some(root.account)
                    && self.partition() == Some(root.partition)
            })
        };
        match (same_account, self) {
            (true, Self::Root { .. }) => Some(Via::Direct),
            (true, _) => Some(Via::Account),
            (false, _) => None,
        }
    }

    /// The condition keys that follow from who is calling.
    pub(super) fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = Vec::new();
        if let Some(account) = self.account() {
            keys.push(("aws:PrincipalAccount", account.to_owned()));
        }
        let kind = match self {
            Self::Root { account, .. } => {
                keys.push(("aws:userid", account.clone()));
                "Account"
            }
            Self::User { arn, id } => {
                keys.extend(id.clone().map(|id| ("aws:userid", id)));
                keys.extend(arn.rsplit('/').next().map(|name| ("aws:username", name.to_owned())));
                "User"
            }
            Self::Session { role_id, session_arn, .. } => {
                let session = session_arn.rsplit('/').next().unwrap_or_default();
                keys.extend(role_id.as_ref().map(|id| ("aws:userid", format!("{id}:{session}"))));
                "AssumedRole"
            }
            Self::FederatedUser { arn } => {
                let name = arn.rsplit('/').next().unwrap_or_default();
                keys.push(("aws:userid", format!("{}:{name}", self.account().unwrap_or_default())));
                "FederatedUser"
            }
            Self::Service { name } => {
                keys.push(("aws:PrincipalServiceName", name.clone()));
                "Service"
            }
            Self::Anonymous => "Anonymous",
        };
        keys.push(("aws:PrincipalType", kind.to_owned()));
        keys.push(("aws:PrincipalIsAWSService", matches!(self, Self::Service { .. }).to_string()));
        // For a session this is the role's ARN, not the session's.
        let arn = if let Self::Session { role_arn, .. } = self { Some(role_arn.clone()) } else { self.arn() };
        keys.extend(arn.map(|arn| ("aws:PrincipalArn", arn)));
        keys
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root { account, .. } => write!(formatter, "the root user of account `{account}`"),
            Self::User { arn, .. } | Self::FederatedUser { arn } => write!(formatter, "`{arn}`"),
            Self::Session { role_arn, .. } => write!(formatter, "a session of `{role_arn}`"),
            Self::Service { name } => write!(formatter, "the service `{name}`"),
            Self::Anonymous => formatter.write_str("an unsigned request"),
        }
    }
}

fn is_service(text: &str) -> bool {
    let host = text.strip_suffix(".amazonaws.com").or_else(|| text.strip_suffix(".amazonaws.com.cn"));
    host.is_some_and(|name| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(principal: &str, value: &str) -> Option<Via> {
        let named = NamedPrincipal { kind: PrincipalKind::Aws, value, pointer: String::new() };
        Principal::from_arn(principal).unwrap().named_by(&named)
    }

    #[test]
    fn who_a_name_means() {
        let role = "arn:aws:iam::123456789012:role/reader";
        let session = "arn:aws:sts::123456789012:assumed-role/reader/me";
        for (principal, value, expected) in [
            (role, role, Some(Via::Direct)),
            (session, role, Some(Via::Direct)),
            (session, session, Some(Via::Direct)),
            (session, "arn:aws:sts::123456789012:assumed-role/reader/you", None),
            (role, "123456789012", Some(Via::Account)),
            (role, "arn:aws:iam::123456789012:root", Some(Via::Account)),
            (role, "arn:aws-us-gov:iam::123456789012:root", None),
            (role, "arn:aws:iam::210987654321:root", None),
            (role, "arn:aws:iam::123456789012:role/*", None),
            (role, "arn:aws:iam::123456789012:*", None),
            (role, "arn:aws:iam::123456789012:role/Reader", None),
            (role, "*", Some(Via::Everyone)),
            ("123456789012", "arn:aws:iam::123456789012:root", Some(Via::Direct)),
            ("arn:aws:iam::123456789012:user/ana", "arn:aws:iam::123456789012:user/ana", Some(Via::Direct)),
            ("ec2.amazonaws.com", "ec2.amazonaws.com", None),
        ] {
            assert_eq!(named(principal, value), expected, "{principal} by {value}");
        }
    }

    #[test]
    fn a_unique_id_means_only_the_role_that_has_it() {
        let role = "arn:aws:iam::123456789012:role/reader";
        let named =
            NamedPrincipal { kind: PrincipalKind::Aws, value: "AROAEXAMPLE1", pointer: String::new() };
        assert_eq!(Principal::session(role, Some("AROAEXAMPLE1"), "s").named_by(&named), Some(Via::Direct));
        assert_eq!(Principal::session(role, Some("AROAEXAMPLE2"), "s").named_by(&named), None);
        assert_eq!(Principal::session(role, None, "s").named_by(&named), None);
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for text in [
            "",
            "reader",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/*",
            "arn:aws:iam::12:role/x",
            "arn:aws:sts::123456789012:assumed-role/reader",
            "arn:aws:kinesis:eu-central-1:123456789012:stream/s",
        ] {
            assert!(Principal::from_arn(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_session_drops_the_path_of_its_role() {
        let session = Principal::session("arn:aws-us-gov:iam::123456789012:role/a/b/reader", None, "me");
        assert_eq!(session.arn().unwrap(), "arn:aws-us-gov:sts::123456789012:assumed-role/reader/me");
    }
}
