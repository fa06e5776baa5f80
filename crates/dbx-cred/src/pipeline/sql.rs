//! The transformation in SQL: a streaming table of the records as they arrived, and a typed one over it.

use config::Fault;

use super::column::Column;
use super::plan::Plan;
use super::quote::{comment, identifier, literal};

/// Where a record that is not what the columns expect is kept as it was.
pub(super) const CORRUPT: &str = "_corrupt_record";

/// The Kinesis source's own columns, and what they are called in the tables.
pub(super) const SOURCE: [(&str, &str); 4] = [
    ("partitionKey", "_partition_key"),
    ("shardId", "_shard_id"),
    ("sequenceNumber", "_sequence_number"),
    ("approximateArrivalTimestamp", "_arrived_at"),
];

pub(super) fn transformation(plan: &Plan, columns: &[Column]) -> Result<String, Fault> {
    if plan.cross_account {
        return Err(Fault::usage("read_kinesis takes a stream of the role's own account only")
            .with_cause(format!("the stream {} is in another account than the role", plan.stream))
            .with_hint("use --format python, whose reader takes the stream's ARN (Databricks Runtime 16.1 and later)"));
    }
    let source: Vec<String> = SOURCE.iter().map(|(from, to)| format!("  {from} AS {to},\n")).collect();
    let raw = identifier(&plan.raw_table());
    let mut text = format!(
        "-- {header}\n\
         CREATE OR REFRESH STREAMING TABLE {raw}\n\
         COMMENT {about}\n\
         AS SELECT\n{source}  data\n\
         FROM STREAM read_kinesis(\n  streamName => {stream},\n  region => {region},\n  \
         serviceCredential => {credential},\n  initialPosition => {position}\n);\n",
        header = comment(&super::bundle::header(plan)),
        about = literal(&format!("Records of the Kinesis stream {}, as they arrived", plan.stream.name())),
        source = source.concat(),
        stream = literal(plan.stream.name().as_str()),
        region = literal(plan.stream.region().as_str()),
        credential = literal(plan.credential.as_str()),
        position = literal(plan.initial_position()),
    );
    if !columns.is_empty() {
        text.push_str(&typed(plan, columns, &raw));
    }
    Ok(text)
}

fn typed(plan: &Plan, columns: &[Column], raw: &str) -> String {
    let source: Vec<String> = SOURCE.iter().map(|(_, name)| format!("  {name},\n")).collect();
    let selected: Vec<String> = columns
        .iter()
        .map(|column| format!("  record.{} AS {},\n", identifier(&column.field), identifier(&column.alias)))
        .collect();
    format!(
        "\nCREATE OR REFRESH STREAMING TABLE {table}\n\
         COMMENT {about}\n\
         AS SELECT\n{source}{selected}  record.{CORRUPT} AS {CORRUPT}\n\
         FROM (\n  SELECT\n    *,\n    from_json(\n      CAST(data AS STRING),\n      {schema},\n      \
         map('mode', 'PERMISSIVE', 'columnNameOfCorruptRecord', '{CORRUPT}')\n    ) AS record\n  \
         FROM STREAM {raw}\n) AS parsed;\n",
        table = identifier(&plan.table),
        about = literal(&format!("Records of the Kinesis stream {}", plan.stream.name())),
        source = source.concat(),
        selected = selected.concat(),
        schema = literal(&schema(columns)),
    )
}

/// The schema as from_json takes it.
pub(super) fn schema(columns: &[Column]) -> String {
    let fields: Vec<String> =
        columns.iter().map(|column| format!("{} {}", identifier(&column.field), column.kind)).collect();
    format!("{}, {CORRUPT} STRING", fields.join(", "))
}
