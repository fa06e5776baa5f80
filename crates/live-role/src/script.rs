//! A scripted IAM endpoint for tests: it expects calls in order, on the wire, and answers with what IAM answers.
//!
//! What a tool really sends is checked (the form body, decoded), and what it really reads is parsed (XML, status, error
//! codes), so a test here proves more than one against mocked output structs would.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use config::aws::Aws;
use config::interrupt::Interrupt;
use config::{Notes, World};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Iam, Patience};

/// One call that is expected, and its answer.
#[derive(Clone, Debug)]
struct Step {
    action: String,
    parameters: Vec<(String, String)>,
    status: u16,
    body: String,
}

/// The calls a test expects, in order.
#[derive(Clone, Debug, Default)]
pub struct Script {
    steps: Vec<Step>,
}

impl Script {
    /// No call at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Expects `action` with at least `parameters`, and answers with `result`: the inside of `<ActionResult>`.
    #[must_use]
    pub fn answer(mut self, action: &str, parameters: &[(&str, &str)], result: &str) -> Self {
        let body = format!(
            "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>{result}</{action}Result>\
             <ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{action}Response>"
        );
        self.steps.push(Step { action: action.to_owned(), parameters: owned(parameters), status: 200, body });
        self
    }

    /// Expects `action`, and answers with an error of IAM's.
    #[must_use]
    pub fn refuse(mut self, action: &str, status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{}</Message></Error><RequestId>0</RequestId></ErrorResponse>",
            message.replace('"', "&quot;")
        );
        self.steps.push(Step { action: action.to_owned(), parameters: Vec::new(), status, body });
        self
    }

    /// Expects `action`, and answers that there is no such thing.
    #[must_use]
    pub fn missing(self, action: &str) -> Self {
        self.refuse(action, 404, "NoSuchEntity", "It cannot be found.")
    }

    /// The IAM that plays this script, with what it saw. It tries again soon, and for as long as the script goes on.
    pub fn play(self) -> Played {
        self.play_with(Patience::new(Duration::from_mins(1)).starting_at(Duration::from_micros(10)))
    }

    /// The same with another patience.
    pub fn play_with(self, patience: Patience) -> Played {
        let seen = Seen::default();
        let steps = Arc::new(Mutex::new(self.steps.into_iter().rev().collect::<Vec<_>>()));
        let wire = Wire { steps: steps.clone(), seen: seen.clone() };
        let credentials = Credentials::new("AKIAEXAMPLE", "secret", None, None, "script");
        let sdk = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(wire)
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_micros(10)))
            .build();
        let said = Said::default();
        let world = World {
            settings: config::settings::Settings::default(),
            notes: Notes::into_writer("tool", said.clone()),
            stdin_is_terminal: true,
            interrupt: Interrupt::never(),
        };
        let region = "eu-central-1".parse().unwrap_or_else(|_| unreachable!("a region"));
        let iam = Iam::new(Aws::for_tests(sdk, region), &world, patience);
        Played { iam, world, steps, seen, said }
    }
}

fn owned(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A script that is being played.
#[derive(Clone)]
pub struct Played {
    /// The IAM to hand to the code under test.
    pub iam: Iam,
    /// The world to hand to it: no settings, no interrupt, and what is said is kept.
    pub world: World,
    steps: Arc<Mutex<Vec<Step>>>,
    seen: Seen,
    said: Said,
}

impl Played {
    /// The parameters of every call so far, `Action` included.
    pub fn calls(&self) -> Vec<BTreeMap<String, String>> {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The actions of every call so far.
    pub fn actions(&self) -> Vec<String> {
        self.calls().iter().filter_map(|call| call.get("Action").cloned()).collect()
    }

    /// What the code said on stderr.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// The expected calls that did not come.
    pub fn left(&self) -> Vec<String> {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.iter().rev().map(|step| step.action.clone()).collect()
    }
}

type Calls = Vec<BTreeMap<String, String>>;

#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Calls>>);

#[derive(Clone, Debug, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Debug)]
struct Wire {
    steps: Arc<Mutex<Vec<Step>>>,
    seen: Seen,
}

impl HttpClient for Wire {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(self.play(&request))
    }
}

impl Wire {
    fn play(&self, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let body = request.body().bytes().unwrap_or_default();
        let call: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let action = call.get("Action").cloned().unwrap_or_default();
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
        let step = self.steps.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let off = |said: String| ConnectorError::other(said.into(), None);
        let step = step.ok_or_else(|| off(format!("nobody expected `{action}`")))?;
        if step.action != action {
            return Err(off(format!("`{action}` came where `{}` was expected", step.action)));
        }
        for (name, value) in &step.parameters {
            if call.get(name) != Some(value) {
                return Err(off(format!(
                    "`{action}` came with {name} = {:?}, not {value:?}",
                    call.get(name)
                )));
            }
        }
        let status = step.status.try_into().map_err(|_| off("a bad status".to_owned()))?;
        Ok(HttpResponse::new(status, SdkBody::from(step.body)))
    }
}

impl Script {
    /// Expects a managed policy to be read in its default version.
    #[must_use]
    pub fn reads_policy(self, arn: &str, version: &str, document: &str) -> Self {
        self.answer("GetPolicy", &[("PolicyArn", arn)], &policy(arn, version)).answer(
            "GetPolicyVersion",
            &[("PolicyArn", arn), ("VersionId", version)],
            &policy_version(version, document),
        )
    }
}

/// A `<Role>` as IAM shows it, with the trust policy percent-encoded.
pub fn role(arn: &str, id: &str, trust: &str) -> String {
    format!("<Role>{}</Role>", role_members(arn, id, trust))
}

/// The inside of a `<Role>`.
pub fn role_members(arn: &str, id: &str, trust: &str) -> String {
    let name = arn.rsplit('/').next().unwrap_or_default();
    format!(
        "<Path>/</Path><RoleName>{name}</RoleName><RoleId>{id}</RoleId><Arn>{arn}</Arn>\
         <CreateDate>2024-01-15T10:00:00Z</CreateDate><AssumeRolePolicyDocument>{}</AssumeRolePolicyDocument>",
        encoded(trust)
    )
}

/// A `<Policy>` with its default version.
pub fn policy(arn: &str, version: &str) -> String {
    let name = arn.rsplit('/').next().unwrap_or_default();
    format!(
        "<Policy><PolicyName>{name}</PolicyName><PolicyId>ANPAEXAMPLE</PolicyId><Arn>{arn}</Arn><Path>/</Path>\
         <DefaultVersionId>{version}</DefaultVersionId><AttachmentCount>1</AttachmentCount>\
         <IsAttachable>true</IsAttachable></Policy>"
    )
}

/// A `<PolicyVersion>` with its document percent-encoded.
pub fn policy_version(version: &str, document: &str) -> String {
    format!(
        "<PolicyVersion><Document>{}</Document><VersionId>{version}</VersionId>\
         <IsDefaultVersion>true</IsDefaultVersion></PolicyVersion>",
        encoded(document)
    )
}

/// The `<AttachedPolicies>` of a role, on one page.
pub fn attached(arns: &[&str]) -> String {
    let member = |arn: &&str| {
        let name = arn.rsplit('/').next().unwrap_or_default();
        format!("<member><PolicyName>{name}</PolicyName><PolicyArn>{arn}</PolicyArn></member>")
    };
    let members = arns.iter().map(member).collect::<Vec<_>>().concat();
    format!("<AttachedPolicies>{members}</AttachedPolicies><IsTruncated>false</IsTruncated>")
}

/// The `<PolicyNames>` of a role's inline policies, on one page.
pub fn inline_names(names: &[&str]) -> String {
    let members = names.iter().map(|name| format!("<member>{name}</member>")).collect::<Vec<_>>().concat();
    format!("<PolicyNames>{members}</PolicyNames><IsTruncated>false</IsTruncated>")
}

/// A document as the API returns it.
pub fn encoded(document: &str) -> String {
    utf8_percent_encode(document, NON_ALPHANUMERIC).to_string()
}
