//! Takes the body of a PutRecords answer off before the SDK reads it.
//!
//! The SDK lets its HTTP client be wrapped, which is all that happens here: where a caller waits for the bytes
//! ([`with_answer`]), a good answer's body goes to the caller and the SDK sees one without records. Errors, and every
//! other operation, pass as they are.

use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;

/// What the SDK gets to read instead.
const NO_RECORDS: &str = r#"{"FailedRecordCount":0,"Records":[]}"#;

tokio::task_local! {
    static ANSWER: Arc<OnceLock<Bytes>>;
}

/// Runs `call` and returns its result with the body of the good answer it got.
pub async fn with_answer<T>(call: impl Future<Output = T>) -> (T, Option<Bytes>) {
    let answer = Arc::new(OnceLock::new());
    let result = ANSWER.scope(Arc::clone(&answer), call).await;
    (result, answer.get().cloned())
}

/// Wraps `inner`.
pub fn wrap(inner: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Client(inner))
}

#[derive(Debug)]
struct Client(SharedHttpClient);

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct Connector(SharedHttpConnector);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Ok(answer) = ANSWER.try_with(Arc::clone) else { return self.0.call(request) };
        let response = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let response = response.await?;
            if response.status().is_success() { take_body(response, &answer).await } else { Ok(response) }
        })
    }
}

async fn take_body(
    mut response: HttpResponse,
    answer: &OnceLock<Bytes>,
) -> Result<HttpResponse, ConnectorError> {
    let announced = response.headers().get("content-length").and_then(|length| length.parse::<usize>().ok());
    let body = std::mem::replace(response.body_mut(), SdkBody::from(NO_RECORDS));
    let collected =
        ByteStream::new(body).collect().await.map_err(|error| ConnectorError::io(error.into()))?;
    let bytes = collected.into_bytes();
    if announced.is_some_and(|announced| announced != bytes.len()) {
        return Err(ConnectorError::io("the answer ended too early".into()));
    }
    response.headers_mut().insert("content-length", NO_RECORDS.len().to_string());
    // Each call has a slot of its own and one answer.
    drop(answer.set(bytes));
    Ok(response)
}
