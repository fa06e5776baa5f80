//! The environment, and every variable that kinbricks itself reads from it.
//!
//! Nothing below `main` reads the process environment: it is captured once into an [`Env`], which tests fill by hand.
//! The AWS SDK reads its own `AWS_*` variables; the ones named here are those that our code looks at too.

use std::collections::BTreeMap;

/// A captured environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// Captures the environment of this process. A value that is not UTF-8 is left out.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the process environment")]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// The value of `name`. An empty value counts as not set, as it does for the AWS CLI.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The first variable whose name starts with `prefix` and whose value is empty.
    pub fn empty(&self, prefix: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, value)| name.starts_with(prefix) && value.is_empty())
            .map(|(name, _)| name.as_str())
    }

    /// The first of `names` that is set, with the name that won.
    pub fn first<'names>(&self, names: &[&'names str]) -> Option<(&'names str, &str)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }
}

impl<Name: Into<String>, Value: Into<String>> FromIterator<(Name, Value)> for Env {
    fn from_iter<Pairs: IntoIterator<Item = (Name, Value)>>(pairs: Pairs) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Path of the settings file, instead of the nearest `kinbricks.toml`.
pub const KINBRICKS_CONFIG: &str = "KINBRICKS_CONFIG";
/// `text` or `json`: how errors are written to stderr.
pub const KINBRICKS_ERRORS: &str = "KINBRICKS_ERRORS";
/// The stream, where no argument and no document names one.
pub const KINBRICKS_STREAM: &str = "KINBRICKS_STREAM";
/// The IAM role, where no argument and no document names one.
pub const KINBRICKS_ROLE: &str = "KINBRICKS_ROLE";
/// The Databricks service credential, where no argument and no document names one.
pub const KINBRICKS_CREDENTIAL: &str = "KINBRICKS_CREDENTIAL";
/// How long one operation may take, retries and waiting included.
pub const KINBRICKS_TIMEOUT: &str = "KINBRICKS_TIMEOUT";

/// Profile of the AWS configuration files.
pub const AWS_PROFILE: &str = "AWS_PROFILE";
/// AWS region.
pub const AWS_REGION: &str = "AWS_REGION";
/// AWS region, where `AWS_REGION` is not set.
pub const AWS_DEFAULT_REGION: &str = "AWS_DEFAULT_REGION";
/// A file of PEM certificates to trust instead of the system's.
pub const AWS_CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// Databricks workspace URL.
pub const DATABRICKS_HOST: &str = "DATABRICKS_HOST";
/// Profile of `~/.databrickscfg`.
pub const DATABRICKS_CONFIG_PROFILE: &str = "DATABRICKS_CONFIG_PROFILE";

/// The user's home folder.
pub const HOME: &str = "HOME";
/// Set by people who want no colour, to any value.
pub const NO_COLOR: &str = "NO_COLOR";

#[cfg(test)]
mod tests {
    use super::Env;

    #[test]
    fn an_empty_value_counts_as_not_set() {
        let env = Env::from_iter([("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-central-1")]);
        assert_eq!(env.get("AWS_REGION"), None);
        assert_eq!((env.empty("AWS_REG"), env.empty("AWS_DEFAULT")), (Some("AWS_REGION"), None));
        assert_eq!(
            env.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            Some(("AWS_DEFAULT_REGION", "eu-central-1"))
        );
    }
}
