//! A running sandbox: the parts wired together, listening on loopback.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::databricks::{self, Workspace};
use crate::environment::Files;
use crate::gateway::{self, CONTROL_PREFIX, Gateway};
use crate::iam::{self, Iam};
use crate::kinesis::{self, Engine};
use crate::sts::{self, Caller, Key, Keyring, Sts};

/// What of the control endpoint is the workspace's.
const DATABRICKS_CONTROL: &str = "/_sandbox/databricks/";

/// How a sandbox is set up. The default is what the binary starts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How IAM behaves.
    pub iam: iam::Settings,
    /// How STS behaves.
    pub sts: sts::Settings,
    /// How Kinesis behaves, and the account and region of everything.
    pub kinesis: kinesis::Options,
    /// The port of each endpoint; 0 means a free one.
    pub ports: Ports,
    /// The time, for tests that move it.
    pub clock: Clock,
}

/// Ports on loopback.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ports {
    /// Kinesis.
    pub kinesis: u16,
    /// IAM.
    pub iam: u16,
    /// STS.
    pub sts: u16,
    /// The Databricks workspace.
    pub databricks: u16,
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port is taken or not allowed.
    #[error("failed to listen on port {port} for {service}")]
    Listen {
        /// Which endpoint.
        service: &'static str,
        /// The port that was asked for; 0 is any.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The folder for temporary files cannot be written.
    #[error("failed to write the empty configuration files")]
    Files(#[source] io::Error),
}

/// A local AWS and Databricks. It listens until it is dropped, and then nothing of it is left.
pub struct Sandbox {
    gateway: Arc<Gateway>,
    workspace: Workspace,
    account: String,
    access_key_id: String,
    secret_access_key: String,
    kinesis: SocketAddr,
    iam: SocketAddr,
    sts: SocketAddr,
    files: Files,
    // Dropping the set ends the servers.
    _servers: JoinSet<()>,
}

impl Sandbox {
    /// Starts everything. Needs a tokio runtime, and lives as long as that.
    ///
    /// # Errors
    /// When a port or the folder for temporary files cannot be had.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { iam, sts, kinesis, ports, clock } = options;
        let files = Files::create().map_err(StartError::Files)?;
        let account = kinesis.account.clone();
        let region = kinesis.region.clone();

        let keys = Arc::new(Keyring::default());
        let (access_key_id, secret_access_key) = (iam::access_key_id(), iam::secret());
        keys.insert(
            access_key_id.clone(),
            Key { secret: secret_access_key.clone(), caller: Caller::root(&account), session: None },
        );
        let iam = Arc::new(Iam::new(iam, keys.clone(), clock.clone()));
        let sts = Sts::new(iam.clone(), keys.clone(), clock.clone(), sts);
        let engine = Engine::with_clock(kinesis, clock.clone());
        let gateway = Arc::new(Gateway::new(region.clone(), clock.clone(), keys, iam, sts.clone(), engine));

        let (listener, databricks) = listen("Databricks", ports.databricks).await?;
        let workspace = Workspace::new(
            databricks::Options { clock, ..databricks::Options::new(format!("http://{databricks}"), region) },
            sts,
        );
        let routed = gateway::routed(databricks::router(workspace.clone()));
        let mut servers = JoinSet::new();
        servers.spawn(gateway::serve(listener, routed.clone()));

        let mut addresses = [databricks; 3];
        let endpoints = [("Kinesis", ports.kinesis), ("IAM", ports.iam), ("STS", ports.sts)];
        for (address, (service, port)) in addresses.iter_mut().zip(endpoints) {
            let (listener, bound) = listen(service, port).await?;
            *address = bound;
            let (gateway, routed) = (gateway.clone(), routed.clone());
            servers.spawn(gateway::serve(
                listener,
                service_fn(move |request: http::Request<Incoming>| {
                    let (gateway, routed) = (gateway.clone(), routed.clone());
                    async move {
                        // One control address for both clouds: a test needs to know only `KINBRICKS_SANDBOX`.
                        if request.uri().path().starts_with(DATABRICKS_CONTROL) {
                            return routed.call(request).await.map_err(|never| match never {});
                        }
                        gateway.answer(request).await
                    }
                }),
            ));
        }
        let [kinesis, iam, sts] = addresses;
        Ok(Self {
            gateway,
            workspace,
            account,
            access_key_id,
            secret_access_key,
            kinesis,
            iam,
            sts,
            files,
            _servers: servers,
        })
    }

    /// The variables by which a client finds the sandbox. [`crate::environment::UNSET`] names those that must not be
    /// there.
    pub fn environment(&self) -> Vec<(String, String)> {
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let workspace = self.workspace.options();
        let mut variables = vec![
            set("AWS_ACCESS_KEY_ID", &self.access_key_id),
            set("AWS_SECRET_ACCESS_KEY", &self.secret_access_key),
            set("AWS_REGION", &self.gateway.region),
            // The AWS CLI and boto3 read only this one.
            set("AWS_DEFAULT_REGION", &self.gateway.region),
            set("AWS_ENDPOINT_URL_KINESIS", &format!("http://{}", self.kinesis)),
            set("AWS_ENDPOINT_URL_IAM", &format!("http://{}", self.iam)),
            set("AWS_ENDPOINT_URL_STS", &format!("http://{}", self.sts)),
            set("AWS_EC2_METADATA_DISABLED", "true"),
            set("AWS_PAGER", ""),
            set("DATABRICKS_HOST", &workspace.host),
            set("DATABRICKS_TOKEN", workspace.admin.token.reveal()),
            set("KINBRICKS_SANDBOX", &self.control_url()),
            // A proxy cannot reach this machine's loopback.
            set("NO_PROXY", "127.0.0.1,localhost"),
            set("no_proxy", "127.0.0.1,localhost"),
        ];
        variables.extend(self.files.variables());
        variables
    }

    /// Where faults are asked for and calls are listed, without a slash at the end.
    pub fn control_url(&self) -> String {
        format!("http://{}{}", self.kinesis, CONTROL_PREFIX.trim_end_matches('/'))
    }

    /// The account that everything belongs to.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The Kinesis engine, to break it on purpose.
    pub fn kinesis(&self) -> &Engine {
        &self.gateway.engine
    }

    /// IAM, to change how long writes take.
    pub fn iam(&self) -> &Iam {
        &self.gateway.iam
    }

    /// STS, for the in-process view.
    pub fn sts(&self) -> &Sts {
        &self.gateway.sts
    }

    /// The Databricks workspace: its ids and the secrets of its principals.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }
}

async fn listen(service: &'static str, port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let fault = |source| StartError::Listen { service, port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    Ok((listener, address))
}
