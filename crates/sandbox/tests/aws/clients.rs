//! Real clients, where they are installed: boto3, by a script that a person can run as well.

use std::path::Path;
use std::time::Duration;

use sandbox::environment::UNSET;
use sandbox::{Options, Sandbox};
use tokio::process::Command;

/// What the script exits with when there is no boto3.
const NOT_INSTALLED: i32 = 77;

/// Far longer than it takes.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn boto3_works() {
    let sandbox = Sandbox::start(Options::default()).await.expect("starts");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/aws_clients.py");
    let mut command = Command::new("python3");
    command.arg(script).envs(sandbox.environment()).kill_on_drop(true);
    for name in UNSET {
        command.env_remove(name);
    }
    let Ok(ended) = tokio::time::timeout(PATIENCE, command.output()).await.expect("in time") else {
        println!("skipped: there is no python3");
        return;
    };
    let (stdout, stderr) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    if ended.status.code() == Some(NOT_INSTALLED) {
        println!("skipped: {stderr}");
        return;
    }
    assert!(ended.status.success(), "{}\n{stdout}\n{stderr}", ended.status);
    assert!(stdout.ends_with("all well\n"), "{stdout}");
}
