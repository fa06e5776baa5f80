//! A sandbox of one test, and the binary run inside it with nothing of the caller's environment.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use snapbox::cmd::Command;
use tempfile::TempDir;

pub(crate) const NAME: &str = "kinesis-sensor-credential";
pub(crate) const ROLE: &str = "databricks-kinesis-role";
pub(crate) const STREAM_ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";
pub(crate) const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";

/// How a run ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The one JSON document on stdout.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Refuses another end than this one.
    pub(crate) fn ends_with(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.code, code, "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "{part} is missing: {self:?}");
        }
        self
    }
}

/// The binary with an empty environment and an empty home.
pub(crate) fn bare(args: &[&str], env: &[(&str, &str)], stdin: &str) -> Ran {
    let home = tempfile::tempdir().unwrap();
    run(
        Command::new(snapbox::cmd::cargo_bin!("dbx-cred"))
            .env_clear()
            .env("HOME", home.path())
            .current_dir(home.path()),
        args,
        env,
        stdin,
    )
}

fn run(command: Command, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Ran {
    let output = command.args(args).envs(env.iter().copied()).stdin(stdin.to_owned()).output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running sandbox.
pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) home: TempDir,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let environment = sandbox.environment().into_iter().collect();
        Self { sandbox, environment, home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn host(&self) -> &str {
        &self.environment["DATABRICKS_HOST"]
    }

    /// Runs the binary with the sandbox's environment.
    pub(crate) async fn run(&self, args: &[&str], stdin: &str) -> Ran {
        self.run_with(args, &[], stdin).await
    }

    /// The same with more variables; an empty value unsets one.
    pub(crate) async fn run_with(&self, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Ran {
        let mut environment = self.environment.clone();
        environment.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let (stdin, home) = (stdin.to_owned(), self.home.path().to_owned());
        // The sandbox answers on this thread, so the binary must be waited for on another.
        tokio::task::spawn_blocking(move || {
            let command = Command::new(snapbox::cmd::cargo_bin!("dbx-cred"))
                .env_clear()
                .env("HOME", &home)
                .current_dir(&home);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let env: Vec<(&str, &str)> =
                environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            run(command, &args, &env, &stdin)
        })
        .await
        .unwrap()
    }

    /// Asks the sandbox's own endpoint.
    pub(crate) async fn control(&self, method: &'static str, path: &str, body: Value) -> Value {
        let address = self.host().trim_start_matches("http://").to_owned();
        let token = self.environment["DATABRICKS_TOKEN"].clone();
        let path = format!("/_sandbox/databricks/{path}");
        let text = tokio::task::spawn_blocking(move || {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let mut stream = TcpStream::connect(address).unwrap();
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {token}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        })
        .await
        .unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{text}");
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    /// The next requests of an operation meet this.
    pub(crate) async fn fault(&self, fault: Value) {
        self.control("POST", "faults", fault).await;
    }

    /// The operations that were called since the last time.
    pub(crate) async fn calls(&self) -> Vec<String> {
        let journal = self.control("GET", "requests", Value::Null).await;
        self.control("DELETE", "requests", Value::Null).await;
        let calls = journal["requests"].as_array().unwrap().iter();
        calls.map(|call| call["operation"].as_str().unwrap().to_owned()).collect()
    }

    /// Creates the credential and gives the document.
    pub(crate) async fn ensured(&self) -> String {
        let ran = self.run(&["ensure", NAME, "--role-arn", ROLE_ARN], "").await;
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout
    }

    fn root(&self) -> Credentials {
        let env = &self.environment;
        Credentials::new(&env["AWS_ACCESS_KEY_ID"], &env["AWS_SECRET_ACCESS_KEY"], None, None, "test")
    }

    /// Kinesis as the account's root.
    pub(crate) fn kinesis(&self) -> aws_sdk_kinesis::Client {
        let config = aws_sdk_kinesis::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(&self.environment["AWS_ENDPOINT_URL_KINESIS"])
            .credentials_provider(self.root())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        aws_sdk_kinesis::Client::from_conf(config)
    }

    /// IAM as the account's root.
    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        let env = &self.environment;
        let keys = self.root();
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(&env["AWS_ENDPOINT_URL_IAM"])
            .credentials_provider(keys)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        aws_sdk_iam::Client::from_conf(config)
    }

    /// Makes the role that a document's credential asks for, trusting `external_id`.
    pub(crate) async fn role(&self, document: &Value, external_id: Option<&str>, may_assume_itself: bool) {
        let itself = if may_assume_itself { json!(["sts:AssumeRole"]) } else { json!(["sts:TagSession"]) };
        let reading = json!([
            "kinesis:DescribeStreamSummary",
            "kinesis:ListShards",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator"
        ]);
        let permissions = json!([
            { "Effect": "Allow", "Action": reading, "Resource": STREAM_ARN },
            { "Effect": "Allow", "Action": itself, "Resource": ROLE_ARN },
        ]);
        self.role_with(document, external_id, &permissions).await;
    }

    /// The same with these permissions.
    pub(crate) async fn role_with(&self, document: &Value, external_id: Option<&str>, statements: &Value) {
        let master = document["credential"]["unity_catalog_iam_arn"].as_str().unwrap();
        let condition =
            external_id.map_or(json!({}), |id| json!({ "StringEquals": { "sts:ExternalId": id } }));
        let mut to_itself = condition.clone();
        to_itself["ArnLike"] = json!({ "aws:PrincipalArn": ROLE_ARN });
        let trust = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": master }, "Action": "sts:AssumeRole", "Condition": condition },
            { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:root" }, "Action": "sts:AssumeRole",
              "Condition": to_itself },
        ] });
        self.iam()
            .create_role()
            .role_name(ROLE)
            .assume_role_policy_document(trust.to_string())
            .send()
            .await
            .unwrap();
        let permissions = json!({ "Version": "2012-10-17", "Statement": statements });
        let put = self.iam().put_role_policy().role_name(ROLE).policy_name("read");
        put.policy_document(permissions.to_string()).send().await.unwrap();
    }
}
