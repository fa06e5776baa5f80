//! The only file that sends records. [`crate::stream`] asks about the stream itself.

use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::Builder;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use config::aws::{Aws, Problem, problem};
use config::{Fault, Kind};

use crate::answer::Answer;
use crate::plan::{Content, Item};
use crate::record::KeyAt;
use crate::target::Target;
use crate::transport::with_answer;
use crate::{answer, body, transport};

/// Longest time a request of usual size may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What a line carries at least: a larger body gets more time.
const SLOW_LINE_BYTES_PER_SECOND: usize = 256 * 1024;

/// What to type when records without a key are refused.
const WANTS_KEYS: &str = "records without a key go only to a stream that distributes them itself (RecordDistributionStrategy \
                          AUTO); leave --no-key out, or for envelopes add --on-missing-key random";

/// The code of an answer that does not fit the request.
const CODE_MISMATCH: &str = "AnswerMismatch";

/// Sends to one stream.
#[derive(Clone, Debug)]
pub struct Put {
    pub(crate) client: Client,
    pub(crate) aws: Aws,
    target: Target,
    timeout: Duration,
    memory: body::Memory,
}

/// A request that was not answered record by record.
#[derive(Debug)]
pub struct CallFailed {
    /// For the user, if it ends the run.
    pub fault: Fault,
    /// What to do.
    pub next: Next,
    /// Whether it was throttled.
    pub throttled: bool,
}

/// What a failed request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send its records again later.
    Again,
    /// Something in it is not acceptable: find out what.
    Split,
    /// No request will fare better.
    Stop,
}

impl Put {
    /// A sender to `target`. Retries are the planner's business, so the SDK's are off: it cannot see the records that
    /// a 200 says have failed, and its retry budget would run dry in a long run.
    ///
    /// No request takes longer than `timeout`.
    pub fn new(aws: Aws, target: Target, timeout: Duration) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5).min(timeout))
            .operation_timeout(timeout.min(REQUEST_TIMEOUT))
            .build();
        let mut config =
            Builder::from(&aws.sdk).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
        if let Some(client) = aws.sdk.http_client() {
            config = config.http_client(transport::wrap(client));
        }
        Self {
            client: Client::from_conf(config.build()),
            aws,
            target,
            timeout,
            memory: body::Memory::default(),
        }
    }

    /// The stream.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Sends one request; the answer has one verdict an item, in order.
    ///
    /// # Errors
    /// When the request as a whole failed; what to do then is part of the error.
    pub async fn send(&self, items: &[Item]) -> Result<Answer, Box<CallFailed>> {
        let body = body::write(&self.target, items, &self.memory);
        let (name, arn) = self.address();
        let slow = self.slow(body.len());
        let call = self
            .client
            .put_records()
            .set_stream_name(name)
            .set_stream_arn(arn)
            // The records are in the body that replaces this one before it is signed.
            .set_records(Some(Vec::new()))
            .customize();
        let call = match slow {
            Some(timeouts) => call.config_override(Builder::new().timeout_config(timeouts)),
            None => call,
        };
        let call = call
            .mutate_request(move |request| {
                // The serialiser has set the length of the body that is replaced; it is signed and sent as it stands.
                request.headers_mut().insert("content-length", body.len().to_string());
                *request.body_mut() = SdkBody::from(body.clone());
            })
            .send();
        let (result, answer) = with_answer(call).await;
        match result {
            Ok(_) => self.read(answer, items.len()).map_err(Box::new),
            Err(error) => {
                let problem = problem(&error);
                let next = next(&problem);
                let throttled = problem.code.as_deref().is_some_and(answer::is_throttle);
                let fault = self.with_hint(self.aws.fault(self.doing(), &error), &problem);
                let is_keyless = |item: &Item| matches!(&item.content, Content::Alone(record) if record.key() == KeyAt::Absent);
                let fault = if next == Next::Split && items.iter().any(is_keyless) {
                    fault.with_hint(WANTS_KEYS)
                } else {
                    fault
                };
                Err(Box::new(CallFailed { fault, next, throttled }))
            }
        }
    }

    /// The time that a large body gets on top, so that it arrives on a slow line too.
    fn slow(&self, bytes: usize) -> Option<TimeoutConfig> {
        let seconds = u64::try_from(bytes / SLOW_LINE_BYTES_PER_SECOND).unwrap_or(u64::MAX);
        let longer = (self.timeout.min(REQUEST_TIMEOUT) + Duration::from_secs(seconds)).min(self.timeout);
        (seconds > 0).then(|| TimeoutConfig::builder().operation_timeout(longer).build())
    }

    fn read(&self, answer: Option<Bytes>, items: usize) -> Result<Answer, CallFailed> {
        let answer = answer.ok_or_else(|| self.puzzled("the answer was empty".to_owned()))?;
        let answer = answer::read(answer)
            .map_err(|error| self.puzzled(format!("the answer could not be read: {error}")))?;
        let count = answer.verdicts.len();
        if count == items {
            return Ok(answer);
        }
        Err(self.puzzled(format!("the answer is about {count} records, the request had {items}")))
    }

    fn puzzled(&self, cause: String) -> CallFailed {
        let fault = Fault::transient(self.doing()).with_code(CODE_MISMATCH).with_cause(cause);
        CallFailed { fault, next: Next::Again, throttled: false }
    }

    pub(crate) fn address(&self) -> (Option<String>, Option<String>) {
        match &self.target.arn {
            Some(arn) => (None, Some(arn.to_string())),
            None => (Some(self.target.name.to_string()), None),
        }
    }

    fn doing(&self) -> String {
        format!("failed to write to stream `{}`", self.target.name)
    }

    pub(crate) fn with_hint(&self, fault: Fault, problem: &Problem) -> Fault {
        match problem.code.as_deref() {
            Some("ResourceNotFoundException") => fault.with_hint(format!(
                "run: kstream ensure {}, or check the region ({}, from {})",
                self.target.name, self.aws.region, self.aws.region_origin
            )),
            _ => fault,
        }
    }
}

fn next(problem: &Problem) -> Next {
    match (problem.kind, problem.code.as_deref()) {
        (Kind::Transient, _) => Next::Again,
        // The stream, the keys or a payload: only the service knows which.
        (
            Kind::Usage,
            Some("ValidationException" | "InvalidArgumentException" | "SerializationException"),
        ) => Next::Split,
        (Kind::Refused, Some("RequestEntityTooLarge" | "RequestTooLarge")) => Next::Split,
        (Kind::Usage | Kind::Refused | Kind::Pipe | Kind::Interrupted, _) => Next::Stop,
    }
}
