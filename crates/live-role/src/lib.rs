//! An IAM role as it is now, for the tools that change one: `iam-role` and `trust-sync`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`account`] | [`Iam`]: the client, what to tell the user, and how long to keep trying |
//! | [`role`] | [`LiveRole`]: the role with its trust policy |
//! | [`grants`] | what the role may do: attached and inline policies, and the boundary |
//! | [`encoding`] | policy documents as the API returns them |
//! | [`patience`] | waiting for IAM to know what it was just told |
//!
//! IAM answers from many places that learn of a change one after the other, and publishes no bound for it. So whatever may
//! only be too early is tried again here, with a limit, and never anything else.

pub mod account;
pub mod encoding;
pub mod grants;
pub mod patience;
pub mod role;
#[cfg(feature = "script")]
pub mod script;

pub use account::Iam;
pub use grants::{Grants, InlinePolicy, ManagedPolicy};
pub use patience::Patience;
pub use role::LiveRole;
