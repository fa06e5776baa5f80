//! Answers that are none, readers who pause, and how a run ends all the same.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use config::env::Env;
use config::{Kind, Outcome};

use super::{Interrupt, Notes, Settings, World, kpeek_in, numbers, sorted};
use crate::support::{Kinesis, Operation, Shared, Trouble, kpeek};

#[tokio::test(start_paused = true)]
async fn an_answer_of_somebody_else_does_not_end_a_shard() {
    for trouble in [Trouble::Portal, Trouble::Garbled] {
        let kinesis = Kinesis::new(1);
        kinesis.with(|model| {
            (0..5).for_each(|number| drop(model.put(0, number.to_string())));
            model.trouble(0, Operation::GetRecords, trouble);
        });
        let ran = kpeek(&kinesis, &["--raw"]).await;
        assert_eq!((ran.ended.as_ref(), ran.payloads()), (Ok(&Outcome::Done), numbers(5)), "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_decoded_is_not_counted() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        (0..3).for_each(|number| drop(model.put(0, number.to_string())));
        model.trouble(0, Operation::GetRecords, Trouble::Garbled);
    });
    let ran = kpeek(&kinesis, &["--stats", "--json"]).await;
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["records"], 3, "{report}");
    kinesis.with(|model| model.trouble(0, Operation::GetRecords, Trouble::Garbled));
    let counted = kpeek(&kinesis, &["--raw", "--count", "2"]).await;
    assert_eq!(counted.payloads(), numbers(2));
}

#[tokio::test(start_paused = true)]
async fn iterators_that_always_expire_end_the_run_at_last() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        (0..50).for_each(|_| model.trouble(0, Operation::GetRecords, Trouble::ExpiredIterator));
    });
    let fault = kpeek(&kinesis, &["--raw"]).await.ended.unwrap_err();
    assert_eq!(fault.kind(), Kind::Transient);
}

#[tokio::test(start_paused = true)]
async fn a_late_record_hides_none_that_was_in_time() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.put_at(0, 5, "0");
        model.put_at(0, 20, "late");
        model.put_at(0, 6, "1");
        model.put_at(0, 21, "later");
    });
    let ran = kpeek(&kinesis, &["--raw", "--until", "2024-01-15T10:00:00.010Z"]).await;
    assert_eq!((ran.ended.as_ref(), ran.payloads()), (Ok(&Outcome::Done), numbers(2)));
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_given_up_while_following_is_told_at_once() {
    let kinesis = Kinesis::new(2);
    let number = kinesis.with(|model| {
        model.page(1);
        let number = model.put(0, "0");
        (0..4).for_each(|number| drop(model.put(1, number.to_string())));
        number
    });
    let reads = AtomicUsize::new(0);
    kinesis.on_read(move |model, shard| {
        if shard == 0 && reads.fetch_add(1, Ordering::Relaxed) == 0 {
            model.trouble(0, Operation::GetRecords, Trouble::Denied);
        }
    });
    let stderr = Shared::default();
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", stderr.clone()),
        stdin_is_terminal: true,
        interrupt: Interrupt::never(),
    };
    let run = kpeek_in(&world, &kinesis, &["--follow"], Shared::default());
    assert!(tokio::time::timeout(Duration::from_secs(5), run).await.is_err());
    let said = stderr.text();
    assert!(said.contains("warning: failed to read shard shardId-000000000000: AccessDenied"), "{said}");
    assert!(said.contains(&format!("--shard shardId-000000000000 --from after-seq:{number}")), "{said}");
}

#[tokio::test(start_paused = true)]
async fn shards_that_fail_are_told_as_json_when_that_was_asked_for() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| model.trouble(1, Operation::GetRecords, Trouble::Denied));
    let ran = kpeek(&kinesis, &["--errors", "json"]).await;
    assert_eq!(ran.ended, Ok(Outcome::Incomplete));
    let [line] = ran.stderr.lines().collect::<Vec<_>>().try_into().unwrap();
    let fault: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&fault["tool"], &fault["kind"]), (&"kpeek".into(), &"refused".into()));
}

/// A reader who takes nothing until the other end is dropped.
struct Stuck(mpsc::Receiver<()>, Shared);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An error says that the pause is over.
        assert!(self.0.recv().is_err());
        self.1.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_who_pauses_holds_back_neither_ctrl_c_nor_the_consumer() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| (0..20).for_each(|number| drop(model.put(number % 2, number.to_string()))));
    let (raise, interrupt) = Interrupt::manual();
    let stderr = Shared::default();
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", stderr.clone()),
        stdin_is_terminal: true,
        interrupt,
    };
    let (_pause, paused) = mpsc::channel();
    let args = ["--raw", "--follow", "--consumer", "viewer"];
    let run = kpeek_in(&world, &kinesis, &args, Stuck(paused, Shared::default()));
    let service = kinesis.clone();
    let stop = async move {
        tokio::time::sleep(Duration::from_millis(800)).await;
        raise.send(true).unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!service.with(|model| model.has_consumer()), "the consumer waits for the reader");
    };
    let started = std::time::Instant::now();
    let (ended, ()) = tokio::join!(run, stop);
    assert_eq!(ended, Ok(Outcome::Interrupted));
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(stderr.text().contains("the reader of stdout does not read"), "{}", stderr.text());
}

#[tokio::test]
async fn what_a_reader_who_pauses_has_not_taken_is_not_read_on() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.page(1);
        (0..30).for_each(|number| drop(model.put(0, number.to_string())));
    });
    let (pause, paused) = mpsc::channel();
    let shown = Shared::default();
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", Shared::default()),
        stdin_is_terminal: true,
        interrupt: Interrupt::never(),
    };
    let run = kpeek_in(&world, &kinesis, &["--raw", "--count", "4"], Stuck(paused, shown.clone()));
    let service = kinesis.clone();
    let go_on = async move {
        tokio::time::sleep(Duration::from_millis(500)).await;
        // One answer is on its way, another waits behind it.
        assert_eq!(service.with(|model| model.reads().len()), 2);
        drop(pause);
    };
    let (ended, ()) = tokio::join!(run, go_on);
    assert_eq!(ended, Ok(Outcome::Done));
    assert_eq!(sorted(shown.text().lines().map(str::to_owned).collect()), numbers(4));
}
