//! A sandbox of one test, and the binary run inside it with nothing of the caller's environment.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sandbox::sts::AssumeRole;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How a run ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(mut child: Child, stdin: &str) -> Self {
        // A tool that does not read its stdin closes it; that is no failure of the test.
        drop(child.stdin.take().map(|mut pipe| pipe.write_all(stdin.as_bytes())));
        let output = child.wait_with_output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The one JSON document on stdout.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Refuses another end than this one.
    pub(crate) fn ends_with(&self, code: i32, parts: &[&str]) -> &Self {
        assert_eq!(self.code, code, "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is missing: {self:?}");
        }
        self
    }
}

/// A program with these variables and no others, in this home.
pub(crate) fn command(
    program: &Path,
    home: &TempDir,
    args: &[&str],
    env: &BTreeMap<String, String>,
) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(env).env("HOME", home.path()).current_dir(home.path()).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The binary under test.
pub(crate) fn program() -> PathBuf {
    snapbox::cmd::cargo_bin!("aws-check").to_owned()
}

/// Writes a program. Another process does it: a descriptor of ours that a child of another test inherits for a moment would keep
/// the program from being run (`Text file busy`).
pub(crate) fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"cat > "$0" && chmod +x "$0""#]).arg(path).stdin(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Runs the binary with these variables only: outside of any sandbox.
pub(crate) fn bare(args: &[&str], env: &[(&str, &str)], stdin: &str) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ran::of(command(&program(), &home, args, &env).spawn().unwrap(), stdin)
}

/// A running sandbox. It answers on a thread of its own, so a test may wait for a child.
pub(crate) struct Scene {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) home: TempDir,
    _running: tokio::sync::oneshot::Sender<()>,
}

impl Scene {
    pub(crate) fn start() -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let (running, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut options = Options::default();
                options.iam.delay = Duration::ZERO;
                options.kinesis.create_delay = Duration::from_millis(5);
                tell.send(Arc::new(Sandbox::start(options).await.unwrap())).unwrap_or_default();
                // Ends when the scene is dropped.
                stopped.await.unwrap_or_default();
            });
        });
        let sandbox = told.recv().unwrap();
        let environment = sandbox.environment().into_iter().collect();
        Self { sandbox, environment, home: tempfile::tempdir().unwrap(), _running: running }
    }

    /// Runs the binary with the sandbox's environment.
    pub(crate) fn run(&self, args: &[&str], stdin: &str) -> Ran {
        self.run_with(args, &[], stdin)
    }

    /// The same with more variables; an empty value counts as not set.
    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Ran {
        self.run_program(&program(), args, env, stdin)
    }

    /// The same with another copy of the binary.
    pub(crate) fn run_program(
        &self,
        program: &Path,
        args: &[&str],
        env: &[(&str, &str)],
        stdin: &str,
    ) -> Ran {
        let mut environment = self.environment.clone();
        environment.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ran::of(command(program, &self.home, args, &environment).spawn().unwrap(), stdin)
    }

    /// Starts the binary and leaves it running.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        command(&program(), &self.home, args, &self.environment).spawn().unwrap()
    }

    /// Runs a line of bash with the sandbox's environment and `$TOOL`.
    pub(crate) fn shell(&self, line: &str) -> Ran {
        let mut environment = self.environment.clone();
        environment.insert("PATH".to_owned(), "/usr/bin:/bin".to_owned());
        environment.insert("TOOL".to_owned(), program().display().to_string());
        let mut command = command(Path::new("/bin/bash"), &self.home, &["-c", line], &environment);
        Ran::of(command.stdin(Stdio::null()).spawn().unwrap(), "")
    }

    /// Runs the binary with an AWS configuration file of this content, and none of the sandbox's keys.
    pub(crate) fn run_with_profile(&self, config: &str, args: &[&str]) -> Ran {
        let mut environment = self.environment.clone();
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"] {
            environment.remove(name);
        }
        let path = self.home.path().join("aws-config");
        let keys = (&self.environment["AWS_ACCESS_KEY_ID"], &self.environment["AWS_SECRET_ACCESS_KEY"]);
        fs::write(&path, config.replace("KEY", keys.0).replace("HIDDEN", keys.1)).unwrap();
        environment.insert("AWS_CONFIG_FILE".to_owned(), path.display().to_string());
        Ran::of(command(&program(), &self.home, args, &environment).spawn().unwrap(), "")
    }

    /// Asks the sandbox's own endpoint.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = self.sandbox.control_url();
        let (host, prefix) = url.trim_start_matches("http://").split_once('/').unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{method} /{prefix}/{path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{text}");
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    /// The next requests of an operation meet this.
    pub(crate) fn fault(&self, fault: &Value) {
        self.control("POST", "faults", fault);
    }

    /// The operations that were called since the last time.
    pub(crate) fn calls(&self) -> Vec<String> {
        let journal = self.control("GET", "requests", &Value::Null);
        self.control("DELETE", "requests", &Value::Null);
        let calls = journal["requests"].as_array().unwrap().iter();
        calls.map(|call| call["operation"].as_str().unwrap().to_owned()).collect()
    }

    /// Creates the guide's stream, as its owner.
    pub(crate) fn stream(&self) {
        let caller = sandbox::kinesis::Caller { account: self.sandbox.account().to_owned() };
        let body = json!({ "StreamName": "sensor-readings", "ShardCount": 1 }).to_string();
        self.sandbox.kinesis().call("CreateStream", body.as_bytes(), &caller).unwrap();
        let body = json!({ "StreamName": "sensor-readings" }).to_string();
        for _ in 0..100 {
            let answer =
                self.sandbox.kinesis().call("DescribeStreamSummary", body.as_bytes(), &caller).unwrap();
            if String::from_utf8_lossy(&answer).contains("\"ACTIVE\"") {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the stream did not become active");
    }

    /// The keys of a session of Databricks' own role, which may do nothing here.
    pub(crate) fn session(&self) -> Vec<(&'static str, String)> {
        let caller = self.sandbox.sts().session_of_master();
        let request = AssumeRole {
            role_arn: "arn:aws:iam::123456789012:role/visitor".to_owned(),
            session_name: "visit".to_owned(),
            external_id: None,
            duration: Duration::from_hours(1),
        };
        let session = self.sandbox.sts().assume_role(&caller, &request).unwrap();
        vec![
            ("AWS_ACCESS_KEY_ID", session.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", session.secret_access_key),
            ("AWS_SESSION_TOKEN", session.session_token),
        ]
    }
}
