//! A stream as AWS describes it.

use aws_sdk_kinesis::operation::describe_stream_summary::DescribeStreamSummaryError;
use aws_sdk_kinesis::types::{StreamDescriptionSummary, StreamStatus};
use config::Fault;
use config::member::Stream;
use config::names::{StreamArn, StreamRef};

use crate::Session;

/// Names the stream in a request: by its ARN where it was named by one, else by its name, which is the cheaper endpoint.
macro_rules! by_name_or_arn {
    ($request:expr, $stream:expr) => {
        match $stream.arn() {
            Some(arn) => $request.stream_arn(arn.as_str()),
            None => $request.stream_name($stream.name().as_str()),
        }
    };
}
pub(crate) use by_name_or_arn;

/// Whether the stream is in exactly this status.
pub(crate) fn has_status(stream: &Stream, status: &StreamStatus) -> bool {
    stream.status.as_deref() == Some(status.as_str())
}

impl Session<'_> {
    /// The stream, or a fault that says how to create it.
    pub(crate) async fn describe(&self, stream: &StreamRef) -> Result<Stream, Fault> {
        self.look(stream).await?.ok_or_else(|| {
            Fault::refused(format!("there is no stream `{stream}` in {}", self.aws.region))
                .with_code("ResourceNotFoundException")
                .with_hint(format!("kstream ensure {stream}, or see what there is: kstream list"))
        })
    }

    /// The stream, when there is one.
    pub(crate) async fn look(&self, stream: &StreamRef) -> Result<Option<Stream>, Fault> {
        match by_name_or_arn!(self.client.describe_stream_summary(), stream).send().await {
            Ok(answer) => {
                let live =
                    answer.stream_description_summary().map(|summary| read(stream, summary)).transpose()?;
                live.map(|live| self.as_documented(live)).transpose()
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DescribeStreamSummaryError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.aws.fault(format!("failed to describe stream `{stream}`"), &error)),
        }
    }
}

impl Session<'_> {
    /// Refuses a namesake: what the document is about lives in another account, or under another endpoint.
    fn as_documented(&self, live: Stream) -> Result<Stream, Fault> {
        match self.documented.filter(|arn| **arn != live.arn) {
            None => Ok(live),
            Some(arn) => {
                Err(Fault::usage(format!("stream `{}` is `{}` here, not `{arn}`", live.name, live.arn))
                    .with_cause("it came from document member `stream`")
                    .with_hint(format!(
                        "aws-check shows which account this is; to mean the stream of this account, name it: kstream … {}",
                        live.name
                    )))
            }
        }
    }
}

fn read(stream: &StreamRef, summary: &StreamDescriptionSummary) -> Result<Stream, Fault> {
    let arn: StreamArn = summary.stream_arn().parse().map_err(|error| {
        Fault::refused(format!("the description of stream `{stream}` cannot be used")).with_cause(error)
    })?;
    Ok(Stream {
        name: arn.name().clone(),
        arn,
        status: Some(summary.stream_status().as_str().to_owned()),
        mode: summary.stream_mode_details().map(|details| details.stream_mode().as_str().to_owned()),
        open_shards: Some(summary.open_shard_count()),
        max_record_size_kib: summary.max_record_size_in_kib(),
        retention_hours: Some(summary.retention_period_hours()),
        kms_key: summary.key_id().map(str::to_owned),
    })
}
