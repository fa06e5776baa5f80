//! The smallest HTTP client that shows everything: one request a connection, and a connection that closes without
//! an answer is told apart from one that answers.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The status line and the headers, in lower case.
    pub(crate) head: String,
    /// The body: JSON where it is, a string otherwise.
    pub(crate) body: Value,
}

/// Sends one request and reads to the end. `None` when the connection closed without an answer.
pub(crate) async fn exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &str,
) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    let headers =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.ok().filter(|count| *count > 0)?;
    let text = String::from_utf8(received).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let body = serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
    Some(Answer { status, head: head.to_lowercase(), body })
}

/// The results of a validation, in order.
pub(crate) fn results(validation: &Value) -> Vec<&str> {
    let results = validation["results"].as_array().expect("results");
    results.iter().map(|check| check["result"].as_str().expect("a result")).collect()
}
