//! The binary against a sandbox: what a user does in an evening, in the order they do it.
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command as Process, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use snapbox::cmd::{Command, OutputAssert, cargo_bin};
use snapbox::str;
use tempfile::TempDir;
use tokio::sync::oneshot;

const ROLE: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";
const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";

/// A sandbox on a thread of its own. It ends when this is dropped.
struct Place {
    variables: Vec<(String, String)>,
    home: TempDir,
    stop: Option<oneshot::Sender<()>>,
    server: Option<thread::JoinHandle<()>>,
}

impl Place {
    fn open(delay: Duration) -> Self {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut options = Options::default();
                options.iam.delay = delay;
                let sandbox = Sandbox::start(options).await.unwrap();
                tell.send(sandbox.environment()).unwrap();
                drop(stopped.await);
            });
        });
        let variables = told.recv().unwrap();
        Self { variables, home: tempfile::tempdir().unwrap(), stop: Some(stop), server: Some(server) }
    }

    fn command(&self) -> Command {
        Command::new(cargo_bin!("iam-role"))
            .env_clear()
            .env("HOME", self.home.path())
            .current_dir(self.home.path())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
    }

    fn run(&self, args: &[&str], document: &Value) -> OutputAssert {
        self.command().args(args).stdin(document.to_string()).assert()
    }

    /// The IAM operations since the last time this was asked.
    fn operations(&self) -> Vec<String> {
        let calls: Value = serde_json::from_str(&self.control("GET")).unwrap();
        self.control("DELETE");
        let calls = calls["requests"].as_array().or(calls.as_array()).unwrap().clone();
        calls.iter().map(|call| call["operation"].as_str().unwrap().to_owned()).collect()
    }

    fn control(&self, method: &str) -> String {
        let url =
            self.variables.iter().find(|(name, _)| name == "KINBRICKS_SANDBOX").map(|(_, url)| url).unwrap();
        let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "{method} /{path}/requests HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        body.to_owned()
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

fn printed(assert: &OutputAssert) -> Value {
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

fn document(stream: &str) -> Value {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": [MASTER, ROLE]},
        "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "0000"}}}]});
    let permissions = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "ReadStream", "Effect": "Allow", "Action": ["kinesis:ListShards", "kinesis:GetRecords"], "Resource": stream},
        {"Sid": "SelfAssume", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}]});
    json!({"kinbricks": 1, "policies": {"trust": trust, "permissions": permissions}})
}

fn is_read(operation: &str) -> bool {
    operation.starts_with("Get") || operation.starts_with("List")
}

#[test]
fn from_nothing_to_the_role_and_back() {
    let place = Place::open(Duration::from_millis(20));
    let wanted = document(STREAM);
    place.run(&["ensure", "--check"], &wanted).code(1);
    assert!(place.operations().iter().all(|operation| is_read(operation)));
    let first = place.run(&["ensure", "--tag", "team=sensors"], &wanted).code(0).stderr_eq(str![[r#"
iam-role: created role `databricks-kinesis-role`
iam-role: left the role itself out of its first trust policy, IAM cannot know it yet: trust-sync adds it
iam-role: created policy `databricks-kinesis-policy`
iam-role: attached policy `databricks-kinesis-policy` to role `databricks-kinesis-role`

"#]]);
    let connection = printed(&first);
    assert_eq!(connection["role"]["policy_version"], "v1");

    place.operations();
    let second = place.run(&["ensure", "--tag", "team=sensors"], &connection).code(0).stderr_eq(str![[r#"
iam-role: unchanged role `databricks-kinesis-role`
iam-role: unchanged policy `databricks-kinesis-policy` (v1)

"#]]);
    assert_eq!(printed(&second), connection);
    assert!(place.operations().iter().all(|operation| is_read(operation)), "a second run writes nothing");

    for number in 1..=7 {
        let mut other = document(&format!("{STREAM}-{number}"));
        other["role"] = connection["role"].clone();
        let updated = place.run(&["ensure"], &other).code(0);
        assert_eq!(printed(&updated)["role"]["policy_version"], format!("v{}", number + 1));
    }
    let shown = printed(&place.run(&["show"], &connection).code(0));
    assert_eq!(shown["role"]["tags"]["team"], "sensors");
    assert_eq!(shown["role"]["attached_policies"][0]["version"], "v8");

    place.run(&["delete", "--yes"], &connection).code(0).stderr_eq(str![[r#"
iam-role: detached policy `databricks-kinesis-policy` from role `databricks-kinesis-role`
iam-role: deleted policy `databricks-kinesis-policy`
iam-role: deleted role `databricks-kinesis-role`

"#]]);
    let gone = place.run(&["delete", "--yes"], &connection).code(0).stderr_eq(str![[r#"
iam-role: role `databricks-kinesis-role` is gone already
iam-role: policy `databricks-kinesis-policy` is gone already

"#]]);
    assert_eq!(printed(&gone).get("role"), None);
    place.run(&["show"], &connection).code(4).stdout_eq("");
}

#[test]
fn two_at_once_both_end_well_and_leave_one_role() {
    let place = Place::open(Duration::ZERO);
    let wanted = document(STREAM);
    thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| place.run(&["ensure"], &wanted))).collect();
        for run in runs {
            let connection = printed(&run.join().unwrap().code(0));
            assert_eq!(connection["role"]["policy_version"], "v1");
        }
    });
    place.operations();
    place.run(&["ensure", "--check"], &wanted).code(0);
}

#[test]
fn a_result_that_cannot_be_delivered_is_told_and_the_next_run_finds_everything_done() {
    let place = Place::open(Duration::ZERO);
    let input = place.home.path().join("in.json");
    std::fs::write(&input, document(STREAM).to_string()).unwrap();
    let process = |args: &[&str]| {
        let mut process = Process::new(cargo_bin!("iam-role"));
        process.env_clear().env("HOME", place.home.path()).envs(place.variables.iter().cloned());
        process.args(args).arg("--doc").arg(&input).stdin(Stdio::null()).stderr(Stdio::piped());
        process
    };
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        writer
    };
    let output = process(&["ensure"]).stdout(closed()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    place.operations();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = process(&["ensure"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(place.operations().iter().all(|operation| is_read(operation)), "the first run had done it all");
    let output = process(&["show", "databricks-kinesis-role"]).stdout(closed()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "a reader that has what it wanted is no failure of `show`");
}
