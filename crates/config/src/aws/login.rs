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

    /// How the profile signs in.
    pub(super) fn style(&self) -> Style {
        style(&self.file(), self.profile())
    }

    /// The region in which `aws login` was done, where that is what signs in and the profile says.
    ///
    /// Its token can be renewed only there, whatever region is asked for: elsewhere it works until it has to be renewed.
    pub(super) fn console_region(&self) -> Option<String> {
        if self.keys {
            // They win, so the file does not matter.
            return None;
        }
        let text = self.file();
        let is_console = style(&text, self.profile()) == Style::Console;
        value(&text, self.profile(), "region").filter(|_| is_console).map(str::to_owned)
    }

    fn file(&self) -> String {
        self.file.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default()
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

/// The value of `key` in the section of `profile`.
fn value<'text>(text: &'text str, profile: &str, key: &str) -> Option<&'text str> {
    settings(text, profile).find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// How `profile` signs in, by the keys of its section in the AWS configuration file.
fn style(text: &str, profile: &str) -> Style {
    let mut style = if sections(text).any(|name| name == profile) { Style::Other } else { Style::Missing };
    for (key, _) in settings(text, profile) {
        match key {
            "login_session" => style = Style::Console,
            "sso_session" | "sso_start_url" => style = Style::IdentityCenter,
            _ => {}
        }
    }
    style
}

/// The profile that a line begins, if it begins a section.
fn section(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix('[')?.split(']').next()?.trim();
    Some(name.strip_prefix("profile ").map_or(name, str::trim))
}

fn sections(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(section)
}

/// The keys and values in the section of `profile`.
fn settings<'text>(text: &'text str, profile: &str) -> impl Iterator<Item = (&'text str, &'text str)> {
    let mut inside = false;
    text.lines().filter_map(move |line| {
        if let Some(name) = section(line) {
            inside = name == profile;
            return None;
        }
        let (key, value) = line.split_once('=')?;
        inside.then(|| (key.trim(), value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::{Login, Style, style};
    use crate::env::Env;

    #[test]
    fn a_profile_says_how_it_signs_in() {
        let text = "[default]\nregion = x\n[profile me]\nlogin_session = arn:aws:iam::123456789012:root\n\
                    [profile work]\nsso_session=corp\n[sso-session corp]\nsso_region=x\n";
        assert_eq!(style(text, "default"), Style::Other);
        assert_eq!(style(text, "me"), Style::Console);
        assert_eq!(style(text, "work"), Style::IdentityCenter);
        assert_eq!(style(text, "nobody"), Style::Missing);
    }

    #[test]
    fn a_console_login_is_renewed_where_it_was_made() {
        let folder = std::env::temp_dir().join(format!("kinbricks-login-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("config");
        let text = "[profile me]\nlogin_session = arn:aws:iam::123456789012:root\nregion = us-east-1\n\
                    [profile nowhere]\nlogin_session=arn:aws:iam::123456789012:root\n[profile keys]\nregion=x\n";
        std::fs::write(&file, text).unwrap();
        let login = |profile, more: &[(&str, &str)]| {
            let own = [("AWS_CONFIG_FILE", file.to_str().unwrap())];
            let env: Env = own.iter().chain(more).copied().collect();
            Login::new(Some(profile), &env).console_region()
        };
        assert_eq!(login("me", &[]).as_deref(), Some("us-east-1"));
        assert_eq!(login("nowhere", &[]), None);
        assert_eq!(login("keys", &[]), None);
        assert_eq!(login("me", &[("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")]), None, "keys in the environment win");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
