//! `PutRecord` and `PutRecords`: routes records and stores them; a batch may fail by halves.
//!
//! Both decode their records before they take the lock, since this is the hot path.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};

use crate::error::ServiceError;

use super::error::{INTERNAL_FAILURE, THROUGHPUT_EXCEEDED, dry_run, error, invalid_argument, serialization};
use super::fault::Faults;
use super::incoming::{Entry, Incoming, Text, check_records, decode, text};
use super::iterator::rate_exceeded;
use super::rule::{NAME, SEQUENCE, STREAM_ARN};
use super::sequence::SequenceNumber;
use super::shard::ShardId;
use super::stream::{Distribution, Stream};
use super::violation::Violations;
use super::{Engine, Request, wire};

/// The most records of one batch (API reference).
const BATCH_RECORDS: usize = 500;
/// The most payload of one batch, partition keys included, in bytes (API reference).
const BATCH_BYTES: usize = 10 * 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<'a> {
    #[serde(borrow)]
    stream_name: Option<Text<'a>>,
    #[serde(borrow, rename = "StreamARN")]
    stream_arn: Option<Text<'a>>,
    #[serde(borrow)]
    records: Option<Vec<Entry<'a>>>,
    dry_run: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Single<'a> {
    #[serde(borrow)]
    stream_name: Option<Text<'a>>,
    #[serde(borrow, rename = "StreamARN")]
    stream_arn: Option<Text<'a>>,
    #[serde(borrow)]
    sequence_number_for_ordering: Option<Text<'a>>,
    dry_run: Option<bool>,
    #[serde(borrow)]
    data: Option<Text<'a>>,
    #[serde(borrow)]
    partition_key: Option<Text<'a>>,
    #[serde(borrow)]
    explicit_hash_key: Option<Text<'a>>,
}

/// What became of one record of a batch.
#[derive(Debug)]
enum Fate {
    Stored(Stored),
    Failed(Failed),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Stored {
    sequence_number: SequenceNumber,
    shard_id: ShardId,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    error_code: Cow<'static, str>,
    error_message: String,
}

impl Serialize for Fate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Stored(stored) => stored.serialize(serializer),
            Self::Failed(failed) => failed.serialize(serializer),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchAnswer {
    failed_record_count: usize,
    records: Vec<Fate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_type: Option<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SingleAnswer {
    shard_id: ShardId,
    sequence_number: SequenceNumber,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption_type: Option<&'static str>,
}

impl Engine {
    pub(super) fn put_records(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let batch: Batch<'_> = wire::read(request.body)?;
        let mut violations = Violations::default();
        check_stream(&mut violations, batch.stream_name.as_ref(), batch.stream_arn.as_ref());
        let Some(entries) = batch.records else {
            violations.missing("records");
            return Err(violations.check().err().unwrap_or_else(no_shard));
        };
        if entries.len() > BATCH_RECORDS {
            let constraint = format!("Member must have length less than or equal to {BATCH_RECORDS}");
            violations.add("records", "", &constraint);
        }
        if entries.is_empty() {
            violations.add("records", "'[]'", "Member must have length greater than or equal to 1");
        }
        violations.check()?;
        let incoming = decode(&entries, &mut violations, |index| format!("records.{index}.member."))?;
        violations.check()?;
        if incoming.iter().map(Incoming::size).sum::<usize>() > BATCH_BYTES {
            return Err(invalid_argument("Records size exceeds 10 MB limit"));
        }

        let name =
            self.resolve(text(batch.stream_name.as_ref()), text(batch.stream_arn.as_ref()), request.caller)?;
        let dry = batch.dry_run == Some(true);
        let answer = self.store_batch(&name, incoming, dry, request.now_ms)?;
        self.shared.changed.notify_waiters();
        wire::body(&answer)
    }

    fn store_batch(
        &self,
        name: &str,
        incoming: Vec<Incoming>,
        dry: bool,
        now_ms: u64,
    ) -> Result<BatchAnswer, ServiceError> {
        let mut guard = self.store();
        let store = &mut *guard;
        let stream = self.find(&mut store.streams, name, now_ms)?;
        stream.must_serve()?;
        check_records(stream, &incoming, |index| format!("records.{index}.member."))?;
        if dry {
            return Err(dry_run());
        }
        let encryption_type = stream.key_id.is_some().then_some("KMS");
        let records: Vec<Fate> = incoming
            .into_iter()
            .map(|record| self.put(stream, record, &mut store.faults, now_ms))
            .collect::<Result<_, _>>()?;
        let failed_record_count = records.iter().filter(|fate| matches!(fate, Fate::Failed(_))).count();
        Ok(BatchAnswer { failed_record_count, records, encryption_type })
    }

    pub(super) fn put_record(&self, request: &Request<'_>) -> Result<Vec<u8>, ServiceError> {
        let single: Single<'_> = wire::read(request.body)?;
        let mut violations = Violations::default();
        check_stream(&mut violations, single.stream_name.as_ref(), single.stream_arn.as_ref());
        if let Some(number) = &single.sequence_number_for_ordering {
            violations.text("sequenceNumberForOrdering", &number.0, &SEQUENCE);
        }
        let dry = single.dry_run == Some(true);
        let name = (single.stream_name, single.stream_arn);
        let ordering = single.sequence_number_for_ordering;
        let entry = Entry {
            data: single.data,
            partition_key: single.partition_key,
            explicit_hash_key: single.explicit_hash_key,
        };
        let mut incoming = decode(&[entry], &mut violations, |_| String::new())?;
        violations.check()?;
        let name = self.resolve(text(name.0.as_ref()), text(name.1.as_ref()), request.caller)?;

        let mut store = self.store();
        let stream = self.find(&mut store.streams, &name, request.now_ms)?;
        stream.must_serve()?;
        check_records(stream, &incoming, |_| String::new())?;
        if let Some(number) = &ordering {
            check_ordering(stream, &number.0)?;
        }
        if dry {
            return Err(dry_run());
        }
        let Some(record) = incoming.pop() else { return Err(serialization("The request has no record.")) };
        let encryption_type = stream.key_id.is_some().then_some("KMS");
        match self.put(stream, record, &mut Faults::default(), request.now_ms)? {
            Fate::Stored(Stored { sequence_number, shard_id }) => {
                self.shared.changed.notify_waiters();
                wire::body(&SingleAnswer { shard_id, sequence_number, encryption_type })
            }
            Fate::Failed(Failed { error_code, error_message }) => {
                let status = super::error::status(&error_code);
                Err(ServiceError::new(status, error_code, error_message))
            }
        }
    }

    /// Stores one record, unless its shard has no room for it now or a fault says otherwise.
    fn put(
        &self,
        stream: &mut Stream,
        record: Incoming,
        faults: &mut Faults,
        now_ms: u64,
    ) -> Result<Fate, ServiceError> {
        let encrypted = stream.key_id.is_some();
        let target = match stream.distribution {
            Distribution::UserPartitionKey => record.hash.and_then(|hash| stream.route(hash)),
            Distribution::Auto => stream.next_in_turn(),
        };
        let Some(id) = target.map(|shard| shard.id) else { return Err(no_shard()) };
        if let Some((code, message)) = faults.fail_record(id, &stream.name, &stream.account) {
            return Ok(Fate::Failed(Failed { error_code: code, error_message: message }));
        }
        let horizon_ms = stream.horizon_ms(now_ms);
        let Some(shard) = stream.shard_mut(id) else { return Err(no_shard()) };
        // A stream that is only ever written would otherwise keep everything.
        shard.trim(horizon_ms);
        let options = self.options();
        if options.enforce_limits && !shard.limiter.write(&options.rates, record.size(), now_ms) {
            let message = rate_exceeded(id, &stream.name, &stream.account).message;
            return Ok(Fate::Failed(Failed {
                error_code: THROUGHPUT_EXCEEDED.into(),
                error_message: message,
            }));
        }
        let sequence_number = shard.push(record.partition_key, record.data, encrypted, now_ms);
        Ok(Fate::Stored(Stored { sequence_number, shard_id: id }))
    }
}

fn no_shard() -> ServiceError {
    error(INTERNAL_FAILURE, "No open shard takes the record.")
}

fn check_stream(violations: &mut Violations, name: Option<&Text<'_>>, arn: Option<&Text<'_>>) {
    if let Some(name) = name {
        violations.text("streamName", &name.0, &NAME);
    }
    if let Some(arn) = arn {
        violations.text("streamARN", &arn.0, &STREAM_ARN);
    }
}

/// `SequenceNumberForOrdering` must be a number of this stream; arrival order is what the engine keeps anyway.
fn check_ordering(stream: &Stream, number: &str) -> Result<(), ServiceError> {
    if stream.distribution == Distribution::Auto {
        return Err(invalid_argument(format!(
            "SequenceNumberForOrdering is not supported: stream {} distributes records itself.",
            stream.name
        )));
    }
    let known = SequenceNumber::parse(number)
        .is_some_and(|number| stream.shard(number.shard).is_some_and(|shard| shard.issued(&number)));
    if known {
        return Ok(());
    }
    Err(invalid_argument(format!(
        "ExclusiveMinimumSequenceNumber {number} used in PutRecord on stream {} under account {} is invalid.",
        stream.name, stream.account
    )))
}
