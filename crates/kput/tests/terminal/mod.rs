//! What a person sees who watches: a line that is written anew, and nothing that cuts into it.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::tempdir;

use crate::fake::Fake;
use crate::service::{command, readings};

/// A terminal: the side that a person looks at, and the side that a program writes to.
fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
    // Nor may this side become the terminal of a test that leads its session: it would be hung up on with the person's.
    let no_terminal = OpenptFlags::NOCTTY.bits().cast_signed();
    let program = OpenOptions::new().read(true).write(true).custom_flags(no_terminal).open(name).unwrap();
    (File::from(person), program)
}

/// All that is shown until the program has ended.
fn shown(mut person: File, mut child: Child) -> String {
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        // Ends with an error when the last program has closed its side.
        drop(person.read_to_end(&mut bytes));
        String::from_utf8(bytes).unwrap()
    });
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(child);
    reader.join().unwrap()
}

#[test]
fn progress_is_one_line_that_gives_way_to_the_summary() {
    let (home, fake) = (tempdir().unwrap(), Fake::new());
    std::fs::write(home.path().join("input"), readings(1200, 9)).unwrap();
    let (person, program) = terminal();
    let begun = Instant::now();
    let child = command(&fake, home.path())
        .args(["sensor-readings", "--key-field", "id", "--rate", "1000/s", "--file", "input"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(program)
        .spawn()
        .unwrap();
    let shown = shown(person, child);
    let tenths = usize::try_from(begun.elapsed().as_millis() / 100).unwrap();
    let lines: Vec<&str> = shown.split("\r\u{1b}[2K").collect();
    let progress = lines.iter().filter(|line| line.contains(" in flight")).count();
    assert!((2..=tenths + 1).contains(&progress), "ten a second at most: {lines:?}");
    assert!(lines.iter().any(|line| line.contains("/s, ") && line.contains("KiB/s")), "{lines:?}");
    let last = lines.last().unwrap();
    assert!(last.starts_with("kput: put 1200 records") && last.ends_with("\r\n"), "{last:?}");
}

#[test]
fn receipts_on_the_same_terminal_are_not_cut_into() {
    let (home, fake) = (tempdir().unwrap(), Fake::new());
    std::fs::write(home.path().join("input"), readings(600, 9)).unwrap();
    let (person, program) = terminal();
    let child = command(&fake, home.path())
        .args(["sensor-readings", "--key-field", "id", "--rate", "1000/s", "--file", "input"])
        .stdin(Stdio::null())
        .stdout(program.try_clone().unwrap())
        .stderr(program)
        .spawn()
        .unwrap();
    let shown = shown(person, child);
    assert!(!shown.contains(" in flight"), "{shown}");
    let receipts = shown.lines().filter(|line| line.starts_with("{\"line\":") && line.ends_with('}')).count();
    assert_eq!(receipts, 600, "{shown}");
}
