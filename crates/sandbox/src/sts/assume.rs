//! Becoming a role: the trust policy decides, then the caller's own policies where they have a say.

use std::time::Duration;

use policy::evaluate::{self, Request};

use super::{AssumeRole, Caller, Identity, Key, Session, Sts, Temporary};
use crate::error::ServiceError;
use crate::iam;

/// The shortest session, by the API's documentation.
const SHORTEST_SESSION: Duration = Duration::from_mins(15);
/// The longest session of any role.
const LONGEST_SESSION: Duration = Duration::from_hours(12);
/// The longest session of a role that another role's session assumes.
const LONGEST_CHAINED_SESSION: Duration = Duration::from_hours(1);

impl Sts {
    /// Becomes a role.
    ///
    /// # Errors
    /// `ValidationError` for a parameter that breaks a rule of its own, `AccessDenied` for root, for a role that is not
    /// there or not visible yet, and when the trust policy or the caller's own policies do not allow it: the caller cannot
    /// tell these apart, as on AWS.
    pub fn assume_role(&self, caller: &Caller, request: &AssumeRole) -> Result<Session, ServiceError> {
        check(request)?;
        if caller.identity == Identity::Root {
            return Err(ServiceError::access_denied("Roles may not be assumed by root accounts."));
        }
        let denied = || {
            ServiceError::access_denied(format!(
                "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
                caller.arn(),
                request.role_arn
            ))
        };
        let role = self.iam.trusted(caller, &request.role_arn).ok_or_else(denied)?;
        let mut context = iam::context(self.clock.now()).with("sts:RoleSessionName", &request.session_name);
        if let Some(external_id) = &request.external_id {
            context = context.with("sts:ExternalId", external_id);
        }
        let principal = iam::principal_of(caller);
        let question = Request {
            principal: &principal,
            action: "sts:AssumeRole",
            resource: &request.role_arn,
            context: &context,
        };
        let verdict = evaluate::assume_role(
            &role.trust,
            &role.carried.documents(),
            role.carried.boundary.as_deref(),
            &question,
            self.settings.strict_self_assume && assumes_itself(caller, &role.role_id),
        );
        tracing::debug!(caller = caller.arn(), role = request.role_arn, why = verdict.why, "sts:AssumeRole");
        if !verdict.decision.is_allow() {
            return Err(denied());
        }
        check_duration(caller, request.duration, role.max_session)?;
        let caller = Caller {
            account: role.account,
            identity: Identity::Session {
                role_arn: request.role_arn.clone(),
                role_name: role.role_name,
                role_id: role.role_id,
                session_name: request.session_name.clone(),
            },
        };
        Ok(self.issue(caller, request.duration))
    }

    /// Hands out temporary keys.
    pub(super) fn issue(&self, caller: Caller, duration: Duration) -> Session {
        let lifetime = self.settings.session_lifetime.map_or(duration, |longest| longest.min(duration));
        let session = Session {
            access_key_id: iam::session_key_id(),
            secret_access_key: iam::secret(),
            session_token: iam::token(),
            expires_at: self.clock.now() + lifetime,
            assumed_role_arn: caller.arn(),
            caller,
        };
        self.keys.insert(
            session.access_key_id.clone(),
            Key {
                secret: session.secret_access_key.clone(),
                caller: session.caller.clone(),
                session: Some(Temporary {
                    token: session.session_token.clone(),
                    expires_at: session.expires_at,
                }),
            },
        );
        session
    }
}

fn assumes_itself(caller: &Caller, role_id: &str) -> bool {
    matches!(&caller.identity, Identity::Session { role_id: own, .. } if own == role_id)
}

fn check(request: &AssumeRole) -> Result<(), ServiceError> {
    iam::check_length("roleArn", &request.role_arn, 20, 2048)?;
    if !request.role_arn.starts_with("arn:") || request.role_arn.split(':').count() < 6 {
        return Err(ServiceError::validation(format!("{} is invalid", request.role_arn)));
    }
    iam::check_session_name(&request.session_name)?;
    if let Some(external_id) = &request.external_id {
        iam::check_length("externalId", external_id, 2, 1224)?;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@:/-".contains(letter);
        if !external_id.chars().all(allowed) {
            let rule = iam::pattern_rule(r"[\w+=,.@:\/-]*");
            return Err(iam::constraint("externalId", external_id, &rule));
        }
    }
    let seconds = request.duration.as_secs();
    let shown = seconds.to_string();
    if request.duration < SHORTEST_SESSION {
        let rule = format!("Member must have value greater than or equal to {}", SHORTEST_SESSION.as_secs());
        return Err(iam::constraint("durationSeconds", &shown, &rule));
    }
    if request.duration > LONGEST_SESSION {
        let rule = format!("Member must have value less than or equal to {}", LONGEST_SESSION.as_secs());
        return Err(iam::constraint("durationSeconds", &shown, &rule));
    }
    Ok(())
}

fn check_duration(caller: &Caller, wanted: Duration, max_session: Duration) -> Result<(), ServiceError> {
    let chained = matches!(caller.identity, Identity::Session { .. });
    if chained && wanted > LONGEST_CHAINED_SESSION {
        return Err(ServiceError::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    if wanted > max_session {
        return Err(ServiceError::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(())
}
