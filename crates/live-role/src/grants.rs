//! What a role may do: the policies attached to it, its inline policies, and the boundary that limits them all.

use config::Fault;
use config::names::{Arn, RoleName};
use policy::Document;

use crate::account::{Iam, is_missing};
use crate::encoding;
use crate::role::LiveRole;

/// A managed policy in its default version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// Its ARN.
    pub arn: Arn,
    /// The default version, such as `v1`.
    pub version: String,
    /// What the default version says.
    pub document: Document,
}

impl ManagedPolicy {
    /// The policy's name, without its path.
    pub fn name(&self) -> &str {
        name_of(&self.arn)
    }
}

/// The name in a policy's ARN, without its path.
pub fn name_of(arn: &Arn) -> &str {
    arn.resource().rsplit('/').next().unwrap_or_default()
}

/// A policy that is part of the role itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlinePolicy {
    /// Its name.
    pub name: String,
    /// What it says.
    pub document: Document,
}

/// Everything that decides what a role may do, sorted by name: IAM keeps no order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Attached managed policies.
    pub attached: Vec<ManagedPolicy>,
    /// Inline policies.
    pub inline: Vec<InlinePolicy>,
    /// The boundary: nothing is allowed that it does not allow too.
    pub boundary: Option<ManagedPolicy>,
}

impl Grants {
    /// The documents that grant, attached ones first, with the name of each.
    pub fn documents(&self) -> Vec<(&str, &Document)> {
        let attached = self.attached.iter().map(|policy| (policy.name(), &policy.document));
        attached.chain(self.inline.iter().map(|policy| (policy.name.as_str(), &policy.document))).collect()
    }
}

impl Iam {
    /// Everything that decides what `role` may do.
    ///
    /// # Errors
    /// When IAM cannot be asked, or an answer cannot be read.
    pub async fn grants(&self, role: &LiveRole) -> Result<Grants, Fault> {
        let name = role.name();
        let mut grants = Grants::default();
        for arn in self.attached(name).await? {
            // One that was detached and deleted since the list was made grants nothing any more.
            grants.attached.extend(self.managed_policy(&arn).await?);
        }
        for inline in self.inline_names(name).await? {
            grants.inline.extend(self.inline_policy(name, &inline).await?);
        }
        if let Some(arn) = &role.boundary {
            grants.boundary = self.managed_policy(arn).await?;
        }
        Ok(grants)
    }

    /// The ARNs of the managed policies attached to a role, sorted. A role that does not exist has none.
    ///
    /// # Errors
    /// When IAM cannot be asked, or an answer cannot be read.
    pub async fn attached(&self, role: &RoleName) -> Result<Vec<Arn>, Fault> {
        let doing = || format!("failed to list the policies attached to role `{role}`");
        let mut arns = Vec::new();
        let mut pages =
            self.client().list_attached_role_policies().role_name(role.as_str()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error) if is_missing(&error) => break,
                Err(error) => return Err(self.fault(doing(), &error)),
            };
            for policy in page.attached_policies() {
                let arn = policy.policy_arn().unwrap_or_default().parse();
                arns.push(arn.map_err(|error| Fault::transient(doing()).with_cause(error))?);
            }
        }
        arns.sort();
        Ok(arns)
    }

    /// The names of a role's inline policies, sorted. A role that does not exist has none.
    ///
    /// # Errors
    /// When IAM cannot be asked.
    pub async fn inline_names(&self, role: &RoleName) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        let mut pages = self.client().list_role_policies().role_name(role.as_str()).into_paginator().send();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => names.extend(page.policy_names),
                Err(error) if is_missing(&error) => break,
                Err(error) => {
                    return Err(
                        self.fault(format!("failed to list the inline policies of role `{role}`"), &error)
                    );
                }
            }
        }
        names.sort();
        Ok(names)
    }

    /// An inline policy of a role, or `None` when it is gone.
    ///
    /// # Errors
    /// When IAM cannot be asked, or its answer cannot be read.
    pub async fn inline_policy(&self, role: &RoleName, name: &str) -> Result<Option<InlinePolicy>, Fault> {
        let what = format!("inline policy `{name}` of role `{role}`");
        let answer = self.client().get_role_policy().role_name(role.as_str()).policy_name(name).send().await;
        match answer {
            Ok(answer) => {
                let document = encoding::document(&what, answer.policy_document())?;
                Ok(Some(InlinePolicy { name: name.to_owned(), document }))
            }
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.fault(format!("failed to read {what}"), &error)),
        }
    }

    /// A managed policy in its default version, or `None` when there is none with this ARN.
    ///
    /// # Errors
    /// When IAM cannot be asked, or its answer cannot be read.
    pub async fn managed_policy(&self, arn: &Arn) -> Result<Option<ManagedPolicy>, Fault> {
        let what = format!("policy `{arn}`");
        let doing = || format!("failed to read {what}");
        let unclear = |reason: &str| Fault::transient(doing()).with_cause(reason);
        let version = match self.client().get_policy().policy_arn(arn.as_str()).send().await {
            Ok(answer) => answer.policy.and_then(|policy| policy.default_version_id),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(self.fault(doing(), &error)),
        };
        let version = version.ok_or_else(|| unclear("an answer without a default version"))?;
        let request = self.client().get_policy_version().policy_arn(arn.as_str()).version_id(&version);
        let document = match request.send().await {
            Ok(answer) => answer.policy_version.and_then(|version| version.document),
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(self.fault(doing(), &error)),
        };
        let document = document.ok_or_else(|| unclear("an answer without a document"))?;
        Ok(Some(ManagedPolicy { arn: arn.clone(), version, document: encoding::document(&what, &document)? }))
    }
}
