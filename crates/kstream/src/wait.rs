//! Waiting for a stream, with a poll of our own: the SDK's waiters sleep at least ten seconds.

use std::time::Duration;

use aws_sdk_kinesis::types::StreamStatus;
use config::member::Stream;
use config::names::StreamRef;
use config::{Fault, duration};
use tokio::time::Instant;

use crate::Session;
use crate::live::has_status;

/// How long a stream may take, unless `--timeout` says otherwise.
pub(crate) const LIMIT: Duration = Duration::from_mins(5);

/// DescribeStreamSummary may be called 20 times a second an account (Kinesis API model); one waiter stays well below.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Waits until the stream is ACTIVE.
pub(crate) async fn until_active(
    session: &Session<'_>,
    stream: &StreamRef,
    limit: Duration,
) -> Result<Stream, Fault> {
    active(session, stream, limit, false).await
}

/// The same for a stream that was just created: AWS may not know it yet wherever it is asked.
pub(crate) async fn until_created(
    session: &Session<'_>,
    stream: &StreamRef,
    limit: Duration,
) -> Result<Stream, Fault> {
    active(session, stream, limit, true).await
}

async fn active(
    session: &Session<'_>,
    stream: &StreamRef,
    limit: Duration,
    just_created: bool,
) -> Result<Stream, Fault> {
    let mut patience = Patience::new(session, stream, "ACTIVE", limit);
    let mut seen = false;
    loop {
        let live = session.look(stream).await?;
        seen |= live.is_some();
        match live {
            Some(live) if has_status(&live, &StreamStatus::Active) => {
                patience.end();
                return Ok(live);
            }
            Some(live) if has_status(&live, &StreamStatus::Deleting) => {
                patience.end();
                return Err(Fault::refused(format!("stream `{stream}` is being deleted"))
                    .with_hint(format!("kstream wait {stream} --gone, then kstream ensure {stream}")));
            }
            Some(live) => patience.pause(live.status.as_deref()).await?,
            None if just_created && !seen => patience.pause(Some("not known yet")).await?,
            None => {
                patience.end();
                return session.describe(stream).await;
            }
        }
    }
}

/// Waits until there is no such stream.
pub(crate) async fn until_gone(
    session: &Session<'_>,
    stream: &StreamRef,
    limit: Duration,
) -> Result<(), Fault> {
    let mut patience = Patience::new(session, stream, "gone", limit);
    while let Some(live) = session.look(stream).await? {
        patience.pause(live.status.as_deref()).await?;
    }
    patience.end();
    Ok(())
}

/// Pauses that grow, until the limit.
struct Patience<'a> {
    session: &'a Session<'a>,
    stream: &'a StreamRef,
    wanted: &'static str,
    started: Instant,
    limit: Duration,
    pause: Duration,
}

impl<'a> Patience<'a> {
    fn new(session: &'a Session<'_>, stream: &'a StreamRef, wanted: &'static str, limit: Duration) -> Self {
        Self { session, stream, wanted, started: Instant::now(), limit, pause: FIRST_PAUSE }
    }

    async fn pause(&mut self, status: Option<&str>) -> Result<(), Fault> {
        let waited = self.started.elapsed();
        let status = status.unwrap_or("unknown");
        if waited + self.pause > self.limit {
            self.end();
            return Err(Fault::transient(format!(
                "stream `{}` is {status} after {}, not {}",
                self.stream,
                duration::show(waited),
                self.wanted
            ))
            .with_hint(format!("kstream wait {} --timeout 10m", self.stream)));
        }
        let notes = &self.session.world.notes;
        notes.progress(format!("stream `{}` is {status}, {} so far", self.stream, duration::show(waited)));
        // Up to a quarter less, so that many waiters do not ask in step.
        let jittered = self.pause.mul_f64(1.0 - fastrand::f64() / 4.0);
        self.session.world.interrupt.sleep(jittered).await?;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
        Ok(())
    }

    fn end(&self) {
        self.session.world.notes.clear();
    }
}
