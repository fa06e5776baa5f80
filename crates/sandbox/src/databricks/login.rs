//! Logins of programs, and the tokens they get, which end.
//!
//! Two grants: `client_credentials` with a secret, and the exchange of another issuer's identity token
//! (workload identity federation). The sandbox plays that issuer too, see [`IdentityToken`]: it only accepts
//! the tokens that it issued, for the audience and subject that were agreed.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::directory::Directory;
use super::oauth::{OAuthError, TOKEN_EXCHANGE, TokenAnswer, token_endpoint};
use super::principal::Principal;
use super::query::Query;
use super::secret::Secret;
use super::vend::epoch_ms;

/// The scopes that open Unity Catalog.
const OPENING_SCOPES: [&str; 2] = ["all-apis", "unity-catalog"];

/// The kind of identity token that can be traded.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The tokens that were given out, of both kinds.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    access: BTreeMap<Secret, AccessToken>,
    identity: BTreeMap<Secret, IdentityToken>,
}

/// A login.
#[derive(Debug)]
pub(super) struct AccessToken {
    pub(super) principal: String,
    scope: String,
    expires_at: SystemTime,
}

/// What the issuer of identity tokens says about somebody.
#[derive(Debug)]
pub(super) struct IdentityToken {
    pub(super) subject: String,
    pub(super) audience: String,
    pub(super) expires_at: SystemTime,
}

impl AccessToken {
    pub(super) fn expired(&self, now: SystemTime) -> bool {
        now >= self.expires_at
    }

    pub(super) fn opens_unity_catalog(&self) -> bool {
        self.scope.split_whitespace().any(|scope| OPENING_SCOPES.contains(&scope))
    }
}

/// What the token endpoint knows besides the request.
pub(super) struct Issuer<'a> {
    pub(super) host: &'a str,
    pub(super) account_id: &'a str,
    pub(super) directory: &'a Directory,
    pub(super) lifetime: Duration,
    pub(super) now: SystemTime,
}

impl Tokens {
    pub(super) fn access(&self, token: &str) -> Option<&AccessToken> {
        self.access.get(&Secret::new(token))
    }

    /// Signs an identity token. Its claims can be read by anybody; only the issuer can vouch for it.
    pub(super) fn identify(&mut self, token: IdentityToken) -> Secret {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let jwt = Secret::new(format!(
            "{}.{}.{}",
            part(serde_json::json!({"alg": "RS256", "typ": "JWT"})),
            part(serde_json::json!({
                "iss": "https://idp.test",
                "sub": token.subject,
                "aud": token.audience,
                "exp": epoch_ms(token.expires_at) / 1000,
            })),
            Secret::random("").reveal(),
        ));
        self.identity.insert(jwt.clone(), token);
        jwt
    }

    /// Answers `POST /oidc/v1/token`.
    pub(super) fn grant(
        &mut self,
        issuer: &Issuer<'_>,
        authorization: Option<&str>,
        form: &Query,
    ) -> Result<TokenAnswer, OAuthError> {
        let principal = match form.text("grant_type") {
            None => return Err(OAuthError::invalid_request("`grant_type` is missing")),
            Some("client_credentials") => client(issuer, authorization, form)?,
            Some(TOKEN_EXCHANGE) => self.federated(issuer, form)?,
            Some(other) => return Err(OAuthError::unsupported_grant(other)),
        };
        let scope = form.text("scope").unwrap_or("all-apis").to_owned();
        let token = Secret::random("eyJ");
        let answer = TokenAnswer {
            access_token: token.reveal().to_owned(),
            token_type: "Bearer",
            expires_in: issuer.lifetime.as_secs(),
            scope: scope.clone(),
        };
        let expires_at = issuer.now + issuer.lifetime;
        self.access.retain(|_, old| !old.expired(issuer.now));
        self.access.insert(token, AccessToken { principal: principal.name.clone(), scope, expires_at });
        Ok(answer)
    }

    /// Who an identity token stands for.
    fn federated<'a>(&self, issuer: &Issuer<'a>, form: &Query) -> Result<&'a Principal, OAuthError> {
        match form.text("subject_token_type") {
            Some(JWT) => {}
            other => {
                let given = other.unwrap_or("nothing");
                return Err(OAuthError::invalid_request(format!(
                    "`subject_token_type` must be `{JWT}`, not `{given}`"
                )));
            }
        }
        let jwt = form
            .text("subject_token")
            .ok_or_else(|| OAuthError::invalid_request("`subject_token` is missing"))?;
        let token = self.identity.get(&Secret::new(jwt));
        let token =
            token.ok_or_else(|| OAuthError::invalid_grant("the subject token's signature is not valid"))?;
        if issuer.now >= token.expires_at {
            return Err(OAuthError::invalid_grant("the subject token has expired"));
        }
        if token.audience != issuer.account_id && token.audience != token_endpoint(issuer.host) {
            return Err(OAuthError::invalid_grant(format!(
                "the audience `{}` is not accepted",
                token.audience
            )));
        }
        let principal = match form.text("client_id") {
            Some(client_id) => issuer.directory.by_name(client_id),
            None => issuer.directory.by_subject(&token.subject),
        };
        principal.filter(|principal| principal.federated_subject.as_ref() == Some(&token.subject)).ok_or_else(
            || {
                OAuthError::invalid_grant(format!(
                    "no federation policy accepts the subject `{}`",
                    token.subject
                ))
            },
        )
    }
}

/// Who logs in with an id and a secret, from the header or from the form.
fn client<'a>(
    issuer: &Issuer<'a>,
    authorization: Option<&str>,
    form: &Query,
) -> Result<&'a Principal, OAuthError> {
    let (id, secret) = match authorization {
        Some(header) => basic(header).ok_or_else(OAuthError::invalid_client)?,
        None => {
            let field = |name| form.text(name).unwrap_or_default().to_owned();
            (field("client_id"), field("client_secret"))
        }
    };
    issuer
        .directory
        .by_name(&id)
        .filter(|principal| principal.client_secret().is_some_and(|known| known.reveal() == secret))
        .ok_or_else(OAuthError::invalid_client)
}

/// Id and secret of a `Basic` header. Both are form-encoded first (RFC 6749, 2.3.1), which changes neither a
/// UUID nor a Databricks secret.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "http://127.0.0.1:1";
    const ACCOUNT: &str = "0d26daa6-5e44-4c97-a497-ef015f91254a";

    fn issuer(directory: &Directory) -> Issuer<'_> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(1);
        Issuer { host: HOST, account_id: ACCOUNT, directory, lifetime: Duration::from_mins(30), now }
    }

    fn refused(result: Result<TokenAnswer, OAuthError>) -> &'static str {
        match result {
            Err(error) => error.error,
            Ok(_) => panic!("a token was given out"),
        }
    }

    #[test]
    fn a_secret_opens_by_header_and_by_form() {
        let robot = Principal::service_principal("robot");
        let secret = robot.client_secret().expect("has one").reveal().to_owned();
        let directory = Directory::new(vec![robot.clone()], Vec::new());
        let mut tokens = Tokens::default();
        let header = format!("Basic {}", STANDARD.encode(format!("{}:{secret}", robot.name)));
        let form = Query::parse("grant_type=client_credentials&scope=all-apis");
        let answer = tokens.grant(&issuer(&directory), Some(&header), &form).expect("a token");
        assert_eq!(answer.expires_in, 1800);
        let token = tokens.access(&answer.access_token).expect("known");
        assert_eq!(token.principal, robot.name);
        assert!(token.opens_unity_catalog());
        assert!(token.expired(issuer(&directory).now + Duration::from_mins(30)));

        let form = Query::parse(&format!(
            "grant_type=client_credentials&client_id={}&client_secret={secret}&scope=sql",
            robot.name
        ));
        let answer = tokens.grant(&issuer(&directory), None, &form).expect("a token");
        assert!(!tokens.access(&answer.access_token).expect("known").opens_unity_catalog());
    }

    #[test]
    fn wrong_logins_have_oauths_own_errors() {
        let robot = Principal::service_principal("robot");
        let directory = Directory::new(vec![robot.clone(), Principal::user("ada@example.com")], Vec::new());
        let mut tokens = Tokens::default();
        let mut ask = |form: &str| refused(tokens.grant(&issuer(&directory), None, &Query::parse(form)));
        assert_eq!(ask(""), "invalid_request");
        assert_eq!(ask("grant_type=password"), "unsupported_grant_type");
        assert_eq!(ask("grant_type=client_credentials"), "invalid_client");
        assert_eq!(
            ask(&format!("grant_type=client_credentials&client_id={}&client_secret=dose0", robot.name)),
            "invalid_client"
        );
        assert_eq!(ask("grant_type=client_credentials&client_id=ada%40example.com"), "invalid_client");
    }

    #[test]
    fn identity_tokens_are_traded_only_as_agreed() {
        let mut robot = Principal::service_principal("robot");
        robot.federated_subject = Some("repo:acme/pipeline".to_owned());
        let directory = Directory::new(vec![robot.clone()], Vec::new());
        let mut tokens = Tokens::default();
        let later = issuer(&directory).now + Duration::from_mins(5);
        let mut jwt = |subject: &str, audience: &str, expires_at| {
            let token =
                IdentityToken { subject: subject.to_owned(), audience: audience.to_owned(), expires_at };
            tokens.identify(token).reveal().to_owned()
        };
        let good = jwt("repo:acme/pipeline", ACCOUNT, later);
        let other_audience = jwt("repo:acme/pipeline", "somebody", later);
        let other_subject = jwt("repo:acme/fork", ACCOUNT, later);
        let expired = jwt("repo:acme/pipeline", ACCOUNT, issuer(&directory).now);
        let mut trade = |jwt: &str, client_id: &str| {
            let form = Query::parse(&format!(
                "grant_type={TOKEN_EXCHANGE}&subject_token_type={JWT}&subject_token={jwt}&client_id={client_id}"
            ));
            tokens.grant(&issuer(&directory), None, &form)
        };
        assert!(trade(&good, &robot.name).is_ok());
        assert!(trade(&good, "").is_ok(), "an account-wide policy needs no client id");
        for wrong in [&other_audience, &other_subject, &expired, &format!("{good}x")] {
            assert_eq!(refused(trade(wrong, &robot.name)), "invalid_grant");
        }
        assert_eq!(refused(trade(&good, "somebody-else")), "invalid_grant");
    }
}
