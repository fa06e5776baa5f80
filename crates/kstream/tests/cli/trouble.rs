//! What goes wrong on the way: throttling, lost answers, namesakes, timeouts, endpoints that are not there.

use std::time::Duration;

use serde_json::json;

use crate::scene::{Ran, STREAM, Scene, wait_for};

#[test]
fn a_namesake_in_another_account_is_left_alone() {
    let scene = Scene::start();
    let document = scene.ensured().replace("123456789012", "210987654321");
    scene.calls();
    for args in [&["delete", "--yes"][..], &["ensure", "--retention-hours", "48"], &["show"], &["wait"]] {
        scene
            .run(args, &document)
            .ends_with(2, &["is `arn:aws:kinesis:eu-central-1:123456789012:", "not `arn:", "aws-check"]);
    }
    assert_eq!(scene.writes(), [""; 0]);
    // Named on purpose, it is meant.
    scene.run(&["delete", STREAM, "--yes"], &document).ends_with(0, &["deleted"]);
}

#[test]
fn the_documents_region_is_where_the_stream_is_looked_for_and_a_flag_beats_it() {
    let scene = Scene::start();
    let document = scene.ensured();
    scene.run_with(&["show"], &[("AWS_REGION", "us-east-1")], &document).ends_with(0, &[]);
    // The sandbox has one region; it refuses the signature of another.
    scene.run(&["show", "--region", "us-east-1"], &document).ends_with(4, &["us-east-1"]);
}

#[test]
fn a_stream_that_is_not_known_everywhere_yet_is_waited_for() {
    let scene = Scene::start();
    // The first answer is true; the two after the creation are late.
    scene.fault(
        &json!({ "operation": "DescribeStreamSummary", "times": 3, "code": "ResourceNotFoundException",
        "message": "Stream sensor-readings under account 123456789012 not found." }),
    );
    scene.run(&["ensure", STREAM], "").ends_with(0, &["created stream"]);
}

#[test]
fn a_creation_whose_answer_was_lost_is_found_to_have_happened() {
    let scene = Scene::start();
    scene.fault(&json!({ "operation": "CreateStream", "reset": true, "after": true }));
    let ran = scene.run(&["ensure", STREAM], "");
    ran.ends_with(0, &[]);
    assert_eq!(ran.document()["stream"]["status"], "ACTIVE");
}

#[test]
fn throttling_is_sat_out_and_reported_when_it_does_not_end() {
    let scene = Scene::start();
    let throttled = |times: u32| {
        json!({ "operation": "DescribeStreamSummary", "times": times, "code": "LimitExceededException",
            "message": "Rate exceeded" })
    };
    scene.fault(&throttled(1));
    scene.run(&["ensure", STREAM], "").ends_with(0, &["created"]);
    scene.fault(&throttled(100));
    scene
        .run(&["show", STREAM], "")
        .ends_with(5, &["failed to describe stream", "LimitExceededException", "hint: "]);
}

#[test]
fn a_full_account_says_how_to_make_room() {
    let scene = Scene::start();
    scene.fault(&json!({ "operation": "CreateStream", "times": 9, "code": "LimitExceededException", "message": "too many" }));
    scene
        .run(&["ensure", STREAM], "")
        .ends_with(5, &["too many", "kstream list", "kstream delete STREAM --yes"]);
}

#[test]
fn a_change_that_meets_another_is_told_so() {
    let scene = Scene::start();
    scene.ensured();
    scene.fault(&json!({ "operation": "IncreaseStreamRetentionPeriod", "code": "ResourceInUseException", "message": "busy" }));
    scene.run(&["ensure", STREAM, "--retention-hours", "48"], "").ends_with(
        4,
        &["failed to change the retention of stream `sensor-readings`", "kstream wait sensor-readings"],
    );
}

#[test]
fn a_refused_caller_is_told_the_action() {
    let scene = Scene::start();
    scene.fault(&json!({ "operation": "CreateStream", "code": "AccessDeniedException",
        "message": "User: x is not authorized to perform: kinesis:CreateStream" }));
    scene.run(&["ensure", STREAM], "").ends_with(4, &["kinesis:CreateStream", "aws-check"]);
}

#[test]
fn waiting_has_a_limit_that_says_how_to_go_on() {
    // Each single request has this long too, so it must be far longer than an answer takes. The two wait side by side.
    let limit = "5s";
    let scene = Scene::with_delay(Duration::from_hours(1));
    let mut creating = scene.spawn(&["ensure", STREAM, "--timeout", limit]);
    drop(creating.stdin.take());
    wait_for(|| scene.was_called("CreateStream"));
    scene
        .run_with(&["wait", STREAM], &[("KINBRICKS_TIMEOUT", limit)], "")
        .ends_with(5, &["is CREATING after "]);
    let ran = Ran::of(creating, "");
    ran.ends_with(5, &["is CREATING after ", "not ACTIVE", "kstream wait sensor-readings"]);
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_hanging_endpoint_and_one_that_is_not_there_are_transient() {
    let scene = Scene::start();
    scene.fault(&json!({ "operation": "DescribeStreamSummary", "times": 9, "latency_ms": 60_000 }));
    scene.run(&["show", STREAM, "--timeout", "200ms"], "").ends_with(5, &["no answer in time"]);
    let nowhere = [("AWS_ENDPOINT_URL_KINESIS", "http://127.0.0.1:9")];
    scene.run_with(&["list", "--timeout", "20s"], &nowhere, "").ends_with(5, &["could not be reached"]);
}
