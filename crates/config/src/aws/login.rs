//! What to type when AWS does not know who you are. The SDK says neither which profile failed nor how to sign in.

use crate::fault::Fault;

/// The profile in use.
#[derive(Clone, Debug)]
pub(super) struct Login {
    profile: Option<String>,
}

impl Login {
    pub(super) fn new(profile: Option<&str>) -> Self {
        Self { profile: profile.map(str::to_owned) }
    }

    pub(super) fn profile(&self) -> &str {
        self.profile.as_deref().unwrap_or("default")
    }

    /// How to sign in, for a hint.
    pub(super) fn hint(&self) -> String {
        match &self.profile {
            Some(profile) => format!("run: aws login --profile {profile}"),
            None => "run: aws login --profile NAME, then add --profile NAME or set AWS_PROFILE".to_owned(),
        }
    }

    pub(super) fn no_region(&self) -> Fault {
        Fault::usage("no AWS region is given").with_hint(format!(
            "add --region eu-central-1, set AWS_REGION, or run: aws configure set region eu-central-1 --profile {}",
            self.profile()
        ))
    }
}
