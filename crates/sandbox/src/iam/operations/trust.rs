//! A role's trust policy: checked, resolved and replaced as a whole.

use std::sync::Arc;

use policy::Document;

use super::super::policy_document;
use super::super::store::{Call, stored};
use super::nothing;
use crate::error::ServiceError;
use crate::query::{Xml, member_name};

/// Reads the trust policy that a request carries.
pub(super) fn read(call: &Call<'_>, parameter: &str) -> Result<Arc<Document>, ServiceError> {
    let text = call.parameters.required(parameter)?;
    let mut document = policy_document::trust(text, &member_name(parameter), &call.state.settings.quotas)?;
    call.state.resolve(&mut document, call.now)?;
    stored(document)
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Xml, ServiceError> {
    call.role()?;
    let document = read(call, "PolicyDocument")?;
    let (now, delay) = (call.now, call.state.settings.delay);
    call.role()?.trust.set(document, now, delay);
    Ok(nothing())
}
