//! What `ensure` is asked to bring about: the two policy documents, checked against the role before anything is written.

use std::fs;

use config::member::Policies;
use config::names::{RoleArn, RoleName};
use config::{Document as Connection, Fault, Notes};
use policy::lint::{self, Severity};
use policy::{Document, Effect, PrincipalKind};
use serde_json::Value;

use crate::args::Ensure;

/// The documents to put into force.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Who may assume a role that has to be created.
    pub(crate) trust: Option<Document>,
    /// What the role may do.
    pub(crate) permissions: Document,
}

impl Wanted {
    /// From the files that the command line names, else from the connection document.
    ///
    /// # Errors
    /// A usage fault when there are no permissions, or a file is no policy; a pipe fault when the document's is none.
    pub(crate) fn of(args: &Ensure, connection: &Connection) -> Result<Self, Fault> {
        let policies = connection.get::<Policies>()?.unwrap_or_default();
        let trust = one("trust", args.trust.as_deref(), policies.trust)?;
        let permissions = one("permissions", args.permissions.as_deref(), policies.permissions)?;
        let permissions = permissions.ok_or_else(|| missing("permissions"))?;
        Ok(Self { trust, permissions })
    }
}

/// The fault for a policy that neither the command line nor the document gives.
pub(crate) fn missing(which: &str) -> Fault {
    let what = if which == "trust" { "trust policy" } else { "permissions" };
    Fault::usage(format!("no {what} given: the connection document has no `policies.{which}`"))
        .with_hint(format!("pipe in what `iam-policy-gen {which}` prints, or add --{which} FILE"))
}

fn one(which: &str, file: Option<&str>, member: Option<Value>) -> Result<Option<Document>, Fault> {
    let Some(path) = file else {
        return member.map(Document::from_value).transpose().map_err(|error| {
            Fault::pipe(format!("the document's `policies.{which}` cannot be used"))
                .with_cause(error)
                .with_hint(format!("write it anew: … | iam-policy-gen {which}"))
        });
    };
    let text = fs::read_to_string(path)
        .map_err(|error| Fault::usage(format!("failed to read the policy `{path}`")).with_cause(error))?;
    Document::parse(&text).map(Some).map_err(|error| {
        Fault::usage(format!("the file `{path}` cannot be used"))
            .with_cause(error)
            .with_hint(format!("iam-policy-gen {which} --pretty > {path}"))
    })
}

/// The role that the permissions let assume itself, when they name exactly one.
pub(crate) fn self_assumed(permissions: &Document) -> Option<RoleArn> {
    match self_assume_targets(permissions).as_slice() {
        [one] => one.parse().ok(),
        _ => None,
    }
}

/// Refuses permissions that let another role assume itself than the one they are for: Databricks' last check would fail.
///
/// # Errors
/// A usage fault that names both roles and the command that writes the right permissions.
pub(crate) fn check_self_assume(
    permissions: &Document,
    role: &RoleName,
    arn: Option<&RoleArn>,
) -> Result<(), Fault> {
    let targets = self_assume_targets(permissions);
    let is_role = |target: &&str| match (arn, target.parse::<RoleArn>()) {
        (Some(arn), Ok(target)) => target == *arn,
        (None, Ok(target)) => target.name() == role,
        (_, Err(_)) => true, // A pattern; whether it fits is not for this check to say.
    };
    match targets.first() {
        Some(other) if !targets.iter().any(is_role) => {
            let shown = arn.map_or_else(|| role.to_string(), ToString::to_string);
            Err(Fault::usage(format!("the permissions let `{other}` assume itself, not role `{shown}`"))
                .with_hint(format!(
                    "write them for this role: … | iam-policy-gen permissions --role {shown} | iam-role ensure {role}"
                )))
        }
        _ => Ok(()),
    }
}

/// Warns of what IAM will refuse, or what opens more than Databricks needs. It stops nothing: the policy may be meant so.
pub(crate) fn say_what_is_wrong(permissions: &Document, notes: &Notes) {
    for finding in lint::lint(permissions, lint::Kind::Identity) {
        if finding.severity >= Severity::Security {
            notes.warn(format!(
                "the permissions at `{}`: {}; {}",
                finding.pointer, finding.message, finding.hint
            ));
        }
    }
}

/// Whether any statement grants `sts:AssumeRole`: Databricks refuses a role that may not assume itself.
pub(crate) fn grants_self_assume(permissions: &Document) -> bool {
    !self_assume_targets(permissions).is_empty()
}

fn self_assume_targets(permissions: &Document) -> Vec<&str> {
    let grants = permissions.statements().filter(|statement| statement.effect() == Effect::Allow);
    grants
        .filter(|statement| {
            let covers = |action: &str| {
                ["sts:assumerole", "sts:*", "*"].iter().any(|known| action.eq_ignore_ascii_case(known))
            };
            statement.actions().unwrap_or_default().into_iter().any(covers)
        })
        .flat_map(|statement| statement.resources().unwrap_or_default())
        .collect()
}

/// The trust policy that a new role can be created with: without the role itself, which IAM cannot know yet. Says whether
/// anything had to be left out.
///
/// # Errors
/// A usage fault when nothing remains.
pub(crate) fn first_trust(trust: &Document, role: &RoleName) -> Result<(Document, bool), Fault> {
    let names_itself = |value: &Value| {
        value.as_str().and_then(|text| text.parse::<RoleArn>().ok()).is_some_and(|arn| arn.name() == role)
    };
    let itself = trust.statements().any(|statement| {
        statement
            .principals()
            .unwrap_or_default()
            .iter()
            .any(|named| named.kind == PrincipalKind::Aws && names_itself(&Value::from(named.value)))
    });
    if !itself {
        return Ok((trust.clone(), false));
    }
    let mut value = trust.as_value().clone();
    let statements = match value.get_mut("Statement") {
        Some(Value::Array(statements)) => std::mem::take(statements),
        Some(single) => vec![single.take()],
        None => Vec::new(),
    };
    let kept: Vec<Value> = statements
        .into_iter()
        .filter_map(|mut statement| {
            let names = statement.get_mut("Principal").and_then(|principal| principal.get_mut("AWS"))?;
            match names {
                Value::Array(names) => names.retain(|name| !names_itself(name)),
                single if names_itself(single) => return None,
                _ => {}
            }
            let emptied = names.as_array().is_some_and(Vec::is_empty);
            (!emptied).then_some(statement)
        })
        .collect();
    if kept.is_empty() {
        return Err(Fault::usage(format!(
            "the trust policy names nobody but role `{role}` itself, which does not exist yet"
        ))
        .with_hint("write one that Databricks can use: … | iam-policy-gen trust"));
    }
    if let Value::Object(members) = &mut value {
        members.insert("Statement".to_owned(), Value::Array(kept));
    }
    let first = Document::from_value(value)
        .map_err(|error| Fault::usage("the trust policy cannot be used").with_cause(error))?;
    Ok((first, true))
}

#[cfg(test)]
mod tests {
    use policy::Document;
    use serde_json::json;

    use super::{check_self_assume, first_trust, grants_self_assume, self_assumed};

    const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
    const OWN: &str = "arn:aws:iam::123456789012:role/reader";

    fn permissions(resource: &serde_json::Value) -> Document {
        let statement = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource});
        Document::from_value(json!({"Statement": [statement]})).unwrap()
    }

    #[test]
    fn permissions_for_another_role_are_refused_with_the_command_to_type() {
        let role = "reader".parse().unwrap();
        let arn = OWN.parse().unwrap();
        assert_eq!(check_self_assume(&permissions(&json!(OWN)), &role, None), Ok(()));
        assert_eq!(check_self_assume(&permissions(&json!([OWN])), &role, Some(&arn)), Ok(()));
        assert_eq!(
            check_self_assume(&permissions(&json!("arn:aws:iam::123456789012:role/*")), &role, None),
            Ok(())
        );
        let other = permissions(&json!("arn:aws:iam::123456789012:role/writer"));
        let hint = check_self_assume(&other, &role, None).unwrap_err();
        assert!(
            hint.hint()
                .unwrap()
                .contains("iam-policy-gen permissions --role reader | iam-role ensure reader")
        );
        let elsewhere = permissions(&json!("arn:aws:iam::210987654321:role/reader"));
        assert_eq!(check_self_assume(&elsewhere, &role, None), Ok(()));
        assert!(check_self_assume(&elsewhere, &role, Some(&arn)).is_err());
    }

    #[test]
    fn the_role_can_be_read_from_the_permissions() {
        assert_eq!(self_assumed(&permissions(&json!(OWN))).unwrap().as_str(), OWN);
        assert_eq!(self_assumed(&permissions(&json!("*"))), None);
        assert!(!grants_self_assume(&Document::from_value(json!({"Statement": []})).unwrap()));
    }

    #[test]
    fn a_new_role_is_left_out_of_its_first_trust_policy() {
        let role = "reader".parse().unwrap();
        let trust = |statements: serde_json::Value| {
            Document::from_value(json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
        };
        let allow = |principal: serde_json::Value| json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"});
        let (first, left_out) = first_trust(&trust(json!([allow(json!([MASTER, OWN]))])), &role).unwrap();
        assert!(left_out);
        assert_eq!(first, trust(json!([allow(json!([MASTER]))])));

        let (first, _) =
            first_trust(&trust(json!([allow(json!(MASTER)), allow(json!(OWN))])), &role).unwrap();
        assert_eq!(first, trust(json!([allow(json!(MASTER))])));

        let placeholder = trust(json!([allow(json!(MASTER))]));
        assert_eq!(first_trust(&placeholder, &role).unwrap(), (placeholder, false));
        assert!(first_trust(&trust(json!(allow(json!(OWN)))), &role).is_err());
    }
}
