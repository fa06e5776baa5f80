//! A local AWS and Databricks: Kinesis, IAM, STS and Unity Catalog credentials on loopback.
//!
//! [`Sandbox::start`] brings everything up on free ports of 127.0.0.1, [`Sandbox::environment`] says how clients find
//! it, and dropping it takes everything down. Nothing is kept.
//!
//! A request to AWS goes `gateway::http` → `gateway::sigv4` (who signed it) → `gateway::control` (is a fault waiting) →
//! `iam`, `sts` or `kinesis`. Decisions about permissions come from the `policy` crate, never from here.

pub mod cli;
pub mod clock;
pub mod databricks;
pub mod environment;
pub mod error;
mod gateway;
mod guest;
pub mod iam;
pub mod kinesis;
mod query;
mod server;
pub mod sts;

pub use self::server::{Options, Ports, Sandbox, StartError};
