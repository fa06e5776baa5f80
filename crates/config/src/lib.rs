//! What every kinbricks tool shares: settings, names that were checked once, and the process contract.
//!
//! A module enters this crate when two tools use it today and it is a name, a setting or a part of the
//! contract. Nothing here opens a socket; [`aws`] (behind the `aws` feature) builds the clients that do.
//!
//! | module | what it holds |
//! |---|---|
//! | [`args`] | the flags that mean the same in every tool |
//! | [`mod@env`], [`mod@file`], [`settings`] | flag, then environment, then `kinbricks.toml`, then default |
//! | [`names`] | ARN, stream, role, account, region: checked where they enter |
//! | [`document`], [`member`] | the connection document that flows through the pipe |
//! | [`fault`], [`process`], [`output`], `outlet`, [`notes`] | exit codes, stdout, stderr |
//! | [`duration`] | `30s`, `1m30s` |
//! | [`secret`] | a value that never shows itself |

pub mod args;
#[cfg(feature = "aws")]
pub mod aws;
pub mod document;
pub mod duration;
pub mod env;
pub mod fault;
pub mod file;
#[cfg(feature = "runtime")]
pub mod interrupt;
pub mod member;
pub mod names;
pub mod notes;
#[cfg(feature = "runtime")]
pub mod outlet;
pub mod output;
pub mod process;
pub mod secret;
pub mod settings;

pub use document::{Document, Member};
pub use fault::{Fault, Kind, Outcome};
pub use notes::Notes;
#[cfg(feature = "runtime")]
pub use outlet::Outlet;
pub use output::{OutError, Output};
pub use process::{Tool, World};
pub use secret::Secret;
