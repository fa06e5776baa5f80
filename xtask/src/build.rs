//! Building the tools and finding what was built.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// A `cargo` command in the repository's root, by the same cargo that runs this task.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root()).args(arguments);
    command
}

/// Builds every binary but this one; what cargo says goes to stderr.
///
/// # Errors
/// When the build fails.
pub(crate) fn tools() -> Result<PathBuf> {
    let built = cargo(&["build", "--workspace", "--exclude", "xtask", "--bins"])
        .status()
        .context("failed to run cargo")?;
    ensure!(built.success(), "the build failed");
    binaries()
}

/// The folder that holds the binaries: where this very task was built.
///
/// # Errors
/// When the path of this process cannot be found.
pub(crate) fn binaries() -> Result<PathBuf> {
    let own = std::env::current_exe().context("failed to find this program")?;
    own.parent().map(Path::to_owned).context("this program is in no folder")
}

/// `PATH` with the tools in front, then the clients that `scripts/clients.sh` installs, if it did.
///
/// # Errors
/// When a folder's name cannot be part of a PATH.
#[expect(clippy::disallowed_methods, reason = "PATH is handed on, not read for a setting")]
pub(crate) fn path_with_tools() -> Result<std::ffi::OsString> {
    let before = std::env::var_os("PATH").unwrap_or_default();
    let own = [binaries()?, root().join("target/clients/bin")];
    let folders = own.into_iter().chain(std::env::split_paths(&before));
    std::env::join_paths(folders).context("a folder on PATH has a colon in its name")
}
