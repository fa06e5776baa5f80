//! `--journal`: killed at any point, the same command goes on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use tempfile::tempdir;

use crate::fake::{Act, Fake, kput};
use crate::service::{command, interrupt, numbers, read, readings, wait_for};

const COUNT: usize = 4000;

fn args(journal: &Path) -> Vec<String> {
    let journal = journal.display().to_string();
    let words = ["sensor-readings", "--key-field", "id", "--in-flight", "2", "--journal", &journal];
    words.map(str::to_owned).to_vec()
}

#[test]
fn killed_at_random_points_it_loses_nothing_and_repeats_nothing_that_was_acknowledged() {
    let home = tempdir().unwrap();
    let journal = home.path().join("journal");
    let mut acknowledged: Vec<String> = Vec::new();
    let fake = Fake::new();
    for patience in [3_u64, 9, 1, 14] {
        let receipts = std::fs::File::create(home.path().join("receipts")).unwrap();
        let mut child = command(&fake, home.path())
            .args(args(&journal))
            .stdin(Stdio::piped())
            .stdout(receipts)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let feeder = std::thread::spawn(move || drop(stdin.write_all(readings(COUNT, 9).as_bytes())));
        // Not before something is under way, then at an arbitrary moment.
        let before = fake.batches().len();
        while fake.batches().len() == before && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_millis(patience));
        child.kill().unwrap();
        child.wait().unwrap();
        feeder.join().unwrap();
        let text = std::fs::read_to_string(home.path().join("receipts")).unwrap();
        acknowledged.extend(text.lines().filter(|line| line.ends_with('}')).map(str::to_owned));
    }
    let output = kput(&fake, home.path()).args(args(&journal)).stdin(readings(COUNT, 9)).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    acknowledged.extend(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned));

    let stored = fake.stored();
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    for number in numbers(&stored) {
        *times.entry(number).or_default() += 1;
    }
    assert_eq!(times.len(), COUNT, "every line arrived");
    let (mut receipts, mut seen): (BTreeMap<u64, usize>, BTreeMap<u64, usize>) = Default::default();
    for line in &acknowledged {
        let receipt: serde_json::Value = serde_json::from_str(line).unwrap();
        let line = receipt["line"].as_u64().unwrap();
        *seen.entry(line).or_default() += 1;
        if receipt["sequence_number"].is_string() {
            *receipts.entry(line).or_default() += 1;
        }
    }
    assert!(receipts.values().all(|count| *count == 1), "no line was acknowledged twice");
    assert_eq!(seen.len(), COUNT, "every line has a receipt, if only that it is known");
    // At most what was under way, unanswered or not yet written, can be there twice: two requests a kill.
    let repeated = times.values().filter(|count| **count > 1).count();
    assert!(repeated <= 4 * 2 * 500, "{repeated}");

    // Once more: nothing is left to do.
    let puts = fake.batches().len();
    let output = kput(&fake, home.path()).args(args(&journal)).stdin(readings(COUNT, 9)).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let known = |line: &str| line.ends_with(r#","known":"stored"}"#);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.lines().count() == COUNT && stdout.lines().all(known), "{stdout}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("4000 put by an earlier run"));
    assert_eq!(fake.batches().len(), puts);
}

#[test]
fn what_was_given_up_is_tried_again_unless_it_is_in_the_dead_letter_file() {
    for (letters, expected) in [(false, 10), (true, 9)] {
        let (home, journal) = (tempdir().unwrap(), "journal");
        let fake =
            Fake::scripted(
                |number, _| if number == 0 { Act::Fail(vec![4], "InternalFailure") } else { Act::Store },
            );
        let mut args = vec!["sensor-readings", "--key", "k", "--journal", journal, "--max-attempts", "1"];
        if letters {
            args.extend(["--dead-letter", "dead.ndjson"]);
        }
        kput(&fake, home.path()).args(&args).stdin(readings(10, 1)).assert().code(1);
        assert_eq!(fake.stored().len(), 9);
        let output = kput(&fake, home.path()).args(&args).stdin(readings(10, 1)).output().unwrap();
        let (code, receipts, said) = read(&output);
        assert_eq!((code, fake.stored().len()), (Some(0), expected), "{said}");
        assert_eq!(receipts[4]["known"] == "dead-letter", letters);
        assert_eq!(said.contains("1 among an earlier run's dead letters"), letters, "{said}");
    }
}

#[test]
fn what_is_in_the_dead_letter_file_is_given_up_and_no_reason_to_run_again() {
    let (home, fake) =
        (tempdir().unwrap(), Fake::scripted(|_, _| Act::Refuse(503, "ServiceUnavailable", "later")));
    let args =
        ["sensor-readings", "--key", "k", "--max-attempts", "2", "--journal", "j", "--dead-letter", "dead"];
    let output = kput(&fake, home.path()).args(args).stdin(readings(3, 1)).output().unwrap();
    let (code, receipts, said) = read(&output);
    assert_eq!((code, receipts.len()), (Some(1), 3), "{said}");
    assert_eq!(std::fs::read_to_string(home.path().join("dead")).unwrap().lines().count(), 3);
}

#[test]
fn a_shorter_input_is_not_taken_for_the_one_the_journal_knows() {
    let (home, fake) = (tempdir().unwrap(), Fake::new());
    let args = ["sensor-readings", "--key", "k", "--journal", "journal"];
    kput(&fake, home.path()).args(args).stdin("a\nb\nc\nd\n").assert().code(0);
    let output = kput(&fake, home.path()).args(args).stdin("x\ny\n").output().unwrap();
    let (code, _, said) = read(&output);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("it ends after 2 records, the journal knows record 4"), "{said}");
}

#[test]
fn a_full_disk_under_the_letters_leaves_what_is_stored_in_the_journal() {
    let home = tempdir().unwrap();
    let fake = Fake::scripted(
        |number, _| if number == 0 { Act::Fail(vec![4], "InternalFailure") } else { Act::Store },
    );
    let args = ["sensor-readings", "--key", "k", "--journal", "j", "--max-attempts", "1"];
    let output = kput(&fake, home.path())
        .args(args)
        .args(["--dead-letter", "/dev/full"])
        .stdin(readings(10, 1))
        .output();
    let (code, _, said) = read(&output.unwrap());
    assert_eq!(code, Some(3), "{said}");
    kput(&fake, home.path()).args(args).stdin(readings(10, 1)).assert().code(0);
    let mut seen = numbers(&fake.stored());
    seen.sort_unstable();
    assert_eq!(seen, (0..10).collect::<Vec<_>>(), "each one once");
}

#[test]
fn ctrl_c_with_a_journal_says_how_to_go_on_and_the_next_run_does() {
    let (home, fake) = (tempdir().unwrap(), Fake::new());
    // It takes twenty seconds: long enough to be interrupted.
    let args = ["sensor-readings", "--key-field", "id", "--journal", "j", "--rate", "100/s"];
    let input = home.path().join("input");
    std::fs::write(&input, readings(2000, 9)).unwrap();
    let child = command(&fake, home.path())
        .args(args)
        .stdin(std::fs::File::open(&input).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("records are stored", || fake.stored().len() >= 50);
    interrupt(&child);
    let (code, first, said) = read(&child.wait_with_output().unwrap());
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("run the same command again with the same input"), "{said}");
    let stored = first.iter().filter(|receipt| receipt["sequence_number"].is_string()).count();
    assert_eq!(stored, fake.stored().len(), "what is stored has a receipt");
    let args = &args[..5];
    let output = kput(&fake, home.path()).args(args).stdin(readings(2000, 9)).output().unwrap();
    let (code, second, said) = read(&output);
    assert_eq!((code, second.len()), (Some(0), 2000), "{said}");
    let known = second.iter().filter(|receipt| receipt["known"] == "stored").count();
    assert_eq!((known, fake.stored().len()), (stored, 2000), "nothing twice, nothing lost");
}

#[test]
fn another_input_or_stream_is_noticed_before_anything_is_sent() {
    let (home, fake) = (tempdir().unwrap(), Fake::new());
    let args = ["--key", "k", "--journal", "journal"];
    kput(&fake, home.path()).arg("sensor-readings").args(args).stdin("a\nb\n").assert().code(0);
    let output =
        kput(&fake, home.path()).arg("sensor-readings").args(args).stdin("a\nc\nd\n").assert().code(3);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("records 1 to 2 are others"), "{said}");
    let output = kput(&fake, home.path()).arg("orders").args(args).stdin("a\nb\n").assert().code(2);
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert!(said.contains("journal of stream `sensor-readings`"), "{said}");
    assert_eq!(fake.stored().len(), 2);
}

#[test]
fn a_full_disk_under_the_journal_stops_it_and_the_next_run_goes_on() {
    let (home, fake) = (tempdir().unwrap(), Fake::new());
    let input = home.path().join("input");
    std::fs::write(&input, readings(20_000, 9)).unwrap();
    let binary = snapbox::cmd::cargo_bin!("kput");
    // One KiB is what the file may have; without the trap the signal would end the process.
    let script = r#"trap "" XFSZ; ulimit -f 1; exec "$@""#;
    let args = ["sensor-readings", "--key-field", "id", "--journal", "journal"];
    let bounded = command(&fake, home.path());
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", script, "bash"]).arg(binary).args(args).current_dir(home.path()).env_clear();
    shell.envs(bounded.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.stdin(std::fs::File::open(&input).unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("failed to write the journal `journal`"), "{said}");
    assert!(fake.stored().len() < 20_000, "it stopped");
    let acknowledged = |output: &std::process::Output| -> std::collections::BTreeSet<u64> {
        let (_, receipts, _) = read(output);
        let stored = receipts.iter().filter(|receipt| receipt["sequence_number"].is_string());
        stored.map(|receipt| receipt["line"].as_u64().unwrap()).collect()
    };
    let first = acknowledged(&output);
    let output = kput(&fake, home.path()).args(args).stdin(readings(20_000, 9)).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!first.is_empty() && first.is_disjoint(&acknowledged(&output)), "acknowledged once");
    let mut seen = numbers(&fake.stored());
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 20_000, "nothing is lost");
}
