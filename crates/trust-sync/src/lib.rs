//! Makes a role's live trust policy what its Databricks credential asks for.
//!
//! | mode | writes | exit code 1 |
//! |---|---|---|
//! | (default) | what differs in meaning; statements of others stay | a statement of others keeps Databricks out |
//! | `--check` | nothing | drift |
//! | `--explain` | nothing | a check would fail |
//! | `--undo` | the document that a former run replaced | – |
//!
//! On stdin the connection document with `credential`; on stdout the same with `trust`:
//! `{"verdict":"in-sync"|"cosmetic"|"drift","changed":…,"form":"databricks"|"arn-like","reasons":[…],"previous":…}`.
//! A reason is `{"code":…,"sentence":…,"pointer":…,"document":"live"|"wanted"}`; after a write the reasons are the repaired
//! ones. `previous` is what the write replaced. `--explain` adds
//! `"prediction":[{"operation":…,"result":"PASS"|"FAIL"|"SKIP","why":…,"policy":…,"pointer":…,"fix":…}]`.

mod args;
mod diff;
mod explain;
mod plan;
mod subject;
mod sync;
mod undo;

use std::io::Write;

use config::aws::Aws;
use config::member::{Credential, Role, Trust};
use config::names::RoleRef;
use config::settings::ROLE;
use config::{Document, Fault, Notes, OutError, Outcome, Output, World};
use live_role::patience::SPREAD_LIMIT;
use live_role::{Iam, LiveRole, Patience};
use policy::compare::{Code, Reason, VerdictKind};
use serde_json::Value;

pub use args::Args;
use plan::{Goal, Plan};
use subject::Given;

/// Runs the tool with a client made from its arguments.
///
/// # Errors
/// As [`run`]; a usage fault when no region is known.
pub async fn start(args: Args, world: World) -> Result<Outcome, Fault> {
    let document = world.document_off_thread(&args.doc).await?;
    let aws = Aws::load(&world, &args.aws, live_role::account::region(&document)?.as_ref()).await?;
    let patience = Patience::new(world.settings.timeout(args.aws.timeout, SPREAD_LIMIT)?);
    let iam = Iam::new(aws, &world, patience);
    let mut output = world.output(args.doc.pretty);
    run(&args, document, &iam, &world, &mut output).await
}

/// Does what `args` ask for and prints the document.
///
/// # Errors
/// A usage fault when no role, external ID or former document is given, a refused or transient one when AWS says no, a
/// pipe fault when the result cannot be printed.
pub async fn run<W: Write>(
    args: &Args,
    mut document: Document,
    iam: &Iam,
    world: &World,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let role = role(args, &document, world)?;
    let former: Option<Trust> = document.get()?;
    if args.undo {
        let trust = undo::run(iam, &role, Given::of(args, &document).ok(), former).await?;
        document.set(&trust)?;
        output.document(&document)?;
        return Ok(Outcome::Done);
    }
    let given = Given::of(args, &document)?;
    let live = iam.existing_role(role.name()).await?;
    live.check_is(&role)?;
    let goal = Goal {
        subject: given.subject(&live.arn)?,
        form: args.form.map(Into::into),
        exclusive: args.exclusive,
    };
    let plan = goal.plan(&live.trust);
    let trust = if args.check || args.explain {
        report(iam.notes(), &live, &goal, &plan, args.check);
        untouched(&plan, former)
    } else {
        sync(iam, &goal, &live, plan, former).await?
    };
    let is_drift = trust.verdict == VerdictKind::Drift.as_str();
    document.set(&trust)?;
    let mut outcome = if is_drift { Outcome::Incomplete } else { Outcome::Done };
    if args.explain {
        let grants = iam.grants(&live).await?;
        let prediction = explain::predict(&live, &grants, &goal.subject, jiff::Timestamp::now());
        outcome = explain::outcome(&prediction);
        explain::say(iam.notes(), &prediction);
        explain::add(&mut document, &prediction)?;
    }
    match output.document(&document) {
        Ok(()) => Ok(outcome),
        // Nothing was changed, so a reader that closed the pipe has what it wanted.
        Err(OutError::Closed) if args.check || args.explain => Ok(outcome),
        Err(error) => {
            if let Some(previous) = trust.previous.filter(|_| trust.changed) {
                iam.notes().say(format!("the trust policy that was replaced, for you to keep: {previous}"));
            }
            Err(error.into())
        }
    }
}

/// Writes what differs, and says what was done.
async fn sync(
    iam: &Iam,
    goal: &Goal,
    live: &LiveRole,
    plan: Plan,
    former: Option<Trust>,
) -> Result<Trust, Fault> {
    let name = live.name();
    let notes = iam.notes();
    let (plan, ended) = if plan.next.is_some() {
        let ended = sync::write(iam, name, |live| Ok(goal.plan(&live.trust).next)).await?;
        // Somebody may have changed it since the first look, or even repaired it.
        (goal.plan(&ended.live.trust), Some(ended))
    } else {
        (plan, None)
    };
    let Some(replaced) = ended.and_then(|ended| ended.replaced) else {
        warn_of_what_stays(notes, &plan);
        if plan.stays.is_empty() {
            notes.say(format!(
                "unchanged trust policy of role `{name}`: {}",
                plan.comparison.verdict.as_str()
            ));
        }
        return Ok(untouched(&plan, former));
    };
    let repaired = goal.plan(&replaced);
    for reason in drift(&repaired.comparison.reasons).filter(|reason| !plan.comparison.has(reason.code)) {
        notes.say(format!("repaired {}: {}", reason.code.as_str(), reason.sentence));
    }
    let foreign = |reason: &&Reason| goal.exclusive && reason.code == Code::ForeignStatement;
    for reason in repaired.comparison.reasons.iter().filter(foreign) {
        notes.say(format!("removed {}: {}", reason.code.as_str(), reason.sentence));
    }
    for id in &repaired.dropped {
        notes.say(format!(
            "dropped `{id}`, the id of a role or user that was deleted: IAM refuses to save it"
        ));
    }
    notes.say(format!("updated trust policy of role `{name}`"));
    warn_of_what_stays(notes, &plan);
    let verdict =
        if plan.comparison.verdict == VerdictKind::Drift { VerdictKind::Drift } else { VerdictKind::InSync };
    Ok(Trust {
        verdict: verdict.as_str().to_owned(),
        changed: true,
        form: Some(plan.form.as_str().to_owned()),
        reasons: values(&repaired.comparison.reasons),
        previous: Some(replaced.into_value()),
    })
}

/// What a run shows that writes nothing: every reason and, for `--check`, the documents line by line.
fn report(notes: &Notes, live: &LiveRole, goal: &Goal, plan: &Plan, with_lines: bool) {
    let verdict = plan.comparison.verdict.as_str();
    notes.say(format!("trust policy of role `{}`: {verdict}", live.name()));
    for reason in &plan.comparison.reasons {
        // What is missing is at no place.
        let place =
            if reason.pointer.is_empty() { String::new() } else { format!(" (at `{}`)", reason.pointer) };
        let fate = match reason.code {
            Code::ForeignStatement if goal.exclusive => "; it is to go",
            Code::ForeignStatement => "; it stays",
            _ => "",
        };
        notes.say(format!("{}: {}{fate}{place}", reason.code.as_str(), reason.sentence));
    }
    if let Some(next) = plan.next.as_ref().filter(|_| with_lines) {
        let text = diff::lines(&live.trust, next);
        notes.say(format!("trust-sync {} would write:\n{}", live.name(), text.trim_end()));
    }
    warn_of_what_stays(notes, plan);
}

fn warn_of_what_stays(notes: &Notes, plan: &Plan) {
    for reason in &plan.stays {
        notes.warn(format!(
            "a statement that is not ours stands in the way: {}; --exclusive removes it",
            reason.sentence
        ));
    }
}

/// The member for a run that wrote nothing. What an earlier run replaced can still be put back.
fn untouched(plan: &Plan, former: Option<Trust>) -> Trust {
    Trust {
        verdict: plan.comparison.verdict.as_str().to_owned(),
        changed: false,
        form: Some(plan.form.as_str().to_owned()),
        reasons: values(&plan.comparison.reasons),
        previous: former.and_then(|former| former.previous),
    }
}

fn drift(reasons: &[Reason]) -> impl Iterator<Item = &Reason> {
    reasons.iter().filter(|reason| reason.code.verdict() == VerdictKind::Drift)
}

fn values(reasons: &[Reason]) -> Vec<Value> {
    reasons.iter().filter_map(|reason| serde_json::to_value(reason).ok()).collect()
}

/// The role to act on: the argument, else the document's role, else the one its credential is for, else the settings'.
fn role(args: &Args, document: &Document, world: &World) -> Result<RoleRef, Fault> {
    let role = document.get::<Role>()?.map(|role| ("role", role.arn.to_string()));
    let credential =
        document.get::<Credential>()?.map(|credential| ("credential", credential.role_arn.to_string()));
    let named = role.or(credential);
    let named = named.as_ref().map(|(member, arn)| (*member, arn.as_str()));
    world.settings.require(&ROLE, args.role.as_deref(), named, "iam-role ensure ROLE")
}
