//! Takes the body of a successful answer away from the SDK, before its own reading of it.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_kinesis::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_kinesis::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kinesis::error::BoxError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

/// What the SDK reads instead.
const NOTHING: &str = r#"{"Records":[]}"#;

/// The largest body that is taken: 10 MiB of data are 14 MiB of base64, and ten thousand records bring their names.
const BODY_BYTES: usize = 64 * 1024 * 1024;

/// A place to which the body of one answer goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stash(Arc<Mutex<Option<SdkBody>>>);

impl Stash {
    /// Reads the body that was taken.
    ///
    /// # Errors
    /// When the connection broke, or nothing was taken.
    pub(crate) async fn read(self) -> Result<Vec<u8>, BoxError> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut body = taken.ok_or("the service answered without a body")?;
        let mut bytes =
            Vec::with_capacity(body.content_length().unwrap_or_default().min(BODY_BYTES as u64).try_into()?);
        while let Some(frame) = body.frame().await {
            if let Some(data) = frame?.data_ref() {
                bytes.extend_from_slice(data);
            }
            if bytes.len() > BODY_BYTES {
                return Err("the service's answer is larger than any answer it may give".into());
            }
        }
        Ok(bytes)
    }
}

impl Intercept for Stash {
    fn name(&self) -> &'static str {
        "Stash"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            let body = std::mem::replace(response.body_mut(), SdkBody::from(NOTHING));
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
        Ok(())
    }
}
