//! Reading, writing and waiting: the only place that changes a trust policy.

use config::Fault;
use config::duration;
use config::names::RoleName;
use live_role::account::{is_contended, is_missing_code, is_unknown_principal};
use live_role::{Iam, LiveRole};
use policy::Document;
use policy::lint::{self, TRUST_POLICY_QUOTA_CHARS};

use crate::plan::is_same;

/// How a write ended.
pub(crate) struct Ended {
    /// The document that was replaced; `None` when the last reading left nothing to do.
    pub(crate) replaced: Option<Document>,
    /// The role as it shows now.
    pub(crate) live: LiveRole,
}

/// Writes what `next` makes of the live document, which is read again right before every try: IAM has no way to write only if
/// nothing changed since.
///
/// A role or a principal that was made a moment ago is not known everywhere yet; that is waited for, nothing else.
///
/// # Errors
/// What IAM refuses it for; a transient fault when IAM does not show the new document in time.
pub(crate) async fn write(
    iam: &Iam,
    role: &RoleName,
    next: impl Fn(&LiveRole) -> Result<Option<Document>, Fault>,
) -> Result<Ended, Fault> {
    let mut waiting = iam.patience().begin();
    let mut tries = 0_u32;
    loop {
        iam.check_interrupt()?;
        let live = iam.existing_role(role).await?;
        let Some(document) = next(&live)? else { return Ok(Ended { replaced: None, live }) };
        let text = document.to_string();
        if tries == 0 {
            warn_of_size(iam, &document);
        }
        tries += 1;
        let request = iam.client().update_assume_role_policy().role_name(role.as_str());
        let Err(error) = request.policy_document(&text).send().await else {
            if tries > 1 {
                let waited = duration::show(waiting.elapsed());
                iam.notes().say(format!("waited {waited} for IAM to know every principal"));
            }
            return settled(iam, live, &document).await;
        };
        let problem = config::aws::problem(&error);
        let is_early = is_unknown_principal(&problem) || is_contended(&problem);
        let doing = format!("failed to write the trust policy of role `{role}`");
        if !is_early {
            return Err(hinted(iam.fault(doing, &error), role));
        }
        if !iam.pause(&mut waiting, "IAM to know every principal").await? {
            let waited =
                format!("waited {} for IAM to know every principal", duration::show(waiting.elapsed()));
            // The role itself was read a moment ago: that IAM does not know it as a principal can only be too early.
            let is_itself = problem.causes.iter().any(|cause| cause.contains(live.arn.as_str()));
            return Err(if is_itself || is_contended(&problem) {
                let fault = problem.causes.iter().fold(Fault::transient(doing), Fault::with_cause);
                fault.with_cause(waited).with_hint("run the same command again, or wait longer: --timeout 5m")
            } else {
                iam.fault(doing, &error).with_cause(waited).with_hint(
                    "a principal of it does not exist: iam-policy-gen explain shows whom a policy names",
                )
            });
        }
    }
}

/// Waits until IAM shows the document that was written, so that the next tool in the pipe reads it too.
async fn settled(iam: &Iam, before: LiveRole, written: &Document) -> Result<Ended, Fault> {
    let role = before.name().clone();
    let mut waiting = iam.patience().begin();
    loop {
        let live = iam.existing_role(&role).await?;
        if is_same(&live.trust, written) {
            return Ok(Ended { replaced: Some(before.trust), live });
        }
        if !iam.pause(&mut waiting, "IAM to show the new trust policy").await? {
            return Err(Fault::transient(format!(
                "wrote the trust policy of role `{role}`, but IAM shows another one"
            ))
            .with_cause(format!("waited {}", duration::show(waiting.elapsed())))
            .with_hint(format!("trust-sync {role} --check shows whether somebody else writes it too")));
        }
    }
}

fn warn_of_size(iam: &Iam, document: &Document) {
    let length = lint::counted_chars(document);
    if length > TRUST_POLICY_QUOTA_CHARS {
        iam.notes().warn(format!(
            "the trust policy will have {length} characters: more than {TRUST_POLICY_QUOTA_CHARS} needs a raised quota (L-C07B4B0D)"
        ));
    }
}

fn hinted(fault: Fault, role: &RoleName) -> Fault {
    match fault.code() {
        Some("LimitExceeded" | "LimitExceededException") => fault.with_hint(
            "raise the quota `Role trust policy length` (L-C07B4B0D), or leave out what is not needed: --exclusive",
        ),
        Some("UnmodifiableEntity" | "UnmodifiableEntityException") => {
            fault.with_hint("AWS keeps this role for a service of its own; make another: iam-role ensure ROLE")
        }
        Some(code) if is_missing_code(code) => fault.with_hint(format!("create it: iam-role ensure {role}")),
        _ => fault,
    }
}
