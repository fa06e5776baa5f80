//! What is asked about the stream itself: its shards, its largest record, whether it is there.

use std::time::{Duration, Instant};

use aws_sdk_kinesis::config::Builder;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::types::{
    PutRecordsRequestEntry, RecordDistributionStrategy, ShardFilter, ShardFilterType, StreamMode,
    StreamModeDetails, StreamStatus,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::Blob;
use config::aws::problem;
use config::interrupt::Interrupt;
use config::{Fault, Kind};
use thiserror::Error;

use crate::limits::RECORD_BYTES;
use crate::plan::{Shard, ShardMap};
use crate::put::Put;

/// The first pause between two looks at a stream that is being made; it doubles.
const FIRST_LOOK: Duration = Duration::from_millis(250);

/// The longest pause between two looks.
const LAST_LOOK: Duration = Duration::from_secs(2);

/// What the service says about the right to put records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permission {
    /// The real call would succeed.
    Granted,
    /// It was not asked, and why.
    NotAsked(&'static str),
}

/// What a stream takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// Bytes of its largest record.
    pub record_bytes: usize,
    /// Whether partition keys decide the shard of a record (`RecordDistributionStrategy`).
    pub by_key: bool,
}

/// Questions are asked again by the SDK; only PutRecords is not, see [`Put::new`].
fn patient() -> Builder {
    aws_sdk_kinesis::Config::builder().retry_config(RetryConfig::standard())
}

impl Put {
    /// The open shards.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached.
    pub async fn shards(&self) -> Result<ShardMap, Fault> {
        let doing = || format!("failed to list the shards of stream `{}`", self.target().name);
        let filter = ShardFilter::builder().r#type(ShardFilterType::AtLatest).build();
        let filter = filter.map_err(|error| Fault::usage(doing()).with_cause(error))?;
        let (name, arn) = self.address();
        let first = self.client.list_shards().set_stream_name(name).set_stream_arn(arn).shard_filter(filter);
        let answer = first.customize().config_override(patient()).send().await;
        let mut answer =
            answer.map_err(|error| self.with_hint(self.aws.fault(doing(), &error), &problem(&error)))?;
        let mut shards = Vec::new();
        loop {
            shards.extend(answer.shards.unwrap_or_default().iter().filter_map(open_shard));
            let Some(token) = answer.next_token else { return Ok(ShardMap::new(shards)) };
            let page = self.client.list_shards().next_token(token).customize().config_override(patient());
            answer = page.send().await.map_err(|error| self.aws.fault(doing(), &error))?;
        }
    }

    /// What the stream takes. Who may not ask is told what any stream may take.
    pub async fn takes(&self) -> Takes {
        let (name, arn) = self.address();
        let asked = self.client.describe_stream_summary().set_stream_name(name).set_stream_arn(arn);
        let answer = asked.customize().config_override(patient()).send().await.ok();
        let summary = answer.and_then(|answer| answer.stream_description_summary);
        let kib = summary
            .as_ref()
            .and_then(|summary| summary.max_record_size_in_kib)
            .and_then(|kib| usize::try_from(kib).ok());
        let strategy = summary.and_then(|summary| summary.record_distribution_strategy);
        Takes {
            record_bytes: kib.map_or(RECORD_BYTES, |kib| kib * 1024),
            by_key: strategy != Some(RecordDistributionStrategy::Auto),
        }
    }

    /// Why records cannot be packed by shard, for a stream that distributes them itself.
    pub(crate) fn distributes_itself(&self) -> Fault {
        let name = &self.target().name;
        let message = format!(
            "stream `{name}` distributes records over its shards itself, so none can be packed by shard"
        );
        Fault::usage(message).with_hint("leave --aggregate out")
    }

    /// Makes the stream when there is none, and waits until it takes records, for as long as `patience`. True when it was
    /// made. A stream that is being deleted is made again once it is gone.
    ///
    /// # Errors
    /// When the service refuses or cannot be reached, the stream is not ready in time, or the user stops the waiting.
    pub async fn ensure_stream(&self, interrupt: &Interrupt, patience: Duration) -> Result<bool, Fault> {
        let (deadline, mut pause, mut made) = (Instant::now() + patience, FIRST_LOOK, false);
        loop {
            match self.status().await? {
                Some(status) if takes_records(&status) => return Ok(made),
                Some(_) => {}
                None => made |= self.create().await?,
            }
            if Instant::now() >= deadline {
                let name = &self.target().name;
                return Err(Fault::transient(format!("stream `{name}` does not take records yet"))
                    .with_hint(format!(
                        "kstream wait {name}, then run the same command again; --timeout waits longer"
                    )));
            }
            interrupt.sleep(pause).await?;
            pause = LAST_LOOK.min(pause * 2);
        }
    }

    /// Creates the stream; false when somebody else was quicker, or an earlier run was stopped while it waited.
    async fn create(&self) -> Result<bool, Fault> {
        let name = self.target().name.to_string();
        let doing = || format!("failed to create stream `{name}`");
        let mode = StreamModeDetails::builder().stream_mode(StreamMode::OnDemand).build();
        let mode = mode.map_err(|error| Fault::usage(doing()).with_cause(error))?;
        let created = self.client.create_stream().stream_name(&name).stream_mode_details(mode);
        match created.customize().config_override(patient()).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ResourceInUseException") => Ok(false),
            Err(error) => Err(self.aws.fault(doing(), &error)),
        }
    }

    async fn status(&self) -> Result<Option<StreamStatus>, Fault> {
        let (name, arn) = self.address();
        let asked = self.client.describe_stream_summary().set_stream_name(name).set_stream_arn(arn);
        match asked.customize().config_override(patient()).send().await {
            Ok(answer) => Ok(answer.stream_description_summary.map(|summary| summary.stream_status)),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => {
                let doing = format!("failed to look at stream `{}`", self.target().name);
                Err(self.aws.fault(doing, &error))
            }
        }
    }

    /// Asks the service whether a put would be allowed, without one.
    ///
    /// # Errors
    /// With what the real call would have answered.
    pub async fn permission(&self) -> Result<Permission, Fault> {
        let entry =
            PutRecordsRequestEntry::builder().data(Blob::new("dry run")).partition_key("dry run").build();
        let doing = || format!("failed the dry run against stream `{}`", self.target().name);
        let entry = entry.map_err(|error| Fault::usage(doing()).with_cause(error))?;
        let (name, arn) = self.address();
        let asked = self.client.put_records().set_stream_name(name).set_stream_arn(arn);
        let asked = asked.records(entry).dry_run(true).customize().config_override(patient());
        // An endpoint that does not know DryRun would store the record, so only AWS's own are asked. Which one it is, is
        // known when the SDK has resolved it: from a flag, the environment, a profile.
        match asked.map_request(only_to_aws).send().await {
            Ok(_) => Err(Fault::new(Kind::Refused, doing())
                .with_cause("the service did not treat it as a dry run, and stored one record")),
            Err(error) if error.code() == Some("DryRunOperationException") => Ok(Permission::Granted),
            Err(error) if is_not_aws(&error) => {
                Ok(Permission::NotAsked("only AWS itself is known to honour DryRun"))
            }
            Err(error) => Err(self.with_hint(self.aws.fault(doing(), &error), &problem(&error))),
        }
    }
}

/// The request would go elsewhere than to AWS.
#[derive(Debug, Error)]
#[error("the endpoint is not one of AWS")]
struct NotAws;

fn only_to_aws(request: HttpRequest) -> Result<HttpRequest, NotAws> {
    if is_aws(request.uri()) { Ok(request) } else { Err(NotAws) }
}

fn is_aws(uri: &str) -> bool {
    let rest = uri.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|suffix| host.ends_with(suffix))
}

fn is_not_aws(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut chain = std::iter::successors(Some(error), |error| error.source());
    chain.any(<dyn std::error::Error>::is::<NotAws>)
}

fn takes_records(status: &StreamStatus) -> bool {
    matches!(status, StreamStatus::Active | StreamStatus::Updating)
}

fn open_shard(shard: &aws_sdk_kinesis::types::Shard) -> Option<Shard> {
    let range = shard.hash_key_range.as_ref()?;
    let closed =
        shard.sequence_number_range.as_ref().is_some_and(|range| range.ending_sequence_number.is_some());
    let (first, last) = (range.starting_hash_key.parse().ok()?, range.ending_hash_key.parse().ok()?);
    (!closed).then(|| Shard { id: shard.shard_id.clone(), first, last })
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
    use aws_smithy_types::body::SdkBody;
    use config::aws::Aws;
    use config::{Fault, Kind};

    use super::{Permission, is_aws};
    use crate::put::Put;

    /// A service that always gives the same answer.
    #[derive(Clone, Copy, Debug)]
    struct Canned(u16, &'static str);

    impl HttpClient for Canned {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(*self)
        }
    }

    impl HttpConnector for Canned {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let body = std::str::from_utf8(request.body().bytes().unwrap()).unwrap();
            assert!(body.contains("\"DryRun\":true"), "{body}");
            let answer = HttpResponse::new(self.0.try_into().unwrap(), SdkBody::from(self.1));
            HttpConnectorFuture::ready(Ok(answer))
        }
    }

    /// What AWS itself is told to have answered a dry run. Nothing leaves the process.
    async fn permission(answer: Canned) -> Result<Permission, Fault> {
        let keys = Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(SharedHttpClient::new(answer))
            .build();
        let aws = Aws::for_tests(sdk, "eu-central-1".parse().unwrap());
        Put::new(aws, "sensor-readings".parse().unwrap(), std::time::Duration::from_secs(5))
            .permission()
            .await
    }

    #[tokio::test]
    async fn a_dry_run_tells_what_a_put_would() {
        let would_succeed =
            r#"{"__type":"DryRunOperationException","message":"Request would have succeeded"}"#;
        assert_eq!(permission(Canned(400, would_succeed)).await.unwrap(), Permission::Granted);

        let denied =
            r#"{"__type":"AccessDeniedException","message":"not authorized to perform: kinesis:PutRecords"}"#;
        let fault = permission(Canned(400, denied)).await.unwrap_err();
        assert_eq!((fault.kind(), fault.code()), (Kind::Refused, Some("AccessDeniedException")));

        let missing = r#"{"__type":"ResourceNotFoundException","message":"not found"}"#;
        let fault = permission(Canned(400, missing)).await.unwrap_err();
        assert!(
            fault.hint().is_some_and(|hint| hint.contains("kstream ensure sensor-readings")),
            "{fault:?}"
        );

        let stored = r#"{"FailedRecordCount":0,"Records":[{"SequenceNumber":"1","ShardId":"s"}]}"#;
        let fault = permission(Canned(200, stored)).await.unwrap_err();
        assert!(fault.to_text("kput").contains("stored one record"), "{fault:?}");
    }

    #[test]
    fn only_hosts_of_aws_get_a_dry_run() {
        for uri in ["https://kinesis.eu-central-1.amazonaws.com/", "https://1.data-kinesis.us-east-1.api.aws"]
        {
            assert!(is_aws(uri), "{uri}");
        }
        for uri in [
            "http://127.0.0.1:4567/",
            "http://kinesis.eu-central-1.amazonaws.com/",
            "https://amazonaws.com.example.test/",
            "https://example.test/.amazonaws.com",
        ] {
            assert!(!is_aws(uri), "{uri}");
        }
    }
}
