//! Every setting that decides how to log in: its names, and which method it belongs to.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::Secret;
use config::env::Env;

/// One setting, as the official SDKs name it.
#[derive(Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its key in `~/.databrickscfg`.
    pub key: &'static str,
    /// The variables that set it, the strongest first.
    pub env: &'static [&'static str],
    /// The authentication method it belongs to; `None` when it does not choose one.
    pub family: Option<&'static str>,
    /// Whether its value must not be shown.
    pub secret: bool,
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $name:ident = $key:literal, $env:expr, $family:expr, $secret:literal;)*) => {
        $($(#[$doc])* pub static $name: Attribute =
            Attribute { key: $key, env: &$env, family: $family, secret: $secret };)*
        /// All of them.
        pub static ALL: &[&Attribute] = &[$(&$name),*];
    };
}

attributes! {
    /// The workspace's address.
    HOST = "host", ["DATABRICKS_HOST"], None, false;
    /// A personal access token, or any other bearer token.
    TOKEN = "token", ["DATABRICKS_TOKEN"], Some("pat"), true;
    /// A service principal's application id.
    CLIENT_ID = "client_id", ["DATABRICKS_CLIENT_ID"], Some("oauth"), false;
    /// A service principal's OAuth secret.
    CLIENT_SECRET = "client_secret", ["DATABRICKS_CLIENT_SECRET"], Some("oauth"), true;
    /// The method to use, when the others leave a choice.
    AUTH_TYPE = "auth_type", ["DATABRICKS_AUTH_TYPE"], None, false;
    /// The Databricks account.
    ACCOUNT_ID = "account_id", ["DATABRICKS_ACCOUNT_ID"], None, false;
    /// The workspace's number, for hosts that serve several.
    WORKSPACE_ID = "workspace_id", ["DATABRICKS_WORKSPACE_ID"], None, false;
    /// Path of the Databricks CLI.
    CLI_PATH = "databricks_cli_path", ["DATABRICKS_CLI_PATH"], None, false;
    /// The name of the variable that holds an identity token.
    OIDC_TOKEN_ENV = "oidc_token_env", ["DATABRICKS_OIDC_TOKEN_ENV"], Some("env-oidc"), false;
    /// A file that holds an identity token.
    OIDC_TOKEN_FILE = "oidc_token_filepath", ["DATABRICKS_OIDC_TOKEN_FILEPATH", "DATABRICKS_OIDC_TOKEN_FILE"], Some("file-oidc"), false;
    /// The audience to ask an identity token for.
    TOKEN_AUDIENCE = "audience", ["DATABRICKS_TOKEN_AUDIENCE"], None, false;
    /// Where OAuth's endpoints are described.
    DISCOVERY_URL = "discovery_url", ["DATABRICKS_DISCOVERY_URL"], None, false;
    /// Basic authentication, which Databricks switched off.
    USERNAME = "username", ["DATABRICKS_USERNAME"], Some("basic"), false;
    /// Basic authentication, which Databricks switched off.
    PASSWORD = "password", ["DATABRICKS_PASSWORD"], Some("basic"), true;
    /// A metadata service that hands out tokens.
    METADATA_SERVICE = "metadata_service_url", ["DATABRICKS_METADATA_SERVICE_URL"], Some("metadata-service"), true;
    /// A Google service account.
    GOOGLE_ACCOUNT = "google_service_account", ["DATABRICKS_GOOGLE_SERVICE_ACCOUNT"], Some("google"), false;
    /// A Google service account's key.
    GOOGLE_CREDENTIALS = "google_credentials", ["GOOGLE_CREDENTIALS"], Some("google"), true;
    /// An Azure application.
    AZURE_CLIENT_ID = "azure_client_id", ["ARM_CLIENT_ID"], Some("azure"), false;
    /// An Azure application's secret.
    AZURE_CLIENT_SECRET = "azure_client_secret", ["ARM_CLIENT_SECRET"], Some("azure"), true;
    /// An Azure tenant.
    AZURE_TENANT_ID = "azure_tenant_id", ["ARM_TENANT_ID"], Some("azure"), false;
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// An argument on the command line.
    Flag(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// A profile of the configuration file.
    Profile {
        /// The profile's name.
        name: String,
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "argument {flag}"),
            Self::Environment(name) => write!(formatter, "environment variable {name}"),
            Self::Profile { name, path } => write!(formatter, "profile `{name}` of {}", path.display()),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    value: Secret,
    /// Where it came from.
    pub source: Source,
}

impl Given {
    /// The value, which is a secret if its attribute is one.
    pub fn value(&self) -> &str {
        self.value.reveal()
    }
}

/// The values that were found.
#[derive(Clone, Debug, Default)]
pub struct Attributes(BTreeMap<&'static str, Given>);

impl Attributes {
    /// The value of an attribute.
    pub fn get(&self, attribute: &Attribute) -> Option<&Given> {
        self.0.get(attribute.key)
    }

    /// Sets a value, unless a stronger source did already or it is empty.
    pub fn offer(&mut self, attribute: &Attribute, value: &str, source: Source) {
        if !value.is_empty() {
            self.0.entry(attribute.key).or_insert_with(|| Given { value: Secret::new(value), source });
        }
    }

    /// Takes over what the environment sets.
    pub fn offer_environment(&mut self, env: &Env) {
        for attribute in ALL {
            if let Some((name, value)) = env.first(attribute.env) {
                self.offer(attribute, value, Source::Environment(name));
            }
        }
    }

    /// Takes over what a profile sets. Keys that no login knows are for other tools.
    pub fn offer_profile<'pairs>(
        &mut self,
        name: &str,
        path: &Path,
        pairs: impl IntoIterator<Item = (&'pairs str, &'pairs str)>,
    ) {
        for (key, value) in pairs {
            if let Some(attribute) = ALL.iter().find(|attribute| attribute.key == key) {
                self.offer(
                    attribute,
                    value,
                    Source::Profile { name: name.to_owned(), path: path.to_owned() },
                );
            }
        }
    }

    /// The variables that say something else than these pairs of a profile.
    pub fn beaten(&self, pairs: &[(&str, &str)]) -> Vec<&'static str> {
        let beats = |(key, value): &(&str, &str)| match self.0.get(key)? {
            Given { source: Source::Environment(variable), value: own } if own.reveal() != *value => {
                Some(*variable)
            }
            _ => None,
        };
        pairs.iter().filter_map(beats).collect()
    }

    /// The methods that some value belongs to, in alphabetical order.
    pub fn families(&self) -> Vec<&'static str> {
        let mut families: Vec<_> = ALL
            .iter()
            .filter(|attribute| self.get(attribute).is_some())
            .filter_map(|attribute| attribute.family)
            .collect();
        families.sort_unstable();
        families.dedup();
        // A service principal's id names who logs in by identity token, too.
        if families.iter().any(|family| family.ends_with("-oidc")) && self.get(&CLIENT_SECRET).is_none() {
            families.retain(|family| *family != "oauth");
        }
        families
    }

    /// What was found, in the table's order.
    pub fn found(&self) -> impl Iterator<Item = (&'static Attribute, &Given)> {
        ALL.iter().filter_map(|attribute| Some((*attribute, self.get(attribute)?)))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use config::env::Env;

    use super::{Attributes, CLIENT_ID, HOST, OIDC_TOKEN_FILE, TOKEN};

    #[test]
    fn the_environment_beats_the_file_and_secrets_do_not_show() {
        let mut attributes = Attributes::default();
        let env = Env::from_iter([("DATABRICKS_TOKEN", "dapi-env"), ("DATABRICKS_OIDC_TOKEN_FILE", "/t")]);
        attributes.offer_environment(&env);
        let pairs = [("token", "dapi-file"), ("host", "h"), ("unknown", "x"), ("client_id", "")];
        attributes.offer_profile("me", Path::new("/home/me/.databrickscfg"), pairs);
        assert_eq!(attributes.get(&TOKEN).unwrap().value(), "dapi-env");
        assert_eq!(attributes.get(&OIDC_TOKEN_FILE).unwrap().value(), "/t");
        assert_eq!(attributes.get(&CLIENT_ID), None);
        let host = attributes.get(&HOST).unwrap();
        assert_eq!(host.source.to_string(), "profile `me` of /home/me/.databrickscfg");
        assert!(!format!("{attributes:?}").contains("dapi"));
        assert_eq!(attributes.families(), ["file-oidc", "pat"]);
    }

    #[test]
    fn a_client_id_alone_goes_with_an_identity_token() {
        let families = |pairs: &[(&str, &str)]| {
            let mut attributes = Attributes::default();
            attributes.offer_environment(&pairs.iter().copied().collect());
            attributes.families()
        };
        let id = ("DATABRICKS_CLIENT_ID", "id");
        let file = ("DATABRICKS_OIDC_TOKEN_FILEPATH", "/t");
        assert_eq!(families(&[id, file]), ["file-oidc"]);
        assert_eq!(families(&[id, file, ("DATABRICKS_CLIENT_SECRET", "s")]), ["file-oidc", "oauth"]);
        assert_eq!(families(&[id, ("DATABRICKS_TOKEN", "t")]), ["oauth", "pat"]);
    }
}
