//! Where the credentials came from and how long they last.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::credential_feature::AwsCredentialFeature as Feature;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use config::aws::Aws;
use config::duration;

/// A source of credentials, for people.
pub(crate) struct Source {
    origin: &'static str,
    profile: Option<String>,
    expiry: Option<SystemTime>,
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
        return Source { origin: "a source that gives no account of itself", profile: None, expiry: None };
    };
    let features = credentials.get_property::<Vec<Feature>>().map(Vec::as_slice).unwrap_or_default();
    let (origin, from_profile) = origin(features);
    let profile =
        from_profile.then(|| aws.profile.as_ref().map_or("default", |chosen| &chosen.value).to_owned());
    Source { origin, profile, expiry: credentials.expiry() }
}

/// What the SDK says it did to get the credentials, the most telling first; and whether a profile was part of it.
fn origin(features: &[Feature]) -> (&'static str, bool) {
    let known: [(Feature, &str, bool); 15] = [
        (Feature::CredentialsEnvVars, "environment variables (AWS_ACCESS_KEY_ID, …)", false),
        (Feature::CredentialsProfileLogin, "`aws login`", true),
        (Feature::CredentialsLogin, "`aws login`", true),
        (Feature::CredentialsProfileSso, "IAM Identity Center (`aws sso login`)", true),
        (Feature::CredentialsSso, "IAM Identity Center (`aws sso login`)", true),
        (Feature::CredentialsProfileProcess, "a credential_process", true),
        (Feature::CredentialsProcess, "a credential_process", true),
        (Feature::CredentialsEnvVarsStsWebIdToken, "a web identity token", false),
        (Feature::CredentialsProfileStsWebIdToken, "a web identity token", true),
        (Feature::CredentialsProfileSourceProfile, "a role assumed from another profile", true),
        (Feature::CredentialsProfileNamedProvider, "a role assumed from a named provider", true),
        (Feature::CredentialsStsAssumeRole, "an assumed role", true),
        (Feature::CredentialsProfile, "keys in the AWS files", true),
        (Feature::CredentialsHttp, "this container's role", false),
        (Feature::CredentialsImds, "this machine's role", false),
    ];
    let told = known.into_iter().find(|(feature, ..)| features.contains(feature));
    told.map_or(("a source that gives no account of itself", false), |(_, origin, profile)| (origin, profile))
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.origin)?;
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
    use super::{Feature, origin};

    #[test]
    fn the_most_telling_source_wins() {
        let login = [Feature::CredentialsProfile, Feature::CredentialsProfileLogin];
        assert_eq!(origin(&login), ("`aws login`", true));
        assert!(!origin(&[Feature::CredentialsEnvVars]).1);
        assert!(origin(&[]).0.contains("no account"));
    }
}
