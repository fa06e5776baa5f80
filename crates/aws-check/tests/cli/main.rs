//! The binary against a running sandbox: where credentials come from, what is reachable, the process contract, the doctor.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod contract;
mod credentials;
mod doctor;
mod reach;
mod scene;
