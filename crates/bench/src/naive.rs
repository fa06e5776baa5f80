//! The loop that people write: the SDK with its defaults, JSON parsed whole, one task a batch.

use std::io::{BufRead, BufWriter, Write};

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::{PutRecordsRequestEntry, ShardIteratorType};
use tokio::sync::Semaphore;

/// Records a request (Kinesis API model, `PutRecords`).
const BATCH: usize = 500;

/// Requests in flight.
const IN_FLIGHT: usize = 4;

/// Puts stdin's lines, the key being the member `sensor_id`.
pub(crate) fn put(port: u16) -> Result<()> {
    runtime()?.block_on(async {
        let client = client(port);
        let permits = std::sync::Arc::new(Semaphore::new(IN_FLIGHT));
        let mut batch = Vec::with_capacity(BATCH);
        let mut tasks = tokio::task::JoinSet::new();
        for line in std::io::stdin().lock().lines() {
            let line = line?;
            let value: serde_json::Value = serde_json::from_str(&line)?;
            let key = value.get("sensor_id").and_then(|key| key.as_str()).context("no key")?;
            batch.push(
                PutRecordsRequestEntry::builder()
                    .partition_key(key)
                    .data(Blob::new(line.as_bytes()))
                    .build()?,
            );
            if batch.len() == BATCH {
                send(&client, &permits, &mut tasks, std::mem::take(&mut batch)).await?;
            }
        }
        send(&client, &permits, &mut tasks, batch).await?;
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    })
}

async fn send(
    client: &Client,
    permits: &std::sync::Arc<Semaphore>,
    tasks: &mut tokio::task::JoinSet<Result<()>>,
    batch: Vec<PutRecordsRequestEntry>,
) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let permit = permits.clone().acquire_owned().await?;
    let request = client.put_records().stream_name("readings").set_records(Some(batch));
    tasks.spawn(async move {
        let answer = request.send().await?;
        drop(permit);
        anyhow::ensure!(answer.failed_record_count() == Some(0), "records failed");
        Ok(())
    });
    while let Some(done) = tasks.try_join_next() {
        done??;
    }
    Ok(())
}

/// Reads shard 0 and writes the payloads.
pub(crate) fn peek(port: u16) -> Result<()> {
    runtime()?.block_on(async {
        let client = client(port);
        let first = client
            .get_shard_iterator()
            .stream_name("readings")
            .shard_id("shardId-000000000000")
            .shard_iterator_type(ShardIteratorType::TrimHorizon)
            .send()
            .await?;
        let mut iterator = first.shard_iterator().map(str::to_owned);
        let mut output = BufWriter::new(std::io::stdout().lock());
        while let Some(next) = iterator {
            let page = client.get_records().shard_iterator(next).limit(10_000).send().await?;
            for record in page.records() {
                output.write_all(record.data().as_ref())?;
                output.write_all(b"\n")?;
            }
            iterator = page.next_shard_iterator().map(str::to_owned);
            if page.records().is_empty() && page.millis_behind_latest() == Some(0) {
                break;
            }
        }
        Ok(output.flush()?)
    })
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

fn client(port: u16) -> Client {
    let config = aws_sdk_kinesis::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "bench"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}
