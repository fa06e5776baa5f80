//! The floor: what the bytes alone cost, with nothing of a tool around them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use anyhow::{Context, Result, ensure};
use base64::Engine;

use crate::sink::put_records_body;

/// Requests in flight, as many as `kput` keeps.
const CONNECTIONS: u64 = 4;

/// Records a request (Kinesis API model, `PutRecords`).
const BATCH: u64 = 500;

/// Replays prepared requests until `records` are put: writing and reading sockets, no more.
pub(crate) fn put(port: u16, records: u64) -> Result<()> {
    let body = put_records_body(0, BATCH);
    let mut request = head(port, "PutRecords", body.len()).into_bytes();
    request.extend(body);
    let requests = records.div_ceil(BATCH);
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..CONNECTIONS)
            .map(|lane| {
                let request = &request;
                scope.spawn(move || -> Result<()> {
                    let mut stream = connect(port)?;
                    let mut answer = Vec::new();
                    for _ in (lane..requests).step_by(usize::try_from(CONNECTIONS)?) {
                        stream.write_all(request)?;
                        read_answer(&mut stream, &mut answer)?;
                    }
                    Ok(())
                })
            })
            .collect();
        for lane in lanes {
            lane.join().map_err(|_| anyhow::anyhow!("a lane panicked"))??;
        }
        Ok(())
    })
}

/// Reads every page of shard 0: parses the JSON and decodes the base64.
pub(crate) fn peek(port: u16) -> Result<()> {
    #[derive(Default)]
    struct Seen {
        records: u64,
        bytes: usize,
    }
    let mut stream = connect(port)?;
    let mut iterator = "0/0".to_owned();
    let (mut answer, mut data, mut seen) = (Vec::new(), Vec::new(), Seen::default());
    loop {
        let body = format!(r#"{{"ShardIterator":"{iterator}","Limit":10000}}"#);
        stream.write_all(head(port, "GetRecords", body.len()).as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let start = read_answer(&mut stream, &mut answer)?;
        let page = answer.get(start..).unwrap_or_default();
        // Every payload stands between `"Data":"` and the next quote: nothing simpler reads a page.
        let before = seen.records;
        for place in memchr::memmem::find_iter(page, br#""Data":""#) {
            let rest = page.get(place + 8..).unwrap_or_default();
            let end = memchr::memchr(b'"', rest).context("a payload has no end")?;
            data.clear();
            base64::engine::general_purpose::STANDARD
                .decode_vec(rest.get(..end).unwrap_or_default(), &mut data)?;
            seen.records += 1;
            seen.bytes += data.len();
        }
        if seen.records == before {
            ensure!(seen.bytes > 0, "the source had no records");
            return Ok(());
        }
        let name = br#""NextShardIterator":""#;
        let place = memchr::memmem::rfind(page, name).context("a page has no next iterator")? + name.len();
        let rest = page.get(place..).unwrap_or_default();
        let end = memchr::memchr(b'"', rest).context("an iterator has no end")?;
        iterator = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
    }
}

fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).context("failed to connect")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn head(port: u16, operation: &str, length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: Kinesis_20131202.{operation}\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// Reads one answer and says where its body starts.
fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<usize> {
    answer.clear();
    let mut buffer = [0_u8; 16_384];
    loop {
        if let Some(head) = memchr::memmem::find(answer, b"\r\n\r\n").map(|end| end + 4) {
            let text = String::from_utf8_lossy(answer.get(..head).unwrap_or_default()).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.context("an answer has no length")?.trim().parse()?;
            let have = answer.len();
            answer.resize(head + length, 0);
            stream.read_exact(answer.get_mut(have..).unwrap_or_default())?;
            return Ok(head);
        }
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the endpoint closed the connection");
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
}
