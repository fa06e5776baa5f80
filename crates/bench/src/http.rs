//! A server of just enough HTTP/1.1 for a benchmark: keep-alive, a body of known length, one answer.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What answers requests.
pub(crate) trait Answer: Clone + Send + Sync + 'static {
    /// The JSON that answers `operation`, written into `answer`.
    fn answer(&self, operation: &str, body: &[u8], answer: &mut Vec<u8>);
}

/// Serves on a free loopback port, printed first, until killed.
pub(crate) fn serve(service: &impl Answer) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("failed to bind")?;
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{}", listener.local_addr()?.port())?;
        stdout.flush()?;
        let service = Arc::new(service.clone());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let service = Arc::clone(&service);
            // A client that goes away ends its connection, nothing else.
            tokio::spawn(async move { drop(connection(stream, service.as_ref()).await) });
        }
    })
}

async fn connection(mut stream: TcpStream, service: &impl Answer) -> Result<()> {
    let mut request = Vec::with_capacity(1 << 18);
    let (mut body_out, mut out) = (Vec::new(), Vec::new());
    loop {
        request.clear();
        let head = loop {
            if let Some(end) = memchr::memmem::find(&request, b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        };
        let (operation, length) = {
            let text = String::from_utf8_lossy(request.get(..head).unwrap_or_default());
            let header = |name: &str| {
                text.lines().find_map(|line| {
                    let (key, value) = line.split_once(':')?;
                    key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
                })
            };
            let operation = header("x-amz-target").unwrap_or_default();
            let operation = operation.rsplit('.').next().unwrap_or_default().to_owned();
            (operation, header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0_usize))
        };
        request.reserve((head + length).saturating_sub(request.len()));
        while request.len() < head + length {
            if stream.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        }
        body_out.clear();
        service.answer(&operation, request.get(head..head + length).unwrap_or_default(), &mut body_out);
        out.clear();
        write!(
            out,
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n",
            body_out.len()
        )?;
        out.extend_from_slice(&body_out);
        stream.write_all(&out).await?;
    }
}
