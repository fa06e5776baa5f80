//! STS on the wire: the operations by name, parameters in, XML out.

use std::time::Duration;

use super::{AssumeRole, Caller, Identity, Session, Sts};
use crate::error::ServiceError;
use crate::iam;
use crate::query::{Parameters, Xml};

/// How long a session lives when the request does not say.
const DEFAULT_SESSION: Duration = Duration::from_hours(1);
/// … and the one of `GetSessionToken`.
const DEFAULT_SESSION_TOKEN: Duration = Duration::from_hours(12);

impl Sts {
    /// Carries out one operation for a caller.
    pub(crate) fn call(&self, caller: &Caller, parameters: &Parameters) -> Result<Xml, ServiceError> {
        match parameters.action() {
            "GetCallerIdentity" => Ok(caller_identity(caller)),
            "AssumeRole" => self.assume(caller, parameters),
            "GetSessionToken" => self.session_token(caller, parameters),
            "GetAccessKeyInfo" => self.access_key_info(caller, parameters),
            name => Err(ServiceError::new(
                400,
                "InvalidAction",
                format!("Could not find operation {name} for version 2011-06-15"),
            )),
        }
    }

    fn assume(&self, caller: &Caller, parameters: &Parameters) -> Result<Xml, ServiceError> {
        for unsupported in
            ["Policy", "PolicyArns.member.1.arn", "SerialNumber", "SourceIdentity", "Tags.member.1.Key"]
        {
            if parameters.optional(unsupported).is_some() {
                // Accepting it would quietly grant more than was asked for.
                return Err(ServiceError::new(
                    400,
                    "NotImplemented",
                    format!("The sandbox's AssumeRole does not know `{unsupported}`; leave it out"),
                ));
            }
        }
        let session = self.assume_role(
            caller,
            &AssumeRole {
                role_arn: parameters.required("RoleArn")?.to_owned(),
                session_name: parameters.required("RoleSessionName")?.to_owned(),
                external_id: parameters.optional("ExternalId").map(str::to_owned),
                duration: duration(parameters)?.unwrap_or(DEFAULT_SESSION),
            },
        )?;
        let mut xml = Xml::new();
        xml.element("AssumedRoleUser", |xml| {
            xml.text("AssumedRoleId", session.caller.user_id()).text("Arn", &session.assumed_role_arn);
        });
        write_credentials(&mut xml, &session);
        Ok(xml)
    }

    fn session_token(&self, caller: &Caller, parameters: &Parameters) -> Result<Xml, ServiceError> {
        if matches!(caller.identity, Identity::Session { .. }) {
            return Err(ServiceError::access_denied("Cannot call GetSessionToken with session credentials"));
        }
        // Root's sessions end after an hour at the latest.
        let longest = match caller.identity {
            Identity::Root => Duration::from_hours(1),
            Identity::User { .. } | Identity::Session { .. } => Duration::from_hours(36),
        };
        let wanted = duration(parameters)?.unwrap_or(DEFAULT_SESSION_TOKEN);
        if !(Duration::from_mins(15)..=Duration::from_hours(36)).contains(&wanted) {
            let rule = "Member must have value between 900 and 129600";
            return Err(iam::constraint("durationSeconds", &wanted.as_secs().to_string(), rule));
        }
        let session = self.issue(caller.clone(), wanted.min(longest));
        let mut xml = Xml::new();
        write_credentials(&mut xml, &session);
        Ok(xml)
    }

    fn access_key_info(&self, caller: &Caller, parameters: &Parameters) -> Result<Xml, ServiceError> {
        let id = parameters.required("AccessKeyId")?;
        self.iam.authorise(caller, "sts:GetAccessKeyInfo", "*").map_err(ServiceError::access_denied)?;
        let key = self
            .keys
            .find(id)
            .ok_or_else(|| ServiceError::validation(format!("The access key {id} does not exist")))?;
        let mut xml = Xml::new();
        xml.text("Account", key.caller.account);
        Ok(xml)
    }
}

fn caller_identity(caller: &Caller) -> Xml {
    let mut xml = Xml::new();
    xml.text("Arn", caller.arn()).text("UserId", caller.user_id()).text("Account", &caller.account);
    xml
}

fn write_credentials(xml: &mut Xml, session: &Session) {
    xml.element("Credentials", |xml| {
        xml.text("AccessKeyId", &session.access_key_id)
            .text("SecretAccessKey", &session.secret_access_key)
            .text("SessionToken", &session.session_token)
            .text("Expiration", iam::time(session.expires_at));
    });
}

fn duration(parameters: &Parameters) -> Result<Option<Duration>, ServiceError> {
    Ok(parameters.number("DurationSeconds")?.map(Duration::from_secs))
}
