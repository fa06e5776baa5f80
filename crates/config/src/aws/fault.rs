//! One reading of SDK errors: who has to act, in which words, and what to type.

use std::error::Error;
use std::io;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::fault::{Fault, Kind};

use super::login::{Login, Style};

/// What went wrong with a call, before it is known what the call was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Who has to act.
    pub kind: Kind,
    /// The service's code, when it answered with one.
    pub code: Option<String>,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// Whether signing in again would help.
    pub sign_in: bool,
    /// Whether a file that holds a login is not there.
    pub no_login: bool,
}

/// Reads an SDK error.
pub fn problem<E, R>(error: &SdkError<E, R>) -> Problem
where
    E: Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    if let Some(credentials) = find::<CredentialsError>(error) {
        let mut causes = vec![credentials_sentence(credentials).to_owned()];
        // A chain that found nothing lists every place it looked in, which helps nobody.
        if !matches!(credentials, CredentialsError::CredentialsNotLoaded(_)) {
            causes.extend(reasons(credentials));
        }
        // Only a provider that could not be reached in time may work later.
        let late = matches!(credentials, CredentialsError::ProviderTimedOut(_));
        let kind = if late { Kind::Transient } else { Kind::Refused };
        let no_login =
            find::<io::Error>(credentials).is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
        return Problem { kind, code: None, causes, sign_in: true, no_login };
    }
    match error {
        SdkError::ServiceError(service) => {
            let metadata = service.err().meta();
            let code = metadata.code().map(str::to_owned);
            let causes = vec![match (metadata.message(), &code) {
                (Some(message), Some(code)) => format!("{code}: {message}"),
                (Some(message), None) => message.to_owned(),
                (None, Some(code)) => code.clone(),
                (None, None) => "the service answered with an error it did not name".to_owned(),
            }];
            let (kind, sign_in) = code.as_deref().map_or((Kind::Transient, false), kind_of);
            Problem { kind, code, causes, sign_in, no_login: false }
        }
        SdkError::TimeoutError(_) => transient("no answer in time"),
        SdkError::ResponseError(_) => transient("the answer could not be read"),
        SdkError::DispatchFailure(dispatch) => {
            let mut problem = transient("the service could not be reached");
            if let Some(connector) = dispatch.as_connector_error() {
                problem.causes.extend(innermost(connector));
            }
            problem
        }
        SdkError::ConstructionFailure(_) => Problem {
            kind: Kind::Usage,
            code: None,
            causes: innermost(error).into_iter().collect(),
            sign_in: false,
            no_login: false,
        },
        // The enum may grow; what is not known is not worth another try without a look.
        other => Problem {
            kind: Kind::Refused,
            code: None,
            causes: innermost(other).into_iter().collect(),
            sign_in: false,
            no_login: false,
        },
    }
}

impl Problem {
    pub(super) fn into_fault(mut self, doing: impl Into<String>, login: &Login) -> Fault {
        if self.no_login && login.style() == Style::Console {
            // The SDK names a cache file, which nobody knows, and never says that it is about a login.
            self.causes = vec![format!("nobody is signed in with profile `{}`", login.profile())];
        }
        let mut fault = self.causes.iter().fold(Fault::new(self.kind, doing), Fault::with_cause);
        if let Some(code) = &self.code {
            fault = fault.with_code(code);
        }
        if self.sign_in {
            return fault.with_hint(login.hint());
        }
        match (self.kind, self.code.as_deref()) {
            (_, Some(code)) if is_denied(code) => fault.with_hint(
                "run: aws-check, it shows who you are; ask an administrator for the action named above",
            ),
            (Kind::Transient, _) => {
                fault.with_hint("run the same command again in a moment; aws-check shows what can be reached")
            }
            _ => fault,
        }
    }
}

fn transient(cause: &str) -> Problem {
    Problem {
        kind: Kind::Transient,
        code: None,
        causes: vec![cause.to_owned()],
        sign_in: false,
        no_login: false,
    }
}

fn is_denied(code: &str) -> bool {
    matches!(
        code,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "KMSAccessDeniedException"
    )
}

/// Who has to act on a service's code, and whether signing in again helps.
fn kind_of(code: &str) -> (Kind, bool) {
    match code {
        "ExpiredToken"
        | "ExpiredTokenException"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestExpired"
        | "IncompleteSignature"
        | "NotAuthorized" => (Kind::Refused, true),
        "ValidationException"
        | "ValidationError"
        | "InvalidArgumentException"
        | "InvalidInput"
        | "SerializationException"
        | "MalformedPolicyDocument"
        | "InvalidParameterValue"
        | "PackedPolicyTooLarge" => (Kind::Usage, false),
        "Throttling"
        | "ThrottlingException"
        | "ProvisionedThroughputExceededException"
        | "LimitExceededException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "KMSThrottlingException"
        | "SlowDown"
        | "ServiceFailure"
        | "InternalFailure"
        | "InternalFailureException"
        | "InternalError"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "ConcurrentModification"
        | "RequestTimeout"
        | "RequestTimeoutException" => (Kind::Transient, false),
        _ => (Kind::Refused, false),
    }
}

fn credentials_sentence(error: &CredentialsError) -> &'static str {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            "no AWS credentials were found in the environment or the AWS files"
        }
        CredentialsError::ProviderTimedOut(_) => "the AWS credentials did not come in time",
        CredentialsError::InvalidConfiguration(_) => "the AWS credentials are not configured right",
        _ => "the AWS credentials could not be loaded",
    }
}

/// The error of type `T` in the chain of `error`.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost reason: the outer ones only say `dispatch failure`.
fn innermost(error: &(dyn Error + 'static)) -> Option<String> {
    chain(error).last().map(ToString::to_string)
}

/// The reasons below an error, without those that a deeper one repeats.
fn reasons(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts: Vec<String> = chain(error).skip(1).map(ToString::to_string).collect();
    texts.dedup();
    let deepest = texts.last().cloned();
    texts.retain(|text| {
        deepest.as_ref().is_none_or(|deepest| text == deepest || !text.contains(deepest.as_str()))
    });
    texts
}

#[cfg(test)]
mod tests {
    use super::kind_of;
    use crate::fault::Kind;

    #[test]
    fn codes_say_who_has_to_act() {
        assert_eq!(kind_of("ExpiredTokenException"), (Kind::Refused, true));
        assert_eq!(kind_of("ResourceNotFoundException"), (Kind::Refused, false));
        assert_eq!(kind_of("ValidationException"), (Kind::Usage, false));
        assert_eq!(kind_of("ProvisionedThroughputExceededException"), (Kind::Transient, false));
    }
}
