//! Principals of a trust policy: resolved to unique ids when it is written, mapped back to ARNs when it is
//! read. What is gone stays an id for ever, also when a namesake comes.

use serde_json::Value;

use super::policy_document::{malformed, one_or_many};
use crate::error::ServiceError;

/// Who exists, as far as the one who asks can see.
pub(crate) trait Directory {
    /// The unique id of a role or user.
    fn id_of(&self, arn: &str) -> Option<String>;
    /// Whether the account has a role with this name, whatever its path.
    fn has_role(&self, account: &str, name: &str) -> bool;
    /// The ARN of the role or user with this unique id.
    fn arn_of(&self, id: &str) -> Option<String>;
}

/// Replaces every principal of a trust policy by the one form that is stored.
pub(crate) fn resolve(document: &mut Value, directory: &impl Directory) -> Result<(), ServiceError> {
    for_each_principal_map(document, |kind, value| {
        let texts: Vec<&Value> = one_or_many(Some(value)).collect();
        if texts.is_empty() {
            return Err(malformed("Missing required field Principal cannot be empty!"));
        }
        let mut resolved = Vec::with_capacity(texts.len());
        for text in texts {
            let text = text.as_str().unwrap_or_default();
            let found = match kind {
                "AWS" => resolve_aws(text, directory),
                "Service" => is_service(text).then(|| text.to_owned()),
                "Federated" | "CanonicalUser" => (!text.is_empty()).then(|| text.to_owned()),
                _ => None,
            };
            let found = found.ok_or_else(|| {
                malformed(format!("Invalid principal in policy: \"{}\":\"{text}\"", spell(kind)))
            })?;
            resolved.push(found.into());
        }
        *value = Value::Array(resolved);
        Ok(())
    })
}

/// Maps stored ids back to the ARNs of those who still exist.
pub(crate) fn restore(document: &mut Value, directory: &impl Directory) {
    let restored = for_each_principal_map(document, |kind, value| {
        if kind == "AWS"
            && let Value::Array(principals) = value
        {
            for principal in principals {
                if let Some(arn) = principal.as_str().and_then(|id| directory.arn_of(id)) {
                    *principal = arn.into();
                }
            }
        }
        Ok(())
    });
    debug_assert!(restored.is_ok(), "a stored policy has well-formed principals");
}

/// Calls `each` with the type and the value of every entry of every `Principal` and `NotPrincipal`.
fn for_each_principal_map(
    document: &mut Value,
    mut each: impl FnMut(&str, &mut Value) -> Result<(), ServiceError>,
) -> Result<(), ServiceError> {
    let statements = match document.get_mut("Statement") {
        Some(Value::Array(list)) => list.as_mut_slice(),
        Some(single) => std::slice::from_mut(single),
        None => &mut [],
    };
    for statement in statements {
        for name in ["Principal", "NotPrincipal"] {
            match statement.get_mut(name) {
                None => {}
                Some(Value::Object(kinds)) if !kinds.is_empty() => {
                    for (kind, value) in kinds.iter_mut() {
                        each(kind, value)?;
                    }
                }
                Some(Value::String(everyone)) if everyone == "*" => {}
                Some(Value::Object(_)) => {
                    return Err(malformed("Missing required field Principal cannot be empty!"));
                }
                Some(other) => {
                    let shown = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
                    return Err(malformed(format!("Invalid principal in policy: {shown}")));
                }
            }
        }
    }
    Ok(())
}

fn resolve_aws(text: &str, directory: &impl Directory) -> Option<String> {
    if text == "*" {
        return Some(text.to_owned());
    }
    if is_account(text) {
        return Some(format!("arn:aws:iam::{text}:root"));
    }
    if directory.arn_of(text).is_some() {
        return Some(text.to_owned());
    }
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", "aws", service, "", account, resource] = fields[..] else {
        return None;
    };
    if !is_account(account) {
        return None;
    }
    match (service, resource) {
        ("iam", "root") => Some(text.to_owned()),
        ("iam", _) => directory.id_of(text),
        ("sts", session) => {
            // A session is stored by name; only its role is looked up. Its ARN has no path.
            let (role, name) = session.strip_prefix("assumed-role/")?.split_once('/')?;
            let exists = directory.has_role(account, role);
            (exists && !name.is_empty() && !name.contains('*')).then(|| text.to_owned())
        }
        _ => None,
    }
}

/// IAM shows service principals under `SERVICE` in this message, the others as they were written.
fn spell(kind: &str) -> &str {
    if kind == "Service" { "SERVICE" } else { kind }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit())
}

fn is_service(text: &str) -> bool {
    text.strip_suffix(".amazonaws.com")
        .or_else(|| text.strip_suffix(".amazonaws.com.cn"))
        .is_some_and(|name| !name.is_empty() && !name.contains('*'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
    const ID: &str = "AROAAAAAAAAAAAAAAAAAA";

    /// One role, which may be gone.
    struct Only(bool);

    impl Directory for Only {
        fn id_of(&self, arn: &str) -> Option<String> {
            (self.0 && arn == ROLE).then(|| ID.to_owned())
        }
        fn has_role(&self, account: &str, name: &str) -> bool {
            self.0 && ROLE == format!("arn:aws:iam::{account}:role/{name}")
        }
        fn arn_of(&self, id: &str) -> Option<String> {
            (self.0 && id == ID).then(|| ROLE.to_owned())
        }
    }

    fn trust(principal: &Value) -> Value {
        json!({ "Statement": [{ "Principal": principal }] })
    }

    #[test]
    fn a_role_is_stored_by_id_and_shown_by_arn_while_it_lives() {
        let mut document = trust(&json!({ "AWS": [ROLE, "123456789012"] }));
        resolve(&mut document, &Only(true)).unwrap();
        let root = "arn:aws:iam::123456789012:root";
        assert_eq!(document, trust(&json!({ "AWS": [ID, root] })));
        let mut gone = document.clone();
        restore(&mut document, &Only(true));
        assert_eq!(document, trust(&json!({ "AWS": [ROLE, root] })));
        restore(&mut gone, &Only(false));
        assert_eq!(gone, trust(&json!({ "AWS": [ID, root] })));
    }

    #[test]
    fn what_does_not_exist_is_no_principal() {
        for (kind, text) in [
            ("AWS", ROLE),
            ("AWS", ID),
            ("AWS", "arn:aws:iam::123456789012:role/*"),
            ("AWS", "arn:aws-cn:iam::123456789012:root"),
            ("AWS", "arn:aws:iam::1234:root"),
            ("AWS", "arn:aws:sts::123456789012:assumed-role/reader/me"),
            ("AWS", ""),
            ("Robot", "x"),
        ] {
            let error = resolve(&mut trust(&json!({ kind: text })), &Only(false)).unwrap_err();
            assert_eq!(error.message, format!("Invalid principal in policy: \"{kind}\":\"{text}\""));
        }
        let error = resolve(&mut trust(&json!({ "Service": "kinesis" })), &Only(true)).unwrap_err();
        assert_eq!(error.message, r#"Invalid principal in policy: "SERVICE":"kinesis""#);
    }

    #[test]
    fn one_session_of_a_role_is_stored_by_name() {
        let session = "arn:aws:sts::123456789012:assumed-role/reader/me";
        let mut document = trust(&json!({ "AWS": session }));
        resolve(&mut document, &Only(true)).unwrap();
        assert_eq!(document, trust(&json!({ "AWS": [session] })));
        let any = trust(&json!({ "AWS": session.replace("me", "*") }));
        assert!(resolve(&mut any.clone(), &Only(true)).is_err(), "no wildcard inside");
    }

    #[test]
    fn an_empty_principal_is_refused() {
        for empty in [json!({}), json!({ "AWS": [] })] {
            let error = resolve(&mut trust(&empty), &Only(true)).unwrap_err();
            assert_eq!(error.message, "Missing required field Principal cannot be empty!");
        }
        assert!(resolve(&mut trust(&json!("someone")), &Only(true)).is_err());
        assert!(resolve(&mut trust(&json!("*")), &Only(true)).is_ok());
    }
}
