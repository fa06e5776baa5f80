//! `pipeline`: records in, files out, and no login needed.

use snapbox::{assert_data_eq, str};

use crate::scene::{STREAM_ARN, bare};

const ENVELOPE: &str = r#"{"stream":"sensor-readings","shard_id":"shardId-000000000001","sequence_number":"49654","sub":0,"arrived_at":"2024-01-15T10:00:00.123Z","partition_key":"sensor_01","json":{"timestamp":"2024-01-15T10:00:00","sensor_id":"sensor_01","location":"Freezer A","temperature_celsius":-18.2}}
"#;

#[test]
fn peeked_records_become_a_typed_streaming_table() {
    let ran =
        bare(&["pipeline", "kinesis-sensor-credential", "--stream", STREAM_ARN, "--infer"], &[], ENVELOPE);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_data_eq!(
        ran.stdout,
        str![[r#"
-- Written by dbx-cred pipeline for arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings; run it again rather than editing this.
CREATE OR REFRESH STREAMING TABLE `sensor_readings_raw`
COMMENT 'Records of the Kinesis stream sensor-readings, as they arrived'
AS SELECT
  partitionKey AS _partition_key,
  shardId AS _shard_id,
  sequenceNumber AS _sequence_number,
  approximateArrivalTimestamp AS _arrived_at,
  data
FROM STREAM read_kinesis(
  streamName => 'sensor-readings',
  region => 'eu-central-1',
  serviceCredential => 'kinesis-sensor-credential',
  initialPosition => 'earliest'
);

CREATE OR REFRESH STREAMING TABLE `sensor_readings`
COMMENT 'Records of the Kinesis stream sensor-readings'
AS SELECT
  _partition_key,
  _shard_id,
  _sequence_number,
  _arrived_at,
  record.`timestamp` AS `timestamp`,
  record.`sensor_id` AS `sensor_id`,
  record.`location` AS `location`,
  record.`temperature_celsius` AS `temperature_celsius`,
  record._corrupt_record AS _corrupt_record
FROM (
  SELECT
    *,
    from_json(
      CAST(data AS STRING),
      '`timestamp` TIMESTAMP, `sensor_id` STRING, `location` STRING, `temperature_celsius` DOUBLE, _corrupt_record STRING',
      map('mode', 'PERMISSIVE', 'columnNameOfCorruptRecord', '_corrupt_record')
    ) AS record
  FROM STREAM `sensor_readings_raw`
) AS parsed;

"#]]
    );
}

#[test]
fn what_cannot_be_written_says_what_to_type() {
    let credential = ("KINBRICKS_CREDENTIAL", "c");
    let stream = ["pipeline", "--stream", STREAM_ARN];
    let run = |more: &[&str], stdin: &str| bare(&[&stream[..], more].concat(), &[credential], stdin);
    bare(&["pipeline"], &[credential], "").ends_with(2, &["no stream is given", "kstream show"]);
    bare(&["pipeline"], &[], "").ends_with(2, &["no credential is given"]);
    run(&["--infer"], "").ends_with(3, &["there is no record on stdin", "kpeek"]);
    run(&["--infer"], "{\"a\":1}\n").ends_with(3, &["line 1 of stdin is not one of kpeek's records"]);
    run(&["--infer", "--doc", "-"], "").ends_with(2, &["--doc connection.json"]);
    run(&["--out", "b"], "").ends_with(2, &["--catalog", "--schema"]);
    run(&["--out", "b", "--catalog", "a.b", "--schema", "s"], "")
        .ends_with(2, &["`a.b` is not a name for --catalog"]);
    let nowhere = ["--out", "/dev/null/b", "--catalog", "c", "--schema", "s"];
    run(&nowhere, "").ends_with(2, &["/dev/null/b", "--out"]);
    run(&["--schema", "s"], "").ends_with(2, &["--out"]);
}
