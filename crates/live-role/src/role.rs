//! A role with its trust policy.

use std::collections::BTreeMap;

use aws_sdk_iam::types::Role;
use config::Fault;
use config::names::{Arn, RoleArn, RoleName, RoleRef};
use policy::Document;

use crate::account::{Iam, is_missing};
use crate::encoding;

/// A role as IAM shows it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveRole {
    /// Its ARN, path included.
    pub arn: RoleArn,
    /// Its unique id: another one after the role is deleted and made again.
    pub id: String,
    /// Who may assume it.
    pub trust: Document,
    /// The permissions boundary, if it has one.
    pub boundary: Option<Arn>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl LiveRole {
    /// The role's name in the spelling that STS wants.
    pub fn name(&self) -> &RoleName {
        self.arn.name()
    }

    /// Refuses to take this role for another one: a name is the same in every account, an ARN is not.
    ///
    /// # Errors
    /// A usage fault when `asked` is an ARN, and not this role's.
    pub fn check_is(&self, asked: &RoleRef) -> Result<(), Fault> {
        match asked.arn().filter(|arn| **arn != self.arn) {
            None => Ok(()),
            Some(arn) => Err(Fault::usage(format!("role `{asked}` is `{}` here, not `{arn}`", self.arn))
                .with_hint("aws-check shows which account these credentials are for")),
        }
    }
}

impl Iam {
    /// The role called `name`, or `None` when there is none.
    ///
    /// Right after a role was made, IAM may show its unique id in place of its ARN; such an answer is not believed.
    ///
    /// # Errors
    /// When IAM cannot be asked, or its answer cannot be read.
    pub async fn role(&self, name: &RoleName) -> Result<Option<LiveRole>, Fault> {
        let mut waiting = self.patience().begin();
        loop {
            let answer = self.client().get_role().role_name(name.as_str()).send().await;
            let role = match answer {
                Ok(answer) => answer.role,
                Err(error) if is_missing(&error) => return Ok(None),
                Err(error) => return Err(self.fault(format!("failed to read role `{name}`"), &error)),
            };
            let role = role.ok_or_else(|| incomplete(name, "an answer without a role"))?;
            let settled = role.arn.starts_with("arn:");
            if settled || !self.pause(&mut waiting, "IAM to know the new role's ARN").await? {
                return live(name, &role).map(Some);
            }
        }
    }

    /// The role called `name`.
    ///
    /// # Errors
    /// As [`Iam::role`]; a refused fault when there is no such role.
    pub async fn existing_role(&self, name: &RoleName) -> Result<LiveRole, Fault> {
        self.role(name).await?.ok_or_else(|| {
            Fault::refused(format!("there is no role `{name}` in this account"))
                .with_code("NoSuchEntity")
                .with_hint(format!(
                    "create it: iam-role ensure {name}; or see with aws-check whether this is the right account"
                ))
        })
    }
}

/// Reads the role in an answer of `GetRole` or `CreateRole`.
///
/// # Errors
/// When it lacks what every role has.
pub fn live(name: &RoleName, role: &Role) -> Result<LiveRole, Fault> {
    let arn = role.arn.parse().map_err(|error| incomplete(name, &format!("{error}")))?;
    let encoded = role
        .assume_role_policy_document
        .as_deref()
        .ok_or_else(|| incomplete(name, "an answer without its trust policy"))?;
    let trust = encoding::document(&format!("the trust policy of role `{name}`"), encoded)?;
    let boundary =
        role.permissions_boundary.as_ref().and_then(|boundary| boundary.permissions_boundary_arn());
    let boundary =
        boundary.map(str::parse).transpose().map_err(|error| incomplete(name, &format!("{error}")))?;
    let tags = role.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    Ok(LiveRole { arn, id: role.role_id.clone(), trust, boundary, tags })
}

fn incomplete(name: &RoleName, reason: &str) -> Fault {
    Fault::transient(format!("failed to read role `{name}`"))
        .with_cause(reason)
        .with_hint("run the same command again in a moment: IAM may not have settled yet")
}
