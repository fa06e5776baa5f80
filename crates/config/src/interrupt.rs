//! Ctrl-C and SIGTERM: the first one asks a tool to finish what is in flight, the second ends it at once.

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
        if let (Ok(mut interrupt), Ok(mut terminate)) = signals {
            tokio::spawn(async move {
                either(&mut interrupt, &mut terminate).await;
                if tell.send(true).is_ok() {
                    either(&mut interrupt, &mut terminate).await;
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

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
