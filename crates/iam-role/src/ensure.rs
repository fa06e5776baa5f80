//! `ensure`: the role, its tags and boundary, its managed policy, the attachment. Looks first, changes only what differs.

use config::member::Role;
use config::names::RoleRef;
use config::{Document, Fault, Outcome};
use live_role::account::{is_contended, is_unknown_principal};
use live_role::{Iam, LiveRole};
use policy::compare::{self, Code, VerdictKind};
use policy::trust::TrustSubject;

use crate::args::Ensure;
use crate::managed;
use crate::tag;
use crate::wanted::{self, Wanted};

/// What a role that this tool creates says about itself.
const DESCRIPTION: &str = "Lets Databricks read a Kinesis stream";

/// How `ensure` ended.
pub(crate) struct Ensured {
    /// The document's member; `None` when the role does not exist, which only `--check` leaves so.
    pub(crate) role: Option<Role>,
    /// Incomplete when `--check` found something to change.
    pub(crate) outcome: Outcome,
}

/// One run: what is asked for, and whether anything had to change.
pub(crate) struct Steps<'a> {
    pub(crate) iam: &'a Iam,
    pub(crate) args: &'a Ensure,
    changed: bool,
}

impl Steps<'_> {
    /// Before a change: says with `--check` what would be done, and then keeps the caller from doing it.
    ///
    /// # Errors
    /// The interrupted fault: every step ends complete, so a stop between two leaves nothing that a second run cannot finish.
    pub(crate) fn may(&mut self, verb: &str, what: &str) -> Result<bool, Fault> {
        self.iam.check_interrupt()?;
        self.changed = true;
        if self.args.check {
            self.iam.notes().say(format!("would {verb} {what}"));
        }
        Ok(!self.args.check)
    }
}

pub(crate) async fn run(
    iam: &Iam,
    role: &RoleRef,
    args: &Ensure,
    document: &Document,
) -> Result<Ensured, Fault> {
    let wanted = Wanted::of(args, document)?;
    let name = role.name();
    wanted::check_self_assume(&wanted.permissions, name, role.arn())?;
    wanted::say_what_is_wrong(&wanted.permissions, iam.notes());
    if !wanted::grants_self_assume(&wanted.permissions) {
        iam.notes().warn(format!(
            "the permissions do not let role `{name}` assume itself: Databricks will refuse the credential; iam-policy-gen permissions adds it"
        ));
    }
    let mut steps = Steps { iam, args, changed: false };
    let (live, is_new) = match iam.role(name).await? {
        Some(live) => (live, false),
        None => match create(&mut steps, role, &wanted).await? {
            Some(created) => created,
            None => {
                let policy = managed::name(args, document, name)?;
                steps.may("create", &format!("policy `{policy}` and attach it"))?;
                return Ok(Ensured { role: None, outcome: Outcome::Incomplete });
            }
        },
    };
    live.check_is(role)?;
    wanted::check_self_assume(&wanted.permissions, name, Some(&live.arn))?;
    if !is_new {
        // A role that was just created may still show without the tags and the boundary it was created with.
        let tagged = set_tags(&mut steps, &live).await?;
        let bounded = set_boundary(&mut steps, &live).await?;
        if !tagged && !bounded {
            iam.notes().say(format!("unchanged role `{name}`"));
        }
        note_trust(iam, &live, &wanted);
    }
    let policy = managed::ensure(&mut steps, &live, &wanted.permissions, document).await?;

    let member = Role {
        name: live.name().clone(),
        arn: live.arn.clone(),
        id: Some(live.id),
        policy_version: policy.version,
        policy_arn: Some(policy.arn),
    };
    let outcome = if args.check && steps.changed { Outcome::Incomplete } else { Outcome::Done };
    Ok(Ensured { role: Some(member), outcome })
}

/// Creates the role, and says whether it really was this run that did; `None` with `--check`.
async fn create(
    steps: &mut Steps<'_>,
    role: &RoleRef,
    wanted: &Wanted,
) -> Result<Option<(LiveRole, bool)>, Fault> {
    let name = role.name();
    let trust = wanted.trust.as_ref().ok_or_else(|| wanted::missing("trust"))?;
    let (trust, left_out) = wanted::first_trust(trust, name)?;
    if !steps.may("create", &format!("role `{name}`"))? {
        return Ok(None);
    }
    let tags = tag::for_sdk(&steps.args.tags)?;
    let iam = steps.iam;
    let path = role.arn().map(config::names::RoleArn::path);
    let request = || {
        let request = iam.client().create_role().role_name(name.as_str()).set_path(path.map(str::to_owned));
        let request = request.description(DESCRIPTION).assume_role_policy_document(trust.to_string());
        let boundary = steps.args.boundary.as_ref().map(ToString::to_string);
        request.set_permissions_boundary(boundary).set_tags((!tags.is_empty()).then(|| tags.clone())).send()
    };
    let early = |problem: &config::aws::Problem| is_contended(problem) || is_unknown_principal(problem);
    let created = iam
        .persist(
            &format!("failed to create role `{name}`"),
            "IAM to know every principal of the trust policy",
            early,
            request,
        )
        .await;
    let answer = match created {
        Ok(answer) => answer,
        // Somebody else was quicker, or the answer to an earlier try was lost on its way.
        Err(fault) if fault.code() == Some("EntityAlreadyExists") => {
            return match iam.role(name).await? {
                Some(live) => {
                    iam.notes().say(format!("role `{name}` exists by now"));
                    Ok(Some((live, false)))
                }
                None => Err(fault.with_hint("run the same command again: somebody else created it just now")),
            };
        }
        Err(fault) => {
            return Err(fault.or_hint(
                "check the principals in it: iam-policy-gen lint, or write it anew with iam-policy-gen trust",
            ));
        }
    };
    iam.notes().say(format!("created role `{name}`"));
    if left_out {
        iam.notes().say(
            "left the role itself out of its first trust policy, IAM cannot know it yet: trust-sync adds it",
        );
    }
    let shown = answer.role.as_ref().map(|role| live_role::role::live(name, role));
    match shown {
        Some(Ok(live)) => Ok(Some((live, true))),
        // Right after it was made IAM may show a role without its ARN; GetRole is asked until it does.
        Some(Err(_)) | None => Ok(Some((iam.existing_role(name).await?, true))),
    }
}

/// Says when the live trust policy differs from the document's in more than what `trust-sync` will settle anyway.
fn note_trust(iam: &Iam, live: &LiveRole, wanted: &Wanted) {
    let Some(subject) = wanted.trust.as_ref().and_then(|trust| subject(trust, live)) else { return };
    let Some(trust) = &wanted.trust else { return };
    let comparison = compare::trust_policies(&live.trust, trust, &subject);
    let settled = [
        Code::ExternalId,
        Code::MissingSelfAssume,
        Code::PlaceholderExternalId,
        Code::Narrower,
        Code::DeadPrincipal,
    ];
    let found = comparison
        .reasons
        .iter()
        .find(|reason| reason.code.verdict() == VerdictKind::Drift && !settled.contains(&reason.code));
    if let Some(reason) = found {
        iam.notes().warn(format!(
            "left the trust policy of role `{}` as it is, though it differs: {}; trust-sync sets it right",
            live.name(),
            reason.sentence
        ));
    }
}

/// What the document's trust policy is about, when it can be told.
fn subject(trust: &policy::Document, live: &LiveRole) -> Option<TrustSubject> {
    let own = live.arn.as_str();
    let statement = trust.statements().next()?;
    let master = statement.principals()?.into_iter().find(|named| named.value != own)?.value;
    let conditions = statement.conditions();
    let external_id =
        conditions.iter().find(|condition| condition.key.eq_ignore_ascii_case("sts:ExternalId"))?;
    TrustSubject::new(own, master, external_id.values.first()?).ok()
}

/// Sets the tags that are missing; says whether there were any.
async fn set_tags(steps: &mut Steps<'_>, live: &LiveRole) -> Result<bool, Fault> {
    let name = live.name();
    let missing = tag::missing(&steps.args.tags, &live.tags);
    if missing.is_empty() {
        return Ok(false);
    }
    let shown = missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if steps.may("set", &format!("the tags {shown} of role `{name}`"))? {
        let tags = tag::for_sdk(missing)?;
        let request =
            || steps.iam.client().tag_role().role_name(name.as_str()).set_tags(Some(tags.clone())).send();
        let doing = format!("failed to tag role `{name}`");
        steps.iam.persist(&doing, "another change of the role to end", is_contended, request).await?;
        steps.iam.notes().say(format!("updated role `{name}`: set the tags {shown}"));
    }
    Ok(true)
}

/// Sets the boundary when it is another one; says whether it was.
async fn set_boundary(steps: &mut Steps<'_>, live: &LiveRole) -> Result<bool, Fault> {
    let name = live.name();
    let Some(wanted) = steps.args.boundary.as_ref().filter(|wanted| live.boundary.as_ref() != Some(*wanted))
    else {
        return Ok(false);
    };
    if steps.may("set", &format!("the permissions boundary of role `{name}` to `{wanted}`"))? {
        let request = || {
            let request = steps.iam.client().put_role_permissions_boundary().role_name(name.as_str());
            request.permissions_boundary(wanted.as_str()).send()
        };
        let doing = format!("failed to set the permissions boundary of role `{name}`");
        let waiting_for = "another change of the role to end";
        let set = steps.iam.persist(&doing, waiting_for, is_contended, request).await;
        set.map_err(|fault| {
            fault.or_hint("--boundary takes the ARN of a policy that exists: aws iam list-policies")
        })?;
        steps.iam.notes().say(format!("updated role `{name}`: its permissions boundary is `{wanted}`"));
    }
    Ok(true)
}
