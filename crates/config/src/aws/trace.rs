//! `--verbose`: a line a request. It says what was asked of whom and what came, never what was in it.

use std::time::Instant;

use aws_smithy_runtime_api::client::http::HttpConnectorFuture;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use tracing::Level;

use super::http::host;

/// Sends `request` with `call` and, with `--verbose`, says how it went.
pub(super) fn traced(
    request: HttpRequest,
    call: impl FnOnce(HttpRequest) -> HttpConnectorFuture,
) -> HttpConnectorFuture {
    if !tracing::enabled!(Level::DEBUG) {
        return call(request);
    }
    let (operation, host) = (operation(&request), host(request.uri()).to_owned());
    let started = Instant::now();
    let answer = call(request);
    HttpConnectorFuture::new(async move {
        let answer = answer.await;
        let took_ms = started.elapsed().as_millis();
        match &answer {
            Ok(response) => {
                let id = ["x-amzn-requestid", "x-amz-request-id"];
                let id = id.iter().find_map(|name| response.headers().get(name)).unwrap_or_default();
                tracing::debug!(
                    operation,
                    host,
                    status = response.status().as_u16(),
                    took_ms,
                    id,
                    "answered"
                );
            }
            Err(error) => tracing::debug!(operation, host, took_ms, %error, "not answered"),
        }
        answer
    })
}

/// The operation: of the JSON protocols in a header, of the query protocol the first field of the body.
fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let body = request.body().bytes().unwrap_or_default();
    let action = body.strip_prefix(b"Action=").and_then(|rest| rest.split(|byte| *byte == b'&').next());
    action.map_or_else(|| request.method().to_owned(), |action| String::from_utf8_lossy(action).into_owned())
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_types::body::SdkBody;

    use super::operation;

    #[test]
    fn names_the_operation_of_both_protocols() {
        let mut request = HttpRequest::new(SdkBody::from("{\"StreamName\":\"orders\"}"));
        request.headers_mut().insert("x-amz-target", "Kinesis_20131202.ListShards");
        assert_eq!(operation(&request), "ListShards");
        let request = HttpRequest::new(SdkBody::from("Action=GetRole&Version=2010-05-08&RoleName=r"));
        assert_eq!(operation(&request), "GetRole");
        assert_eq!(operation(&HttpRequest::new(SdkBody::from("RoleName=r"))), "GET");
    }
}
