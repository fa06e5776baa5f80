//! A sandbox of one test, and the binary run inside it with nothing of the caller's environment.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use sandbox::clock::Clock;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const STREAM: &str = "sensor-readings";
pub(crate) const ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";

/// Longer than the moment in which a test looks, and no longer than a signature may be old.
pub(crate) const DELETION: Duration = Duration::from_mins(5);

/// Waits for a condition in small steps, far longer than it takes.
pub(crate) fn wait_for(mut done: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_mins(1);
    while !done() {
        assert!(Instant::now() < until, "it never came to that");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// How a run ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(child: Child, stdin: &str) -> Self {
        let mut child = child;
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

/// The binary with these variables and no others, in an empty home.
fn command(home: &TempDir, args: &[&str], env: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(snapbox::cmd::cargo_bin!("kstream"));
    command.env_clear().envs(env).env("HOME", home.path()).current_dir(home.path()).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the binary with these variables only: outside of any sandbox.
pub(crate) fn bare(args: &[&str], env: &[(&str, &str)], stdin: &str) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ran::of(command(&home, args, &env).spawn().unwrap(), stdin)
}

/// A running sandbox. It answers on a thread of its own, so a test may wait for a child.
pub(crate) struct Scene {
    sandbox: Arc<Sandbox>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) home: TempDir,
    _running: tokio::sync::oneshot::Sender<()>,
}

impl Scene {
    pub(crate) fn start() -> Self {
        Self::with_delay(Duration::from_millis(20))
    }

    /// A sandbox whose streams take this long to be created, changed and deleted.
    pub(crate) fn with_delay(delay: Duration) -> Self {
        let mut options = Options::default();
        options.kinesis.create_delay = delay;
        options.kinesis.update_delay = delay;
        options.kinesis.delete_delay = delay;
        Self::with(options)
    }

    /// A sandbox whose streams are there at once, but gone only when the clock is moved on by [`DELETION`].
    pub(crate) fn with_slow_deletion() -> (Self, Clock) {
        let mut options = Options::default();
        options.kinesis.create_delay = Duration::ZERO;
        options.kinesis.delete_delay = DELETION;
        // It begins with the time by which the tool signs its requests.
        options.clock = Clock::manual(SystemTime::now());
        let clock = options.clock.clone();
        (Self::with(options), clock)
    }

    fn with(options: Options) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let (running, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
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
        let mut environment = self.environment.clone();
        environment.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ran::of(command(&self.home, args, &environment).spawn().unwrap(), stdin)
    }

    /// Starts the binary and leaves it running, with its stdin open.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        command(&self.home, args, &self.environment).spawn().unwrap()
    }

    /// Runs a line of bash with the sandbox's environment and `$TOOL`.
    pub(crate) fn shell(&self, line: &str) -> Ran {
        let mut command = Command::new("/bin/bash");
        command.args(["-c", line]).env_clear().envs(&self.environment).env("PATH", "/usr/bin:/bin");
        command.env("TOOL", snapbox::cmd::cargo_bin!("kstream")).env("HOME", self.home.path());
        command.current_dir(self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ran::of(command.spawn().unwrap(), "")
    }

    /// Creates the stream of the guide and gives the document.
    pub(crate) fn ensured(&self) -> String {
        let ran = self.run(&["ensure", STREAM], "");
        ran.ends_with(0, &[]);
        ran.stdout
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

    /// The operations that were called since the last time, and how each ended.
    pub(crate) fn calls(&self) -> Vec<(String, String)> {
        let journal = self.control("GET", "requests", &Value::Null);
        self.control("DELETE", "requests", &Value::Null);
        let text = |call: &Value, name: &str| call[name].as_str().unwrap().to_owned();
        let calls = journal["requests"].as_array().unwrap().iter();
        calls.map(|call| (text(call, "operation"), text(call, "outcome"))).collect()
    }

    /// Whether an operation was called since the last time. The journal is left as it is: a call that comes while it is
    /// read and emptied would be lost.
    pub(crate) fn was_called(&self, operation: &str) -> bool {
        let journal = self.control("GET", "requests", &Value::Null);
        journal["requests"].as_array().unwrap().iter().any(|call| call["operation"] == operation)
    }

    /// The calls since the last time that would change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        let reads = ["Describe", "List", "Get"];
        let calls = self.calls().into_iter().map(|(operation, _)| operation);
        calls.filter(|operation| !reads.iter().any(|read| operation.starts_with(read))).collect()
    }

    /// Registers a fan-out consumer on the guide's stream.
    pub(crate) fn register_consumer(&self) {
        let caller = sandbox::kinesis::Caller { account: self.sandbox.account().to_owned() };
        let body = json!({ "StreamARN": ARN, "ConsumerName": "databricks_1" }).to_string();
        self.sandbox.kinesis().call("RegisterStreamConsumer", body.as_bytes(), &caller).unwrap();
    }
}
