//! Which value a setting has, and which source won: flag, document, environment, file, default. Decided here only.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::duration;
use crate::env::{self, Env};
use crate::fault::Fault;
use crate::file::File;

/// A setting: where its value may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, and its key in `kinbricks.toml`.
    pub name: &'static str,
    /// The argument that sets it, as people type it.
    pub flag: &'static str,
    /// The variables that set it, the strongest first.
    pub env: &'static [&'static str],
}

/// `--profile`.
pub const PROFILE: Setting = Setting { name: "profile", flag: "--profile", env: &[env::AWS_PROFILE] };
/// `--region`.
pub const REGION: Setting =
    Setting { name: "region", flag: "--region", env: &[env::AWS_REGION, env::AWS_DEFAULT_REGION] };
/// `--endpoint-url`. The SDK resolves the variables, the per-service ones included.
pub const ENDPOINT_URL: Setting =
    Setting { name: "endpoint_url", flag: "--endpoint-url", env: &["AWS_ENDPOINT_URL"] };
/// The same for one service, whose own variable beats the general one.
pub const SERVICE_ENDPOINT_URLS: [Setting; 3] = [
    Setting {
        name: "endpoint_url_kinesis",
        flag: "--endpoint-url",
        env: &["AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL"],
    },
    Setting {
        name: "endpoint_url_iam",
        flag: "--endpoint-url",
        env: &["AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL"],
    },
    Setting {
        name: "endpoint_url_sts",
        flag: "--endpoint-url",
        env: &["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"],
    },
];
/// `--timeout`.
pub const TIMEOUT: Setting = Setting { name: "timeout", flag: "--timeout", env: &[env::KINBRICKS_TIMEOUT] };
/// `--errors`.
pub const ERRORS: Setting = Setting { name: "errors", flag: "--errors", env: &[env::KINBRICKS_ERRORS] };
/// The stream argument.
pub const STREAM: Setting = Setting { name: "stream", flag: "STREAM", env: &[env::KINBRICKS_STREAM] };
/// The role argument.
pub const ROLE: Setting = Setting { name: "role", flag: "ROLE", env: &[env::KINBRICKS_ROLE] };
/// The credential argument.
pub const CREDENTIAL: Setting =
    Setting { name: "credential", flag: "CREDENTIAL", env: &[env::KINBRICKS_CREDENTIAL] };
/// `--dbx-profile`.
pub const DBX_PROFILE: Setting =
    Setting { name: "dbx_profile", flag: "--dbx-profile", env: &[env::DATABRICKS_CONFIG_PROFILE] };
/// `--dbx-host`.
pub const DBX_HOST: Setting = Setting { name: "dbx_host", flag: "--dbx-host", env: &[env::DATABRICKS_HOST] };

/// Which source won.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An argument on the command line.
    Flag(&'static str),
    /// A member of the connection document.
    Document(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// `kinbricks.toml`.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "argument {flag}"),
            Self::Document(member) => write!(formatter, "document member `{member}`"),
            Self::Environment(name) => write!(formatter, "environment variable {name}"),
            Self::File(path) => write!(formatter, "settings file {}", path.display()),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The value as text.
    pub value: String,
    /// Which source won.
    pub origin: Origin,
}

impl Chosen {
    /// The value as a checked name.
    ///
    /// # Errors
    /// A usage fault that says where the bad value came from.
    pub fn parse<T: FromStr<Err: fmt::Display>>(&self) -> Result<T, Fault> {
        self.value.parse().map_err(|error| {
            let fault = Fault::usage(format!("{error}"));
            match &self.origin {
                Origin::Flag(_) => fault,
                other => fault.with_cause(format!("it came from {other}")),
            }
        })
    }
}

/// A setting as a tool's arguments ask for it, for `--explain-config`.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The setting.
    pub setting: Setting,
    /// What the command line says, if anything.
    pub flag: Option<String>,
}

impl Asked {
    /// Asks for `setting`, with what the command line says.
    pub fn new(setting: Setting, flag: Option<&str>) -> Self {
        Self { setting, flag: flag.map(str::to_owned) }
    }
}

/// The captured sources of settings.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    env: Env,
    file: Option<File>,
}

impl Settings {
    /// Captures `env` and finds the settings file from `folder` upwards.
    ///
    /// # Errors
    /// A usage fault when a settings file is found but cannot be used.
    pub fn load(env: &Env, folder: Option<&Path>) -> Result<Self, Fault> {
        Ok(Self { env: env.clone(), file: File::find(env, folder)? })
    }

    /// The environment the settings were captured from.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The value of `setting`: the flag, else the document's member, else the environment, else the file.
    pub fn choose(
        &self,
        setting: &Setting,
        flag: Option<&str>,
        document: Option<(&'static str, &str)>,
    ) -> Option<Chosen> {
        let chosen = |value: &str, origin| Some(Chosen { value: value.to_owned(), origin });
        if let Some(value) = flag {
            return chosen(value, Origin::Flag(setting.flag));
        }
        if let Some((member, value)) = document {
            return chosen(value, Origin::Document(member));
        }
        if let Some((name, value)) = self.env.first(setting.env) {
            let name = setting.env.iter().find(|known| **known == name)?;
            return chosen(value, Origin::Environment(name));
        }
        let file = self.file.as_ref()?;
        chosen(file.get(setting.name)?, Origin::File(file.path().to_owned()))
    }

    /// The value of `setting` as a checked name; `supplier` is the command that would have put it into the document.
    ///
    /// # Errors
    /// A usage fault that names the argument and the supplier when there is no value, or says why the value is no such name.
    pub fn require<T: FromStr<Err: fmt::Display>>(
        &self,
        setting: &Setting,
        flag: Option<&str>,
        document: Option<(&'static str, &str)>,
        supplier: &str,
    ) -> Result<T, Fault> {
        self.required(setting, flag, document, &format!("pipe in what `{supplier}` prints"))
    }

    /// As [`Settings::require`], for what is to be deleted: only an argument or the document names it. Settings are for
    /// convenience, and a pipe whose first command failed hands on an empty document.
    ///
    /// # Errors
    /// As [`Settings::require`].
    pub fn require_to_delete<T: FromStr<Err: fmt::Display>>(
        &self,
        setting: &Setting,
        flag: Option<&str>,
        document: Option<(&'static str, &str)>,
    ) -> Result<T, Fault> {
        if flag.is_none() && document.is_none() {
            return Err(Fault::usage(format!("no {} is given to delete", setting.name)).with_hint(format!(
                "name it as {}, or add --doc connection.json; a deletion takes nothing from the environment or kinbricks.toml",
                setting.flag
            )));
        }
        self.required(setting, flag, document, "")
    }

    /// As [`Settings::require`], for a tool whose stdin carries records: its document comes from a file.
    ///
    /// # Errors
    /// As [`Settings::require`].
    pub fn require_beside_records<T: FromStr<Err: fmt::Display>>(
        &self,
        setting: &Setting,
        flag: Option<&str>,
        document: Option<(&'static str, &str)>,
        supplier: &str,
    ) -> Result<T, Fault> {
        self.required(setting, flag, document, &format!("add --doc FILE with what `{supplier}` printed"))
    }

    fn required<T: FromStr<Err: fmt::Display>>(
        &self,
        setting: &Setting,
        flag: Option<&str>,
        document: Option<(&'static str, &str)>,
        way: &str,
    ) -> Result<T, Fault> {
        let chosen = self.choose(setting, flag, document).ok_or_else(|| {
            let variable = setting.env.first().copied().unwrap_or_default();
            Fault::usage(format!("no {} is given", setting.name)).with_hint(format!(
                "name it as {}, {way}, or set {variable} or `{}` in kinbricks.toml",
                setting.flag, setting.name
            ))
        })?;
        chosen.parse()
    }

    /// The longest time an operation may take: `flag`, else the settings, else `default`.
    ///
    /// # Errors
    /// A usage fault when the settings hold no duration.
    pub fn timeout(&self, flag: Option<Duration>, default: Duration) -> Result<Duration, Fault> {
        match (flag, self.choose(&TIMEOUT, None, None)) {
            (Some(given), _) => Ok(given),
            (None, Some(chosen)) => duration::parse(&chosen.value)
                .map_err(|reason| Fault::usage(reason).with_cause(format!("it came from {}", chosen.origin))),
            (None, None) => Ok(default),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{REGION, STREAM, Settings};
    use crate::env::Env;
    use crate::names::StreamName;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let env: Env = pairs.iter().copied().collect();
        Settings { env, file: None }
    }

    #[test]
    fn a_flag_beats_the_document_and_that_beats_the_environment() {
        let settings = settings(&[("KINBRICKS_STREAM", "from-env")]);
        let choose = |flag, document| settings.choose(&STREAM, flag, document).unwrap().value;
        assert_eq!(choose(Some("from-flag"), Some(("stream", "from-doc"))), "from-flag");
        assert_eq!(choose(None, Some(("stream", "from-doc"))), "from-doc");
        assert_eq!(choose(None, None), "from-env");
    }

    #[test]
    fn the_winner_is_named() {
        let settings = settings(&[("AWS_DEFAULT_REGION", "eu-central-1")]);
        let origin = settings.choose(&REGION, None, None).unwrap().origin;
        assert_eq!(origin.to_string(), "environment variable AWS_DEFAULT_REGION");
    }

    #[test]
    fn what_nobody_gives_names_the_flag_and_the_supplier() {
        let fault = settings(&[]).require::<StreamName>(&STREAM, None, None, "kstream ensure").unwrap_err();
        let hint = fault.hint().unwrap();
        assert!(
            hint.contains("STREAM") && hint.contains("kstream ensure") && hint.contains("KINBRICKS_STREAM"),
            "{hint}"
        );
    }

    #[test]
    fn a_deletion_takes_nothing_from_the_settings() {
        let settings = settings(&[("KINBRICKS_STREAM", "from-env")]);
        assert!(settings.require_to_delete::<StreamName>(&STREAM, None, None).is_err());
        let named: StreamName =
            settings.require_to_delete(&STREAM, None, Some(("stream", "from-doc"))).unwrap();
        assert_eq!(named.as_str(), "from-doc");
    }

    #[test]
    fn a_bad_value_says_where_it_came_from() {
        let settings = settings(&[("KINBRICKS_STREAM", "two words")]);
        let fault = settings.require::<StreamName>(&STREAM, None, None, "kstream ensure").unwrap_err();
        assert!(fault.to_text("t").contains("it came from environment variable KINBRICKS_STREAM"));
    }
}
