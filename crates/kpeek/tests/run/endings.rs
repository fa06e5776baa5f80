//! Answers that are none, readers who pause, and how a run ends all the same.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
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
    let (raise, interrupt) = Interrupt::manual();
    let (first, others) = (AtomicUsize::new(0), AtomicUsize::new(0));
    kinesis.on_read(move |model, shard| {
        if shard == 0 && first.fetch_add(1, Ordering::Relaxed) == 0 {
            model.trouble(0, Operation::GetRecords, Trouble::Denied);
        }
        // Counted in reads, not in time: the clock runs on while the writer of stdout has not come to its turn.
        if shard == 1 && others.fetch_add(1, Ordering::Relaxed) == 20 {
            raise.send(true).unwrap();
        }
    });
    let stderr = Shared::default();
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", stderr.clone()),
        stdin_is_terminal: true,
        interrupt,
    };
    let ended = kpeek_in(&world, &kinesis, &["--follow"], Shared::default()).await;
    assert_eq!(ended, Ok(Outcome::Interrupted));
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
struct Stuck {
    pause: mpsc::Receiver<()>,
    /// Whether there is something to take.
    is_offered: Arc<AtomicBool>,
    taken: Shared,
}

impl Stuck {
    fn new(pause: mpsc::Receiver<()>) -> Self {
        Self { pause, is_offered: Arc::default(), taken: Shared::default() }
    }
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_offered.store(true, Ordering::Relaxed);
        // An error says that the pause is over.
        assert!(self.pause.recv().is_err());
        self.taken.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits for a condition in small steps, far longer than it takes.
async fn wait_for(mut done: impl FnMut() -> bool) {
    let until = tokio::time::Instant::now() + Duration::from_mins(1);
    while !done() {
        assert!(tokio::time::Instant::now() < until, "it never came to that");
        tokio::time::sleep(Duration::from_millis(5)).await;
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
    let reader = Stuck::new(paused);
    let is_offered = Arc::clone(&reader.is_offered);
    let run = kpeek_in(&world, &kinesis, &args, reader);
    let stop = async move {
        wait_for(|| is_offered.load(Ordering::Relaxed)).await;
        raise.send(true).unwrap();
    };
    // That it ends at all is much: the reader pauses for ever.
    let both = Box::pin(async { tokio::join!(run, stop) });
    let Ok((ended, ())) = tokio::time::timeout(Duration::from_mins(1), both).await else {
        panic!("it waits for the reader");
    };
    assert_eq!(ended, Ok(Outcome::Interrupted));
    assert!(!kinesis.with(|model| model.has_consumer()));
    let said = stderr.text();
    let at = |words: &str| said.find(words).unwrap_or_else(|| panic!("`{words}` is missing: {said}"));
    let given_up = at("the reader of stdout does not read");
    assert!(at("deleted consumer `viewer`") < given_up, "the consumer waits for the reader: {said}");
}

#[tokio::test]
async fn what_a_reader_who_pauses_has_not_taken_is_not_read_on() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.page(1);
        (0..30).for_each(|number| drop(model.put(0, number.to_string())));
    });
    let (pause, paused) = mpsc::channel();
    let reader = Stuck::new(paused);
    let shown = reader.taken.clone();
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", Shared::default()),
        stdin_is_terminal: true,
        interrupt: Interrupt::never(),
    };
    let run = kpeek_in(&world, &kinesis, &["--raw", "--count", "4"], reader);
    let service = kinesis.clone();
    let go_on = async move {
        // One answer is on its way, another waits behind it; there is time enough for more.
        wait_for(|| service.with(|model| model.reads().len()) >= 2).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(service.with(|model| model.reads().len()), 2);
        drop(pause);
    };
    let (ended, ()) = tokio::join!(run, go_on);
    assert_eq!(ended, Ok(Outcome::Done));
    assert_eq!(sorted(shown.text().lines().map(str::to_owned).collect()), numbers(4));
}
