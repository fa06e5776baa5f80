//! boto3, as people use it, where it is installed.

use std::process::{Command, Stdio};

/// Puts stdin's lines in requests of 500.
pub(crate) const PUT: &str = "
import boto3, json, sys
client = boto3.client('kinesis')
batch = []
def send():
    if batch:
        assert client.put_records(StreamName='readings', Records=batch)['FailedRecordCount'] == 0
        batch.clear()
for line in sys.stdin.buffer:
    line = line.rstrip(b'\\n')
    batch.append({'Data': line, 'PartitionKey': json.loads(line)['sensor_id']})
    if len(batch) == 500:
        send()
send()
";

/// Reads shard 0 and writes the payloads.
pub(crate) const PEEK: &str = "
import boto3, sys
client = boto3.client('kinesis')
iterator = client.get_shard_iterator(StreamName='readings', ShardId='shardId-000000000000', ShardIteratorType='TRIM_HORIZON')['ShardIterator']
while iterator:
    page = client.get_records(ShardIterator=iterator, Limit=10000)
    for record in page['Records']:
        sys.stdout.buffer.write(record['Data'] + b'\\n')
    iterator = page['NextShardIterator']
    if not page['Records'] and page['MillisBehindLatest'] == 0:
        break
";

/// Whether `python3` can import boto3.
pub(crate) fn has_boto3() -> bool {
    let mut command = Command::new("python3");
    command.args(["-c", "import boto3"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
