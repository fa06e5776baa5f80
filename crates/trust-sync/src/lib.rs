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
//! `"prediction":[{"operation":…,"result":"PASS"|"FAIL"|"SKIP","why":…,"policy":…,"pointer":…}]`.

mod args;
mod diff;
mod explain;
mod plan;
mod subject;
mod sync;

use std::io::Write;

use config::aws::Aws;
use config::member::{Credential, Role, Trust};
use config::names::RoleRef;
use config::settings::ROLE;
use config::{Document, Fault, Notes, OutError, Outcome, Output, World};
use live_role::patience::SPREAD_LIMIT;
use live_role::{Iam, LiveRole, Patience};
use policy::compare::{Reason, VerdictKind};
use serde_json::Value;

pub use args::Args;
use plan::{Goal, Plan, is_same};

/// Runs the tool with a client made from its arguments.
///
/// # Errors
/// As [`run`]; a usage fault when no region is known.
pub async fn start(args: Args, world: World) -> Result<Outcome, Fault> {
    let document = world.document(&args.doc)?;
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
    let live = iam.existing_role(role.name()).await?;
    live.check_is(&role)?;
    if args.undo {
        let trust = undo(args, &document, former, iam, &live).await?;
        document.set(&trust)?;
        output.document(&document)?;
        return Ok(Outcome::Done);
    }
    let goal = Goal {
        subject: subject::of(args, &document, &live.arn)?,
        form: args.form.map(Into::into),
        exclusive: args.exclusive,
    };
    if goal.subject.has_placeholder() {
        return Err(Fault::usage(
            "the external ID is still the placeholder `0000`, which Databricks never sends",
        )
        .with_hint("pipe in what `dbx-cred ensure` or `dbx-cred show` prints: it has the real one"));
    }
    let plan = goal.plan(&live.trust);
    let trust = if args.check || args.explain {
        report(iam.notes(), &live, &plan, args.check);
        untouched(&plan, former)
    } else {
        sync(iam, &goal, &live, plan, former).await?
    };
    let is_drift = trust.verdict == VerdictKind::Drift.as_str();
    document.set(&trust)?;
    let mut outcome = if is_drift { Outcome::Incomplete } else { Outcome::Done };
    if args.explain {
        let grants = iam.grants(&live).await?;
        let prediction = explain::predict(&live, &grants, &goal.subject);
        outcome = explain::outcome(&prediction);
        explain::say(iam.notes(), &prediction);
        explain::add(&mut document, &prediction)?;
    }
    match output.document(&document) {
        // Nothing was changed, so a reader that closed the pipe has what it wanted.
        Err(OutError::Closed) if args.check || args.explain => Ok(outcome),
        printed => Ok(printed.map(|()| outcome)?),
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

/// Puts the document back that a former run replaced.
async fn undo(
    args: &Args,
    document: &Document,
    former: Option<Trust>,
    iam: &Iam,
    live: &LiveRole,
) -> Result<Trust, Fault> {
    let nothing = || {
        Fault::usage("nothing to undo: the connection document has no `trust.previous`")
            .with_hint("give the document that the former run printed: trust-sync --undo < connection.json")
    };
    let former = former.ok_or_else(nothing)?;
    let previous = former.previous.clone().ok_or_else(nothing)?;
    let previous = policy::Document::from_value(previous)
        .map_err(|error| Fault::pipe("the document's `trust.previous` cannot be used").with_cause(error))?;
    if let Some(dead) = dead_principal(&previous) {
        return Err(Fault::usage(format!(
            "the former trust policy names `{dead}`, the id of a role or user that was deleted: IAM would refuse it"
        ))
        .with_hint("run trust-sync without --undo to write one that works"));
    }
    let name = live.name();
    let next = |live: &LiveRole| Ok((!is_same(&live.trust, &previous)).then(|| previous.clone()));
    let replaced = sync::write(iam, name, next).await?.replaced;
    match &replaced {
        Some(_) => iam.notes().say(format!("restored trust policy of role `{name}`")),
        None => iam.notes().say(format!("unchanged trust policy of role `{name}`: it is the former one")),
    }
    // With a credential at hand the verdict is about it; a restored placeholder is drift, and says so.
    let subject = subject::of(args, document, &live.arn).ok();
    let plan = subject.map(|subject| Goal { subject, form: None, exclusive: false }.plan(&previous));
    Ok(Trust {
        verdict: plan.as_ref().map_or("unknown", |plan| plan.comparison.verdict.as_str()).to_owned(),
        changed: replaced.is_some(),
        form: None,
        reasons: plan.map(|plan| values(&plan.comparison.reasons)).unwrap_or_default(),
        previous: replaced.map(policy::Document::into_value).or(former.previous),
    })
}

/// What a run shows that writes nothing: every reason and, for `--check`, the documents line by line.
fn report(notes: &Notes, live: &LiveRole, plan: &Plan, with_lines: bool) {
    let verdict = plan.comparison.verdict.as_str();
    notes.say(format!("trust policy of role `{}`: {verdict}", live.name()));
    for reason in &plan.comparison.reasons {
        let place = if reason.pointer.is_empty() { "/" } else { &reason.pointer };
        notes.say(format!("{}: {} (at `{place}`)", reason.code.as_str(), reason.sentence));
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

/// The id of a deleted role or user among the principals of a document.
fn dead_principal(document: &policy::Document) -> Option<&str> {
    let named = document.statements().flat_map(|statement| statement.principals().unwrap_or_default());
    named.map(|named| named.value).find(|value| value.starts_with("AROA") || value.starts_with("AIDA"))
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
