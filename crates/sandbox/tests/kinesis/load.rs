//! Many writers at once, on the real clock, while the stream is resharded under them.

use std::time::Duration;

use sandbox::clock::Clock;
use sandbox::kinesis::{Caller, Engine, Options};
use serde_json::{Value, json};

use crate::resharding::follow;
use crate::scene::{ACCOUNT, Scene};

const WRITERS: u32 = 4;
const BATCHES: u32 = 30;
const BATCH: u32 = 25;

fn real_time() -> Scene {
    let options = Options {
        create_delay: Duration::ZERO,
        update_delay: Duration::from_millis(2),
        ..Options::default()
    };
    let clock = Clock::system();
    let engine = Engine::with_clock(options, clock.clone());
    Scene { engine, clock, caller: Caller { account: ACCOUNT.to_owned() } }
}

fn batch(writer: u32, batch: u32) -> Value {
    use base64::Engine as _;
    let first = (writer * BATCHES + batch) * BATCH;
    let records: Vec<Value> = (first..first + BATCH)
        .map(|number| {
            let data = base64::engine::general_purpose::STANDARD.encode(number.to_string());
            json!({ "PartitionKey": format!("key-{number}"), "Data": data })
        })
        .collect();
    json!({ "StreamName": "orders", "Records": records })
}

/// Doubles the stream, halves it and doubles it again, each as soon as the stream allows.
fn reshard(scene: &Scene) {
    for target in [4, 8, 4, 6] {
        let resize =
            json!({ "StreamName": "orders", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING" });
        loop {
            match scene.call("UpdateShardCount", &resize) {
                Ok(_) => break,
                Err(error) => assert_eq!(error.code, "ResourceInUseException", "{error}"),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn nothing_is_lost_or_doubled_while_writers_race_a_reshard() {
    let scene = real_time();
    scene.ok("CreateStream", &json!({ "StreamName": "orders", "ShardCount": 2 }));
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let scene = &scene;
            scope.spawn(move || {
                for at in 0..BATCHES {
                    let answer = scene.ok("PutRecords", &batch(writer, at));
                    assert_eq!(answer["FailedRecordCount"], 0);
                }
            });
        }
        scope.spawn(|| reshard(&scene));
    });

    let mut read: Vec<u32> = follow(&scene, &[0, 1]).iter().map(|payload| payload.parse().unwrap()).collect();
    read.sort_unstable();
    assert_eq!(read, (0..WRITERS * BATCHES * BATCH).collect::<Vec<u32>>());
}
