//! `dbx-cred` as a program: no tool depends on another one's code. It is looked for beside this program, then on PATH.

use std::env::current_exe;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use config::{Document, Fault, Kind};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::Args;

const PROGRAM: &str = "dbx-cred";

/// Longer than the tool itself waits when nothing else is said, so that it can end by itself and say why.
const LIMIT: Duration = Duration::from_mins(5);

/// How to run it.
pub(crate) struct Neighbour {
    program: PathBuf,
    document: String,
    timeout: Option<Duration>,
}

/// How it ended.
pub(crate) enum Ended {
    /// By itself, with an exit code.
    Ran(Ran),
    /// There is no such program.
    Absent,
}

/// What it said.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    /// Its fault, when it failed.
    pub(crate) complaint: Option<Complaint>,
}

/// The line of `--errors json`, as far as it matters here.
#[derive(Debug, Deserialize)]
pub(crate) struct Complaint {
    message: String,
    hint: Option<String>,
    #[serde(default)]
    causes: Vec<String>,
}

impl Complaint {
    /// Message and causes in one line.
    pub(crate) fn sentence(&self) -> String {
        let causes = self.causes.iter().map(String::as_str);
        std::iter::once(self.message.as_str()).chain(causes).collect::<Vec<_>>().join(": ")
    }

    /// What to type.
    pub(crate) fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}

impl Neighbour {
    pub(crate) fn new(args: &Args, document: &Document) -> Self {
        // A document was read from JSON, so it can be written as JSON.
        let document = serde_json::to_string(document).unwrap_or_default();
        Self { program: beside().unwrap_or_else(|| PROGRAM.into()), document, timeout: args.aws.timeout }
    }

    /// Runs it with the document on its stdin.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub(crate) async fn run(&self, args: &[&str]) -> Result<Ended, Fault> {
        let mut command = Command::new(&self.program);
        command.args(args).args(["--errors", "json", "--quiet"]);
        if let Some(timeout) = self.timeout {
            command.args(["--timeout", &format!("{}ms", timeout.as_millis())]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let failed = |why: &dyn std::fmt::Display| {
            Fault::new(Kind::Transient, format!("failed to run `{PROGRAM} {}`", args.join(" ")))
                .with_cause(why)
        };
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ended::Absent),
            Err(error) => return Err(failed(&error)),
        };
        let stdin = child.stdin.take();
        let write = async {
            if let Some(mut stdin) = stdin {
                // One that ends without reading its stdin has its reasons, and its exit code.
                drop(stdin.write_all(self.document.as_bytes()).await);
            }
        };
        let both = async { tokio::join!(write, child.wait_with_output()).1 };
        match tokio::time::timeout(LIMIT, both).await {
            Ok(Ok(output)) => Ok(Ended::Ran(Ran::of(output))),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(failed(&"it did not end in time")),
        }
    }
}

impl Ran {
    fn of(output: Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let complaint = stderr.lines().rev().find_map(|line| serde_json::from_str(line).ok());
        Self { code: output.status.code(), stdout: output.stdout, complaint }
    }
}

/// The program beside this one, when there is one: the tools are installed together.
fn beside() -> Option<PathBuf> {
    let own = current_exe().ok()?;
    let program = own.parent().map(Path::to_owned)?.join(PROGRAM);
    program.is_file().then_some(program)
}
