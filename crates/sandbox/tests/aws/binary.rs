//! The binary: what it prints, what it hands to a command, how it ends, and that nothing is left.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinbricks-sandbox"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let ended = tokio::time::timeout(PATIENCE, command().args(arguments).output()).await;
    let Output { status, stdout, stderr } = ended.expect("ends").expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

fn signal(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    kill_process(pid.expect("running"), signal).expect("signalled");
}

async fn end(mut child: Child) -> Option<i32> {
    tokio::time::timeout(PATIENCE, child.wait()).await.expect("ends").expect("waits").code()
}

#[tokio::test]
async fn a_commands_exit_code_is_the_sandboxes() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)] {
        assert_eq!(run(&["--", "sh", "-c", script]).await.0, Some(code), "{script}");
    }
}

#[tokio::test]
async fn a_command_gets_the_variables_and_loses_the_users_own() {
    let script = "printf '%s|' \"$AWS_REGION\" \"$AWS_DEFAULT_REGION\" \"${AWS_PROFILE-none}\" \"${AWS_SESSION_TOKEN-none}\"; \
                  cat \"$AWS_CONFIG_FILE\" \"$AWS_SHARED_CREDENTIALS_FILE\" \"$DATABRICKS_CONFIG_FILE\"; \
                  printf '%s' \"$AWS_CONFIG_FILE\"";
    let mut command = command();
    command.env("AWS_PROFILE", "mine").env("AWS_SESSION_TOKEN", "mine").env("AWS_REGION", "us-east-1");
    let output = command.args(["--", "sh", "-c", script]).output().await.expect("runs");
    assert!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout).expect("text");
    let file = stdout.strip_prefix("eu-central-1|eu-central-1|none|none|").expect(&stdout);
    assert!(!Path::new(file).exists(), "{file} went with the sandbox");
}

#[tokio::test]
async fn a_command_that_is_not_there_is_named() {
    let (code, stdout, stderr) = run(&["--", "no-such-command-anywhere"]).await;
    assert_eq!((code, stdout.as_str()), (Some(127), ""));
    assert!(stderr.starts_with("kinbricks-sandbox: failed to run `no-such-command-anywhere`: "), "{stderr}");
    assert!(stderr.contains("\nhint: "), "{stderr}");
}

#[tokio::test]
async fn wrong_flags_are_usage_errors() {
    for wrong in [&["--iam-delay", "soon"][..], &["--port-iam", "99999"], &["stray"]] {
        let (code, stdout, stderr) = run(wrong).await;
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{wrong:?}: {stderr}");
        assert!(stderr.starts_with("error: "), "{wrong:?}: {stderr}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let port = taken.local_addr().expect("bound").port().to_string();
    let (code, _, stderr) = run(&["--port-sts", &port]).await;
    assert_eq!(code, Some(2));
    assert!(
        stderr.starts_with(&format!("kinbricks-sandbox: failed to listen on port {port} for STS: ")),
        "{stderr}"
    );
    assert!(stderr.ends_with("hint: leave the port out to get a free one\n"), "{stderr}");
}

#[tokio::test]
async fn it_serves_until_a_signal_and_then_nothing_listens() {
    for stop in [Signal::INT, Signal::TERM] {
        let mut child = command().spawn().expect("runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (mut address, mut file) = (None, None);
        while let Some(line) = lines.next_line().await.expect("text") {
            let value = |name: &str| line.strip_prefix(name)?.strip_suffix('\'').map(str::to_owned);
            address = address.or_else(|| value("export AWS_ENDPOINT_URL_STS='http://"));
            file = file.or_else(|| value("export DATABRICKS_CONFIG_FILE='"));
            if file.is_some() {
                break;
            }
        }
        let (address, file) = (address.expect("an address"), file.expect("a file"));
        TcpStream::connect(&address).await.expect("it listens");
        assert!(Path::new(&file).exists(), "{file}");
        // The sentence on stderr comes after everything is ready for a signal.
        let mut sentence = [0; 18];
        child.stderr.as_mut().expect("piped").read_exact(&mut sentence).await.expect("a sentence");
        assert_eq!(&sentence, b"kinbricks-sandbox:");
        signal(&child, stop);
        assert_eq!(end(child).await, Some(0), "{stop:?}");
        TcpStream::connect(&address).await.expect_err("nobody listens");
        assert!(!Path::new(&file).exists(), "{file}");
    }
}

#[tokio::test]
async fn a_signal_to_end_is_passed_on_and_the_command_is_waited_for() {
    let script = "trap 'exit 9' TERM; trap '' INT; echo ready; while :; do sleep 0.01; done";
    let mut child = command().args(["--", "sh", "-c", script]).spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next_line().await.expect("text").as_deref(), Some("ready"));
    signal(&child, Signal::INT);
    signal(&child, Signal::TERM);
    assert_eq!(end(child).await, Some(9));
}

#[tokio::test]
async fn a_full_disk_under_stdout_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let child = command().stdout(full).spawn().expect("runs");
    let output =
        tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("ends").expect("waits");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(
        stderr.starts_with("kinbricks-sandbox: failed to write the variables to standard output: "),
        "{stderr}"
    );
}

#[tokio::test]
async fn help_starts_with_examples_and_says_the_version() {
    let (code, stdout, _) = run(&["--help"]).await;
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("Examples:\n  kinbricks-sandbox -- aws sts get-caller-identity"), "{stdout}");
    let (code, stdout, _) = run(&["--version"]).await;
    assert_eq!((code, stdout), (Some(0), format!("kinbricks-sandbox {}\n", env!("CARGO_PKG_VERSION"))));
}
