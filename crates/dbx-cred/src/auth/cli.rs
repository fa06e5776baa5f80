//! The login of `databricks auth login`, through the Databricks CLI itself.
//!
//! Its tokens lie in the operating system's keyring since version 1.0, so its own command is the way to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use config::env::Env;
use config::{Fault, Secret};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::{Instant, timeout_at};

use super::AccessToken;
use crate::host::Host;

/// The old CLI, written in Python, has the same name and no `auth token`. It is a small script; the new one has tens of
/// megabytes (official SDKs).
const SMALLEST_BYTES: u64 = 1024 * 1024;

/// The CLI: the one that was named, else the first on `PATH` that is not the old one.
pub(super) fn find(named: Option<&str>, env: &Env) -> Option<PathBuf> {
    if let Some(named) = named {
        return Some(named.into());
    }
    std::env::split_paths(env.get("PATH")?)
        .map(|folder| folder.join("databricks"))
        .find(|path| fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() >= SMALLEST_BYTES))
}

#[derive(Deserialize)]
struct Printed {
    access_token: String,
    #[serde(default)]
    expiry: Option<String>,
}

/// Runs `databricks auth token`.
///
/// # Errors
/// A refused fault with what the CLI said, which usually is what to type.
pub(super) async fn token(
    executable: &Path,
    host: &Host,
    profile: Option<&str>,
    deadline: Instant,
) -> Result<AccessToken, Fault> {
    let target = match profile {
        Some(profile) => ["--profile", profile],
        None => ["--host", host.as_str()],
    };
    let login = format!("databricks auth login {} {}", target[0], target[1]);
    let failed = |why: &dyn std::fmt::Display| {
        Fault::refused(format!("failed to get a token from `{} auth token`", executable.display()))
            .with_cause(why)
            .with_hint(login.clone())
    };
    let running = Command::new(executable)
        .args(["auth", "token"])
        .args(target)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match timeout_at(deadline, running).await {
        Err(_) => return Err(failed(&"it did not end in time")),
        Ok(Err(error)) => {
            return Err(
                failed(&error).with_hint("install the Databricks CLI, or correct DATABRICKS_CLI_PATH")
            );
        }
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().trim_start_matches("Error: ");
        return Err(if said.is_empty() { failed(&output.status) } else { failed(&said) });
    }
    // What it printed may hold a token, so an error must not repeat it.
    let printed: Printed = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed(&"it did not print the JSON of version 0.207.1 or later"))?;
    let expires_at = printed.expiry.as_deref().and_then(expiry);
    Ok(AccessToken::new(Secret::new(printed.access_token), expires_at))
}

/// RFC 3339, or a local time without zone as older versions print it.
fn expiry(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        let local: DateTime = text.parse().ok()?;
        TimeZone::system().to_timestamp(local).ok()
    })
}

#[cfg(test)]
mod tests {
    use config::env::Env;

    use super::{expiry, find};

    #[test]
    fn both_forms_of_expiry_are_read() {
        assert_eq!(
            expiry("2026-01-01T12:00:00.123456789Z").unwrap().to_string(),
            "2026-01-01T12:00:00.123456789Z"
        );
        assert!(expiry("2026-01-01 12:00:00.5").is_some());
        assert_eq!(expiry("tomorrow"), None);
    }

    #[test]
    fn the_old_cli_is_passed_over() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        std::fs::write(folders[0].path().join("databricks"), "#!/usr/bin/python3").unwrap();
        let path = std::env::join_paths(folders.iter().map(tempfile::TempDir::path)).unwrap();
        let env = Env::from_iter([("PATH", path.to_str().unwrap())]);
        assert_eq!(find(None, &env), None);
        std::fs::write(folders[1].path().join("databricks"), vec![0; 1024 * 1024]).unwrap();
        assert_eq!(find(None, &env), Some(folders[1].path().join("databricks")));
        assert_eq!(find(Some("/opt/databricks"), &env), Some("/opt/databricks".into()));
    }
}
