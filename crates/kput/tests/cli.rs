//! The binary: help, exit codes, both streams, and what it does to a service.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper that fails must fail its test")]

mod aggregated;
mod crowd;
mod fake;
mod resume;
mod service;
mod terminal;

use std::process::Stdio;

use fake::{Fake, clean, kput};
use snapbox::str;
use tempfile::tempdir;

const RECORD: &str = r#"{"timestamp":"2024-01-15T10:00:00","sensor_id":"sensor_01","location":"Freezer A","temperature_celsius":-18.2}"#;

#[test]
fn help_starts_with_examples_and_ends_with_exit_codes() {
    let home = tempdir().unwrap();
    let output = clean(home.path()).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(help.starts_with("Examples:\n  kput sensor-readings"), "{help}");
    assert!(help.trim_end().ends_with("130  interrupted"), "{help}");
}

#[test]
fn one_record_from_the_command_line() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    kput(&fake, home.path())
        .args(["sensor-readings", "--key", "sensor_01", "--data", RECORD])
        .assert()
        .code(0)
        .stdout_eq(str![[r#"
{"line":1,"shard_id":"shardId-000000000000","sequence_number":"00000000000000000000000000000000000000000000000049600000"}

"#]])
        .stderr_eq(str![[r#"
kput: put 1 record (119 bytes) to stream `sensor-readings` in [..]

"#]]);
    let stored = fake.stored();
    assert_eq!((stored[0].text().as_str(), stored[0].key.as_deref()), (RECORD, Some("sensor_01")));
    assert_eq!(fake.operations(), ["PutRecords"], "one small put asks nothing else");
}

#[test]
fn data_does_not_touch_stdin() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    kput(&fake, home.path())
        .args(["sensor-readings", "--key", "k", "--data", "a", "--data", "b", "--quiet"])
        .stdin("never read\n")
        .assert()
        .code(0)
        .stderr_eq("");
    assert_eq!(fake.stored().iter().map(fake::Stored::text).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn no_stream_names_the_ways_to_give_one() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    kput(&fake, home.path()).args(["--data", "x"]).assert().code(2).stdout_eq("").stderr_eq(str![[r#"
kput: no stream is given
hint: name it as STREAM, add --doc FILE with what `kstream ensure` printed, or set KINBRICKS_STREAM or `stream` in kinbricks.toml

"#]]);
}

#[test]
fn empty_stdin_puts_nothing_and_asks_nothing() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    kput(&fake, home.path()).arg("sensor-readings").stdin("").assert().code(0).stdout_eq("").stderr_eq(str![
        [r#"
kput: no records came in, nothing was put

"#]
    ]);
    assert!(fake.operations().is_empty());
}

#[test]
fn a_bad_third_line_ends_it_after_the_first_two() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let output = kput(&fake, home.path())
        .args(["sensor-readings", "--key-field", "id"])
        .stdin("{\"id\":1}\n{\"id\":2}\n{\"x\":3}\n{\"id\":4}\n")
        .assert()
        .code(3)
        .stderr_eq(str![[r#"
kput: put 2 records (18 bytes) to stream `sensor-readings` in [..]
kput: stdin, line 3: the record has no field `id`
hint: --on-missing-key random gives such records a random key, --on-missing-key skip leaves them out

"#]]);
    assert_eq!(String::from_utf8_lossy(&output.get_output().stdout).lines().count(), 2);
    assert_eq!(fake.stored().len(), 2);
}

#[test]
fn a_document_names_the_stream_and_a_bad_one_says_where() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let document = r#"{"kinbricks":1,"stream":{"name":"orders","arn":"arn:aws:kinesis:eu-central-1:123456789012:stream/orders","kms_key":null}}"#;
    std::fs::write(home.path().join("connection.json"), document).unwrap();
    kput(&fake, home.path()).args(["--doc", "connection.json", "--data", "x", "--key", "k"]).assert().code(0);
    assert_eq!(fake.state(|state| state.requests[0].1["StreamName"].clone()), "orders");
    std::fs::write(home.path().join("bad.json"), "{\n \"kinbricks\": }").unwrap();
    let output = kput(&fake, home.path()).args(["--doc", "bad.json", "--data", "x"]).assert().code(3);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("line 2, column"), "{said}");
}

#[test]
fn no_credentials_and_no_region_say_what_to_do() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let output = clean(home.path())
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ENDPOINT_URL", &fake.url)
        .args(["sensor-readings", "--data", "x", "--quiet"])
        .assert()
        .code(4);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("no AWS credentials") && said.contains("hint: run: aws login"), "{said}");
    let output = clean(home.path()).args(["sensor-readings", "--data", "x"]).assert().code(2);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("no AWS region") && said.contains("--region"), "{said}");
}

#[test]
fn errors_as_json_are_one_line() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    for args in [&["--errors", "json", "--data", "x"][..], &["--errors", "json", "--nonsense"]] {
        let output = kput(&fake, home.path()).args(args).assert().code(2);
        let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        let line: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!((line["tool"].as_str(), line["kind"].as_str()), (Some("kput"), Some("usage")));
    }
}

#[test]
fn a_record_without_its_key_is_left_out_or_gets_a_random_one_when_asked() {
    let lines = "{\"id\":\"a\"}\n{\"id\":null}\nhello\n";
    let (code, receipts, said) = service::put(&Fake::new(), &["--key-field", "id"], lines);
    assert_eq!((code, receipts.len()), (Some(3), 1), "{said}");
    assert!(said.contains("stdin, line 2: the record has null in field `id`"), "{said}");
    let fake = Fake::new();
    let (code, receipts, said) =
        service::put(&fake, &["--key-field", "id", "--on-missing-key", "skip"], lines);
    assert_eq!((code, fake.stored().len()), (Some(0), 1), "{said}");
    assert_eq!(receipts[2]["skipped"], "the record is not JSON");
    assert!(said.contains("2 left out"), "{said}");
    let fake = Fake::new();
    let args = ["--key-field", "id", "--hash-key", "99", "--on-missing-key", "random"];
    let (code, _, said) = service::put(&fake, &args, lines);
    assert_eq!(code, Some(0), "{said}");
    let stored = fake.stored();
    assert!(stored.iter().all(|stored| stored.hash.as_deref() == Some("99")), "what is known is kept");
    assert_eq!((stored[0].key.as_deref(), stored[2].key.as_ref().map(String::len)), (Some("a"), Some(16)));
}

#[test]
fn verbose_says_what_was_asked_of_whom_and_nothing_of_what_was_in_it() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let args = ["sensor-readings", "--key", "a-key", "--data", "a-payload", "--verbose"];
    let output = kput(&fake, home.path()).args(args).assert().code(0);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(
        said.contains("operation=\"PutRecords\" host=\"127.0.0.1:") && said.contains("status=200"),
        "{said}"
    );
    for hidden in ["a-key", "a-payload", "YS1wYXlsb2Fk", "wJalr", "AKIA", "Signature"] {
        assert!(!said.contains(hidden), "{said}");
    }
}

#[test]
fn flags_that_cannot_be_honoured_are_refused() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    for (args, expected) in [
        (&["--ordered"][..], "--key-field"),
        (&["--ordered", "--no-key"], "--key-field"),
        (&["--on-missing-key", "skip"], "--key-field"),
        (&["--csv-values", "text"], "--input csv"),
        (&["--skip-blank", "--input", "nul"], "--skip-blank"),
        (&["--rate", "1/s", "--rate", "2/s"], "--rate"),
        (&["--pretty"], "--pretty"),
        (&["--key", ""], "--key-random"),
        (&["--data", "x", "--file", "y"], "--file"),
        (&["--key", "a", "--key-field", "b"], "--key-field"),
        (&["--doc", "-"], "--doc FILE"),
        (&["--file", "-", "--file", "-"], "at most once"),
        (&["--endpoint-url", "localhost:4566"], "write one like http://"),
        (&["--rate", "1e-25/s"], "write one like 500/s"),
    ] {
        let output = kput(&fake, home.path()).arg("sensor-readings").args(args).stdin("x\n").assert().code(2);
        let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    assert!(fake.operations().is_empty());
}

#[test]
fn stdout_on_a_full_disk_is_not_a_success() {
    let (fake, home) = (Fake::new(), tempdir().unwrap());
    let output = service::command(&fake, home.path())
        .args(["sensor-readings", "--data", "x", "--key", "k"])
        .stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("failed to write to stdout") && said.contains("stored before that: 1 record"),
        "{said}"
    );
    assert_eq!(fake.stored().len(), 1);
}
