//! Who logs in to which workspace, decided as the official SDKs decide it.
//!
//! Flags beat the environment, the environment beats the profile, and the profile is read only when one is named or when
//! neither a host nor a method is set. Then the first configured method wins: `pat`, `oauth-m2m`, `env-oidc`,
//! `file-oidc`, `github-oidc`, `databricks-cli`. `DATABRICKS_AUTH_TYPE` names one instead.

pub mod attribute;
mod cli;
mod federation;
pub mod method;
mod oauth;
mod profile;
pub mod token;

use std::fmt;

use config::args::DbxArgs;
use config::env;
use config::settings::{DBX_PROFILE, Settings};
use config::{Fault, Notes};

use crate::host::Host;
use attribute::{AUTH_TYPE, Attributes, HOST, WORKSPACE_ID};
use profile::{ProfileFile, no_such_profile};

pub use attribute::{Attribute, Given, Source};
pub use method::Method;
pub use token::AccessToken;

/// A workspace and the way to log in to it.
#[derive(Clone, Debug)]
pub struct Login {
    host: Host,
    host_source: Source,
    method: Method,
    profile: Option<String>,
    attributes: Attributes,
}

impl Login {
    /// Decides from flags, environment and profiles. Sends nothing.
    ///
    /// # Errors
    /// A usage fault when a value cannot be used or two methods are configured, a refused one when none is.
    pub fn resolve(args: &DbxArgs, settings: &Settings, notes: &Notes) -> Result<Self, Fault> {
        let (attributes, profile) = gather(args, settings, notes)?;
        let method = Method::choose(&attributes, settings.env(), profile.as_deref());
        let Some(given) = attributes.get(&HOST) else {
            return Err(no_host(method.is_ok()));
        };
        let host: Host = given.value().parse().map_err(|error| {
            Fault::usage(format!("{error}")).with_cause(format!("it came from {}", given.source))
        })?;
        let host_source = given.source.clone();
        let method = method.map_err(|fault| fault.or_hint(how_to_log_in(&host)))?;
        Ok(Self { host, host_source, method, profile, attributes })
    }

    /// The workspace.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Where its address came from.
    pub fn host_source(&self) -> &Source {
        &self.host_source
    }

    /// How to log in.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The profile that was read, if any.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The workspace's number, for a host that serves several.
    pub fn workspace_id(&self) -> Option<&str> {
        self.attributes.get(&WORKSPACE_ID).map(Given::value)
    }

    /// Every setting that was found.
    pub fn found(&self) -> impl Iterator<Item = (&'static Attribute, &Given)> {
        self.attributes.found()
    }

    /// Why this method and no other, in a sentence that can follow a colon.
    pub fn why(&self) -> String {
        if let Some(named) = self.attributes.get(&AUTH_TYPE) {
            return format!("{} names it", named.source);
        }
        let families = self.attributes.families();
        let deciding =
            self.found().find(|(attribute, _)| attribute.family.is_some_and(|own| families.contains(&own)));
        match deciding {
            Some((attribute, given)) => format!("{} is set by {}", attribute.key, given.source),
            None => "no other method is configured".to_owned(),
        }
    }

    /// What tells this login from another one: no secret by itself, but a secret goes into it. For hashing only.
    pub(crate) fn fingerprint(&self) -> String {
        let found = self.found().map(|(attribute, given)| format!("{}={}", attribute.key, given.value()));
        let parts: Vec<String> = found.chain([self.method.identity()]).collect();
        format!("{}\n{}\n{}", self.method.auth_type(), self.profile().unwrap_or_default(), parts.join("\n"))
    }

    /// What to type when the login is not accepted.
    pub fn renew(&self) -> String {
        self.method.renew(&self.host, self.profile())
    }
}

impl fmt::Display for Login {
    /// Fits behind "logged in with".
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.method.fmt(formatter)
    }
}

/// Everything that flags, environment and profile set, and the profile's name.
fn gather(args: &DbxArgs, settings: &Settings, notes: &Notes) -> Result<(Attributes, Option<String>), Fault> {
    let env = settings.env();
    let mut attributes = Attributes::default();
    if let Some(host) = &args.dbx_host {
        attributes.offer(&HOST, host, Source::Flag("--dbx-host"));
    }
    attributes.offer_environment(env);
    let named = settings.choose(&DBX_PROFILE, args.dbx_profile.as_deref(), None);
    // As in the SDKs: what is set already is a whole login, and a profile that nobody named must not mix into it.
    if named.is_none() && (attributes.get(&HOST).is_some() || !attributes.families().is_empty()) {
        return Ok((attributes, None));
    }
    let file = ProfileFile::open(env)?;
    let name = match (&named, &file) {
        (Some(chosen), _) => chosen.value.clone(),
        (None, Some(file)) => file.default_name().to_owned(),
        (None, None) => return Ok((attributes, None)),
    };
    let Some((file, pairs)) = file.as_ref().and_then(|file| Some((file, file.get(&name)?))) else {
        return match named {
            Some(chosen) => {
                Err(no_such_profile(&name, file.as_ref())
                    .with_cause(format!("it came from {}", chosen.origin)))
            }
            None => Ok((attributes, None)),
        };
    };
    let pairs: Vec<(&str, &str)> = pairs.collect();
    let overridden = attributes.beaten(&pairs);
    if named.is_some() && !overridden.is_empty() {
        // Also where somebody typed the profile's name: that surprises, so it is said.
        notes.warn(format!(
            "{} in the environment beats what profile `{name}` says; unset it to use the profile's",
            overridden.join(", ")
        ));
    }
    attributes.offer_profile(&name, file.path(), pairs);
    Ok((attributes, Some(name)))
}

fn no_host(has_method: bool) -> Fault {
    if has_method {
        return Fault::usage("no Databricks workspace is given").with_hint(format!(
            "name it as --dbx-host https://dbc-a1b2c3d4-e5f6.cloud.databricks.com, or set {}",
            env::DATABRICKS_HOST
        ));
    }
    Fault::refused("there is no login to Databricks").with_hint(
        "run: databricks auth login --host https://YOUR-WORKSPACE, or set DATABRICKS_HOST and DATABRICKS_TOKEN",
    )
}

fn how_to_log_in(host: &Host) -> String {
    format!(
        "run: databricks auth login --host {host}, set DATABRICKS_TOKEN, or name a profile with --dbx-profile"
    )
}

#[cfg(test)]
mod tests;
