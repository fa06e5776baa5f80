//! The permissions: everything that Databricks does with this stream, asked of every policy that the role carries.

use live_role::{Grants, Iam, LiveRole};
use policy::Document;
use policy::evaluate::{self, Context, Decision, Principal, Request, Source, Verdict};
use policy::permissions::{self, Spec};

use super::connection::Connection;
use super::finding::{Gap, Seen};
use super::stream::LiveStream;
use super::trust::{self, SESSION_NAME};

pub(crate) async fn check(
    connection: &Connection,
    iam: &Iam,
    role: &LiveRole,
    stream: &LiveStream,
) -> Result<Seen<()>, Gap> {
    let grants = iam.grants(role).await?;
    let mut warnings = Vec::new();
    let spec = Spec::reader(stream.arn.as_str(), role.arn.as_str())
        .map_err(|error| super::unseen(&error.to_string()))?
        .with_mode(connection.mode);
    let crosses_accounts = spec.crosses_accounts();
    let spec = match key_arn(stream) {
        None => spec,
        Some(Ok(key)) => spec.with_kms_key(&key).map_err(|error| super::unseen(&error.to_string()))?,
        Some(Err(alias)) => {
            warnings.push(format!("whether the role may decrypt with `{alias}` was not looked at: a policy names the key, not its alias; aws kms describe-key --key-id {alias} shows it"));
            spec
        }
    };
    if crosses_accounts {
        warnings.push(
            "the stream is in another account, whose policy on the stream was not looked at: aws kinesis get-resource-policy shows it"
                .to_owned(),
        );
    }
    let asked = Asked { role, stream, grants: &grants };
    let refused = asked.refused(&permissions::document(&spec));
    let Some(first) = refused.first() else {
        return Ok(Seen {
            value: (),
            sentence: "everything that Databricks does with this stream is allowed, and assuming itself"
                .to_owned(),
            warnings,
        });
    };
    // Of those that are refused on the same grounds, all are named.
    let same =
        refused.iter().filter(|other| other.grounds == first.grounds && other.resource == first.resource);
    let actions: Vec<String> = same.map(|refused| format!("`{}`", refused.action)).collect();
    let actions = actions.join(", ");
    let (why, fix) = asked.repair(connection, first);
    Err(Gap::broken(format!("the role may not {actions} on `{}`: {why}", first.resource), fix))
}

/// The ARN of the customer's key, or what names it instead when that is an alias; `None` when there is no such key.
fn key_arn(stream: &LiveStream) -> Option<Result<String, String>> {
    let key = stream.customer_key.as_ref()?;
    if key.contains("alias/") {
        return Some(Err(key.clone()));
    }
    if key.starts_with("arn:") {
        return Some(Ok(key.clone()));
    }
    let arn = &stream.arn;
    let partition = arn.arn().partition();
    Some(Ok(format!("arn:{partition}:kms:{}:{}:key/{key}", arn.region(), arn.account())))
}

/// Why something is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Grounds {
    /// No policy grants it.
    NotGranted,
    /// The permissions boundary does not let it through.
    Boundary,
    /// The policy with this position refuses it.
    Refusal(usize),
}

struct Refused {
    action: String,
    resource: String,
    grounds: Grounds,
    verdict: Verdict,
}

struct Asked<'a> {
    role: &'a LiveRole,
    stream: &'a LiveStream,
    grants: &'a Grants,
}

impl Asked<'_> {
    /// Every action of `needed` that is not allowed, in order.
    fn refused(&self, needed: &Document) -> Vec<Refused> {
        let mut refused = Vec::new();
        for statement in needed.statements() {
            for action in statement.actions().unwrap_or_default() {
                for resource in statement.resources().unwrap_or_default() {
                    refused.extend(self.ask(action, resource));
                }
            }
        }
        refused
    }

    fn ask(&self, action: &str, resource: &str) -> Option<Refused> {
        let named = self.grants.documents();
        let documents: Vec<&Document> = named.iter().map(|(_, document)| *document).collect();
        let boundary = self.grants.boundary.as_ref().map(|boundary| &boundary.document);
        let principal = Principal::session(self.role.arn.as_str(), Some(&self.role.id), SESSION_NAME);
        let context = self.context(action);
        let request = Request { principal: &principal, action, resource, context: &context };
        let verdict = evaluate::identity(&documents, boundary, &request);
        if verdict.decision.is_allow() {
            return None;
        }
        let source = verdict.statement.as_ref().map(|statement| statement.source);
        let grounds = match (verdict.decision, source) {
            (Decision::ExplicitDeny, Some(Source::Identity(position))) => Grounds::Refusal(position),
            _ if evaluate::identity(&documents, None, &request).decision.is_allow() => Grounds::Boundary,
            _ => Grounds::NotGranted,
        };
        Some(Refused { action: action.to_owned(), resource: resource.to_owned(), grounds, verdict })
    }

    /// What a call of Databricks' brings along.
    fn context(&self, action: &str) -> Context {
        let arn = &self.stream.arn;
        let context = trust::context(None).with("aws:RequestedRegion", arn.region().as_str());
        if !action.starts_with("kms:") {
            return context;
        }
        let suffix = if arn.arn().partition().as_str() == "aws-cn" { ".cn" } else { "" };
        context
            .with("kms:ViaService", format!("kinesis.{}.amazonaws.com{suffix}", arn.region()))
            .with("kms:EncryptionContext:aws:kinesis:arn", arn.as_str())
    }

    /// The grounds in words, and the command that ends them.
    fn repair(&self, connection: &Connection, refused: &Refused) -> (String, String) {
        let role = self.role.name();
        match &refused.grounds {
            Grounds::NotGranted => {
                let has_none = self.grants.documents().is_empty();
                let why = if has_none { "no policy is attached to it" } else { &refused.verdict.why };
                (why.to_owned(), connection.make_permissions())
            }
            Grounds::Boundary => {
                let arn = self.grants.boundary.as_ref().map(|boundary| boundary.arn.to_string());
                let why = format!(
                    "its permissions boundary `{}`, which an administrator has set, does not let that through",
                    arn.unwrap_or_default()
                );
                (why, format!("aws iam delete-role-permissions-boundary --role-name {role}"))
            }
            Grounds::Refusal(position) => self.refusal(connection, refused, *position),
        }
    }

    fn refusal(&self, connection: &Connection, refused: &Refused, position: usize) -> (String, String) {
        let role = self.role.name();
        let statement = refused.verdict.statement.as_ref();
        let which = statement.map_or_else(
            || "a statement".to_owned(),
            |statement| {
                statement.sid.as_ref().map_or_else(
                    || format!("statement {}", statement.index),
                    |sid| format!("statement `{sid}`"),
                )
            },
        );
        let ours = connection.role.as_ref().and_then(|role| role.policy_arn.as_ref());
        if let Some(attached) = self.grants.attached.get(position) {
            let why = format!("{which} of policy `{}` refuses it", attached.name());
            let fix = if ours == Some(&attached.arn) {
                connection.make_permissions()
            } else {
                format!("aws iam detach-role-policy --role-name {role} --policy-arn {}", attached.arn)
            };
            return (why, fix);
        }
        let inline = position.checked_sub(self.grants.attached.len());
        let name =
            inline.and_then(|position| self.grants.inline.get(position)).map_or("", |inline| &inline.name);
        (
            format!("{which} of inline policy `{name}` refuses it"),
            format!("aws iam delete-role-policy --role-name {role} --policy-name {name}"),
        )
    }
}
