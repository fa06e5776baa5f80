//! What is tried with the keys, one call after the other.

use std::time::Duration;

use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{Record, ShardIteratorType};
use config::aws::{Aws, problem};
use config::member;
use config::names::{Arn, StreamArn};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::receipt::{Place, Wanted};
use super::step::{Must, Report, Showed};
use crate::pace::Pace;
use crate::verdict::repair;

/// One past the largest hash key (Kinesis API reference, PutRecord). A put with it is refused to those who may not
/// put, and is invalid for those who may: nothing is ever written.
const NO_HASH_KEY: &str = "340282366920938463463374607431768211456";

/// Kinesis allows five reads a second and shard (Kinesis service quotas).
const BETWEEN_READS: Duration = Duration::from_millis(220);

/// Records of one read; enough to find one.
const READ_LIMIT: i32 = 100;

/// The name under which sessions of the proof show in CloudTrail.
const SESSION: &str = "kinbricks-prove";

/// The clients with Databricks' keys, and what they are to be tried on.
pub(super) struct Attempts {
    kinesis: aws_sdk_kinesis::Client,
    sts: aws_sdk_sts::Client,
    stream: StreamArn,
    credential: member::Credential,
}

impl Attempts {
    pub(super) fn new(aws: &Aws, stream: StreamArn, credential: member::Credential) -> Self {
        let (kinesis, sts) = (aws_sdk_kinesis::Client::new(&aws.sdk), aws_sdk_sts::Client::new(&aws.sdk));
        Self { kinesis, sts, stream, credential }
    }

    /// Who AWS takes the holder of the keys for: a session of the credential's role.
    pub(super) async fn caller(&self, report: &mut Report) -> Option<Arn> {
        let answer = self.sts.get_caller_identity().send().await;
        let arn: Option<Arn> = answer.as_ref().ok().and_then(|answer| answer.arn()?.parse().ok());
        let role = &self.credential.role_arn;
        let showed = match (&arn, answer) {
            (Some(arn), Ok(_)) => {
                let session = format!("assumed-role/{}/", role.name());
                let same =
                    arn.account().as_ref() == Some(role.account()) && arn.resource().starts_with(&session);
                if same { Showed::Allowed } else { Showed::failed(format!("the keys are those of {arn}")) }
            }
            (_, Err(error)) => showed(&error),
            (None, Ok(_)) => Showed::failed("STS does not say whose the keys are".to_owned()),
        };
        report.works(
            "session-of-the-role",
            showed,
            format!("the keys must be of {role}; run: dbx-cred validate {}", self.credential.name),
        );
        arn
    }

    /// Finds the stream. A permission that was granted just now may need a while to be seen.
    pub(super) async fn find_stream(&self, report: &mut Report, pace: Pace, spread_by: Instant) {
        let mut attempt = 0;
        let found = loop {
            attempt += 1;
            let answer = self.kinesis.describe_stream_summary().stream_arn(self.stream.as_str()).send().await;
            let found = outcome(&answer);
            let pause = pace.pause(attempt);
            if !matches!(found, Showed::Denied(_)) || Instant::now() + pause >= spread_by {
                break found;
            }
            tokio::time::sleep(pause).await;
        };
        report.works("find-stream", found, self.permissions());
    }

    /// Reads the wanted record.
    pub(super) async fn read(
        &self,
        report: &mut Report,
        wanted: &Wanted,
        deadline: Instant,
    ) -> Option<Value> {
        const STEP: &str = "read-record";
        let places = match &wanted.place {
            Some(place) => Ok(vec![(place.shard_id.clone(), Some(place.sequence_number.clone()))]),
            None => self.shards().await,
        };
        let places = match places {
            Ok(places) => places,
            Err(showed) => {
                report.works(STEP, showed, self.permissions());
                return None;
            }
        };
        for (shard, from) in places {
            match self.search(&shard, from.as_deref(), wanted, deadline).await {
                Ok(Some(record)) => {
                    report.works(STEP, Showed::Allowed, "");
                    return Some(seen(&shard, &record));
                }
                Ok(None) => {}
                Err(showed) => {
                    let advice = self.reading(&showed);
                    report.works(STEP, showed, advice);
                    return None;
                }
            }
        }
        let name = self.stream.name();
        match wanted {
            Wanted { place: None, data: None } => report.skip(
                STEP,
                Must::Work,
                format!("the stream has no record; run: kput {name} --data '{{}}' --key proof"),
            ),
            Wanted { place: Some(Place { sequence_number, .. }), data: None } => {
                let why = Showed::failed(format!("record {sequence_number} is not in the stream"));
                report.works(STEP, why, format!("it may be older than the stream keeps records; run: kput {name} --data '{{}}' --key proof"));
            }
            Wanted { data: Some(_), .. } => {
                let why = Showed::failed("no record holds the given data".to_owned());
                report.works(STEP, why, format!("compare: kpeek {name} --raw"));
            }
        }
        None
    }

    /// All shards, to be read from the beginning.
    async fn shards(&self) -> Result<Vec<(String, Option<String>)>, Showed> {
        let mut shards = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let request = self.kinesis.list_shards();
            // Kinesis refuses the stream beside the token.
            let request = match next.take() {
                Some(token) => request.next_token(token),
                None => request.stream_arn(self.stream.as_str()),
            };
            let page = request.send().await.map_err(|error| showed(&error))?;
            shards.extend(page.shards().iter().map(|shard| (shard.shard_id().to_owned(), None)));
            next = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if next.is_none() {
                return Ok(shards);
            }
        }
    }

    /// Reads a shard until the wanted record or the present.
    async fn search(
        &self,
        shard: &str,
        from: Option<&str>,
        wanted: &Wanted,
        deadline: Instant,
    ) -> Result<Option<Record>, Showed> {
        let request = self.kinesis.get_shard_iterator().stream_arn(self.stream.as_str()).shard_id(shard);
        let request = match from {
            Some(number) => request
                .shard_iterator_type(ShardIteratorType::AtSequenceNumber)
                .starting_sequence_number(number),
            None => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
        };
        let mut iterator = request.send().await.map_err(|error| showed(&error))?.shard_iterator;
        while let Some(position) = iterator {
            let page = self
                .kinesis
                .get_records()
                .stream_arn(self.stream.as_str())
                .shard_iterator(position)
                .limit(READ_LIMIT)
                .send()
                .await
                .map_err(|error| showed(&error))?;
            let fits = |record: &&Record| {
                let data = record.data().as_ref();
                from.is_none_or(|number| record.sequence_number() == number)
                    && wanted.data.as_deref().is_none_or(|text| text.as_bytes() == data)
            };
            if let Some(record) = page.records().iter().find(fits) {
                return Ok(Some(record.clone()));
            }
            // The first record at a sequence number is that one, or it is not there any more.
            let passed = from.is_some() && !page.records().is_empty();
            let caught_up = page.records().is_empty() && page.millis_behind_latest().unwrap_or(0) == 0;
            if passed || caught_up || Instant::now() + BETWEEN_READS >= deadline {
                return Ok(None);
            }
            iterator = page.next_shard_iterator;
            tokio::time::sleep(BETWEEN_READS).await;
        }
        Ok(None)
    }

    /// Must be refused: a put, made so that nothing would be written if it were not.
    pub(super) async fn cannot_write(&self, report: &mut Report) {
        let put = self
            .kinesis
            .put_record()
            .stream_arn(self.stream.as_str())
            .partition_key("proof")
            .explicit_hash_key(NO_HASH_KEY)
            .data(Blob::new("proof"));
        let showed = outcome(&put.send().await).allowed_if("InvalidArgumentException");
        report.refused("put-record", showed, format!("the role is for reading; {}", self.permissions()));
    }

    /// Must be refused: another stream of the account, by a name that nobody uses. Who may see it is told that it is not
    /// there; who may not is told only that.
    pub(super) async fn cannot_see_another_stream(&self, report: &mut Report) {
        let arn = &self.stream;
        let other = format!(
            "arn:{}:kinesis:{}:{}:stream/kinbricks-proof-{:016x}",
            arn.arn().partition(),
            arn.region(),
            arn.account(),
            fastrand::u64(..)
        );
        let answer = self.kinesis.describe_stream_summary().stream_arn(other).send().await;
        let showed = outcome(&answer).allowed_if("ResourceNotFoundException");
        report.refused(
            "another-stream",
            showed,
            format!("the permissions name more than this stream; {}", self.permissions()),
        );
    }

    /// The role must be able to become itself with the external ID, and must not without.
    pub(super) async fn becomes_itself_only_with_the_external_id(&self, report: &mut Report) {
        let assume =
            || self.sts.assume_role().role_arn(self.credential.role_arn.as_str()).role_session_name(SESSION);
        let advice = format!("run: {}", repair(&self.credential.name, self.credential.role_arn.name()));
        // Without the first, a refusal of the second would prove nothing.
        let with = assume().external_id(self.credential.external_id.as_str()).send().await;
        if report.works("assume-with-external-id", outcome(&with), &advice) {
            let without = outcome(&assume().send().await);
            report.refused("assume-without-external-id", without, advice);
        } else {
            report.skip(
                "assume-without-external-id",
                Must::BeRefused,
                "the role cannot be assumed with it either",
            );
        }
    }

    /// What to do when reading failed: an encrypted stream needs a permission of its own.
    fn reading(&self, showed: &Showed) -> String {
        match showed {
            Showed::Failed { code: Some(code), .. } if code.starts_with("KMS") => format!(
                "the role must be allowed kms:Decrypt on the stream's key; run: iam-policy-gen permissions --kms-key ARN < connection.json | iam-role ensure {}",
                self.credential.role_arn.name()
            ),
            Showed::Allowed | Showed::Denied(_) | Showed::Failed { .. } => self.permissions(),
        }
    }

    fn permissions(&self) -> String {
        format!(
            "run: iam-policy-gen permissions < connection.json | iam-role ensure {}",
            self.credential.role_arn.name()
        )
    }
}

fn outcome<T, E, R>(answer: &Result<T, SdkError<E, R>>) -> Showed
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    answer.as_ref().map_or_else(showed, |_| Showed::Allowed)
}

/// What an error shows: only a refusal for lack of permission is one.
fn showed<E, R>(error: &SdkError<E, R>) -> Showed
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    let problem = problem(error);
    let why = problem.causes.join(": ");
    match problem.code.as_deref() {
        Some("AccessDenied" | "AccessDeniedException") => Showed::Denied(why),
        _ => Showed::Failed { code: problem.code, why },
    }
}

/// The record in the document: where it lies and how large it is. What it holds is nobody's business here.
fn seen(shard: &str, record: &Record) -> Value {
    json!({
        "shard_id": shard,
        "sequence_number": record.sequence_number(),
        "partition_key": record.partition_key(),
        "size_bytes": record.data().as_ref().len(),
    })
}
