//! The sandbox's AWS over HTTP: who is calling, what IAM stores and refuses, who may become a role and what a session
//! may do. Time stands still unless a test moves it.

#![expect(clippy::expect_used, clippy::panic, reason = "what a test stands on fails loudly")]

mod binary;
mod clients;
mod control;
mod identity;
mod permissions;
mod policies;
mod roles;
mod sessions;
mod trust;
mod world;
