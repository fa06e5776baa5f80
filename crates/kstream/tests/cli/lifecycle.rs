//! A stream's life: created, changed, looked at, priced, deleted; and every second run.

use std::io::{BufRead, BufReader, Read};

use serde_json::json;
use snapbox::{assert_data_eq, str};

use crate::scene::{ARN, DELETION, STREAM, Scene};

#[test]
fn a_stream_is_created_once_and_every_member_of_the_document_passes_through() {
    let scene = Scene::start();
    let ran = scene.run(&["ensure", STREAM], r#"{"kinbricks":1,"later":{"n":1.0}}"#);
    ran.ends_with(
        0,
        &[
            "created stream `sensor-readings` (on-demand, 4 shards) in ",
            "kstream delete sensor-readings --yes",
        ],
    );
    assert_data_eq!(
        &ran.stdout,
        str![[r#"
{"kinbricks":1,"later":{"n":1.0},"stream":{"name":"sensor-readings","arn":"arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings","status":"ACTIVE","mode":"ON_DEMAND","open_shards":4,"max_record_size_kib":1024,"retention_hours":24,"kms_key":null}}

"#]]
    );
    assert_eq!(scene.writes(), ["CreateStream"]);
    let again = scene.run(&["ensure"], &ran.stdout);
    again.ends_with(0, &["unchanged stream `sensor-readings`"]);
    assert_eq!(again.stdout, ran.stdout);
    assert_eq!(scene.writes(), [""; 0]);
}

#[test]
fn everything_can_be_asked_for_at_once_and_asked_for_again() {
    let scene = Scene::start();
    let wanted = [
        "ensure",
        "s",
        "--shards",
        "2",
        "--retention-hours",
        "48",
        "--max-record-size-kib",
        "2048",
        "--tag",
        "team=a",
    ];
    let ran = scene.run(&wanted, "");
    ran.ends_with(0, &["created stream `s` (provisioned, 2 shards)"]);
    let stream = ran.document()["stream"].clone();
    assert_eq!(
        (&stream["mode"], &stream["open_shards"], &stream["retention_hours"], &stream["max_record_size_kib"]),
        (&json!("PROVISIONED"), &json!(2), &json!(48), &json!(2048))
    );
    assert_eq!(scene.writes(), ["CreateStream", "IncreaseStreamRetentionPeriod"]);
    scene.run(&wanted, "").ends_with(0, &["unchanged stream `s`"]);
    assert_eq!(scene.writes(), [""; 0]);
}

#[test]
fn each_change_is_named_made_once_and_only_when_it_differs() {
    let scene = Scene::start();
    scene.ensured();
    for (flags, said, writes) in [
        (&["--retention-hours", "48"][..], "retention: 24 h → 48 h", &["IncreaseStreamRetentionPeriod"][..]),
        (
            &["--retention-hours", "24"],
            "records older than 24 h are gone",
            &["DecreaseStreamRetentionPeriod"],
        ),
        (&["--max-record-size-kib", "4096"], "1024 KiB → 4096 KiB", &["UpdateMaxRecordSize"]),
        (
            &["--tag", "team=sensors", "--tag", "stage=test"],
            "tags: stage=test team=sensors",
            &["AddTagsToStream"],
        ),
        (&["--tag", "stage=live", "--tag", "team=sensors"], "tags: stage=live", &["AddTagsToStream"]),
        (&["--shards", "3"], "capacity: on-demand → provisioned", &["UpdateStreamMode", "UpdateShardCount"]),
        (&["--on-demand"], "capacity: provisioned → on-demand", &["UpdateStreamMode"]),
    ] {
        let args = [&["ensure", STREAM], flags].concat();
        let check = [args.as_slice(), &["--check"]].concat();
        scene.calls();
        scene.run(&check, "").ends_with(1, &[said]);
        assert_eq!(scene.writes(), [""; 0], "{check:?}");
        scene.run(&args, "").ends_with(0, &["updated stream `sensor-readings`: ", said]);
        assert_eq!(scene.writes(), writes, "{args:?}");
        scene.run(&check, "").ends_with(0, &[]);
        scene.run(&args, "").ends_with(0, &["unchanged"]);
        assert_eq!(scene.writes(), [""; 0], "{args:?}");
    }
}

#[test]
fn shards_grow_and_shrink_in_the_steps_that_aws_allows() {
    let scene = Scene::start();
    scene.run(&["ensure", STREAM, "--shards", "1"], "").ends_with(0, &[]);
    scene.calls();
    let ran = scene.run(&["ensure", STREAM, "--shards", "5"], "");
    ran.ends_with(0, &["shards: 1 → 5"]);
    assert_eq!(ran.document()["stream"]["open_shards"], 5);
    assert_eq!(scene.writes(), ["UpdateShardCount"; 3]);
    let ran = scene.run(&["ensure", STREAM, "--shards", "2"], "");
    assert_eq!(ran.document()["stream"]["open_shards"], 2);
}

#[test]
fn check_creates_nothing() {
    let scene = Scene::start();
    let ran = scene.run(&["ensure", STREAM, "--check"], "");
    ran.ends_with(1, &["stream `sensor-readings` does not exist"]);
    assert_eq!(ran.document(), json!({ "kinbricks": 1 }));
    assert_eq!(scene.writes(), [""; 0]);
}

#[test]
fn a_stream_that_is_being_deleted_is_waited_for_and_made_anew() {
    let (scene, clock) = Scene::with_slow_deletion();
    scene.ensured();
    scene
        .run(&["delete", STREAM, "--yes", "--no-wait"], "")
        .ends_with(0, &["deleting stream `sensor-readings`"]);
    scene.run(&["ensure", STREAM, "--check"], "").ends_with(1, &["is being deleted"]);
    scene
        .run(&["wait", STREAM], "")
        .ends_with(4, &["is being deleted", "kstream wait sensor-readings --gone"]);
    let mut child = scene.spawn(&["ensure", STREAM]);
    drop(child.stdin.take());
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    assert!(said.contains("is being deleted; waiting until it is gone"), "{said}");
    clock.advance(DELETION);
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert!(said.contains("created stream"), "{said}");
}

#[test]
fn deleting_asks_first_waits_and_is_content_to_find_nothing() {
    let scene = Scene::start();
    let document = scene.ensured();
    scene.run(&["delete"], &document).ends_with(2, &["kstream delete sensor-readings --yes"]);
    assert!(!scene.writes().contains(&"DeleteStream".to_owned()));
    let ran = scene.run(&["delete", "--yes"], &document);
    ran.ends_with(0, &["deleted stream `sensor-readings`: it costs nothing any more"]);
    assert_eq!(ran.document(), json!({ "kinbricks": 1 }));
    assert_eq!(scene.writes(), ["DeleteStream"]);
    scene.run(&["delete", "--yes"], &document).ends_with(0, &["stream `sensor-readings` is gone already"]);
    assert_eq!(scene.writes(), [""; 0]);
    scene.run(&["wait", STREAM, "--gone"], "").ends_with(0, &[]);
    scene
        .run(&["show", STREAM], "")
        .ends_with(4, &["no stream `sensor-readings` in eu-central-1", "kstream ensure"]);
}

#[test]
fn consumers_hold_a_deletion_up_until_it_is_enforced() {
    let scene = Scene::start();
    scene.ensured();
    scene.register_consumer();
    scene
        .run(&["delete", STREAM, "--yes"], "")
        .ends_with(4, &["kstream delete sensor-readings --yes --enforce-consumer-deletion"]);
    scene.run(&["delete", STREAM, "--yes", "--enforce-consumer-deletion"], "").ends_with(0, &["deleted"]);
}

#[test]
fn list_and_show_agree_and_a_region_without_streams_says_so() {
    let scene = Scene::start();
    let none = scene.run(&["list"], "");
    none.ends_with(0, &["no streams in eu-central-1"]);
    assert_eq!(none.stdout, "");
    for name in ["b", "a"] {
        scene.run(&["ensure", name], "").ends_with(0, &[]);
    }
    let lines: Vec<serde_json::Value> =
        scene.run(&["list"], "").stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = lines.iter().map(|line| line["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
    let shown = scene.run(&["show", "a"], "").document();
    assert_eq!((&shown["stream"]["arn"], &shown["stream"]["mode"]), (&lines[0]["arn"], &lines[0]["mode"]));
}

#[test]
fn the_price_is_told_with_the_way_to_end_it() {
    let scene = Scene::start();
    let document = scene.ensured();
    let ran = scene.run(&["cost", "--records-per-second", "50", "--record-bytes", "110"], &document);
    let bill = ran.document();
    assert_eq!((&bill["mode"], &bill["per_hour_usd"]), (&json!("ON_DEMAND"), &json!(0.04)));
    assert_eq!(bill["estimate"]["billed_bytes_a_record"], 1024);
    assert_eq!(bill["delete_with"], "kstream delete sensor-readings --yes");
    let most = u64::MAX.to_string();
    let huge = ["cost", "--records-per-second", &most, "--record-bytes", "10485760"];
    assert!(scene.run(&huge, &document).document()["estimate"]["data_per_hour_usd"].as_f64().unwrap() > 1e15);
}

#[test]
fn a_stream_named_by_its_arn_is_changed_and_deleted_but_never_created() {
    let scene = Scene::start();
    scene
        .run(&["ensure", ARN], "")
        .ends_with(4, &["there is no stream `arn:aws:", "kstream ensure sensor-readings --region"]);
    assert_eq!(scene.writes(), [""; 0]);
    scene.ensured();
    scene
        .run(&["ensure", ARN, "--tag", "a=b", "--retention-hours", "25"], "")
        .ends_with(0, &["retention: 24 h → 25 h"]);
    scene.run(&["delete", ARN, "--yes"], "").ends_with(0, &["deleted"]);
}
