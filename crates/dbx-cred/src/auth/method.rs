//! The ways to log in, and the choice of one.

use std::fmt;
use std::path::PathBuf;

use config::env::Env;
use config::{Fault, Secret};

use super::attribute::{
    AUTH_TYPE, Attribute, Attributes, CLI_PATH, CLIENT_ID, CLIENT_SECRET, DISCOVERY_URL, Given, HOST,
    OIDC_TOKEN_ENV, OIDC_TOKEN_FILE, Source, TOKEN, TOKEN_AUDIENCE,
};
use super::cli;
use crate::host::Host;

/// The variable that holds an identity token, where none is named.
const DEFAULT_TOKEN_VARIABLE: &str = "DATABRICKS_OIDC_TOKEN";

/// The supported values of `DATABRICKS_AUTH_TYPE`, in the order in which they are tried.
pub const AUTH_TYPES: [&str; 6] =
    ["pat", "oauth-m2m", "env-oidc", "file-oidc", "github-oidc", "databricks-cli"];

/// A way to log in.
#[derive(Clone, Debug)]
pub enum Method {
    /// A personal access token.
    Pat {
        /// The token.
        token: Secret,
        /// Where it came from.
        source: Source,
    },
    /// A service principal with a secret.
    ClientSecret {
        /// Its application id.
        client_id: String,
        /// Its secret.
        secret: Secret,
        /// Where OAuth's endpoints are described, when not at the usual place.
        discovery_url: Option<String>,
        /// Where the secret came from.
        source: Source,
    },
    /// A token of another issuer, traded for one of Databricks.
    Federated {
        /// The service principal's application id; none for account-wide federation.
        client_id: Option<String>,
        /// Who issues the identity token.
        issuer: Issuer,
        /// The audience to ask it for, when not the usual one.
        audience: Option<String>,
        /// Where OAuth's endpoints are described, when not at the usual place.
        discovery_url: Option<String>,
    },
    /// The login of `databricks auth login`.
    Cli {
        /// The Databricks CLI.
        executable: PathBuf,
    },
}

/// Where an identity token comes from.
#[derive(Clone, Debug)]
pub enum Issuer {
    /// An environment variable.
    Variable {
        /// Its name.
        name: String,
        /// Its value.
        token: Secret,
    },
    /// A file.
    File {
        /// Its path.
        path: PathBuf,
    },
    /// GitHub Actions.
    GitHub {
        /// Where the job asks for a token.
        url: String,
        /// What it shows to be given one.
        token: Secret,
    },
}

impl Method {
    /// The method that `attributes` configure.
    ///
    /// # Errors
    /// A usage fault when there are two, or the named one is unknown or lacks something; a refused one when there is none.
    pub fn choose(attributes: &Attributes, env: &Env, profile: Option<&str>) -> Result<Self, Fault> {
        let text = |attribute: &Attribute| attributes.get(attribute).map(|given| given.value().to_owned());
        let candidate = |auth_type: &str| match auth_type {
            "pat" => attributes
                .get(&TOKEN)
                .map(|given| Self::Pat { token: Secret::new(given.value()), source: given.source.clone() }),
            "oauth-m2m" => {
                let secret = attributes.get(&CLIENT_SECRET)?;
                Some(Self::ClientSecret {
                    client_id: text(&CLIENT_ID)?,
                    secret: Secret::new(secret.value()),
                    discovery_url: text(&DISCOVERY_URL),
                    source: secret.source.clone(),
                })
            }
            "databricks-cli" => {
                let named = attributes.get(&CLI_PATH).map(Given::value);
                Some(Self::Cli { executable: cli::find(named, env)? })
            }
            federated => Some(Self::Federated {
                client_id: text(&CLIENT_ID),
                issuer: Issuer::find(federated, attributes, env)?,
                audience: text(&TOKEN_AUDIENCE),
                discovery_url: text(&DISCOVERY_URL),
            }),
        };
        if let Some(named) = attributes.get(&AUTH_TYPE) {
            if !AUTH_TYPES.contains(&named.value()) {
                return Err(Fault::usage(format!(
                    "the authentication type `{}` is not supported",
                    named.value()
                ))
                .with_cause(format!("it came from {}", named.source))
                .with_hint(format!("use one of {}", AUTH_TYPES.join(", "))));
            }
            return candidate(named.value()).ok_or_else(|| incomplete(named, profile));
        }
        let families = attributes.families();
        if families.len() > 1 {
            return Err(two_methods(attributes, &families));
        }
        if let Some(found) = AUTH_TYPES.into_iter().find_map(candidate) {
            // A profile for Azure or Google must not silently become the login of somebody's CLI.
            if matches!(found, Self::Cli { .. }) && !families.is_empty() {
                return Err(unsupported_or_half(attributes, &families));
            }
            return Ok(found);
        }
        if families.is_empty() {
            let place = attributes.get(&HOST).map_or("Databricks", Given::value);
            return Err(Fault::refused(format!("there is no login to {place}")));
        }
        Err(unsupported_or_half(attributes, &families))
    }

    /// The method's name in `DATABRICKS_AUTH_TYPE`.
    pub fn auth_type(&self) -> &'static str {
        match self {
            Self::Pat { .. } => "pat",
            Self::ClientSecret { .. } => "oauth-m2m",
            Self::Federated { issuer: Issuer::Variable { .. }, .. } => "env-oidc",
            Self::Federated { issuer: Issuer::File { .. }, .. } => "file-oidc",
            Self::Federated { issuer: Issuer::GitHub { .. }, .. } => "github-oidc",
            Self::Cli { .. } => "databricks-cli",
        }
    }

    /// What the method knows that no setting holds: the identity token of a variable.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Federated { issuer: Issuer::Variable { token, .. }, .. } => token.reveal().to_owned(),
            Self::Federated { issuer: Issuer::GitHub { url, .. }, .. } => url.clone(),
            Self::Federated { issuer: Issuer::File { .. }, .. }
            | Self::Pat { .. }
            | Self::ClientSecret { .. }
            | Self::Cli { .. } => String::new(),
        }
    }

    /// Whether a refused token can be replaced without the user.
    pub fn renews_itself(&self) -> bool {
        !matches!(self, Self::Pat { .. })
    }

    /// What to do when the login is not accepted.
    pub(super) fn renew(&self, host: &Host, profile: Option<&str>) -> String {
        match self {
            Self::Pat { source, .. } => format!(
                "the token is wrong or has expired: make a new one in the workspace under Settings, Developer, and put it into {}",
                place(source)
            ),
            Self::ClientSecret { client_id, source, .. } => format!(
                "make a new secret for the service principal {client_id} and put it into {}",
                place(source)
            ),
            Self::Federated { .. } => {
                "check the federation policy of the service principal: its issuer, subject and audience must be those of the token"
                    .to_owned()
            }
            Self::Cli { .. } => match profile {
                Some(profile) => format!("databricks auth login --profile {profile}"),
                None => format!("databricks auth login --host {host}"),
            },
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pat { source, .. } => write!(formatter, "the access token of {}", place(source)),
            Self::ClientSecret { client_id, source, .. } => {
                write!(formatter, "OAuth client {client_id} and the secret of {}", place(source))
            }
            Self::Federated { issuer, .. } => match issuer {
                Issuer::Variable { name, .. } => write!(formatter, "the identity token of {name}"),
                Issuer::File { path } => write!(formatter, "the identity token in {}", path.display()),
                Issuer::GitHub { .. } => write!(formatter, "the identity token of this GitHub Actions job"),
            },
            Self::Cli { executable } => write!(formatter, "{} auth token", executable.display()),
        }
    }
}

impl Issuer {
    fn find(auth_type: &str, attributes: &Attributes, env: &Env) -> Option<Self> {
        match auth_type {
            "env-oidc" => {
                let name = attributes.get(&OIDC_TOKEN_ENV).map_or(DEFAULT_TOKEN_VARIABLE, Given::value);
                Some(Self::Variable { name: name.to_owned(), token: Secret::new(env.get(name)?) })
            }
            "file-oidc" => Some(Self::File { path: attributes.get(&OIDC_TOKEN_FILE)?.value().into() }),
            "github-oidc" => Some(Self::GitHub {
                url: env.get("ACTIONS_ID_TOKEN_REQUEST_URL")?.to_owned(),
                token: Secret::new(env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?),
            }),
            _ => None,
        }
    }
}

/// A source without the words that only say what kind it is.
fn place(source: &Source) -> String {
    match source {
        Source::Environment(name) => (*name).to_owned(),
        other => other.to_string(),
    }
}

fn two_methods(attributes: &Attributes, families: &[&str]) -> Fault {
    let sources: Vec<String> = attributes
        .found()
        .filter_map(|(attribute, given)| {
            attribute.family.filter(|family| families.contains(family))?;
            Some(format!("{} from {}", attribute.key, place(&given.source)))
        })
        .collect();
    Fault::usage(format!("more than one way to log in is configured: {}", families.join(" and ")))
        .with_cause(sources.join(", "))
        .with_hint("unset all but one, or choose with DATABRICKS_AUTH_TYPE, e.g. DATABRICKS_AUTH_TYPE=pat")
}

fn incomplete(named: &Given, profile: Option<&str>) -> Fault {
    let lacks = match named.value() {
        "pat" => "token (DATABRICKS_TOKEN)",
        "oauth-m2m" => "client_id and client_secret (DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET)",
        "env-oidc" => {
            "an identity token in DATABRICKS_OIDC_TOKEN, or in the variable that DATABRICKS_OIDC_TOKEN_ENV names"
        }
        "file-oidc" => "oidc_token_filepath (DATABRICKS_OIDC_TOKEN_FILEPATH)",
        "github-oidc" => "a GitHub Actions job with the permission `id-token: write`",
        _ => "the Databricks CLI on PATH, or DATABRICKS_CLI_PATH",
    };
    let fault = Fault::refused(format!("the login of type `{}` is not complete", named.value()))
        .with_cause(format!("the type came from {}", named.source));
    match profile {
        Some(profile) => {
            fault.with_hint(format!("it needs {lacks}, in the environment or in profile `{profile}`"))
        }
        None => fault.with_hint(format!("it needs {lacks}")),
    }
}

fn unsupported_or_half(attributes: &Attributes, families: &[&str]) -> Fault {
    let family = families.first().copied().unwrap_or_default();
    match family {
        "oauth" => {
            let missing = if attributes.get(&CLIENT_ID).is_some() { &CLIENT_SECRET } else { &CLIENT_ID };
            let variable = missing.env.first().copied().unwrap_or_default();
            Fault::refused(format!("the login of the service principal lacks its {}", missing.key))
                .with_hint(format!("set {variable}, or {} in the profile", missing.key))
        }
        "env-oidc" => {
            let name = attributes.get(&OIDC_TOKEN_ENV).map_or(DEFAULT_TOKEN_VARIABLE, Given::value);
            Fault::refused(format!("there is no identity token in {name}"))
                .with_hint(format!("set {name}, or unset DATABRICKS_OIDC_TOKEN_ENV"))
        }
        family => Fault::refused(format!("logging in with {family} is not supported"))
            .with_hint("use a token, a service principal, or: databricks auth login"),
    }
}
