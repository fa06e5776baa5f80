//! The account's IAM: one client, what to tell the user, and how long to keep trying.

use aws_sdk_iam::Client;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use config::aws::{Aws, Problem, problem};
use config::interrupt::Interrupt;
use config::member::{Identity, Stream};
use config::names::Region;
use config::{Document, Fault, Notes, World, duration};

use crate::patience::Patience;

/// The account's IAM.
#[derive(Clone)]
pub struct Iam {
    client: Client,
    aws: Aws,
    notes: Notes,
    interrupt: Interrupt,
    patience: Patience,
}

impl Iam {
    /// The IAM that `aws` leads to. No request is sent.
    pub fn new(aws: Aws, world: &World, patience: Patience) -> Self {
        let client = Client::new(&aws.sdk);
        Self { client, aws, notes: world.notes.clone(), interrupt: world.interrupt.clone(), patience }
    }

    /// The client, for calls of the caller's own.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where to tell the user what was done.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// How long to keep trying.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// Words an SDK error; `doing` says what was being done and to what.
    pub fn fault<E, R>(&self, doing: impl Into<String>, error: &SdkError<E, R>) -> Fault
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
    {
        self.aws.fault(doing, error)
    }

    /// Between two steps: goes on unless the user asked to stop.
    ///
    /// # Errors
    /// The interrupted fault.
    pub fn check_interrupt(&self) -> Result<(), Fault> {
        self.interrupt.check()
    }

    /// Waits before another look, unless the time is used up (`false`).
    ///
    /// # Errors
    /// The interrupted fault.
    pub async fn pause(
        &self,
        waiting: &mut crate::patience::Waiting,
        waiting_for: &str,
    ) -> Result<bool, Fault> {
        let Some(pause) = waiting.next_pause() else { return Ok(false) };
        let elapsed = duration::show(waiting.elapsed());
        if let Some(limit) = waiting.tell() {
            let limit = duration::show(limit);
            self.notes
                .say(format!("waiting for {waiting_for}: {elapsed} so far, {limit} at most (--timeout)"));
        }
        self.notes.progress(format!("waiting for {waiting_for}: {elapsed}"));
        let slept = self.interrupt.sleep(pause).await;
        self.notes.clear();
        slept.map(|()| true)
    }

    /// Sends a request until it succeeds, as long as what it fails with is only a matter of time: `early` decides.
    ///
    /// `doing` words the failure, `waiting_for` the wait.
    ///
    /// # Errors
    /// What the request failed with last. After a wait the fault says how long it was.
    pub async fn persist<T, E, R, Sent>(
        &self,
        doing: &str,
        waiting_for: &str,
        early: impl Fn(&Problem) -> bool,
        send: impl Fn() -> Sent,
    ) -> Result<T, Fault>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
        Sent: Future<Output = Result<T, SdkError<E, R>>>,
    {
        let mut waiting = self.patience.begin();
        let mut tries = 0_u32;
        loop {
            tries += 1;
            let error = match send().await {
                Ok(done) => {
                    if tries > 1 {
                        let waited = duration::show(waiting.elapsed());
                        self.notes.say(format!("waited {waited} for {waiting_for}"));
                    }
                    return Ok(done);
                }
                Err(error) => error,
            };
            if !early(&problem(&error)) || !self.pause(&mut waiting, waiting_for).await? {
                let fault = self.fault(doing, &error);
                return Err(match tries {
                    1 => fault,
                    _ => fault.with_cause(format!(
                        "waited {} for {waiting_for}",
                        duration::show(waiting.elapsed())
                    )),
                });
            }
        }
    }
}

/// The region that the document is about. IAM knows none, but the SDK wants one to find the partition's endpoint.
///
/// # Errors
/// A pipe fault when a member of the document cannot be used.
pub fn region(document: &Document) -> Result<Option<Region>, Fault> {
    let stream = document.get::<Stream>()?.map(|stream| stream.arn.region().clone());
    Ok(stream.or(document.get::<Identity>()?.and_then(|identity| identity.region)))
}

/// Codes that only ask to come again: two writers met, or one place has not heard of a change yet.
pub fn is_contended(problem: &Problem) -> bool {
    matches!(problem.code.as_deref(), Some("ConcurrentModification" | "ConcurrentModificationException"))
}

/// Whether a trust policy was refused because it names a principal that IAM does not know, or not yet.
///
/// The code says only that the document is malformed; the message is the one way to tell this case from a real mistake.
pub fn is_unknown_principal(problem: &Problem) -> bool {
    let malformed = matches!(
        problem.code.as_deref(),
        Some("MalformedPolicyDocument" | "MalformedPolicyDocumentException")
    );
    malformed && problem.causes.iter().any(|cause| cause.contains("Invalid principal in policy"))
}

/// Whether the thing asked for does not exist.
pub fn is_missing<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(is_missing_code)
}

/// Whether a code says that the thing does not exist.
pub fn is_missing_code(code: &str) -> bool {
    matches!(code, "NoSuchEntity" | "NoSuchEntityException")
}
