//! A sandbox with roles and credentials in it, and the tool under test run against them.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command as Process, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam::Client;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use snapbox::cmd::{Command, cargo_bin};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// The results of Databricks' three checks, in their order.
pub(crate) type Validated = [&'static str; 3];

const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";

/// A sandbox on a thread of its own. It ends when this is dropped.
pub(crate) struct Place {
    variables: Vec<(String, String)>,
    client: Client,
    runtime: Runtime,
    home: TempDir,
    stop: Option<oneshot::Sender<()>>,
    server: Option<thread::JoinHandle<()>>,
}

impl Place {
    /// One where every write has its effect at once: what is asked is what policies mean.
    pub(crate) fn open() -> Self {
        Self::open_with(Duration::ZERO)
    }

    /// One where a write of IAM takes `delay` to have an effect.
    pub(crate) fn open_with(delay: Duration) -> Self {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut options = Options::default();
                options.iam.delay = delay;
                options.sts.strict_self_assume = true;
                let sandbox = Sandbox::start(options).await.unwrap();
                tell.send(sandbox.environment()).unwrap();
                drop(stopped.await);
            });
        });
        let variables = told.recv().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = client(&variables);
        let home = tempfile::tempdir().unwrap();
        Self { variables, client, runtime, home, stop: Some(stop), server: Some(server) }
    }

    /// A role with these statements in its trust policy, an inline policy for each list of `permissions`, and a credential
    /// that uses it.
    pub(crate) fn role(
        &self,
        name: &str,
        trust: &Value,
        permissions: &[Value],
        boundary: Option<&Value>,
    ) -> Role<'_> {
        let first =
            policy(&json!([{"Effect": "Allow", "Principal": {"AWS": MASTER}, "Action": "sts:AssumeRole"}]));
        let created = self
            .runtime
            .block_on(self.client.create_role().role_name(name).assume_role_policy_document(first).send());
        let arn = created.unwrap().role.unwrap().arn;
        let body = json!({"name": name, "purpose": "SERVICE", "aws_iam_role": {"role_arn": arn}, "skip_validation": true});
        let credential = self.post("/api/2.1/unity-catalog/credentials", &body);
        let external_id = credential["aws_iam_role"]["external_id"].as_str().unwrap().to_owned();

        let filled = |statements: &Value| {
            let text = policy(statements).replace("\"ARN\"", &format!("\"{arn}\""));
            let text = text.replace("\"ARN-2\"", &format!("\"{arn}-2\""));
            text.replace("\"ID\"", &format!("\"{external_id}\""))
                .replace("UPPER", &external_id.to_uppercase())
        };
        self.runtime.block_on(async {
            let trust = filled(trust);
            self.client
                .update_assume_role_policy()
                .role_name(name)
                .policy_document(trust)
                .send()
                .await
                .unwrap();
            for (number, statements) in permissions.iter().enumerate() {
                let request =
                    self.client.put_role_policy().role_name(name).policy_document(filled(statements));
                request.policy_name(format!("policy-{number}")).send().await.unwrap();
            }
            if let Some(boundary) = boundary {
                let request = self.client.create_policy().policy_name(format!("{name}-boundary"));
                let created = request.policy_document(filled(boundary)).send().await.unwrap();
                let boundary = created.policy.unwrap().arn.unwrap();
                let request = self.client.put_role_permissions_boundary().role_name(name);
                request.permissions_boundary(boundary).send().await.unwrap();
            }
        });
        let document = json!({"kinbricks": 1, "credential": {"name": name, "role_arn": arn, "external_id": external_id,
            "unity_catalog_iam_arn": credential["aws_iam_role"]["unity_catalog_iam_arn"]}});
        Role { place: self, name: name.to_owned(), document: RefCell::new(document) }
    }

    /// Deletes a role that has no policies.
    pub(crate) fn delete_role(&self, name: &str) {
        self.runtime.block_on(self.client.delete_role().role_name(name).send()).unwrap();
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        let url = self.variable("KINBRICKS_SANDBOX").trim_start_matches("http://");
        let (host, path) = url.split_once('/').unwrap();
        let answer = exchange(
            host,
            &format!("GET /{path}/requests HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        );
        answer.matches(&format!("\"{operation}\"")).count()
    }

    fn variable(&self, name: &str) -> &str {
        variable(&self.variables, name)
    }

    /// A request to the Databricks workspace.
    fn post(&self, path: &str, body: &Value) -> Value {
        let host = self.variable("DATABRICKS_HOST").trim_start_matches("http://");
        let token = self.variable("DATABRICKS_TOKEN");
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        serde_json::from_str(&exchange(host, &request)).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            drop(server.join());
        }
    }
}

/// A role and its credential.
pub(crate) struct Role<'a> {
    place: &'a Place,
    name: String,
    document: RefCell<Value>,
}

impl Role<'_> {
    /// What Databricks' validation finds.
    pub(crate) fn validate(&self) -> Validated {
        let body = json!({"credential_name": self.name, "purpose": "SERVICE"});
        let answer = self.place.post("/api/2.1/unity-catalog/validate-credentials", &body);
        results(&answer["results"], "configuration_operation")
    }

    /// What `--explain` predicts, which changes nothing.
    pub(crate) fn predict(&self) -> Validated {
        let output = self.command(&["--explain"]).output().unwrap();
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        let predicted = results(&printed["trust"]["prediction"], "operation");
        assert_eq!(output.status.success(), predicted == ["PASS"; 3], "the exit code is the prediction's");
        predicted
    }

    /// Runs the tool; its exit code and what it said. What it prints goes into the next run.
    pub(crate) fn sync(&self, args: &[&str]) -> (i32, String) {
        let output = self.command(args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        if !output.stdout.is_empty() {
            *self.document.borrow_mut() = serde_json::from_slice(&output.stdout).unwrap();
        }
        (output.status.code().unwrap(), said)
    }

    /// Starts the tool and leaves it running.
    pub(crate) fn start(&self) -> Child {
        let home = self.place.home.path();
        let input = home.join("running.json");
        std::fs::write(&input, self.document.borrow().to_string()).unwrap();
        let mut process = Process::new(cargo_bin!("trust-sync"));
        process.env_clear().env("HOME", home).envs(self.place.variables.iter().cloned());
        process.arg("--doc").arg(&input).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        process.spawn().unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let home = self.place.home.path();
        Command::new(cargo_bin!("trust-sync"))
            .env_clear()
            .env("HOME", home)
            .current_dir(home)
            .envs(self.place.variables.iter().map(|(name, value)| (name, value)))
            .args(args)
            .stdin(self.document.borrow().to_string())
    }
}

/// Sends a request and returns the body of the answer.
fn exchange(host: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    body.to_owned()
}

/// The results of the checks in the order that Databricks names them.
fn results(checks: &Value, name: &str) -> Validated {
    ["ASSUME_ROLE", "EXTERNAL_ID_CONDITION", "SELF_ASSUME_ROLE"].map(|operation| {
        let check = checks.as_array().unwrap().iter().find(|check| check[name] == operation).unwrap();
        let known = ["PASS", "FAIL", "SKIP"].into_iter().find(|result| check["result"] == *result);
        known.unwrap()
    })
}

fn policy(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn variable<'a>(variables: &'a [(String, String)], name: &str) -> &'a str {
    variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap()
}

fn client(variables: &[(String, String)]) -> Client {
    let of = |name: &str| variable(variables, name);
    let keys = Credentials::new(of("AWS_ACCESS_KEY_ID"), of("AWS_SECRET_ACCESS_KEY"), None, None, "sandbox");
    let sdk = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(of("AWS_REGION").to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .endpoint_url(of("AWS_ENDPOINT_URL_IAM"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::new(&sdk)
}
