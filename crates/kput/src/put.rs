//! The only file that sends records. [`crate::stream`] asks about the stream itself.

use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::config::timeout::TimeoutConfig;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use config::aws::{Aws, Problem, problem};
use config::{Fault, Kind};

use crate::body;
use crate::plan::{Failure, Item, Verdict};
use crate::target::Target;

/// Longest time one request may take. A body of 14 MB over a slow line needs some of it.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The code of an answer whose records do not match the request's.
const CODE_MISMATCH: &str = "AnswerMismatch";

/// Sends to one stream.
#[derive(Clone, Debug)]
pub struct Put {
    pub(crate) client: Client,
    pub(crate) aws: Aws,
    target: Target,
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
    pub fn new(aws: Aws, target: Target, timeout: Duration) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5).min(timeout))
            .operation_timeout(timeout.min(REQUEST_TIMEOUT))
            .build();
        let config = aws_sdk_kinesis::config::Builder::from(&aws.sdk)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .build();
        Self { client: Client::from_conf(config), aws, target }
    }

    /// The stream.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Sends one request and returns one verdict an item, in order.
    ///
    /// # Errors
    /// When the request as a whole failed; what to do then is part of the error.
    pub async fn send(&self, items: &[Item]) -> Result<Vec<Verdict>, Box<CallFailed>> {
        let body = Bytes::from(body::write(&self.target, items));
        let (name, arn) = self.address();
        let answer = self
            .client
            .put_records()
            .set_stream_name(name)
            .set_stream_arn(arn)
            // The records are in the body that replaces this one before it is signed.
            .set_records(Some(Vec::new()))
            .customize()
            .mutate_request(move |request| {
                // The serialiser has set the length of the body that is replaced; it is signed and sent as it stands.
                request.headers_mut().insert("content-length", body.len().to_string());
                *request.body_mut() = SdkBody::from(body.clone());
            })
            .send()
            .await;
        match answer {
            Ok(output) if output.records.len() == items.len() => {
                Ok(output.records.into_iter().map(verdict).collect())
            }
            Ok(output) => Err(Box::new(CallFailed {
                fault: Fault::transient(self.doing()).with_code(CODE_MISMATCH).with_cause(format!(
                    "the answer is about {} records, the request had {}",
                    output.records.len(),
                    items.len()
                )),
                next: Next::Again,
                throttled: false,
            })),
            Err(error) => {
                let problem = problem(&error);
                let next = next(&problem);
                let throttled = problem.code.as_deref().is_some_and(is_throttle);
                let fault = self.with_hint(self.aws.fault(self.doing(), &error), &problem);
                Err(Box::new(CallFailed { fault, next, throttled }))
            }
        }
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

fn verdict(record: aws_sdk_kinesis::types::PutRecordsResultEntry) -> Verdict {
    match (record.error_code, record.sequence_number, record.shard_id) {
        (None, Some(sequence), Some(shard)) => Verdict::Acked { shard, sequence },
        (code, ..) => {
            let code = code.unwrap_or_else(|| CODE_MISMATCH.to_owned());
            let message = record.error_message.unwrap_or_default();
            Verdict::Failed(Failure { throttled: is_throttle(&code), code, message, last: false })
        }
    }
}

fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceededException"
            | "KMSThrottlingException"
            | "LimitExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
    )
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
