//! The Security Token Service: who is calling, and sessions of roles that really expire.

mod caller;
mod session;

pub use self::caller::{Caller, Identity};
pub use self::session::{AssumeRole, Session};
