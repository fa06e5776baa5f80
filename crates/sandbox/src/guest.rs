//! A command that runs inside the sandbox, and the signals that end it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};

use crate::environment::UNSET;

/// A shell adds this to the number of the signal that ended a command.
const SIGNALLED: u8 = 128;

/// Why a command did not run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuestError {
    /// It could not be started.
    #[error("failed to run `{program}`")]
    Start { program: String, source: io::Error },
    /// It was started, and then lost sight of.
    #[error("failed to wait for the command")]
    Wait(#[source] io::Error),
    /// Signals cannot be handled, so the command could not be ended in order.
    #[error("failed to listen for signals")]
    Signals(#[source] io::Error),
}

impl GuestError {
    /// As a shell has it: 127 for what is not there, 126 for what cannot be run.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => 127,
            Self::Start { .. } => 126,
            Self::Wait(_) | Self::Signals(_) => 5,
        }
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Start { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "give its path, or install it where PATH leads"
            }
            Self::Start { .. } => "make it executable with `chmod +x`",
            Self::Wait(_) | Self::Signals(_) => "run it again",
        }
    }
}

/// Runs a command with these variables set, and gives its exit code.
pub(crate) async fn run(
    program: &OsStr,
    arguments: &[OsString],
    variables: &[(String, String)],
) -> Result<u8, GuestError> {
    // Before the command starts: a Ctrl-C in between must not leave it alone.
    let mut stop = Stop::listen()?;
    let mut command = Command::new(program);
    command.args(arguments);
    for name in UNSET {
        command.env_remove(name);
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let mut child = command
        .spawn()
        .map_err(|source| GuestError::Start { program: program.display().to_string(), source })?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(exit_code(status.map_err(GuestError::Wait)?)),
            // The terminal sends a Ctrl-C to the command as well. Passing it on would make it two, and the second
            // one means "at once" to many programs.
            _ = stop.interrupt.recv() => {}
            _ = stop.terminate.recv() => terminate(&child),
        }
    }
}

/// The signals that end a sandbox.
pub(crate) struct Stop {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Stop {
    /// From now on the signals do not end the process by themselves.
    pub(crate) fn listen() -> Result<Self, GuestError> {
        let listen = |kind| unix::signal(kind).map_err(GuestError::Signals);
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for either.
    pub(crate) async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn terminate(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid
        && let Err(error) = kill_process(pid, Signal::TERM)
    {
        tracing::debug!(%error, "failed to pass a signal on");
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).ok(),
        (None, Some(signal)) => u8::try_from(signal).ok().and_then(|signal| SIGNALLED.checked_add(signal)),
        (None, None) => None,
    };
    code.unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_a_shells() {
        assert_eq!(exit_code(ExitStatus::from_raw(0)), 0);
        assert_eq!(exit_code(ExitStatus::from_raw(7 << 8)), 7);
        assert_eq!(exit_code(ExitStatus::from_raw(15)), 143);
    }
}
