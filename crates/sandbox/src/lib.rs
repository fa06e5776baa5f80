//! A local AWS and Databricks: Kinesis, IAM, STS and Unity Catalog credentials on loopback.
