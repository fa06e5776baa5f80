//! Puts records into a Kinesis stream.

pub mod limits;
pub mod plan;
pub mod record;
pub mod scan;
