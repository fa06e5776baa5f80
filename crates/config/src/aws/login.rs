//! What to type when AWS does not know who you are. The SDK says neither which profile failed nor how to sign in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::env::{self, Env};
use crate::fault::Fault;

/// The profile in use, and where profiles are kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    profile: Option<String>,
    file: Option<PathBuf>,
    /// Whether there are keys in the environment, which beat a profile that was not typed.
    keys: bool,
}

/// How a profile signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `aws login`.
    Console,
    /// `aws sso login`.
    IdentityCenter,
    /// Keys, a process, a role: nothing to sign in to.
    Other,
    /// There is no such profile.
    Missing,
}

impl Login {
    pub(super) fn new(profile: Option<&str>, env: &Env) -> Self {
        let file = env
            .get("AWS_CONFIG_FILE")
            .map(PathBuf::from)
            .or_else(|| env.get(env::HOME).map(|home| Path::new(home).join(".aws/config")));
        let keys = env.get("AWS_ACCESS_KEY_ID").is_some();
        Self { profile: profile.map(str::to_owned), file, keys }
    }

    /// A profile that was typed beats the keys in the environment.
    pub(super) fn ignore_keys(&mut self) {
        self.keys = false;
    }

    pub(super) fn profile(&self) -> &str {
        self.profile.as_deref().unwrap_or("default")
    }

    /// How the profile signs in. Reads the file, so it is asked only when something has failed.
    pub(super) fn style(&self) -> Style {
        let text = self.file.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        style(&text, self.profile())
    }

    /// How to sign in, for a hint.
    pub(super) fn hint(&self) -> String {
        if self.keys {
            return "the keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: set new ones, \
                    or unset all three and run: aws login --profile NAME"
                .to_owned();
        }
        let Some(profile) = &self.profile else {
            return "run: aws login --profile NAME, then add --profile NAME or set AWS_PROFILE".to_owned();
        };
        match self.style() {
            Style::IdentityCenter => format!("run: aws sso login --profile {profile}"),
            Style::Missing => {
                format!(
                    "there is no profile `{profile}` yet; run: aws login --profile {profile}, or see aws configure list-profiles"
                )
            }
            Style::Console | Style::Other => format!("run: aws login --profile {profile}"),
        }
    }

    pub(super) fn no_region(&self) -> Fault {
        Fault::usage("no AWS region is given").with_hint(format!(
            "add --region eu-central-1, set AWS_REGION, or run: aws configure set region eu-central-1 --profile {}",
            self.profile()
        ))
    }
}

/// How `profile` signs in, by the keys of its section in the AWS configuration file.
fn style(text: &str, profile: &str) -> Style {
    let mut inside = false;
    let mut style = Style::Missing;
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            let name = section.trim().strip_prefix("profile").map_or(section, str::trim);
            inside = name == profile;
            if inside && style == Style::Missing {
                style = Style::Other;
            }
        } else if inside {
            match line.split('=').next().map(str::trim) {
                Some("login_session") => style = Style::Console,
                Some("sso_session" | "sso_start_url") => style = Style::IdentityCenter,
                _ => {}
            }
        }
    }
    style
}

#[cfg(test)]
mod tests {
    use super::{Style, style};

    #[test]
    fn a_profile_says_how_it_signs_in() {
        let text = "[default]\nregion = x\n[profile me]\nlogin_session = arn:aws:iam::123456789012:root\n\
                    [profile work]\nsso_session=corp\n[sso-session corp]\nsso_region=x\n";
        assert_eq!(style(text, "default"), Style::Other);
        assert_eq!(style(text, "me"), Style::Console);
        assert_eq!(style(text, "work"), Style::IdentityCenter);
        assert_eq!(style(text, "nobody"), Style::Missing);
    }
}
