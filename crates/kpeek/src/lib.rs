//! Looks into the shards of a Kinesis stream.
