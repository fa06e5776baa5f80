//! What time it is for the service. The clock of this machine may be minutes ahead, and a position that was pinned to it
//! would skip records.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_kinesis::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_kinesis::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kinesis::error::BoxError;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// The time at which the service answered one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnsweredAt(Arc<Mutex<Option<Timestamp>>>);

impl AnsweredAt {
    /// The earlier of the service's time and `local`: a record shown again is better than one skipped.
    pub(crate) fn or_earlier(&self, local: Timestamp) -> Timestamp {
        let answered = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        answered.map_or(local, |answered| answered.min(local))
    }
}

impl Intercept for AnsweredAt {
    fn name(&self) -> &'static str {
        "AnsweredAt"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // `Date` counts whole seconds, rounded down.
        let date = context.response().headers().get("date").and_then(|date| rfc2822::parse(date).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date.map(|date| date.timestamp());
        Ok(())
    }
}
