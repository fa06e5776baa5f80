//! The trust policy: asked what Databricks asks, and when the answer is wrong, compared with what it should be to say why.

use config::names::ExternalId;
use jiff::Timestamp;
use live_role::LiveRole;
use policy::Document;
use policy::compare::{self, Code, Comparison, VerdictKind};
use policy::evaluate::{self, Context, Principal, Request};
use policy::trust::{self, Form, TrustSubject};

use super::connection::Connection;
use super::databricks::Told;
use super::finding::{Gap, Seen};

/// What Databricks' sessions are called; a policy may look at it.
pub(crate) const SESSION_NAME: &str = "databricks-unity-catalog";

/// What Databricks needs the trust policy to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Unity Catalog gets in with the external ID.
    Admits,
    /// It does not without, or with another one.
    Guards,
    /// The role gets in from its own session.
    AdmitsItself,
}

pub(crate) fn check(connection: &Connection, told: &Told, live: &LiveRole) -> Result<Seen<()>, Gap> {
    let Some(credential) = &connection.credential else {
        return Err(super::unseen("it takes the external ID of a credential, and the document has none"));
    };
    // What Databricks says now beats what the document remembers.
    let now = match told {
        Told::Credential(now) => match now.unusable(live.arn.as_str()) {
            Some(why) => return Err(super::unseen(&why)),
            None => Some(now),
        },
        Told::Gone(_) => {
            return Err(super::unseen("the credential is gone, and with it the external ID to ask for"));
        }
        Told::Nothing | Told::Unseen { .. } => None,
    };
    let external_id = now.and_then(|now| now.external_id.as_deref());
    let is_known = external_id.is_none_or(|id| id == credential.external_id.as_str());
    let external_id = external_id.unwrap_or(credential.external_id.as_str());
    let master = now.and_then(|now| now.unity_catalog_iam_arn.as_deref());
    let master = master.unwrap_or(credential.unity_catalog_iam_arn.as_str());
    let stages: &[&str] = if is_known { &["trust-sync"] } else { &["dbx-cred show", "trust-sync"] };
    if external_id == ExternalId::PLACEHOLDER {
        return Err(Gap::broken(
            format!("the document has only the placeholder `{external_id}` for an external ID"),
            connection.pipeline(&["dbx-cred show", "trust-sync"]),
        ));
    }
    let subject = TrustSubject::new(live.arn.as_str(), master, external_id).map_err(|error| {
        Gap::broken(format!("no trust policy can be right: {error}"), connection.make_credential())
    })?;

    let form = trust::live_form(&live.trust, &subject);
    let wanted = trust::document(form.unwrap_or(Form::Databricks), &subject);
    let comparison = compare::trust_policies(&live.trust, &wanted, &subject);
    let Some((need, why)) = unmet(&live.trust, live, &subject) else {
        return Ok(Seen {
            value: (),
            sentence: format!(
                "Databricks gets in with its external ID only, and the role itself too ({})",
                comparison.verdict
            ),
            warnings: warnings(&comparison),
        });
    };
    let sentence = explanation(need, &comparison).unwrap_or(why);
    let fix = repair(live, &subject, &wanted).map_or_else(
        || format!("aws iam get-role --role-name {}, and take out what refuses", live.name()),
        |last| {
            let mut stages = stages.to_vec();
            stages.pop();
            stages.push(last);
            connection.pipeline(&stages)
        },
    );
    Err(Gap::broken(sentence, fix))
}

/// The first need that a trust policy does not meet, and the grounds.
fn unmet(document: &Document, live: &LiveRole, subject: &TrustSubject) -> Option<(Need, String)> {
    let arn = live.arn.as_str();
    let ask = |principal: &Principal, external_id: Option<&str>| {
        let context = context(external_id);
        let request = Request { principal, action: "sts:AssumeRole", resource: arn, context: &context };
        evaluate::trust(document, &request)
    };
    let master = Principal::session(subject.unity_catalog_arn(), None, SESSION_NAME);
    let right = subject.external_id();
    let verdict = ask(&master, Some(right));
    if !verdict.decision.is_allow() {
        return Some((Need::Admits, format!("Databricks is not let in: {}", verdict.why)));
    }
    let wrong = [format!("{right}x"), format!("x{right}"), "not-the-external-id".to_owned()];
    let probes = std::iter::once((None, "without an external ID"))
        .chain(wrong.iter().map(|id| (Some(id.as_str()), "with a wrong external ID")));
    for (external_id, how) in probes {
        let verdict = ask(&master, external_id);
        if verdict.decision.is_allow() {
            return Some((Need::Guards, format!("Databricks is let in {how}: {}", verdict.why)));
        }
    }
    let itself = Principal::session(arn, Some(&live.id), SESSION_NAME);
    let verdict = ask(&itself, Some(right));
    (!verdict.decision.is_allow())
        .then(|| (Need::AdmitsItself, format!("the role may not assume itself: {}", verdict.why)))
}

/// What such a call brings along; where it comes from is not known.
pub(crate) fn context(external_id: Option<&str>) -> Context {
    let now = Timestamp::now();
    let context = Context::new()
        .with("aws:CurrentTime", now.to_string())
        .with("aws:EpochTime", now.as_second().to_string())
        .with("aws:SecureTransport", "true")
        .with("sts:RoleSessionName", SESSION_NAME);
    match external_id {
        Some(id) => context.with("sts:ExternalId", id),
        None => context,
    }
}

/// The difference that explains an unmet need best: one of its own kind, the most telling first.
fn explanation(need: Need, comparison: &Comparison) -> Option<String> {
    let codes: &[Code] = match need {
        Need::Admits => &[
            Code::Denied,
            Code::PlaceholderExternalId,
            Code::ExternalId,
            Code::ExternalIdOperator,
            Code::UnityCatalogRole,
            Code::MissingUnityCatalog,
        ],
        Need::Guards => &[
            Code::MissingExternalId,
            Code::ExternalIdOperator,
            Code::ExternalIdNotEnforced,
            Code::ExternalId,
        ],
        Need::AdmitsItself => &[
            Code::Denied,
            Code::DeadPrincipal,
            Code::MissingSelfAssume,
            Code::PlaceholderExternalId,
            Code::ExternalId,
        ],
    };
    let reason = |code: &Code| comparison.reasons.iter().find(|reason| reason.code == *code);
    let reason = codes.iter().find_map(reason)?;
    Some(said_of(reason.code, &reason.sentence))
}

/// Some reasons are worded with the trust policy as their subject, some are sentences of their own.
fn said_of(code: Code, sentence: &str) -> String {
    match code {
        Code::PlaceholderExternalId
        | Code::ExternalId
        | Code::ExternalIdOperator
        | Code::MissingExternalId
        | Code::ExternalIdNotEnforced
        | Code::UnityCatalogRole => format!("the trust policy {sentence}"),
        _ => sentence.to_owned(),
    }
}

/// The stage that makes the trust policy right, if it can: with the statements of others, else without them.
fn repair(live: &LiveRole, subject: &TrustSubject, wanted: &Document) -> Option<&'static str> {
    [(false, "trust-sync"), (true, "trust-sync --exclusive")].into_iter().find_map(|(exclusive, stage)| {
        let next = trust::merge(&live.trust, wanted, subject, exclusive);
        unmet(&next, live, subject).is_none().then_some(stage)
    })
}

/// Differences that break nothing today.
fn warnings(comparison: &Comparison) -> Vec<String> {
    let drift = comparison.reasons.iter().filter(|reason| reason.code.verdict() == VerdictKind::Drift);
    drift.map(|reason| format!("{}; trust-sync repairs it", said_of(reason.code, &reason.sentence))).collect()
}
