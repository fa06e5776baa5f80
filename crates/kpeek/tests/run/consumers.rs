//! Consumers that come and go at a bad moment.

use std::sync::atomic::{AtomicUsize, Ordering};

use config::env::Env;
use config::{Kind, Outcome};

use super::{Interrupt, Notes, Settings, World, kpeek_in, numbers};
use crate::support::{Kinesis, Model, Operation, Shared, Trouble, kpeek};

#[tokio::test(start_paused = true)]
async fn ctrl_c_while_the_consumer_is_created_takes_it_away_all_the_same() {
    let kinesis = Kinesis::new(1);
    kinesis.with(Model::stays_creating);
    let (raise, interrupt) = Interrupt::manual();
    let stderr = Shared::default();
    let world = World {
        settings: Settings::load(&Env::default(), None).unwrap(),
        notes: Notes::into_writer("kpeek", stderr.clone()),
        stdin_is_terminal: true,
        interrupt,
    };
    let run = kpeek_in(&world, &kinesis, &["--consumer", "viewer"], Shared::default());
    let stop = async {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        raise.send(true).unwrap();
    };
    let (ended, ()) = tokio::join!(run, stop);
    assert_eq!(ended.unwrap_err().kind(), Kind::Interrupted);
    assert!(!kinesis.with(|model| model.has_consumer()));
    assert!(stderr.text().ends_with("kpeek: deleted consumer `viewer`\n"), "{}", stderr.text());
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_still_being_deleted_is_waited_for() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| {
        model.add_dying_consumer();
        model.put(0, "0");
    });
    let ran = kpeek(&kinesis, &["--raw", "--consumer", "viewer"]).await;
    assert_eq!((ran.ended.as_ref(), ran.payloads()), (Ok(&Outcome::Done), numbers(1)), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("consumer `viewer` is still being deleted; waiting for it"),
        "{}",
        ran.stderr
    );
    assert!(!kinesis.with(|model| model.has_consumer()));
}

#[tokio::test(start_paused = true)]
async fn too_many_consumers_are_nothing_to_wait_for() {
    let kinesis = Kinesis::new(1);
    kinesis.with(Model::has_too_many_consumers);
    let fault = kpeek(&kinesis, &["--consumer", "viewer"]).await.ended.unwrap_err();
    assert_eq!((fault.kind(), fault.code()), (Kind::Refused, Some("LimitExceededException")));
    let hint = fault.hint().unwrap();
    assert!(hint.contains("list-stream-consumers --stream-arn arn:aws:kinesis:"), "{hint}");
}

#[tokio::test(start_paused = true)]
async fn a_subscription_to_the_latest_record_that_breaks_goes_back_to_when_the_service_was_asked() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| model.trouble(0, Operation::Event, Trouble::Internal));
    let events = AtomicUsize::new(0);
    // By the clock of this machine the record is years old.
    kinesis.on_read(move |model, _| {
        if events.fetch_add(1, Ordering::Relaxed) == 0 {
            model.put(0, "0");
        }
    });
    let args = ["--raw", "--consumer", "viewer", "--from", "latest", "--follow", "--count", "1"];
    assert_eq!(kpeek(&kinesis, &args).await.payloads(), numbers(1));
    let positions: Vec<String> =
        kinesis.with(|model| model.positions().iter().map(|(_, kind)| kind.clone()).collect());
    assert_eq!(positions, ["LATEST", "AT_TIMESTAMP"]);
}
