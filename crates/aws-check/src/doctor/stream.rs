//! The stream: there, the one of the document, and readable.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::types::StreamStatus;
use config::aws::Aws;
use config::names::StreamArn;

use super::connection::Connection;
use super::finding::{Gap, Seen};

/// The key that AWS manages for Kinesis. It needs no grant.
const AWS_MANAGED_KEY: &str = "alias/aws/kinesis";

/// What of a live stream the permissions depend on.
pub(crate) struct LiveStream {
    pub(crate) arn: StreamArn,
    /// The customer's key that records are encrypted with.
    pub(crate) customer_key: Option<String>,
}

pub(crate) async fn check(connection: &Connection, aws: &Aws) -> Result<Seen<LiveStream>, Gap> {
    let Some(known) = &connection.stream else {
        return Err(Gap::broken(
            "the document names no stream",
            connection.pipeline(&[&connection.ensure_stream()]),
        ));
    };
    let name = &known.name;
    let client = Client::new(&aws.sdk);
    // By ARN: a namesake in another account is another stream.
    let answer = client.describe_stream_summary().stream_arn(known.arn.as_str()).send().await;
    let summary = match answer {
        Ok(answer) => answer.stream_description_summary,
        Err(error) if error.code() == Some("ResourceNotFoundException") => {
            return Err(Gap::broken(
                format!("there is no stream `{name}` in {} any more", aws.region),
                connection.pipeline(&[&connection.ensure_stream()]),
            ));
        }
        Err(error) => return Err(aws.fault(format!("failed to describe stream `{name}`"), &error).into()),
    };
    let Some(summary) = summary else {
        return Err(Gap::Unseen { why: format!("AWS gave no description of stream `{name}`"), hint: None });
    };
    match summary.stream_status() {
        StreamStatus::Deleting => {
            return Err(Gap::broken(
                format!("stream `{name}` is being deleted"),
                connection.pipeline(&[&connection.ensure_stream()]),
            ));
        }
        StreamStatus::Creating => {
            return Err(Gap::broken(
                format!("stream `{name}` is still being created"),
                connection.pipeline(&["kstream wait"]),
            ));
        }
        _ => {}
    }
    let mut warnings = Vec::new();
    let mode = summary.stream_mode_details().map(|details| details.stream_mode().as_str());
    if let (Some(before), Some(now)) = (known.mode.as_deref(), mode)
        && before != now
    {
        warnings.push(format!(
            "it is {now}, but was {before}: somebody changed it, or deleted it and made it again"
        ));
    }
    let customer_key = summary.key_id().filter(|key| !key.ends_with(AWS_MANAGED_KEY)).map(str::to_owned);
    let encryption = match (&customer_key, summary.key_id()) {
        (Some(key), _) => format!(", encrypted with `{key}`"),
        (None, Some(_)) => ", encrypted with AWS's own key".to_owned(),
        (None, None) => String::new(),
    };
    let status = summary.stream_status().as_str();
    Ok(Seen {
        value: LiveStream { arn: known.arn.clone(), customer_key },
        sentence: format!("`{name}` is {status}, {} open shards{encryption}", summary.open_shard_count()),
        warnings,
    })
}
