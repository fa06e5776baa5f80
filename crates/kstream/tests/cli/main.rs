//! The binary against a running sandbox: help, exit codes, both streams, and what Kinesis really does.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod contract;
mod lifecycle;
mod scene;
mod trouble;
