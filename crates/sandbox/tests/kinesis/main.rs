//! The Kinesis engine as a client meets it: requests in, answers out, on a clock that the tests move.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed step of a test's scene is a failed test")]

mod addressing;
mod consumers;
mod faults;
mod hostile;
mod lifecycle;
mod limits;
mod listing;
mod load;
mod putting;
mod reading;
mod resharding;
mod scene;
mod settings;
