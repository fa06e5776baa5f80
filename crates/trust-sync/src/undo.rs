//! `--undo`: the trust policy that a former run replaced, back in its place.

use config::Fault;
use config::member::Trust;
use config::names::RoleRef;
use live_role::{Iam, LiveRole};
use policy::{Document, NamedPrincipal};

use crate::plan::{Goal, is_same};
use crate::subject::Given;
use crate::{sync, values};

/// Writes the former document back; a second time changes nothing. With a credential at hand the verdict is about it: a
/// restored placeholder is drift, and says so.
///
/// # Errors
/// A usage fault when there is nothing to undo, or IAM would refuse the former document; as [`sync::write`].
pub(crate) async fn run(
    iam: &Iam,
    role: &RoleRef,
    given: Option<Given>,
    former: Option<Trust>,
) -> Result<Trust, Fault> {
    let replaced = former.and_then(|former| former.previous).ok_or_else(|| {
        Fault::usage("nothing to undo: the connection document has no `trust.previous`")
            .with_hint("give the document that the former run printed: trust-sync --undo < connection.json")
    })?;
    let document = Document::from_value(replaced.clone())
        .map_err(|error| Fault::pipe("the document's `trust.previous` cannot be used").with_cause(error))?;
    if let Some(dead) = dead_principal(&document) {
        return Err(Fault::usage(format!(
            "the former trust policy names `{dead}`, the id of a role or user that was deleted: IAM would refuse it"
        ))
        .with_hint("run trust-sync without --undo to write one that works"));
    }
    let live = iam.existing_role(role.name()).await?;
    live.check_is(role)?;
    let name = live.name();
    let next = |live: &LiveRole| Ok((!is_same(&live.trust, &document)).then(|| document.clone()));
    let undone = sync::write(iam, name, next).await?.replaced;
    match &undone {
        Some(_) => iam.notes().say(format!("restored trust policy of role `{name}`")),
        None => iam.notes().say(format!("unchanged trust policy of role `{name}`: it is the former one")),
    }
    let subject = given.and_then(|given| given.subject(&live.arn).ok());
    let plan = subject.map(|subject| Goal { subject, form: None, exclusive: false }.plan(&document));
    Ok(Trust {
        verdict: plan.as_ref().map_or("unknown", |plan| plan.comparison.verdict.as_str()).to_owned(),
        changed: undone.is_some(),
        form: None,
        reasons: plan.map(|plan| values(&plan.comparison.reasons)).unwrap_or_default(),
        previous: Some(undone.map_or(replaced, Document::into_value)),
    })
}

/// The id of a deleted role or user among the principals of a document.
fn dead_principal(document: &Document) -> Option<&str> {
    let named = document.statements().flat_map(|statement| statement.principals().unwrap_or_default());
    named.filter(NamedPrincipal::is_dead).map(|named| named.value).next()
}
