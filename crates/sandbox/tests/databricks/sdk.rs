//! The official Databricks SDK for Python against the sandbox, where it is installed.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use sandbox::environment::UNSET;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::circle::{Circle, MASTER, ROLE_ARN, external_id, permissions, trust_of};

/// What the script exits with when there is no SDK.
const NOT_INSTALLED: i32 = 77;

/// Far longer than it takes; the SDK by itself would go on retrying for five minutes.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn the_official_sdk_for_python_works() {
    let circle = Circle::start().await;
    circle.create_role(&trust_of(&[MASTER], external_id("0000"))).await;
    circle.permit(&permissions()).await;

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/databricks_client.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(ROLE_ARN).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in UNSET {
        command.env_remove(name);
    }
    let Ok(mut child) = command.envs(&circle.environment).spawn() else {
        println!("skipped: there is no python3");
        return;
    };
    let mut stdin = child.stdin.take().expect("piped");
    let mut id = String::new();
    let repaired = async {
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut id).await.expect("a line");
        if !id.is_empty() {
            circle.trust(&trust_of(&[MASTER, ROLE_ARN], external_id(id.trim()))).await;
            stdin.write_all(b"repaired\n").await.expect("the script reads");
        }
        child.wait_with_output().await.expect("ends")
    };
    let output = tokio::time::timeout(PATIENCE, repaired).await.expect("in time");
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(NOT_INSTALLED) {
        println!("skipped: {errors}");
        return;
    }
    assert!(output.status.success(), "{}\n{errors}", output.status);
    assert!(!id.is_empty(), "it got as far as the trust policy");
}
