//! A local AWS and Databricks: Kinesis, IAM, STS and Unity Catalog credentials on loopback.

pub mod clock;
pub mod databricks;
pub mod error;
pub mod sts;
