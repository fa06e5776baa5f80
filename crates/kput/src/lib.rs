//! Puts records into a Kinesis stream.
