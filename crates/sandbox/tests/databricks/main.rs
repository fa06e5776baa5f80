//! The Databricks workspace from the outside: its API by itself, the whole circle with the sandbox's AWS, and the
//! official SDK.

#![expect(clippy::expect_used, reason = "a helper of a test fails the test")]

mod api;
mod circle;
mod http;
mod sdk;
