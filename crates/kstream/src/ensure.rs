//! `ensure`: look, compare, change only what differs.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::types::{ScalingType, StreamMode, StreamModeDetails, StreamStatus};
use config::member::Stream;
use config::names::StreamRef;
use config::{Fault, Outcome, duration};
use tokio::time::Instant;

use crate::args::Ensure;
use crate::cost;
use crate::live::{by_name_or_arn, has_status};
use crate::plan::{self, Change};
use crate::{Session, wait};

/// What `ensure` left.
pub(crate) struct Ensured {
    /// The stream, unless `--check` found none.
    pub(crate) stream: Option<Stream>,
    /// Incomplete when `--check` found a difference.
    pub(crate) outcome: Outcome,
}

pub(crate) async fn run(
    session: &Session<'_>,
    stream: &StreamRef,
    wanted: &Ensure,
    timeout: Option<Duration>,
) -> Result<Ensured, Fault> {
    let limit = session.world.settings.timeout(timeout, wait::LIMIT)?;
    let notes = &session.world.notes;
    let live = match session.look(stream).await? {
        Some(live) if has_status(&live, &StreamStatus::Deleting) && !wanted.check => {
            notes.say(format!("stream `{stream}` is being deleted; waiting until it is gone"));
            wait::until_gone(session, stream, limit).await?;
            None
        }
        other => other,
    };
    if wanted.check && live.as_ref().is_some_and(|live| has_status(live, &StreamStatus::Deleting)) {
        notes.say(format!("stream `{stream}` is being deleted"));
        return Ok(Ensured { stream: live, outcome: Outcome::Incomplete });
    }
    let Some(live) = live else {
        if wanted.check {
            notes.say(format!("stream `{stream}` does not exist"));
            return Ok(Ensured { stream: None, outcome: Outcome::Incomplete });
        }
        return create(session, stream, wanted, limit).await;
    };
    let tags = if wanted.tags.is_empty() { BTreeMap::new() } else { session.tags(stream).await? };
    let changes = plan::changes(&live, &tags, wanted);
    if wanted.check {
        for change in &changes {
            notes.say(format!("stream `{stream}` differs: {change}"));
        }
        let outcome = if changes.is_empty() { Outcome::Done } else { Outcome::Incomplete };
        return Ok(Ensured { stream: Some(live), outcome });
    }
    let live = apply(session, stream, live, &changes, limit).await?;
    Ok(Ensured { stream: Some(live), outcome: Outcome::Done })
}

async fn create(
    session: &Session<'_>,
    stream: &StreamRef,
    wanted: &Ensure,
    limit: Duration,
) -> Result<Ensured, Fault> {
    if stream.arn().is_some() {
        return Err(nothing_at_that_arn(session, stream));
    }
    let started = Instant::now();
    let mode = if wanted.shards.is_some() { StreamMode::Provisioned } else { StreamMode::OnDemand };
    let mut request = session
        .client
        .create_stream()
        .stream_name(stream.name().as_str())
        .stream_mode_details(mode_details(mode)?)
        .set_shard_count(wanted.shards)
        .set_max_record_size_in_kib(wanted.max_record_size_kib);
    for (key, value) in &wanted.tags {
        request = request.tags(key, value);
    }
    match request.send().await {
        Ok(_) => {}
        // Somebody else created it since we looked: wait for theirs and compare.
        Err(error) if error.code() == Some("ResourceInUseException") => {
            let live = wait::until_created(session, stream, limit).await?;
            let changes = plan::changes(&live, &session.tags(stream).await?, wanted);
            let live = apply(session, stream, live, &changes, limit).await?;
            return Ok(Ensured { stream: Some(live), outcome: Outcome::Done });
        }
        Err(error) if error.code() == Some("LimitExceededException") => {
            let fault = session.aws.fault(format!("failed to create stream `{stream}`"), &error);
            return Err(
                fault.with_hint("kstream list shows what there is; kstream delete STREAM --yes makes room")
            );
        }
        Err(error) => return Err(session.aws.fault(format!("failed to create stream `{stream}`"), &error)),
    }
    let mut live = wait::until_created(session, stream, limit).await?;
    // Retention cannot be given at creation.
    let rest = Ensure { tags: Vec::new(), ..wanted.clone() };
    let changes = plan::changes(&live, &BTreeMap::new(), &rest);
    if !changes.is_empty() {
        live = make(session, stream, live, &changes, limit).await?;
    }
    let notes = &session.world.notes;
    notes.say(format!(
        "created stream `{stream}` ({}, {} shards) in {}",
        cost::mode_name(&live),
        live.open_shards.unwrap_or_default(),
        duration::show(started.elapsed())
    ));
    notes.say(format!("{}; delete it with: kstream delete {stream} --yes", cost::sentence(&live)));
    Ok(Ensured { stream: Some(live), outcome: Outcome::Done })
}

async fn apply(
    session: &Session<'_>,
    stream: &StreamRef,
    live: Stream,
    changes: &[Change],
    limit: Duration,
) -> Result<Stream, Fault> {
    let notes = &session.world.notes;
    if changes.is_empty() {
        let live = if has_status(&live, &StreamStatus::Active) {
            live
        } else {
            wait::until_active(session, stream, limit).await?
        };
        notes.say(format!("unchanged stream `{stream}` ({})", cost::sentence(&live)));
        return Ok(live);
    }
    let live = make(session, stream, live, changes, limit).await?;
    for change in changes {
        notes.say(format!("updated stream `{stream}`: {change}"));
    }
    Ok(live)
}

/// Makes the changes one after the other: a stream that is UPDATING refuses the next one.
async fn make(
    session: &Session<'_>,
    stream: &StreamRef,
    mut live: Stream,
    changes: &[Change],
    limit: Duration,
) -> Result<Stream, Fault> {
    for change in changes {
        session.world.interrupt.check()?;
        live = wait::until_active(session, stream, limit).await?;
        match change {
            Change::Provisioned => session.set_mode(&live, StreamMode::Provisioned).await?,
            Change::OnDemand => session.set_mode(&live, StreamMode::OnDemand).await?,
            Change::Shards { to, .. } => {
                let mut count = live.open_shards.unwrap_or(1);
                while count != *to {
                    count = plan::next_shard_count(count, *to);
                    session.set_shard_count(&live, count).await?;
                    live = wait::until_active(session, stream, limit).await?;
                }
            }
            Change::MaxRecordSize { to, .. } => session.set_max_record_size(&live, *to).await?,
            Change::LongerRetention { to, .. } => session.lengthen_retention(&live, *to).await?,
            Change::ShorterRetention { to, .. } => session.shorten_retention(&live, *to).await?,
            Change::Tags(tags) => session.add_tags(&live, tags).await?,
        }
    }
    if changes.is_empty() { Ok(live) } else { wait::until_active(session, stream, limit).await }
}

/// A stream is created by name, in the account of the credentials: creating one for a foreign ARN would make another stream.
fn nothing_at_that_arn(session: &Session<'_>, stream: &StreamRef) -> Fault {
    let arn = stream.arn().map(ToString::to_string).unwrap_or_default();
    Fault::refused(format!("there is no stream `{arn}`")).with_code("ResourceNotFoundException").with_hint(
        format!(
            "a stream is created by its name, in your own account: kstream ensure {stream} --region {}",
            session.aws.region
        ),
    )
}

fn mode_details(mode: StreamMode) -> Result<StreamModeDetails, Fault> {
    StreamModeDetails::builder()
        .stream_mode(mode)
        .build()
        .map_err(|error| Fault::usage("failed to name the capacity mode").with_cause(error))
}

/// Turns a refused change into a fault that names the stream and the change.
macro_rules! changed {
    ($session:expr, $stream:expr, $what:expr, $answer:expr) => {
        match $answer {
            Ok(_) => Ok(()),
            Err(error) => {
                let name = &$stream.name;
                let fault =
                    $session.aws.fault(format!("failed to change the {} of stream `{name}`", $what), &error);
                // Somebody else changes it at the same moment.
                Err(match error.code() {
                    Some("ResourceInUseException") => {
                        fault.with_hint(format!("kstream wait {name}, then run the same command again"))
                    }
                    _ => fault,
                })
            }
        }
    };
}

impl Session<'_> {
    async fn tags(&self, stream: &StreamRef) -> Result<BTreeMap<String, String>, Fault> {
        let mut tags = BTreeMap::new();
        let mut after: Option<String> = None;
        loop {
            let request = by_name_or_arn!(self.client.list_tags_for_stream(), stream);
            let answer = request.set_exclusive_start_tag_key(after.take()).send().await.map_err(|error| {
                self.aws.fault(format!("failed to list the tags of stream `{stream}`"), &error)
            })?;
            for tag in answer.tags() {
                tags.insert(tag.key().to_owned(), tag.value().unwrap_or_default().to_owned());
                after = Some(tag.key().to_owned());
            }
            if !answer.has_more_tags() || after.is_none() {
                return Ok(tags);
            }
        }
    }

    async fn add_tags(&self, live: &Stream, tags: &BTreeMap<String, String>) -> Result<(), Fault> {
        let mut request = self.client.add_tags_to_stream().stream_arn(live.arn.as_str());
        for (key, value) in tags {
            request = request.tags(key, value);
        }
        changed!(self, live, "tags", request.send().await)
    }

    async fn set_mode(&self, live: &Stream, mode: StreamMode) -> Result<(), Fault> {
        let request = self.client.update_stream_mode().stream_arn(live.arn.as_str());
        changed!(self, live, "capacity mode", request.stream_mode_details(mode_details(mode)?).send().await)
    }

    async fn set_shard_count(&self, live: &Stream, count: i32) -> Result<(), Fault> {
        let request = self.client.update_shard_count().stream_arn(live.arn.as_str());
        let request = request.target_shard_count(count).scaling_type(ScalingType::UniformScaling);
        changed!(self, live, "shard count", request.send().await)
    }

    async fn set_max_record_size(&self, live: &Stream, kib: i32) -> Result<(), Fault> {
        let request = self.client.update_max_record_size().stream_arn(live.arn.as_str());
        changed!(self, live, "largest record", request.max_record_size_in_kib(kib).send().await)
    }

    async fn lengthen_retention(&self, live: &Stream, hours: i32) -> Result<(), Fault> {
        let request = self.client.increase_stream_retention_period().stream_arn(live.arn.as_str());
        changed!(self, live, "retention", request.retention_period_hours(hours).send().await)
    }

    async fn shorten_retention(&self, live: &Stream, hours: i32) -> Result<(), Fault> {
        let request = self.client.decrease_stream_retention_period().stream_arn(live.arn.as_str());
        changed!(self, live, "retention", request.retention_period_hours(hours).send().await)
    }
}
