//! Where the credentials came from and how long they last.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::credential_feature::AwsCredentialFeature as Feature;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use config::aws::Aws;
use config::duration;
use serde::Serialize;

/// A source of credentials.
pub(crate) struct Source {
    origin: Origin,
    profile: Option<String>,
    expiry: Option<SystemTime>,
}

/// A kind of source: the word for programs, and what people call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Origin {
    word: &'static str,
    said: &'static str,
}

/// A source that gives no account of itself.
const UNKNOWN: Origin = Origin { word: "unknown", said: "a source that gives no account of itself" };

/// The member `credentials` of the document's `identity`. There is nothing secret in it.
#[derive(Serialize)]
pub(crate) struct Credentials<'a> {
    source: &'static str,
    profile: Option<&'a str>,
    expires_at: Option<String>,
}

impl Source {
    /// The source for programs.
    pub(crate) fn wire(&self) -> Credentials<'_> {
        let expiry = self.expiry.and_then(|expiry| jiff::Timestamp::try_from(expiry).ok());
        Credentials {
            source: self.origin.word,
            profile: self.profile.as_deref(),
            expires_at: expiry.map(|expiry| expiry.to_string()),
        }
    }
}

/// How long a source may take; the SDK's own bound for the first credentials of a client.
const LIMIT: Duration = Duration::from_secs(5);

/// The same configuration with its credentials resolved, once for every client: a source may be a program, a prompt or a
/// token that can be used only once. Where there are none the first call says why.
pub(crate) async fn resolved(mut aws: Aws) -> Aws {
    let Some(provider) = aws.sdk.credentials_provider() else { return aws };
    if let Ok(Ok(credentials)) = tokio::time::timeout(LIMIT, provider.provide_credentials()).await {
        let provider = SharedCredentialsProvider::new(credentials);
        aws.sdk = aws.sdk.into_builder().credentials_provider(provider).build();
    }
    aws
}

/// The source of the credentials in use. They were [`resolved`] before, so this asks nobody anew.
pub(crate) async fn of(aws: &Aws) -> Source {
    let provider = aws.sdk.credentials_provider();
    let credentials = match &provider {
        Some(provider) => provider.provide_credentials().await.ok(),
        None => None,
    };
    let Some(credentials) = credentials else {
        return Source { origin: UNKNOWN, profile: None, expiry: None };
    };
    let features = credentials.get_property::<Vec<Feature>>().map(Vec::as_slice).unwrap_or_default();
    let (origin, from_profile) = origin(features);
    let profile =
        from_profile.then(|| aws.profile.as_ref().map_or("default", |chosen| &chosen.value).to_owned());
    Source { origin, profile, expiry: credentials.expiry() }
}

/// What the SDK says it did to get the credentials, the most telling first; and whether a profile was part of it.
fn origin(features: &[Feature]) -> (Origin, bool) {
    let known: [(Feature, &str, &str, bool); 15] = [
        (Feature::CredentialsEnvVars, "environment", "environment variables (AWS_ACCESS_KEY_ID, …)", false),
        (Feature::CredentialsProfileLogin, "login", "`aws login`", true),
        (Feature::CredentialsLogin, "login", "`aws login`", true),
        (Feature::CredentialsProfileSso, "sso", "IAM Identity Center (`aws sso login`)", true),
        (Feature::CredentialsSso, "sso", "IAM Identity Center (`aws sso login`)", true),
        (Feature::CredentialsProfileProcess, "process", "a credential_process", true),
        (Feature::CredentialsProcess, "process", "a credential_process", true),
        (Feature::CredentialsEnvVarsStsWebIdToken, "web-identity", "a web identity token", false),
        (Feature::CredentialsProfileStsWebIdToken, "web-identity", "a web identity token", true),
        (Feature::CredentialsProfileSourceProfile, "role", "a role assumed from another profile", true),
        (Feature::CredentialsProfileNamedProvider, "role", "a role assumed from a named provider", true),
        (Feature::CredentialsStsAssumeRole, "role", "an assumed role", true),
        (Feature::CredentialsProfile, "files", "keys in the AWS files", true),
        (Feature::CredentialsHttp, "container", "this container's role", false),
        (Feature::CredentialsImds, "machine", "this machine's role", false),
    ];
    let told = known.into_iter().find(|(feature, ..)| features.contains(feature));
    told.map_or((UNKNOWN, false), |(_, word, said, profile)| (Origin { word, said }, profile))
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.origin.said)?;
        if let Some(profile) = &self.profile {
            write!(formatter, ", profile `{profile}`")?;
        }
        match self.expiry.map(|expiry| expiry.duration_since(SystemTime::now())) {
            None => write!(formatter, "; no expiry is known"),
            Some(Ok(left)) => write!(formatter, "; they expire in {}", duration::show(left)),
            Some(Err(_)) => write!(formatter, "; they have expired"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Feature, UNKNOWN, origin};

    #[test]
    fn the_most_telling_source_wins() {
        let login = [Feature::CredentialsProfile, Feature::CredentialsProfileLogin];
        assert_eq!((origin(&login).0.word, origin(&login).1), ("login", true));
        assert!(!origin(&[Feature::CredentialsEnvVars]).1);
        assert_eq!(origin(&[]), (UNKNOWN, false));
    }
}
