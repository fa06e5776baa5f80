//! What the trust policy must be about: the role, the Databricks role that assumes it, and the external ID.

use config::member::Credential;
use config::names::{ExternalId, RoleArn};
use config::{Document, Fault};
use policy::trust::{DatabricksPartition, TrustSubject};

use crate::args::Args;

/// What is known before AWS is asked.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    external_id: ExternalId,
    master: Option<RoleArn>,
    /// The credential that the two are from, unless they were typed.
    credential: Option<Credential>,
}

impl Given {
    /// From the flags, else from the document's credential.
    ///
    /// # Errors
    /// A usage fault when nobody gives the external ID, or it is the placeholder.
    pub(crate) fn of(args: &Args, document: &Document) -> Result<Self, Fault> {
        let credential: Option<Credential> = document.get()?;
        let from_credential = credential.as_ref().map(|credential| credential.external_id.clone());
        let external_id = args.external_id.clone().or(from_credential).ok_or_else(|| {
            Fault::usage("no external ID is given: the connection document has no `credential`").with_hint(
                "pipe in what `dbx-cred ensure` or `dbx-cred show` prints, or add --external-id ID",
            )
        })?;
        if external_id.is_placeholder() {
            return Err(Fault::usage(
                "the external ID is still the placeholder `0000`, which Databricks never sends",
            )
            .with_hint("pipe in what `dbx-cred ensure` or `dbx-cred show` prints: it has the real one"));
        }
        let master = args.uc_master_arn.clone();
        let master =
            master.or(credential.as_ref().map(|credential| credential.unity_catalog_iam_arn.clone()));
        Ok(Self { external_id, master, credential: credential.filter(|_| args.external_id.is_none()) })
    }

    /// The subject, for a role that was found.
    ///
    /// # Errors
    /// A usage fault when the credential is for another role, Databricks' role is not known, or the two roles cannot trust
    /// each other.
    pub(crate) fn subject(&self, role: &RoleArn) -> Result<TrustSubject, Fault> {
        refuse_other_role(self.credential.as_ref(), role)?;
        let master = match &self.master {
            Some(arn) => arn.as_str(),
            None => published(role)?,
        };
        TrustSubject::new(role.as_str(), master, self.external_id.as_str()).map_err(|error| {
            Fault::usage(error.to_string()).with_hint(
                "Databricks' own answer is in what `dbx-cred show` prints: unity_catalog_iam_arn, external_id",
            )
        })
    }
}

/// A role that no credential of Databricks uses would be opened for nothing.
fn refuse_other_role(credential: Option<&Credential>, role: &RoleArn) -> Result<(), Fault> {
    match credential.filter(|credential| credential.role_arn != *role) {
        None => Ok(()),
        Some(credential) => Err(Fault::usage(format!(
            "credential `{}` is for role `{}`, not `{role}`",
            credential.name, credential.role_arn
        ))
        .with_hint(format!(
            "run: trust-sync {}, or give the credential this role with dbx-cred ensure {}",
            credential.role_arn.name(),
            credential.name
        ))),
    }
}

/// The one Databricks role that is published for the role's partition.
fn published(role: &RoleArn) -> Result<&'static str, Fault> {
    let partition = role.partition();
    let known: Vec<_> = DatabricksPartition::ALL
        .into_iter()
        .filter(|known| known.arn_partition() == partition.as_str())
        .collect();
    match known.as_slice() {
        [one] => Ok(one.unity_catalog_role()),
        _ => Err(Fault::usage(format!(
            "the Databricks role that assumes `{role}` is not known: {} published for partition `{partition}`",
            if known.is_empty() { "none is" } else { "more than one is" }
        ))
        .with_hint("pipe in what `dbx-cred show` prints, or add --uc-master-arn ARN")),
    }
}
