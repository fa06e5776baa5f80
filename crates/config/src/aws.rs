//! The one way to an AWS client: the shared flags, the default chain, lean HTTP, and one reading of SDK errors.

mod client;
mod fault;
mod http;
mod login;
mod trace;

pub use client::Aws;
pub use fault::{Problem, problem};
