//! The SDK's configuration, from the shared flags, the environment and the AWS files.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

use crate::args::{AwsArgs, is_endpoint};
use crate::fault::Fault;
use crate::names;
use crate::process::World;
use crate::settings::{Chosen, ENDPOINT_URL, PROFILE, REGION, SERVICE_ENDPOINT_URLS};

use super::http;
use super::login::Login;

/// A TCP connection that takes longer has gone to a host that is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One try of an operation: a connection that stalls leaves time for another.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// One operation, retries included, unless `--timeout` says otherwise.
const OPERATION_TIMEOUT: Duration = Duration::from_mins(1);

/// What a tool needs to make its clients, and to word what they answer.
#[derive(Clone, Debug)]
pub struct Aws {
    /// The configuration every client is made from, so that they share credentials and connections.
    pub sdk: SdkConfig,
    /// The region and why it is this one.
    pub region: names::Region,
    /// Where the region came from, for people.
    pub region_origin: String,
    /// The profile that was asked for, and by what.
    pub profile: Option<Chosen>,
    login: Login,
}

impl Aws {
    /// Loads the configuration. `document_region` is the region of the thing the connection document names, when a
    /// tool acts on one: it beats the environment, a flag beats it.
    ///
    /// No request is sent: credentials are resolved at the first call.
    ///
    /// # Errors
    /// A usage fault when no region is known, or a value is no region.
    pub async fn load(
        world: &World,
        args: &AwsArgs,
        document_region: Option<&names::Region>,
    ) -> Result<Self, Fault> {
        if let Some(name) = world.env().empty("AWS_ENDPOINT_URL") {
            // The SDK takes an empty URL for a URL and gives up.
            return Err(Fault::usage(format!("{name} is set but empty")).with_hint(format!("unset {name}")));
        }
        let settings = &world.settings;
        for setting in [ENDPOINT_URL].iter().chain(&SERVICE_ENDPOINT_URLS) {
            // The SDK would try such a one until the time is over.
            if let Some(chosen) = settings.choose(setting, args.endpoint_url.as_deref(), None)
                && !is_endpoint(&chosen.value)
            {
                return Err(Fault::usage(format!("`{}` is no URL of an endpoint", chosen.value))
                    .with_cause(format!("it came from {}", chosen.origin))
                    .with_hint("write one like http://127.0.0.1:4566, or unset it"));
            }
        }
        let profile = settings.choose(&PROFILE, args.profile.as_deref(), None);
        let document = document_region.map(|region| ("region", region.as_str()));
        let region = settings.choose(&REGION, args.region.as_deref(), document);
        let checked = region.as_ref().map(Chosen::parse::<names::Region>).transpose()?;
        let timeout = settings.timeout(args.timeout, OPERATION_TIMEOUT)?;
        let client = http::client(world.env())?;

        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(timeout)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(client.clone())
            .timeout_config(timeouts);
        if let Some(profile) = &profile {
            loader = loader.profile_name(&profile.value);
        }
        if let Some(region) = &checked {
            loader = loader.region(aws_config::Region::new(region.to_string()));
        }
        if let Some(url) = &args.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let mut login = Login::new(profile.as_ref().map(|chosen| chosen.value.as_str()), world.env());
        if args.profile.is_some() {
            login.ignore_keys();
        }
        let console = login.console_region();
        if args.profile.is_some() || console.is_some() {
            // As in the AWS CLI, a profile that was typed beats keys in the environment; one from AWS_PROFILE does not.
            let asked = checked.as_ref().map(ToString::to_string);
            let region = console.or(asked).map(aws_config::Region::new);
            let config = ProviderConfig::default().with_http_client(client).with_region(region);
            let provider = ProfileFileCredentialsProvider::builder().configure(&config);
            let provider = provider.profile_name(login.profile()).build();
            loader = loader.credentials_provider(SharedCredentialsProvider::new(provider));
        }
        let sdk = loader.load().await;

        let (region, region_origin) = match (region, checked) {
            (Some(chosen), Some(region)) => (region, chosen.origin.to_string()),
            _ => {
                let Some(region) = sdk.region() else { return Err(login.no_region()) };
                let region = region.as_ref().parse().map_err(|error| Fault::usage(format!("{error}")))?;
                (region, format!("profile `{}`", login.profile()))
            }
        };
        Ok(Self { sdk, region, region_origin, profile, login })
    }

    /// Words an SDK error: `doing` says what was being done and to what, such as ``failed to describe stream `orders` ``.
    pub fn fault<E, R>(
        &self,
        doing: impl Into<String>,
        error: &aws_smithy_runtime_api::client::result::SdkError<E, R>,
    ) -> Fault
    where
        E: std::error::Error + aws_smithy_types::error::metadata::ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
    {
        super::fault::problem(error).into_fault(doing, &self.login)
    }

    /// What to type to sign in again.
    pub fn login_hint(&self) -> String {
        self.login.hint()
    }

    /// An `Aws` around a ready configuration, for tests that hand in mocked clients.
    pub fn for_tests(sdk: SdkConfig, region: names::Region) -> Self {
        Self { sdk, region, region_origin: "test".to_owned(), profile: None, login: Login::default() }
    }
}
