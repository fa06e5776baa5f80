//! The AWS query protocol that IAM and STS speak: parameters in a form, XML back.

mod parameters;
mod xml;

pub(crate) use self::parameters::{Parameters, member_name};
pub(crate) use self::xml::Xml;
