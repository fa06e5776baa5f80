//! IAM policy documents: a lossless model, comparison by meaning, evaluation and lint.
//!
//! Everything here is pure: no network, no runtime, no SDK, no clock. A caller brings the text of a document and the facts of
//! a request, and gets an answer that says which statement decided and why.
//!
//! - [`Document`] keeps a policy exactly as it was written: unknown members, order and the spelling of numbers survive.
//! - [`evaluate`] answers *may this principal do this*, for trust policies, identity policies and both together.
//! - [`compare`] tells a difference in meaning from one in writing, with reasons.
//! - [`lint`] finds what IAM would refuse, what opens a door, and what never has an effect; [`catalog`] is what it knows of actions.
//! - [`trust`] and [`permissions`] write the two policies that Databricks needs, and merge the first into a live one.
//!
//! ```
//! use policy::Document;
//! use policy::evaluate::{self, Context, Decision, Principal, Request};
//!
//! let trust = Document::parse(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
//!     "Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole",
//!     "Condition":{"StringEquals":{"sts:ExternalId":"blue-42"}}}}"#)?;
//! let caller = Principal::from_arn("arn:aws:iam::123456789012:role/reader")?;
//! let context = Context::new().with("sts:ExternalId", "blue-42");
//! let request = Request {
//!     principal: &caller,
//!     action: "sts:AssumeRole",
//!     resource: "arn:aws:iam::123456789012:role/reader",
//!     context: &context,
//! };
//! assert_eq!(evaluate::trust(&trust, &request).decision, Decision::Allow);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arn;
pub mod catalog;
pub mod compare;
mod document;
pub mod evaluate;
pub mod lint;
mod normal;
mod operator;
mod pattern;
pub mod permissions;
mod pointer;
mod shape;
mod statement;
pub mod trust;

pub use document::{Document, ParseError};
pub use operator::{Operator, Quantifier, Test};
pub use statement::{Condition, Effect, NamedPrincipal, PrincipalKind, Statement};
