//! What has to change, decided without asking anybody: the live document in, the document to write out.

use policy::compare::{self, Code, Comparison, Reason, VerdictKind};
use policy::trust::{self, Form, TrustSubject};
use policy::{Document, NamedPrincipal};
use serde_json::Value;

/// How the trust policy should be.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    /// What it is about.
    pub(crate) subject: TrustSubject,
    /// The form that was asked for; without one the live form will do.
    pub(crate) form: Option<Form>,
    /// Whether statements that are not ours have to go.
    pub(crate) exclusive: bool,
}

/// What to do about one live document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    /// How the live document differs from the goal.
    pub(crate) comparison: Comparison,
    /// The document to write; `None` when there is nothing that writing would better.
    pub(crate) next: Option<Document>,
    /// Ids of deleted roles and users that `next` leaves out of statements of others.
    pub(crate) dropped: Vec<String>,
    /// What stays wrong even so: statements of others that keep Databricks out or let strangers in.
    pub(crate) stays: Vec<Reason>,
    /// How the role is let assume itself in the end.
    pub(crate) form: Form,
}

impl Goal {
    /// Compares the live document with this goal.
    pub(crate) fn plan(&self, live: &Document) -> Plan {
        let form = self.form.or(trust::live_form(live, &self.subject)).unwrap_or(Form::Databricks);
        let wanted = trust::document(form, &self.subject);
        let comparison = self.compare(live, &wanted);
        let is_other_form = self.form.is_some() && comparison.has(Code::SelfAssumeForm);
        if comparison.verdict != VerdictKind::Drift && !is_other_form {
            return Plan { comparison, next: None, dropped: Vec::new(), stays: Vec::new(), form };
        }
        let (next, dropped) = without_dead(&trust::merge(live, &wanted, &self.subject, self.exclusive));
        let after = self.compare(&next, &wanted);
        // A grant to everybody covers ours, and yet ours has to stand there in its own right.
        let betters = after.verdict < comparison.verdict
            || compare::documents(live, &next).verdict == VerdictKind::Drift;
        let is_drift = |reason: &Reason| reason.code.verdict() == VerdictKind::Drift;
        let stays = after.reasons.into_iter().filter(is_drift).collect();
        Plan { comparison, next: betters.then_some(next), dropped, stays, form }
    }

    fn compare(&self, live: &Document, wanted: &Document) -> Comparison {
        let comparison = compare::trust_policies(live, wanted, &self.subject);
        if self.exclusive { comparison.exclusive() } else { comparison }
    }
}

/// The document without the ids of deleted roles and users, and these ids. They mean nobody, so no access changes; but IAM
/// shows them and refuses to save them, so one of them, in whosever statement, would keep everything from being written.
fn without_dead(document: &Document) -> (Document, Vec<String>) {
    let dead: Vec<String> = document
        .statements()
        .flat_map(|statement| statement.principals().unwrap_or_default())
        .filter(NamedPrincipal::is_dead)
        .map(|named| named.value.to_owned())
        .collect();
    if dead.is_empty() {
        return (document.clone(), dead);
    }
    let is_dead = |name: &Value| name.as_str().is_some_and(|name| dead.iter().any(|dead| dead == name));
    let mut value = document.as_value().clone();
    let statements = value.get_mut("Statement").and_then(Value::as_array_mut);
    if let Some(statements) = statements {
        statements.retain_mut(|statement| {
            let Some(Value::Object(kinds)) = statement.get_mut("Principal") else { return true };
            if let Some(Value::Array(names)) = kinds.get_mut("AWS") {
                names.retain(|name| !is_dead(name));
            }
            kinds
                .retain(|_, names| !is_dead(names) && names.as_array().is_none_or(|names| !names.is_empty()));
            !kinds.is_empty()
        });
    }
    match Document::from_value(value) {
        Ok(alive) => (alive, dead),
        Err(_) => (document.clone(), Vec::new()),
    }
}

/// Whether two readings of a policy mean the same: IAM gives lists back in any order.
pub(crate) fn is_same(one: &Document, other: &Document) -> bool {
    compare::documents(one, other).verdict != VerdictKind::Drift
}

#[cfg(test)]
mod tests {
    use policy::Document;
    use policy::compare::VerdictKind;
    use policy::trust::{self, Form, TrustSubject};
    use serde_json::{Value, json};

    use super::{Goal, is_same};

    const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
    const OWN: &str = "arn:aws:iam::123456789012:role/reader";

    fn goal() -> Goal {
        let subject = TrustSubject::new(OWN, MASTER, "blue-42").unwrap();
        Goal { subject, form: None, exclusive: false }
    }

    fn live(statements: &Value) -> Document {
        Document::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
    }

    fn placeholder() -> Value {
        json!({"Effect": "Allow", "Principal": {"AWS": MASTER}, "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "0000"}}})
    }

    #[test]
    fn the_placeholder_of_the_guide_is_replaced() {
        let plan = goal().plan(&live(&json!([placeholder()])));
        assert_eq!(plan.comparison.verdict, VerdictKind::Drift);
        assert_eq!(plan.next, Some(trust::document(Form::Databricks, &goal().subject)));
        assert_eq!(plan.stays, []);
    }

    #[test]
    fn what_is_right_in_either_form_is_left_alone() {
        for form in Form::ALL {
            let plan = goal().plan(&trust::document(form, &goal().subject));
            assert_eq!((plan.next, plan.form), (None, form));
        }
    }

    #[test]
    fn a_form_that_was_asked_for_replaces_the_other() {
        let live = trust::document(Form::ArnLike, &goal().subject);
        let plan = Goal { form: Some(Form::Databricks), ..goal() }.plan(&live);
        assert_eq!(plan.next, Some(trust::document(Form::Databricks, &goal().subject)));
        assert_eq!(Goal { form: Some(Form::ArnLike), ..goal() }.plan(&live).next, None);
    }

    #[test]
    fn a_refusal_of_somebody_else_stays_and_is_named() {
        let deny = json!({"Sid": "Nobody", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"});
        let plan = goal().plan(&live(&json!([placeholder(), deny])));
        assert!(plan.next.is_some());
        assert!(!plan.stays.is_empty());
        // The second run has nothing to better, and says so again.
        let again = goal().plan(&plan.next.unwrap());
        assert_eq!(again.next, None);
        assert!(!again.stays.is_empty());
        let alone = Goal { exclusive: true, ..goal() }.plan(&live(&json!([placeholder(), deny])));
        assert_eq!(alone.stays, []);
    }

    #[test]
    fn a_grant_to_everybody_does_not_stand_for_ours() {
        let everybody = json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "blue-42"}}});
        let plan = goal().plan(&live(&json!([everybody])));
        let next = plan.next.unwrap();
        assert_eq!(next.statements().count(), 2);
        assert_eq!(goal().plan(&next).next, None);
    }

    #[test]
    fn a_deleted_principal_of_somebody_else_does_not_keep_us_from_writing() {
        let beside = json!({"Sid": "Team", "Effect": "Allow", "Principal": {"AWS": ["AROAGONE", "123456789012"]}, "Action": "sts:AssumeRole"});
        let alone = json!({"Effect": "Allow", "Principal": {"AWS": "AIDAGONE"}, "Action": "sts:TagSession"});
        let plan = goal().plan(&live(&json!([beside, placeholder(), alone])));
        assert_eq!(plan.dropped, ["AROAGONE", "AIDAGONE"]);
        let next = plan.next.unwrap();
        let sids: Vec<_> = next.statements().map(|statement| statement.sid()).collect();
        assert_eq!(sids, [Some("Team"), Some("UnityCatalogAndSelfAssumeRole")]);
        assert_eq!(next.as_value()["Statement"][0]["Principal"]["AWS"], json!(["123456789012"]));
        assert_eq!(goal().plan(&next).next, None);
    }

    #[test]
    fn the_order_of_a_list_is_not_a_change() {
        let allow = |principals: Value| {
            live(&json!([{"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole"}]))
        };
        assert!(is_same(&allow(json!([MASTER, OWN])), &allow(json!([OWN, MASTER]))));
        assert!(!is_same(&allow(json!([MASTER, OWN])), &allow(json!([OWN]))));
    }
}
