//! May this principal do this? The policy language's answer, and the statement that gave it.
//!
//! A refusal beats every grant; without a grant the answer is no. Three questions can be asked: of a resource's own policy
//! ([`trust`]), of the policies a caller carries ([`identity`]), and of both when a role is to be assumed ([`assume_role`]).

mod condition;
mod context;
mod matching;
mod principal;
mod quantity;

use std::fmt;

use serde::Serialize;

pub use context::Context;
pub use principal::{Principal, PrincipalError};

use crate::Document;
use crate::arn::Arn;
use crate::statement::{Effect, Statement};
use matching::{Miss, Side, Subject};
pub(crate) use quantity::{is_address_range, is_number, is_time};

/// One request: who wants to do what to what, and what else is known.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who calls.
    pub principal: &'a Principal,
    /// Such as `sts:AssumeRole`; compared ignoring case.
    pub action: &'a str,
    /// The ARN acted on, or `*` for actions that know no resource.
    pub resource: &'a str,
    /// Condition keys. Those that follow from the principal (`aws:PrincipalArn`, `aws:userid`, …) are added where missing.
    pub context: &'a Context,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Some statement grants and none refuses.
    Allow,
    /// No statement grants.
    ImplicitDeny,
    /// A statement refuses.
    ExplicitDeny,
}

/// How a trust policy names a caller. Ordered: the most direct first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Via {
    /// By its own ARN or unique id.
    Direct,
    /// As anybody, with `*`.
    Everyone,
    /// Through its account: the account's own policies decide further.
    Account,
}

/// Which policy a statement stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The resource's policy.
    Trust,
    /// The caller's policy with this position in the list that was given.
    Identity(usize),
    /// The caller's permissions boundary.
    Boundary,
}

/// Where the statement is that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatementRef {
    /// The policy.
    pub source: Source,
    /// Position in the policy, from 0.
    pub index: usize,
    /// The statement's own name, when it has one.
    pub sid: Option<String>,
    /// JSON pointer in the policy.
    pub pointer: String,
}

/// A decision with its grounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The answer.
    pub decision: Decision,
    /// The statement that decided; for an implicit refusal the one that came nearest to granting, if any came near.
    pub statement: Option<StatementRef>,
    /// The grounds, in a sentence.
    pub why: String,
    /// How the trust policy named the caller, where it granted.
    pub via: Option<Via>,
}

/// Asks the policy on a resource, here a role's trust policy, alone.
pub fn trust(document: &Document, request: &Request<'_>) -> Verdict {
    weigh(&[Policy { document, source: Source::Trust }], Side::Resource, &Subject::new(request))
}

/// Asks the policies a caller carries: all of them together, limited by the permissions boundary if there is one.
pub fn identity(documents: &[&Document], boundary: Option<&Document>, request: &Request<'_>) -> Verdict {
    let subject = Subject::new(request);
    let policies: Vec<_> = documents
        .iter()
        .enumerate()
        .map(|(position, document)| Policy { document, source: Source::Identity(position) })
        .collect();
    let granted = weigh(&policies, Side::Identity, &subject);
    let Some(limit) = boundary.map(|document| bounded(document, &subject)) else { return granted };
    match (granted.decision, limit.decision) {
        (Decision::ExplicitDeny, _) => granted,
        (_, Decision::ExplicitDeny) => limit,
        (Decision::ImplicitDeny, _) | (_, Decision::Allow) => granted,
        (Decision::Allow, Decision::ImplicitDeny) => limit,
    }
}

/// Asks whether a role can be assumed: its trust policy first, then the policies of the caller where they have a say.
///
/// `request.resource` is the role. Across accounts both sides must grant. In one account a caller whom the trust policy names
/// itself needs no grant of its own, unless `strict`; one named through its account does. Databricks demands both sides of a
/// role that assumes itself, which is what `strict` is for. AWS services carry no policies of their own.
///
/// That a root user may not assume any role is not a matter of policy, and not decided here.
pub fn assume_role(
    trust_policy: &Document,
    identity_policies: &[&Document],
    boundary: Option<&Document>,
    request: &Request<'_>,
    strict: bool,
) -> Verdict {
    let trusted = trust(trust_policy, request);
    if trusted.decision != Decision::Allow {
        return trusted;
    }
    match request.principal {
        Principal::Service { .. } => return trusted,
        Principal::Anonymous => {
            let why = "a role cannot be assumed by an unsigned request".to_owned();
            return Verdict { decision: Decision::ImplicitDeny, why, ..trusted };
        }
        Principal::Root { .. }
        | Principal::User { .. }
        | Principal::Session { .. }
        | Principal::FederatedUser { .. } => {}
    }
    let carried = identity(identity_policies, boundary, request);
    if carried.decision == Decision::ExplicitDeny {
        return carried;
    }
    let same_account = Arn::split(request.resource).map(|role| role.account) == request.principal.account();
    let needs_own_grant = strict || !same_account || trusted.via == Some(Via::Account);
    if needs_own_grant {
        return match carried.decision {
            Decision::Allow => trusted,
            Decision::ImplicitDeny | Decision::ExplicitDeny => Verdict {
                why: format!("the trust policy allows it, but {}", carried.why),
                via: trusted.via,
                ..carried
            },
        };
    }
    // A boundary also limits what a resource's policy grants to a role, though not what it grants to a user or to one session.
    let limit = boundary.filter(|_| matches!(request.principal, Principal::Session { .. }));
    match limit.map(|document| bounded(document, &Subject::new(request))) {
        Some(limit) if limit.decision != Decision::Allow => limit,
        _ => trusted,
    }
}

/// A policy and what it is to the request.
#[derive(Clone, Copy)]
struct Policy<'a> {
    document: &'a Document,
    source: Source,
}

/// Only this version of the language knows variables.
const VERSION_WITH_VARIABLES: &str = "2012-10-17";

fn bounded(document: &Document, subject: &Subject<'_>) -> Verdict {
    let verdict = weigh(&[Policy { document, source: Source::Boundary }], Side::Identity, subject);
    match verdict.decision {
        Decision::ImplicitDeny => {
            let why = format!("the permissions boundary does not allow it: {}", verdict.why);
            Verdict { why, ..verdict }
        }
        Decision::Allow | Decision::ExplicitDeny => verdict,
    }
}

/// Weighs all statements: a refusal beats every grant, a direct grant beats one through the account.
fn weigh(policies: &[Policy<'_>], side: Side, subject: &Subject<'_>) -> Verdict {
    let mut grant: Option<(Option<Via>, StatementRef)> = None;
    let mut nearest: Option<(Miss, StatementRef)> = None;
    for policy in policies {
        let variables = policy.document.version() == Some(VERSION_WITH_VARIABLES);
        for statement in policy.document.statements() {
            let place = || place(&statement, policy.source);
            match (subject.applies(&statement, side, variables), statement.effect()) {
                (Ok(_), Effect::Deny) => return refused(subject, place()),
                (Ok(via), Effect::Allow) => {
                    if grant.as_ref().is_none_or(|(best, _)| via < *best) {
                        grant = Some((via, place()));
                    }
                }
                (Err(_), Effect::Deny) => {}
                (Err(miss), Effect::Allow) => {
                    if nearest.as_ref().is_none_or(|(best, _)| miss > *best) {
                        nearest = Some((miss, place()));
                    }
                }
            }
        }
    }
    match (grant, nearest) {
        (Some((via, place)), _) => granted(subject, via, place),
        (None, nearest) => not_granted(subject, nearest),
    }
}

fn refused(subject: &Subject<'_>, place: StatementRef) -> Verdict {
    let why = format!("{place} denies `{}` to {}", subject.request.action, subject.request.principal);
    Verdict { decision: Decision::ExplicitDeny, statement: Some(place), why, via: None }
}

fn granted(subject: &Subject<'_>, via: Option<Via>, place: StatementRef) -> Verdict {
    let how = match via {
        None | Some(Via::Direct) => "",
        Some(Via::Account) => ", named through its account",
        Some(Via::Everyone) => ", as it does to everyone",
    };
    let why = format!("{place} allows `{}` to {}{how}", subject.request.action, subject.request.principal);
    Verdict { decision: Decision::Allow, statement: Some(place), why, via }
}

fn not_granted(subject: &Subject<'_>, nearest: Option<(Miss, StatementRef)>) -> Verdict {
    let request = subject.request;
    let why = match &nearest {
        Some((miss, place)) => {
            format!(
                "no statement allows `{}` on `{}` to {}; {place} comes nearest, but {miss}",
                request.action, request.resource, request.principal
            )
        }
        None => format!(
            "no statement allows `{}` on `{}` to {}",
            request.action, request.resource, request.principal
        ),
    };
    Verdict { decision: Decision::ImplicitDeny, statement: nearest.map(|(_, place)| place), why, via: None }
}

fn place(statement: &Statement<'_>, source: Source) -> StatementRef {
    StatementRef {
        source,
        index: statement.index(),
        sid: statement.sid().map(str::to_owned),
        pointer: statement.pointer(),
    }
}

impl Decision {
    /// The word in output: `allow`, `implicit-deny` or `explicit-deny`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ImplicitDeny => "implicit-deny",
            Self::ExplicitDeny => "explicit-deny",
        }
    }

    /// Whether the request goes through.
    pub fn is_allow(self) -> bool {
        self == Self::Allow
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How a person would point at it: ``statement `ReadStream` of the identity policy``.
impl fmt::Display for StatementRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sid {
            Some(sid) => write!(formatter, "statement `{sid}`")?,
            None => write!(formatter, "statement {}", self.index)?,
        }
        match self.source {
            Source::Trust => formatter.write_str(" of the trust policy"),
            Source::Identity(_) => formatter.write_str(" of the identity policy"),
            Source::Boundary => formatter.write_str(" of the permissions boundary"),
        }
    }
}
