//! Going on where an earlier run ended.

use std::path::PathBuf;

use config::{Kind, Outcome};
use tempfile::TempDir;

use super::{aggregated, items, numbers, sorted};
use crate::support::{Kinesis, Ran, kpeek};

/// A checkpoint file in a folder of its own.
struct File {
    path: PathBuf,
    _folder: TempDir,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("at.json"), _folder: folder }
    }

    async fn run(&self, kinesis: &Kinesis, more: &[&str]) -> Ran {
        let args = ["--checkpoint", self.path.to_str().unwrap()];
        kpeek(kinesis, &[&args, more].concat()).await
    }

    fn write(&self, content: &str) {
        std::fs::write(&self.path, content).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn shards_that_the_checkpoint_does_not_list_are_read_from_the_start() {
    let kinesis = Kinesis::new(3);
    kinesis.with(|model| (0..9).for_each(|number| drop(model.put(number % 3, number.to_string()))));
    let file = File::new();
    let mut all = file.run(&kinesis, &["--raw", "--shard", "0"]).await.payloads();
    assert_eq!(all.len(), 3);
    let rest = file.run(&kinesis, &["--raw"]).await;
    assert_eq!(rest.ended, Ok(Outcome::Done));
    all.extend(rest.payloads());
    assert_eq!(sorted(all), numbers(9));
    assert!(file.run(&kinesis, &["--raw"]).await.payloads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_not_there_is_refused_with_a_checkpoint_too() {
    let kinesis = Kinesis::new(1);
    let file = File::new();
    file.run(&kinesis, &[]).await;
    let fault = file.run(&kinesis, &["--shard", "77"]).await.ended.unwrap_err();
    assert_eq!(fault.kind(), Kind::Refused);
}

#[tokio::test(start_paused = true)]
async fn trimmed_parents_bring_nothing_back() {
    let kinesis = Kinesis::new(1);
    let file = File::new();
    let [one, other] = kinesis.with(|model| {
        model.put(0, "0");
        let children = model.split(0);
        for child in children {
            model.put(child, child.to_string());
        }
        children
    });
    assert_eq!(file.run(&kinesis, &["--raw"]).await.payloads().len(), 3);
    kinesis.with(|model| {
        let child = model.merge(one, other);
        for shard in [0, one, other] {
            model.trim(shard);
        }
        model.put(child, "3");
    });
    assert_eq!(file.run(&kinesis, &["--raw"]).await.payloads(), ["3"]);
    assert!(file.run(&kinesis, &["--raw"]).await.payloads().is_empty());
}

#[tokio::test(start_paused = true)]
async fn descendants_of_trimmed_shards_are_read_whole_although_the_origin_is_latest() {
    let kinesis = Kinesis::new(1);
    let file = File::new();
    file.write(
        r#"{"kinbricks_checkpoint":1,"stream":"s","origin":"latest","shards":[{"shard_id":"shardId-000000000000","position":"after-seq:5"}]}"#,
    );
    kinesis.with(|model| {
        let [one, _] = model.split(0);
        let [grandchild, _] = model.split(one);
        model.put(grandchild, "0");
        model.trim(0);
        model.trim(one);
    });
    let ran = file.run(&kinesis, &["--raw"]).await;
    assert_eq!(ran.payloads(), ["0"]);
    assert!(ran.stderr.contains("is older than the stream's retention"), "{}", ran.stderr);
    // Once is enough.
    assert!(!file.run(&kinesis, &["--raw"]).await.stderr.contains("retention"));
}

#[tokio::test(start_paused = true)]
async fn the_sequence_number_of_one_shard_is_no_place_in_another() {
    let kinesis = Kinesis::new(2);
    let number = kinesis.with(|model| {
        model.put(1, "other");
        model.put(0, "first")
    });
    let file = File::new();
    let from = format!("after-seq:{number}");
    assert!(file.run(&kinesis, &["--raw", "--shard", "0", "--from", &from]).await.payloads().is_empty());
    assert_eq!(file.run(&kinesis, &["--raw"]).await.payloads(), ["other"]);
}

#[tokio::test(start_paused = true)]
async fn a_place_inside_a_packed_record_is_kept_while_its_shard_is_not_read() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| drop(model.put(0, aggregated())));
    let file = File::new();
    let subs = |ran: Ran| items(&ran.stdout).into_iter().map(|(sub, _, _)| sub).collect::<Vec<_>>();
    assert_eq!(subs(file.run(&kinesis, &["--count", "3"]).await), [0, 1, 2]);
    // The next run only looks at another shard, the one after it cannot read.
    file.run(&kinesis, &["--shard", "1"]).await;
    kinesis.with(|model| {
        model.trouble(0, crate::support::Operation::GetShardIterator, crate::support::Trouble::Denied);
    });
    assert_eq!(file.run(&kinesis, &[]).await.ended, Ok(Outcome::Incomplete));
    assert_eq!(subs(file.run(&kinesis, &[]).await), [3]);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_was_not_shown_counts_nothing_as_read() {
    let kinesis = Kinesis::new(1);
    kinesis.with(|model| (0..20).for_each(|number| drop(model.put(0, number.to_string()))));
    let file = File::new();
    let path = file.path.clone();
    kinesis.on_read(move |_, _| {
        // Whenever it is killed, the next run reads all of it again.
        let saved = std::fs::read_to_string(&path).unwrap();
        assert!(saved.contains(r#""position":"trim-horizon""#), "{saved}");
    });
    let ran = file.run(&kinesis, &["--stats", "--json"]).await;
    assert!(ran.stdout.contains("\"records\":20,"), "{}", ran.stdout);
    kinesis.on_read(|_, _| {});
    let again = file.run(&kinesis, &["--stats", "--json"]).await;
    assert!(again.stdout.contains("\"records\":0,"), "{}", again.stdout);
}
