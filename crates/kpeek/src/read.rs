//! The requests to Kinesis: nothing else in this tool calls the SDK.

use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::config::retry::RetryConfig;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::types::{
    ChildShard, HashKeyRange, RecordDistributionStrategy, ShardFilter, ShardFilterType, ShardIteratorType,
};
use aws_smithy_types::DateTime;
use config::aws::{Aws, problem};
use config::names::{ShardId, StreamRef};
use config::{Fault, Kind};
use jiff::Timestamp;
use tokio::time;

use crate::body::Stash;
use crate::clock::AnsweredAt;
use crate::lineage::{HashRange, Shard};
use crate::position::Position;

/// Shards a page of a listing may bring (ListShards `MaxResults`, API model).
const SHARDS_PER_PAGE: i32 = 1000;

/// How long the body of an answer may take once it has begun, unless `--timeout` says otherwise.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_mins(1);

/// Why a request brought nothing.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The iterator, or the token of a listing, is too old.
    Expired,
    /// Throttled, or not reached: the same request may succeed later.
    Later(Fault),
    /// The same request will fail again.
    Never(Fault),
}

/// Which shards a listing brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Every shard with records that can still be read.
    All,
    /// The shards that take records now.
    Open,
    /// The shards that were open at a time, and all since.
    Since(Timestamp),
}

/// Who decides which shard takes a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Distribution {
    /// The hash of its partition key.
    ByKey,
    /// The service, whatever the key (`RecordDistributionStrategy` `AUTO`).
    ByService,
}

/// Reads one stream.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    /// With the SDK's retries: for requests that everything waits for.
    patient: Client,
    /// Without them: how long a shard waits is decided for each shard, and the others go on meanwhile.
    prompt: Client,
    aws: Aws,
    stream: StreamRef,
    body_timeout: Duration,
}

impl Reader {
    pub(crate) fn new(client: &Client, aws: &Aws, stream: &StreamRef, body_timeout: Duration) -> Self {
        let prompt = client.config().to_builder().retry_config(RetryConfig::disabled()).build();
        Self {
            patient: client.clone(),
            prompt: Client::from_conf(prompt),
            aws: aws.clone(),
            stream: stream.clone(),
            body_timeout,
        }
    }

    /// Lists shards, all pages of them.
    ///
    /// # Errors
    /// A fault about the stream.
    pub(crate) async fn shards(&self, listing: Listing) -> Result<Vec<Shard>, Fault> {
        let mut shards = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = self.patient.list_shards().max_results(SHARDS_PER_PAGE);
            let request = match token {
                // The token stands for the stream and the filter.
                Some(token) => request.next_token(token),
                None => request
                    .set_stream_name(self.stream_name())
                    .set_stream_arn(self.stream_arn())
                    .set_shard_filter(filter(listing)?),
            };
            let answer = request
                .send()
                .await
                .map_err(|error| self.stream_fault("failed to list the shards of", &error))?;
            for shard in answer.shards() {
                let parents = [shard.parent_shard_id(), shard.adjacent_parent_shard_id()];
                let closed = shard
                    .sequence_number_range()
                    .is_some_and(|range| range.ending_sequence_number().is_some());
                shards.push(Shard {
                    id: shard_id(shard.shard_id())?,
                    parents: parents.into_iter().flatten().map(shard_id).collect::<Result<_, _>>()?,
                    hashes: shard.hash_key_range().and_then(hash_range),
                    closed,
                });
            }
            match answer.next_token {
                Some(next) => token = Some(next),
                None => return Ok(shards),
            }
        }
    }

    /// Who decides which shard of the stream takes a record.
    ///
    /// # Errors
    /// A fault about the stream.
    pub(crate) async fn distribution(&self) -> Result<Distribution, Fault> {
        let request = self
            .patient
            .describe_stream_summary()
            .set_stream_name(self.stream_name())
            .set_stream_arn(self.stream_arn());
        let answer = request.send().await.map_err(|error| self.stream_fault("failed to describe", &error))?;
        let strategy =
            answer.stream_description_summary.and_then(|summary| summary.record_distribution_strategy);
        Ok(match strategy {
            // Provisioned streams have no strategy.
            None | Some(RecordDistributionStrategy::UserPartitionKey) => Distribution::ByKey,
            Some(_) => Distribution::ByService,
        })
    }

    /// An iterator for `shard` at `position`, and the time at which the service made it.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn iterator(
        &self,
        shard: &ShardId,
        position: &Position,
    ) -> Result<(String, Timestamp), Refusal> {
        let request = self
            .prompt
            .get_shard_iterator()
            .set_stream_name(self.stream_name())
            .set_stream_arn(self.stream_arn())
            .shard_id(shard.as_str());
        let request = match position {
            Position::TrimHorizon => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Position::Latest => request.shard_iterator_type(ShardIteratorType::Latest),
            Position::At(time) => {
                request.shard_iterator_type(ShardIteratorType::AtTimestamp).timestamp(sdk_time(*time))
            }
            Position::AtSequence(number) => request
                .shard_iterator_type(ShardIteratorType::AtSequenceNumber)
                .starting_sequence_number(number),
            Position::AfterSequence(number) => request
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .starting_sequence_number(number),
        };
        let answered_at = AnsweredAt::default();
        let asked_at = Timestamp::now();
        let answer = request.customize().interceptor(answered_at.clone()).send().await;
        let doing = || format!("failed to begin shard {shard} at `{position}`");
        let iterator =
            answer.map_err(|error| self.refusal(doing(), &error))?.shard_iterator.ok_or_else(|| {
                Refusal::Never(Fault::refused(doing()).with_cause("the answer holds no iterator"))
            })?;
        Ok((iterator, answered_at.or_earlier(asked_at)))
    }

    /// The body of an answer with at most `most` records behind an iterator of `shard`.
    ///
    /// # Errors
    /// Why there are none.
    pub(crate) async fn records(
        &self,
        shard: &ShardId,
        iterator: String,
        most: i32,
    ) -> Result<Vec<u8>, Refusal> {
        let stash = Stash::default();
        let request = self.prompt.get_records().set_stream_arn(self.stream_arn());
        let request = request.shard_iterator(iterator).limit(most);
        let doing = || format!("failed to read shard {shard}");
        let sent = request.customize().interceptor(stash.clone()).send().await;
        sent.map_err(|error| self.refusal(doing(), &error))?;
        let broken = |cause: String| Refusal::Later(Fault::transient(doing()).with_cause(cause));
        match time::timeout(self.body_timeout, stash.read()).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(error)) => Err(broken(error.to_string())),
            Err(_) => Err(broken("no answer in time".to_owned())),
        }
    }

    /// The name is the cheaper endpoint; an ARN was given because the name would not do.
    fn stream_name(&self) -> Option<String> {
        self.stream.arn().is_none().then(|| self.stream.name().to_string())
    }

    fn stream_arn(&self) -> Option<String> {
        self.stream.arn().map(ToString::to_string)
    }

    fn refusal<E, R>(&self, doing: String, error: &SdkError<E, R>) -> Refusal
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
    {
        let problem = problem(error);
        if problem.code.as_deref() == Some("ExpiredIteratorException") {
            return Refusal::Expired;
        }
        let fault = self.with_hint(self.aws.fault(doing, error));
        if problem.kind == Kind::Transient { Refusal::Later(fault) } else { Refusal::Never(fault) }
    }

    fn stream_fault<E, R>(&self, doing: &str, error: &SdkError<E, R>) -> Fault
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
    {
        self.with_hint(self.aws.fault(format!("{doing} stream `{}`", self.stream.name()), error))
    }

    /// What to type next, where the service's code tells.
    fn with_hint(&self, fault: Fault) -> Fault {
        let stream = self.stream.name();
        match fault.code() {
            Some("ResourceNotFoundException") => fault.with_hint(format!(
                "kstream list --region {} shows the streams there; kstream ensure {stream} creates this one",
                self.aws.region
            )),
            Some("ResourceInUseException") => fault.with_hint(format!("kstream wait {stream}")),
            Some("InvalidArgumentException") => fault.or_hint(format!(
                "a sequence number is good for one shard of one stream: if `{stream}` was created anew, begin with \
                 --from trim-horizon and remove the checkpoint"
            )),
            _ => fault,
        }
    }
}

fn filter(listing: Listing) -> Result<Option<ShardFilter>, Fault> {
    let builder = match listing {
        Listing::All => return Ok(None),
        Listing::Open => ShardFilter::builder().r#type(ShardFilterType::AtLatest),
        Listing::Since(time) => {
            ShardFilter::builder().r#type(ShardFilterType::FromTimestamp).timestamp(sdk_time(time))
        }
    };
    builder.build().map(Some).map_err(|error| Fault::usage("failed to filter shards").with_cause(error))
}

pub(crate) fn sdk_time(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millisecond())
}

fn shard_id(text: &str) -> Result<ShardId, Fault> {
    text.parse()
        .map_err(|error| Fault::refused("the service named a shard that cannot be used").with_cause(error))
}

fn hash_range(range: &HashKeyRange) -> Option<HashRange> {
    Some(HashRange {
        start: range.starting_hash_key().parse().ok()?,
        end: range.ending_hash_key().parse().ok()?,
    })
}

/// A child that a closed shard names in an event.
///
/// # Errors
/// A refused fault when its id, or a parent's, cannot be used.
pub(crate) fn child(child: &ChildShard) -> Result<Shard, Fault> {
    Ok(Shard {
        id: shard_id(child.shard_id())?,
        parents: child.parent_shards().iter().map(|parent| shard_id(parent)).collect::<Result<_, _>>()?,
        hashes: child.hash_key_range().and_then(hash_range),
        closed: false,
    })
}
