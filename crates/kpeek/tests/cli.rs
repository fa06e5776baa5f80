//! The binary: help, exit codes, both streams, and real runs inside a sandbox.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::Blob;
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process};
use sandbox::{Options, Sandbox};
use snapbox::{assert_data_eq, str};
use tempfile::TempDir;

/// Keys that nobody checks, for runs that end before a request is made.
const SOMEBODY: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_REGION", "eu-central-1"),
];

const READING: &str = r#"{"timestamp":"2024-01-15T10:00:00","sensor_id":"sensor_01","location":"Freezer A","temperature_celsius":-18.2}"#;

/// How a run ended and what it wrote.
#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn of(mut child: Child, stdin: &str) -> Self {
        // A tool that does not read its stdin closes it; that is no failure of the test.
        drop(child.stdin.take().map(|mut pipe| pipe.write_all(stdin.as_bytes())));
        let output = child.wait_with_output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn ends_with(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is missing: {self:?}");
        }
    }
}

/// The binary with these variables and no others, in an empty home.
fn command(home: &TempDir, args: &[&str], env: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new(snapbox::cmd::cargo_bin!("kpeek"));
    command
        .env_clear()
        .envs(env)
        .env("HOME", home.path())
        .env("TZ", "UTC")
        .current_dir(home.path())
        .args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn bare(args: &[&str], env: &[(&str, &str)], stdin: &str) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ran::of(command(&home, args, &env).spawn().unwrap(), stdin)
}

/// A sandbox on a thread of its own, with a stream of two shards.
struct Scene {
    environment: BTreeMap<String, String>,
    home: TempDir,
    runtime: tokio::runtime::Runtime,
    client: Client,
    _running: tokio::sync::oneshot::Sender<()>,
}

impl Scene {
    fn start() -> Self {
        let mut options = Options::default();
        options.kinesis.create_delay = Duration::ZERO;
        let (tell, told) = std::sync::mpsc::channel();
        let (running, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let sandbox = Sandbox::start(options).await.unwrap();
                tell.send(sandbox.environment()).unwrap_or_default();
                // Ends when the scene is dropped.
                stopped.await.unwrap_or_default();
            });
        });
        let environment: BTreeMap<String, String> = told.recv().unwrap().into_iter().collect();
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(&environment["AWS_ENDPOINT_URL_KINESIS"])
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                &environment["AWS_ACCESS_KEY_ID"],
                &environment["AWS_SECRET_ACCESS_KEY"],
                None,
                None,
                "sandbox",
            )))
            .build();
        let scene = Self {
            environment,
            home: tempfile::tempdir().unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            client: Client::new(&sdk),
            _running: running,
        };
        let create = scene.client.create_stream().stream_name("sensor-readings").shard_count(2);
        scene.runtime.block_on(create.send()).unwrap();
        scene
    }

    fn put(&self, key: &str, data: &str) {
        let put = self.client.put_record().stream_name("sensor-readings").partition_key(key);
        self.runtime.block_on(put.data(Blob::new(data)).send()).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[])
    }

    fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut environment = self.environment.clone();
        environment.extend(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ran::of(command(&self.home, args, &environment).spawn().unwrap(), "")
    }

    fn shell(&self, line: &str) -> Ran {
        let mut command = Command::new("/bin/bash");
        command.args(["-c", line]).env_clear().envs(&self.environment).env("PATH", "/usr/bin:/bin");
        command.env("TOOL", snapbox::cmd::cargo_bin!("kpeek")).env("HOME", self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ran::of(command.spawn().unwrap(), "")
    }
}

#[test]
fn help_starts_with_examples_and_ends_with_the_exit_codes() {
    let ran = bare(&["--help"], &[], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("Examples:\n  kpeek sensor-readings --table "), "{}", ran.stdout);
    assert!(ran.stdout.trim_end().ends_with("130  interrupted"), "{}", ran.stdout);
}

#[test]
fn every_example_of_the_help_is_understood() {
    let help = bare(&["--help"], &[], "").stdout;
    let examples = help.lines().skip(1).take_while(|line| !line.is_empty());
    let mut seen = 0;
    for example in examples {
        let line = example.split("  ").find(|part| part.trim_start().starts_with("kpeek")).unwrap();
        let line = line.split(" | ").next().unwrap().trim();
        // With --explain-config it reads its arguments and does nothing.
        let words = format!("\"$TOOL\" --explain-config {} >/dev/null", line.trim_start_matches("kpeek"));
        let mut shell = Command::new("/bin/bash");
        shell.args(["-c", &words]).env_clear().env("TOOL", snapbox::cmd::cargo_bin!("kpeek"));
        assert!(shell.status().unwrap().success(), "{example}");
        seen += 1;
    }
    assert!(seen >= 8, "{help}");
}

#[test]
fn without_a_stream_it_says_who_would_have_named_one() {
    bare(&[], &SOMEBODY, "")
        .ends_with(2, &["no stream is given", "STREAM", "kstream ensure", "KINBRICKS_STREAM"]);
    bare(&["--doc", "-"], &SOMEBODY, "").ends_with(2, &["no stream is given"]);
}

#[test]
fn bad_values_are_refused_before_anything_is_sent() {
    for (args, said) in [
        (&["two words"][..], "`two words` is not a stream name"),
        (&["arn:aws:s3:::bucket"], "`arn:aws:s3:::bucket` is not a stream ARN"),
        (&["s", "--from", "soon"], "`soon` is no position; write trim-horizon, latest"),
        (&["s", "--from", "at:2999-01-01"], "lies in the future"),
        (&["s", "--until", "soon"], "`soon` is no time"),
        (&["s", "--for", "ever"], "`ever` is no duration"),
        (&["s", "--count", "0"], "0"),
        (&["s", "--match", "("], "unclosed group"),
        (&["s", "--where", ".a >"], "is no jq filter"),
        (&["s", "--fields", "a..b"], "`a..b` is no field"),
        (&["s", "--format", "{key}"], "there is no `{key}`"),
        (&["s", "--raw", "--table"], "cannot be used with"),
        (&["s", "--follow", "--until", "now"], "cannot be used with"),
        (&["s", "--shard", "a b"], "is not a shard id"),
        (&["s", "--delimiter", ","], "--raw"),
        (&["s", "--json"], "--stats"),
        (&["s", "--stats", "--fields", "a"], "cannot be used with"),
        (&["s", "--plot", "a", "--fields", "b"], "cannot be used with"),
        (&["s", "--merge", "5s"], "write --merge=5s"),
        (&["s", "other"], "there is one stream already"),
        (&["s", "--key", ""], "a partition key has at least one character"),
        (&["s", "--format", "{partition_key"], "lacks its `}`"),
        (&["s", "--where", "halt"], "there is no filter `halt`"),
        (&["s", "--for", "18446744073709551615s"], "is longer than 3650 days"),
        (&["s", "--merge=9223372036854775807s"], "is longer than 3650 days"),
        (&["s", "--region", "Frankfurt"], "`Frankfurt` is not an AWS region"),
    ] {
        bare(args, &SOMEBODY, "").ends_with(2, &[said]);
    }
}

#[test]
fn a_malformed_document_is_the_neighbours_fault() {
    bare(&["--doc", "-"], &SOMEBODY, "{\n  oops").ends_with(3, &["line 2, column 3"]);
    bare(&["--doc", "missing.json"], &SOMEBODY, "").ends_with(2, &["`missing.json`"]);
}

#[test]
fn without_credentials_or_a_region_it_says_what_to_do() {
    let env = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_REGION", "eu-central-1")];
    bare(&["s"], &env, "").ends_with(4, &["no AWS credentials were found", "hint: run: aws login"]);
    bare(&["s"], &[("AWS_EC2_METADATA_DISABLED", "true")], "")
        .ends_with(2, &["no AWS region is given", "--region"]);
}

#[test]
fn errors_as_json_are_exactly_one_line() {
    for args in [&["s", "--from", "soon"][..], &["s", "--region", "x"], &["--doc", "-"]] {
        let args = [args, &["--errors", "json"]].concat();
        let ran = bare(&args, &SOMEBODY, "{");
        let lines: Vec<&str> = ran.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "{ran:?}");
        let fault: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!(fault["tool"], "kpeek");
        assert!(fault["message"].is_string() && fault.get("hint").is_some(), "{fault}");
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn shows_the_guides_record_in_every_form() {
    let scene = Scene::start();
    scene.put("sensor_01", READING);
    let ran = scene.run(&["sensor-readings"]);
    ran.ends_with(0, &[]);
    assert_data_eq!(
        &ran.stdout,
        str![[r#"
{"stream":"sensor-readings","shard_id":"shardId-00000000000[..]","sequence_number":"[..]","sub":0,"arrived_at":"[..]Z","partition_key":"sensor_01","json":{"timestamp":"2024-01-15T10:00:00","sensor_id":"sensor_01","location":"Freezer A","temperature_celsius":-18.2}}

"#]]
    );
    let line: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let members: Vec<&String> = line.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["stream", "shard_id", "sequence_number", "sub", "arrived_at", "partition_key", "json"]
    );

    assert_eq!(scene.run(&["sensor-readings", "--raw"]).stdout, format!("{READING}\n"));
    assert_eq!(scene.run(&["sensor-readings", "--raw", "--delimiter", "\\0"]).stdout, format!("{READING}\0"));
    let formatted = scene.run(&["sensor-readings", "--format", "{partition_key} {.temperature_celsius}"]);
    assert_eq!(formatted.stdout, "sensor_01 -18.2\n");
    let table = scene.run_with(&["sensor-readings", "--table"], &[("COLUMNS", "40")]);
    assert_data_eq!(
        &table.stdout,
        str![[r#"
SHARD  ARRIVED   KEY         DATA
[..]      [..]:[..]:[..]  sensor_01   {"timestam…

"#]]
    );
    let stats = scene.run(&["sensor-readings", "--stats", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&stats.stdout).unwrap();
    assert_eq!((&report["records"], report["shards"].as_array().unwrap().len()), (&serde_json::json!(1), 2));
}

#[test]
fn the_stream_may_come_from_a_document() {
    let scene = Scene::start();
    scene.put("sensor_01", READING);
    let path = scene.home.path().join("connection.json");
    let document = r#"{"kinbricks":1,"stream":{"name":"sensor-readings","arn":"arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings"}}"#;
    fs::write(&path, document).unwrap();
    let ran = scene.run_with(&["--doc", path.to_str().unwrap(), "--raw"], &[("AWS_REGION", "")]);
    assert_eq!((ran.code, ran.stdout), (0, format!("{READING}\n")), "{}", ran.stderr);
    // An argument beats the document.
    scene.run(&["other", "--doc", path.to_str().unwrap()]).ends_with(4, &["stream `other`"]);
}

#[test]
fn an_unknown_stream_and_an_unknown_shard_are_refused() {
    let scene = Scene::start();
    scene.run(&["nope"]).ends_with(4, &["failed to list the shards of stream `nope`", "hint: kstream list"]);
    scene
        .run(&["sensor-readings", "--shard", "9"])
        .ends_with(4, &["there is no shard `shardId-000000000009`", "shardId-000000000001"]);
    scene.run(&["sensor-readings", "--from", "at-seq:1"]).ends_with(2, &["--shard"]);
    let strange = [
        "sensor-readings",
        "--shard",
        "0",
        "--from",
        "at-seq:99999999999999999999999999999999999999999999999999999999",
    ];
    scene
        .run(&strange)
        .ends_with(2, &["failed to begin shard shardId-000000000000 at `at-seq:9", "--from trim-horizon"]);
}

#[test]
fn a_reader_who_leaves_ends_it_quietly() {
    let scene = Scene::start();
    for number in 0..200 {
        scene.put(&number.to_string(), READING);
    }
    let ran = scene.shell("set -o pipefail; \"$TOOL\" sensor-readings | head -1");
    assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.lines().count()), (0, "", 1));
}

#[test]
fn a_reader_who_leaves_does_not_keep_the_checkpoint_from_moving_on() {
    let scene = Scene::start();
    let padding = "x".repeat(2000);
    let put = |from: usize| {
        (from..from + 100).for_each(|number| scene.put("k", &format!("{number} {padding}")));
    };
    put(0);
    // The first answer is taken whole, and the checkpoint given time to tell of it. The reader has left when the second one
    // comes.
    let line = "\"$TOOL\" sensor-readings --raw --follow --checkpoint \"$HOME/at.json\" | { \
                head -100; for _ in {1..1200}; do grep -q after-seq \"$HOME/at.json\" && break; sleep 0.05; done; }";
    let mut shell = Command::new("/bin/bash");
    shell.args(["-c", line]).env_clear().envs(&scene.environment).env("PATH", "/usr/bin:/bin");
    shell.env("TOOL", snapbox::cmd::cargo_bin!("kpeek")).env("HOME", scene.home.path());
    let mut child = shell.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.map(Result::unwrap).count(), 100);
    child.wait().unwrap();
    put(100);
    let path = scene.home.path().join("at.json");
    let rest = scene.run(&["sensor-readings", "--raw", "--checkpoint", path.to_str().unwrap()]);
    let first = rest.stdout.lines().next().unwrap().split(' ').next().unwrap().to_owned();
    assert_eq!((first.as_str(), rest.stdout.lines().count()), ("100", 100));
}

#[test]
fn a_wide_terminal_is_no_reason_to_fall_over() {
    let scene = Scene::start();
    scene.put("sensor_01", READING);
    let ran = scene.run_with(&["sensor-readings", "--table"], &[("COLUMNS", "99999999999")]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 2), "{}", ran.stderr);
}

#[test]
fn csv_of_an_empty_stream_has_a_header() {
    let ran = Scene::start().run(&["sensor-readings", "--csv", "--fields", "a"]);
    assert_eq!(ran.stdout, "shard_id,sequence_number,sub,arrived_at,partition_key,a\n");
}

#[test]
fn a_filter_that_fails_on_every_record_says_so() {
    let scene = Scene::start();
    scene.put("sensor_01", READING);
    let ran = scene.run(&["sensor-readings", "--where", ".sensor_id.deeper == 1"]);
    ran.ends_with(
        0,
        &["1 record was read, but not chosen", "--where failed on 1 record, first: cannot index"],
    );
}

#[test]
fn what_is_packed_can_be_looked_for_and_is_shown_as_it_is_stored() {
    let scene = Scene::start();
    scene.put("sensor_01", READING);
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zipped.write_all(READING.as_bytes()).unwrap();
    let zipped = zipped.finish().unwrap();
    let put = scene.client.put_record().stream_name("sensor-readings").partition_key("zipped");
    scene.runtime.block_on(put.data(Blob::new(zipped)).send()).unwrap();
    for choice in [["--where", ".temperature_celsius < -10"], ["--match", "Freezer A"]] {
        let ran = scene.run(&[&["sensor-readings"][..], &choice].concat());
        assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
        assert!(ran.stdout.contains("\"partition_key\":\"zipped\",\"bytes\":\"H4sI"), "{}", ran.stdout);
        let stored = scene.run(&[&["sensor-readings", "--decode", "none"][..], &choice].concat());
        assert_eq!(stored.stdout.lines().count(), 1);
    }
}

#[test]
fn a_reader_who_leaves_is_noticed_although_nothing_arrives() {
    let scene = Scene::start();
    scene.put("sensor_01", READING);
    let ran = scene.shell("set -o pipefail; \"$TOOL\" sensor-readings --follow | head -1");
    assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.lines().count()), (0, "", 1));
}

#[test]
fn a_full_disk_is_told() {
    let scene = Scene::start();
    scene.put("sensor_01", READING);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let child = command(&scene.home, &["sensor-readings"], &scene.environment).stdout(full).spawn().unwrap();
    Ran::of(child, "").ends_with(3, &["failed to write to stdout: No space left", "hint: "]);
}

#[test]
fn following_shows_what_arrives_and_ctrl_c_ends_it() {
    let scene = Scene::start();
    scene.put("sensor_01", "before");
    let args = ["sensor-readings", "--raw", "--follow"];
    let mut child = command(&scene.home, &args, &scene.environment).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "before");
    scene.put("sensor_01", "after");
    assert_eq!(lines.next().unwrap().unwrap(), "after");
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(lines.next().is_none());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "kpeek: interrupted: 2 records shown\n");
}

#[test]
fn a_terminal_that_is_closed_ends_it_like_ctrl_c() {
    let scene = Scene::start();
    scene.put("sensor_01", "before");
    let args = ["sensor-readings", "--raw", "--follow", "--consumer", "viewer"];
    let mut child = command(&scene.home, &args, &scene.environment).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "before");
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    if ignores_hangup() {
        scene.put("sensor_01", "after");
        assert_eq!(lines.next().unwrap().unwrap(), "after", "it outlives the terminal, as nohup promises");
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    }
    Ran::of(child, "").ends_with(130, &["deleted consumer `viewer`"]);
}

/// Whether these tests, and so what they start, were started with SIGHUP ignored, as under nohup.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default().trim();
    u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & 1 != 0)
}

#[test]
fn a_reader_who_pauses_holds_back_neither_the_end_nor_ctrl_c() {
    let scene = Scene::start();
    let padding = "x".repeat(5000);
    (0..100).for_each(|number| scene.put(&number.to_string(), &padding));
    for (name, args, signal) in
        [("viewer", &["--follow"][..], Signal::INT), ("watcher", &["--for", "5s"], Signal::TERM)]
    {
        let args = [&["sensor-readings", "--raw", "--consumer", name], args].concat();
        let mut child = command(&scene.home, &args, &scene.environment).spawn().unwrap();
        let (mut stdout, mut said) = (child.stdout.take().unwrap(), String::new());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let deleted = format!("deleted consumer `{name}`");
        // Nobody reads its stdout, which is full.
        let until = Instant::now() + Duration::from_mins(1);
        while ioctl_fionread(&stdout).unwrap() < 60_000 {
            assert!(Instant::now() < until && child.try_wait().unwrap().is_none(), "it fills no pipe");
            std::thread::sleep(Duration::from_millis(5));
        }
        if signal == Signal::TERM {
            // Its time is over.
            while !said.contains(&deleted) {
                assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
            }
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
        assert!(said.contains(&deleted), "{said}");
        let mut taken = Vec::new();
        stdout.read_to_end(&mut taken).unwrap();
        assert!(taken.len() < 500_000);
    }
}

#[test]
fn a_kill_loses_nothing_that_the_checkpoint_does_not_know() {
    let scene = Scene::start();
    for number in 0..100 {
        scene.put(&number.to_string(), &number.to_string());
    }
    let args = ["sensor-readings", "--raw", "--follow", "--checkpoint", "at.json"];
    let mut child = command(&scene.home, &args, &scene.environment).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen: Vec<String> = lines.by_ref().take(100).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for number in 100..120 {
        scene.put(&number.to_string(), &number.to_string());
    }
    let rest = scene.run(&["sensor-readings", "--raw", "--checkpoint", "at.json"]);
    seen.extend(rest.stdout.lines().map(str::to_owned));
    seen.sort_by_key(|line| line.parse::<usize>().unwrap());
    seen.dedup();
    let all: Vec<String> = (0..120).map(|number| number.to_string()).collect();
    assert_eq!(seen, all);
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_told_before_anything_is_shown() {
    let scene = Scene::start();
    scene.put("sensor_01", READING);
    let ran = scene.run(&["sensor-readings", "--checkpoint", "missing/at.json"]);
    ran.ends_with(2, &["failed to write the checkpoint `missing/at.json`"]);
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_consumer_is_registered_and_taken_away() {
    let scene = Scene::start();
    scene.put("sensor_01", "0");
    let ran = scene.run(&["sensor-readings", "--raw", "--consumer", "viewer", "--count", "1"]);
    ran.ends_with(0, &["created consumer `viewer`", "deleted consumer `viewer`"]);
    assert_eq!(ran.stdout, "0\n");
}
