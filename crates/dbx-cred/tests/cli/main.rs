//! The binary against a running sandbox: help, exit codes, both streams, and what Databricks really answers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod contract;
mod credentials;
mod login;
mod pipeline;
mod proof;
mod scene;
mod sharing;
mod trouble;
mod validation;
