//! The scene of a pipeline test: the built tools, a sandbox, a folder of its own, and nothing of the caller's environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// The folder with the tools, built by this very call, so that no test runs a stale binary.
///
/// # Errors
/// When the build fails.
pub fn tools() -> Result<PathBuf> {
    static BUILT: OnceLock<bool> = OnceLock::new();
    let built = *BUILT.get_or_init(|| {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(root()).args(["build", "--quiet", "--workspace", "--exclude", "xtask", "--bins"]);
        command.status().is_ok_and(|status| status.success())
    });
    ensure!(built, "the tools could not be built");
    // This test runs from `target/PROFILE/deps`.
    let own = std::env::current_exe().context("failed to find this program")?;
    own.ancestors().nth(2).map(Path::to_owned).context("this program is in no folder")
}

/// Runs `script` by bash inside a fresh sandbox, in `folder`, with stdout and stderr as one stream, in order.
///
/// # Errors
/// When the sandbox cannot be started.
#[expect(clippy::disallowed_methods, reason = "PATH is handed on, not read for a setting")]
pub fn run(script: &str, folder: &Path, sandbox: &[&str]) -> Result<Output> {
    let tools = tools()?;
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(tools.clone()).chain(std::env::split_paths(&inherited)))?;
    let script = format!("exec 2>&1\n{script}");
    Command::new(tools.join("kinbricks-sandbox"))
        .args(sandbox)
        .args(["--", "bash", "-euo", "pipefail", "-c", &script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        .env("TZ", "UTC")
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .env("KINBRICKS_ROOT", root())
        .stdin(Stdio::null())
        .output()
        .context("failed to start the sandbox")
}
