//! Ctrl-C, SIGTERM and SIGHUP: the first one asks a tool to finish what is in flight, the second ends it at once.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::fault::{Fault, Kind};

/// Tells whether the user asked the tool to stop.
#[derive(Clone, Debug)]
pub struct Interrupt {
    asked: watch::Receiver<bool>,
}

impl Interrupt {
    /// Watches the signals of this process. Call inside a tokio runtime, once.
    #[expect(clippy::disallowed_methods, reason = "the second signal means: at once")]
    pub fn watch() -> Self {
        let (tell, asked) = watch::channel(false);
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        if let (Ok(interrupt), Ok(terminate)) = signals {
            // Whoever starts a tool with nohup wants it to outlive the terminal.
            let hangup = if ignores_hangup() { None } else { signal(SignalKind::hangup()).ok() };
            let mut signals = Signals { interrupt, terminate, hangup };
            tokio::spawn(async move {
                signals.any().await;
                if tell.send(true).is_ok() {
                    signals.any().await;
                    std::process::exit(i32::from(Kind::Interrupted.code()));
                }
            });
        }
        Self { asked }
    }

    /// An interrupt that never comes, for tests.
    pub fn never() -> Self {
        Self { asked: watch::channel(false).1 }
    }

    /// An interrupt that a test raises by sending `true`.
    pub fn manual() -> (watch::Sender<bool>, Self) {
        let (tell, asked) = watch::channel(false);
        (tell, Self { asked })
    }

    /// Whether a stop was asked for.
    pub fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Waits until a stop is asked for; for ever when none is.
    pub async fn asked(&self) {
        let mut asked = self.asked.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Between two steps: goes on unless a stop was asked for.
    ///
    /// # Errors
    /// The interrupted fault.
    pub fn check(&self) -> Result<(), Fault> {
        if self.is_asked() { Err(stopped()) } else { Ok(()) }
    }

    /// Sleeps, but not through a stop.
    ///
    /// # Errors
    /// The interrupted fault, as soon as a stop is asked for.
    pub async fn sleep(&self, duration: Duration) -> Result<(), Fault> {
        tokio::select! {
            () = tokio::time::sleep(duration) => Ok(()),
            () = self.asked() => Err(stopped()),
        }
    }
}

fn stopped() -> Fault {
    Fault::interrupted("interrupted").with_hint("run the same command again: it goes on where it stopped")
}

/// The signals that ask a tool to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// The terminal is gone.
    hangup: Option<Signal>,
}

impl Signals {
    async fn any(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether this process was started with SIGHUP ignored, where the system tells.
fn ignores_hangup() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup_by(&status))
}

/// The same by the text of `/proc/self/status`: in its mask of ignored signals, the lowest bit is SIGHUP.
fn ignores_hangup_by(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::ignores_hangup_by;

    #[test]
    fn nohup_is_noticed() {
        assert!(ignores_hangup_by("Name:\tkpeek\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hangup_by("Name:\tkpeek\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup_by(""));
    }
}
