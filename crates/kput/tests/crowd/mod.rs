//! A million keys: each record has another one. Nothing may be lost, and nothing may grow with their number.

use std::fs;
use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::tempdir;

use crate::fake::{Fake, request, respond};
use crate::service::command;

const COUNT: usize = 1_000_000;

/// What the process may have at most, in KiB. The release build stays below 32 MiB; this one is not optimised, and not
/// stripped.
const MOST_KIB: u64 = 64 * 1024;

/// How often each number came, from an endpoint that looks at nothing but the payloads.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<u8>>>);

impl Seen {
    /// Serves on loopback and returns the URL.
    fn serve(&self) -> String {
        self.0.lock().unwrap().resize(COUNT, 0);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = self.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let seen = seen.clone();
                thread::spawn(move || seen.answer(connection));
            }
        });
        url
    }

    fn answer(&self, connection: TcpStream) {
        let mut write = connection.try_clone().unwrap();
        let mut read = BufReader::with_capacity(1 << 20, connection);
        let mut answer = String::new();
        while let Some((operation, body)) = request(&mut read) {
            answer.clear();
            if operation == "PutRecords" {
                self.put(std::str::from_utf8(&body).unwrap(), &mut answer);
            } else if operation == "ListShards" {
                answer.push_str(concat!(
                    r#"{"Shards":[{"ShardId":"shardId-000000000000","HashKeyRange":{"StartingHashKey":"0","#,
                    r#""EndingHashKey":"340282366920938463463374607431768211455"},"#,
                    r#""SequenceNumberRange":{"StartingSequenceNumber":"1"}}]}"#
                ));
            } else {
                answer.push_str("{}");
            }
            if !respond(&mut write, 200, &answer) {
                return;
            }
        }
    }

    fn put(&self, body: &str, answer: &mut String) {
        answer.push_str(r#"{"FailedRecordCount":0,"Records":["#);
        let mut seen = self.0.lock().unwrap();
        for (at, entry) in body.split(r#""Data":""#).skip(1).enumerate() {
            let data = STANDARD.decode(entry.split('"').next().unwrap()).unwrap();
            let mut note = |data: &[u8]| {
                let text = std::str::from_utf8(data).unwrap();
                let number: usize =
                    text.trim_start_matches(r#"{"id":"#).trim_end_matches('}').parse().unwrap();
                seen[number] += 1;
            };
            match aggregate::unpack(&data) {
                Ok(entries) => entries.iter().for_each(|entry| note(entry.data)),
                Err(_) => note(&data),
            }
            answer.push_str(if at > 0 { "," } else { "" });
            answer.push_str(r#"{"SequenceNumber":"1","ShardId":"shardId-000000000000"}"#);
        }
        answer.push_str("]}");
    }
}

/// The most memory that a process had until it ended, in KiB.
fn peak_kib(child: &mut Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        thread::sleep(Duration::from_millis(20));
    }
    peak
}

fn check(args: &[&str]) {
    let (home, seen) = (tempdir().unwrap(), Seen::default());
    let url = seen.serve();
    let input = home.path().join("input");
    let lines: Vec<String> = (0..COUNT).map(|number| format!("{{\"id\":{number}}}\n")).collect();
    fs::write(&input, lines.concat()).unwrap();
    // Only for its environment: this endpoint is another.
    let mut child = command(&Fake::new(), home.path())
        .env("AWS_ENDPOINT_URL", url)
        .args(["sensor-readings", "--key-field", "id", "--stats", "json"])
        .args(args)
        .stdin(fs::File::open(&input).unwrap())
        .stdout(fs::File::create(home.path().join("receipts")).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let peak = peak_kib(&mut child);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(seen.0.lock().unwrap().iter().all(|times| *times == 1), "each record once: {said}");
    let receipts = fs::read_to_string(home.path().join("receipts")).unwrap();
    let wanted = if args.contains(&"none") { 0 } else { COUNT };
    for (receipt, line) in receipts.lines().zip(1..) {
        assert!(receipt.starts_with(&format!("{{\"line\":{line},\"shard_id\"")), "{receipt}");
    }
    assert_eq!(receipts.lines().count(), wanted);
    assert!(peak > 0 && peak < MOST_KIB, "{peak} KiB");
}

#[test]
fn a_million_keys_in_order() {
    check(&["--ordered"]);
}

#[test]
fn a_million_keys_in_aggregates() {
    check(&["--aggregate"]);
}

#[test]
fn a_million_keys_in_aggregates_and_nobody_who_wants_receipts() {
    check(&["--aggregate", "--receipts", "none"]);
}
