//! Splits and merges that come at a bad moment.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::numbers;
use crate::support::{Kinesis, kpeek};

#[tokio::test(start_paused = true)]
async fn a_child_waits_for_a_parent_that_nobody_has_heard_of() {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| {
        model.page(2);
        (0..8).for_each(|number| drop(model.put(1, number.to_string())));
    });
    let reads = AtomicUsize::new(0);
    kinesis.on_read(move |model, _| {
        // While the second shard is read, it is split, and one half is merged with the first shard, which ends at once.
        if reads.fetch_add(1, Ordering::Relaxed) == 0 {
            let [half, _] = model.split(1);
            model.put(half, "8");
            let child = model.merge(0, half);
            model.put(child, "9");
        }
    });
    let ran = kpeek(&kinesis, &["--raw", "--follow", "--count", "10"]).await;
    assert_eq!(ran.payloads(), numbers(10));
}

/// Shard 1 is split while another shard holds a record that arrived later than those of the children.
async fn merged_across_a_split(names_children: bool) {
    let kinesis = Kinesis::new(2);
    kinesis.with(|model| {
        model.names_children(names_children);
        model.put_at(0, 30, "3");
        model.put_at(1, 10, "0");
        let [one, other] = model.split(1);
        model.put_at(one, 15, "1");
        model.put_at(other, 20, "2");
    });
    let ran = kpeek(&kinesis, &["--raw", "--merge", "--from", "2024-01-15T10:00:00Z"]).await;
    assert_eq!(ran.payloads(), numbers(4));
    let followed = kpeek(&kinesis, &["--raw", "--merge", "--follow", "--count", "4"]).await;
    assert_eq!(followed.payloads(), numbers(4));
}

#[tokio::test(start_paused = true)]
async fn merged_shards_stay_in_order_across_a_split() {
    merged_across_a_split(true).await;
}

#[tokio::test(start_paused = true)]
async fn merged_shards_stay_in_order_while_the_children_are_looked_for() {
    merged_across_a_split(false).await;
}
