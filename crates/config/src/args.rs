//! The flags that mean the same in every tool, each declared once.

use clap::Args;

use crate::duration;
use crate::fault::ErrorFormat;
use crate::settings::{Asked, ENDPOINT_URL, PROFILE, REGION, SERVICE_ENDPOINT_URLS, TIMEOUT};
use std::time::Duration;

const PROCESS: &str = "Shared options";
const AWS: &str = "AWS options";
const DOCUMENT: &str = "Document options";
const DATABRICKS: &str = "Databricks options";

/// The process contract's own flags.
#[derive(Args, Clone, Debug, Default)]
pub struct ProcessArgs {
    /// How errors are written to stderr: text or json, one JSON line [default: text] [env: KINBRICKS_ERRORS]
    #[arg(long, value_name = "FORM", value_enum, hide_possible_values = true, global = true, help_heading = PROCESS)]
    pub errors: Option<ErrorFormat>,
    /// Say more on stderr: a line a request among others
    #[arg(long, short, global = true, help_heading = PROCESS, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Say nothing on stderr but errors
    #[arg(long, short, global = true, help_heading = PROCESS)]
    pub quiet: bool,
    /// Print every setting, its value and where it came from, and do nothing else
    #[arg(long, global = true, help_heading = PROCESS)]
    pub explain_config: bool,
}

/// How to reach AWS. The flags mean what they mean in the AWS CLI.
#[derive(Args, Clone, Debug, Default)]
pub struct AwsArgs {
    /// Profile of ~/.aws/config [env: AWS_PROFILE]
    #[arg(long, value_name = "NAME", global = true, help_heading = AWS)]
    pub profile: Option<String>,
    /// AWS region [env: AWS_REGION]
    #[arg(long, value_name = "REGION", global = true, help_heading = AWS)]
    pub region: Option<String>,
    /// Send every AWS request to this URL [env: AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL", global = true, help_heading = AWS, value_parser = endpoint)]
    pub endpoint_url: Option<String>,
    /// Longest time one operation may take, retries and waiting included, e.g. 30s [env: KINBRICKS_TIMEOUT]
    #[arg(long, value_name = "DURATION", global = true, help_heading = AWS, value_parser = duration::parse)]
    pub timeout: Option<Duration>,
}

impl AwsArgs {
    /// `first`, then the settings that these flags set, for `--explain-config`.
    pub fn asked(&self, first: Option<Asked>) -> Vec<Asked> {
        let timeout = self.timeout.map(duration::show);
        let own = [
            Asked::new(PROFILE, self.profile.as_deref()),
            Asked::new(REGION, self.region.as_deref()),
            Asked::new(ENDPOINT_URL, self.endpoint_url.as_deref()),
            Asked::new(TIMEOUT, timeout.as_deref()),
        ];
        let services = SERVICE_ENDPOINT_URLS.map(|setting| Asked::new(setting, self.endpoint_url.as_deref()));
        first.into_iter().chain(own).chain(services).collect()
    }
}

/// A URL to which requests can be sent: it says how to get there.
fn endpoint(text: &str) -> Result<String, String> {
    if is_endpoint(text) {
        Ok(text.to_owned())
    } else {
        Err("it is no URL; write one like http://127.0.0.1:4566 or https://kinesis.example.com".to_owned())
    }
}

/// Whether `text` names a scheme and a host.
pub(crate) fn is_endpoint(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty() && !host.starts_with(':') && !text.contains(char::is_whitespace)
}

/// How to reach Databricks.
#[derive(Args, Clone, Debug, Default)]
pub struct DbxArgs {
    /// Profile of ~/.databrickscfg [env: DATABRICKS_CONFIG_PROFILE]
    #[arg(long, value_name = "NAME", global = true, help_heading = DATABRICKS)]
    pub dbx_profile: Option<String>,
    /// Workspace URL [env: DATABRICKS_HOST]
    #[arg(long, value_name = "URL", global = true, help_heading = DATABRICKS)]
    pub dbx_host: Option<String>,
    /// Longest time one operation may take, retries and waiting included, e.g. 3m [env: KINBRICKS_TIMEOUT]
    #[arg(long, value_name = "DURATION", global = true, help_heading = DATABRICKS, value_parser = duration::parse)]
    pub timeout: Option<Duration>,
}

/// Where the connection document comes from and how it is printed.
#[derive(Args, Clone, Debug, Default)]
pub struct DocArgs {
    /// Read the connection document from FILE; `-` is stdin [default: stdin, unless it is a terminal]
    #[arg(long, value_name = "FILE", global = true, help_heading = DOCUMENT)]
    pub doc: Option<String>,
    /// Indent the JSON on stdout
    #[arg(long, global = true, help_heading = DOCUMENT)]
    pub pretty: bool,
}
