//! Enhanced fan-out: consumers are registered, and records are pushed to them.

use std::time::Duration;

use aws_smithy_eventstream::frame::read_message_from;
use futures_util::StreamExt as _;
use sandbox::kinesis::{Fault, Options, Subscription};
use serde_json::{Value, json};

use crate::scene::{Scene, each, payloads, shard_id, stream_arn, text};

/// A scene with a stream of two shards and the ARN of an active consumer.
fn scene_with(options: Options) -> (Scene, String) {
    let scene = Scene::with(options);
    scene.create("orders", 2);
    let registered = scene.ok(
        "RegisterStreamConsumer",
        &json!({ "StreamARN": stream_arn("orders"), "ConsumerName": "reader" }),
    );
    scene.settle();
    (scene, text(&registered["Consumer"]["ConsumerARN"]))
}

fn ask(consumer: &str, shard: u32, position: &Value) -> Value {
    json!({ "ConsumerARN": consumer, "ShardId": shard_id(shard), "StartingPosition": position })
}

fn subscribe(scene: &Scene, ask: &Value) -> Result<Subscription, String> {
    scene.engine.subscribe(ask.to_string().as_bytes(), &scene.caller).map_err(|error| error.code.into_owned())
}

/// Opens a subscription and takes the initial response off it.
async fn open(scene: &Scene, ask: &Value) -> Subscription {
    let mut subscription = subscribe(scene, ask).unwrap();
    let (kind, payload) = frame(&mut subscription).await.unwrap();
    assert_eq!((kind.as_str(), payload), ("initial-response", json!({})));
    subscription
}

/// The next frame's event or exception type, and its payload. None at the end.
async fn frame(subscription: &mut Subscription) -> Option<(String, Value)> {
    let bytes = subscription.next().await?.unwrap();
    let message = read_message_from(&mut bytes.as_ref()).unwrap();
    let named = message
        .headers()
        .iter()
        .find(|header| matches!(header.name().as_str(), ":event-type" | ":exception-type"))
        .unwrap();
    let kind = named.value().as_string().unwrap().as_str().to_owned();
    Some((kind, serde_json::from_slice(message.payload()).unwrap()))
}

async fn event(subscription: &mut Subscription) -> Value {
    let (kind, payload) = frame(subscription).await.unwrap();
    assert_eq!(kind, "SubscribeToShardEvent", "{payload}");
    payload
}

fn trim_horizon() -> Value {
    json!({ "Type": "TRIM_HORIZON" })
}

#[test]
fn a_consumer_is_registered_described_listed_and_deregistered() {
    let scene = Scene::with_shards(1);
    let arn = stream_arn("orders");
    let register = |name: &str| json!({ "StreamARN": arn, "ConsumerName": name });
    let registered = scene.ok("RegisterStreamConsumer", &register("b"))["Consumer"].clone();
    assert_eq!(registered["ConsumerStatus"], "CREATING");
    let consumer = text(&registered["ConsumerARN"]);
    assert_eq!(consumer, format!("{arn}/consumer/b:1800000000"));
    assert_eq!(scene.code("RegisterStreamConsumer", &register("b")), "ResourceInUseException");
    let early = ask(&consumer, 0, &trim_horizon());
    assert_eq!(subscribe(&scene, &early).unwrap_err(), "ResourceInUseException");
    scene.settle();

    let described = scene.ok("DescribeStreamConsumer", &json!({ "ConsumerARN": consumer }));
    assert_eq!(described["ConsumerDescription"]["ConsumerStatus"], "ACTIVE");
    assert_eq!(described["ConsumerDescription"]["StreamARN"], arn);
    for name in ["a", "c"] {
        scene.ok("RegisterStreamConsumer", &register(name));
    }
    let page = scene.ok("ListStreamConsumers", &json!({ "StreamARN": arn, "MaxResults": 2 }));
    assert_eq!(each(&page["Consumers"], "ConsumerName"), ["a", "b"]);
    let rest = scene.ok("ListStreamConsumers", &json!({ "StreamARN": arn, "NextToken": page["NextToken"] }));
    assert_eq!(
        (each(&rest["Consumers"], "ConsumerName"), rest.get("NextToken")),
        (vec!["c".to_owned()], None)
    );

    scene.ok("DeregisterStreamConsumer", &json!({ "StreamARN": arn, "ConsumerName": "b" }));
    let leaving = scene.ok("DescribeStreamConsumer", &json!({ "ConsumerARN": consumer }));
    assert_eq!(leaving["ConsumerDescription"]["ConsumerStatus"], "DELETING");
    scene.settle();
    assert_eq!(
        scene.code("DescribeStreamConsumer", &json!({ "ConsumerARN": consumer })),
        "ResourceNotFoundException"
    );
    assert_eq!(
        scene.code("DescribeStreamConsumer", &json!({ "StreamARN": arn })),
        "InvalidArgumentException"
    );
}

#[test]
fn a_stream_has_twenty_consumers_at_most() {
    let scene = Scene::with_shards(1);
    for at in 0..20 {
        scene.ok(
            "RegisterStreamConsumer",
            &json!({ "StreamARN": stream_arn("orders"), "ConsumerName": format!("c{at}") }),
        );
    }
    let one_more = json!({ "StreamARN": stream_arn("orders"), "ConsumerName": "c20" });
    assert_eq!(scene.code("RegisterStreamConsumer", &one_more), "LimitExceededException");
}

#[tokio::test]
async fn records_are_pushed_as_they_arrive() {
    let (scene, consumer) = scene_with(Options::default());
    scene.put("a", "one");
    scene.put("a", "two");
    let mut subscription = open(&scene, &ask(&consumer, 0, &trim_horizon())).await;
    let first = event(&mut subscription).await;
    assert_eq!(payloads(&first), ["one", "two"]);
    assert_eq!(first["MillisBehindLatest"], 0);
    assert_eq!(first["ContinuationSequenceNumber"], first["Records"][1]["SequenceNumber"]);

    let (pushed, ()) = tokio::join!(event(&mut subscription), async {
        tokio::task::yield_now().await;
        scene.put("a", "three");
    });
    assert_eq!(payloads(&pushed), ["three"]);
}

#[tokio::test]
async fn a_subscription_goes_on_where_the_last_one_ended() {
    let options = Options { subscription_heartbeat: Duration::from_millis(5), ..Options::default() };
    let (scene, consumer) = scene_with(options);
    let mut quiet = open(&scene, &ask(&consumer, 0, &json!({ "Type": "LATEST" }))).await;
    let start = event(&mut quiet).await;
    assert_eq!(payloads(&start).len(), 0);
    scene.put("a", "between");
    let after =
        json!({ "Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": start["ContinuationSequenceNumber"] });
    let mut next = open(&scene, &ask(&consumer, 0, &after)).await;
    assert_eq!(payloads(&event(&mut next).await), ["between"]);
}

#[tokio::test]
async fn a_quiet_subscription_beats_and_ends_after_its_time() {
    let (scene, consumer) = scene_with(Options {
        subscription_ttl: Duration::from_millis(30),
        subscription_heartbeat: Duration::from_millis(10),
        ..Options::default()
    });
    let mut subscription = open(&scene, &ask(&consumer, 0, &trim_horizon())).await;
    for _ in 0..3 {
        assert_eq!(payloads(&event(&mut subscription).await).len(), 0);
        scene.clock.advance(Duration::from_millis(10));
    }
    assert_eq!(frame(&mut subscription).await, None);
}

#[tokio::test]
async fn a_consumer_gets_two_mib_a_second_when_limits_are_enforced() {
    let options = Options {
        enforce_limits: true,
        subscription_heartbeat: Duration::from_millis(1),
        ..Options::default()
    };
    let (scene, consumer) = scene_with(options);
    for data in ["x", "y", "z"] {
        scene.put("a", &data.repeat(1024 * 1024 - 1));
    }
    let mut subscription = open(&scene, &ask(&consumer, 0, &trim_horizon())).await;
    assert_eq!(payloads(&event(&mut subscription).await).len(), 2);
    let early = tokio::time::timeout(Duration::from_millis(20), event(&mut subscription)).await;
    assert!(early.is_err(), "the rest came at once");
    scene.clock.advance(Duration::from_secs(1));
    scene.put("a", "wakes it");
    assert_eq!(payloads(&event(&mut subscription).await).len(), 2);
}

#[tokio::test]
async fn the_end_of_a_shard_names_its_children_and_ends_the_subscription() {
    let (scene, consumer) = scene_with(Options::default());
    scene.put("a", "last");
    scene.ok(
        "MergeShards",
        &json!({ "StreamName": "orders", "ShardToMerge": shard_id(0), "AdjacentShardToMerge": shard_id(1) }),
    );
    scene.settle();
    let mut subscription = open(&scene, &ask(&consumer, 0, &trim_horizon())).await;
    let last = event(&mut subscription).await;
    assert_eq!(payloads(&last), ["last"]);
    assert_eq!(each(&last["ChildShards"], "ShardId"), [shard_id(2)]);
    assert!(last.get("ContinuationSequenceNumber").is_none());
    assert_eq!(frame(&mut subscription).await, None);
}

#[tokio::test]
async fn a_later_subscription_takes_over_but_not_within_five_seconds() {
    let (scene, consumer) = scene_with(Options { enforce_limits: true, ..Options::default() });
    let request = ask(&consumer, 0, &trim_horizon());
    let mut first = open(&scene, &request).await;
    event(&mut first).await;
    scene.clock.advance(Duration::from_millis(4_999));
    assert_eq!(subscribe(&scene, &request).unwrap_err(), "ResourceInUseException");
    open(&scene, &ask(&consumer, 1, &trim_horizon())).await;
    scene.clock.advance(Duration::from_millis(1));
    let mut second = open(&scene, &request).await;
    event(&mut second).await;
    assert_eq!(frame(&mut first).await.unwrap().0, "ResourceInUseException");
    assert_eq!(frame(&mut first).await, None);
}

#[tokio::test]
async fn a_subscription_ends_with_its_consumer_or_its_stream() {
    let (scene, consumer) = scene_with(Options::default());
    let mut subscription = open(&scene, &ask(&consumer, 0, &trim_horizon())).await;
    event(&mut subscription).await;
    scene.ok("DeregisterStreamConsumer", &json!({ "ConsumerARN": consumer }));
    assert_eq!(frame(&mut subscription).await.unwrap().0, "ResourceNotFoundException");

    let (scene, consumer) = scene_with(Options::default());
    let mut subscription = open(&scene, &ask(&consumer, 0, &trim_horizon())).await;
    event(&mut subscription).await;
    scene.ok("DeleteStream", &json!({ "StreamName": "orders", "EnforceConsumerDeletion": true }));
    assert_eq!(frame(&mut subscription).await.unwrap().0, "ResourceNotFoundException");
}

#[tokio::test]
async fn subscriptions_break_on_command() {
    let (scene, consumer) = scene_with(Options::default());
    let request = ask(&consumer, 0, &trim_horizon());
    scene.engine.inject(Fault::BreakSubscriptions { count: 1, abrupt: false });
    let mut broken = open(&scene, &request).await;
    assert_eq!(frame(&mut broken).await.unwrap().0, "InternalFailureException");
    assert_eq!(frame(&mut broken).await, None);

    scene.engine.inject(Fault::BreakSubscriptions { count: 1, abrupt: true });
    let mut reset = open(&scene, &request).await;
    assert!(reset.next().await.unwrap().is_err());
    assert!(reset.next().await.is_none());
    event(&mut open(&scene, &request).await).await;
}

#[test]
fn a_subscription_is_checked_before_it_begins() {
    let (scene, consumer) = scene_with(Options::default());
    let code = |body: Value| subscribe(&scene, &body).unwrap_err();
    assert_eq!(code(ask(&consumer, 9, &trim_horizon())), "ResourceNotFoundException");
    assert_eq!(
        code(ask(&consumer.replace("reader", "other"), 0, &trim_horizon())),
        "ResourceNotFoundException"
    );
    assert_eq!(code(ask(&consumer, 0, &json!({}))), "ValidationException");
    assert_eq!(code(json!({ "ConsumerARN": consumer, "ShardId": shard_id(0) })), "ValidationException");
    let made_up = json!({ "Type": "AT_SEQUENCE_NUMBER", "SequenceNumber": "7" });
    assert_eq!(code(ask(&consumer, 0, &made_up)), "InvalidArgumentException");
    let mut dry = ask(&consumer, 0, &trim_horizon());
    dry["DryRun"] = true.into();
    assert_eq!(code(dry), "DryRunOperationException");
    scene.engine.inject(Fault::FailRequests {
        operation: "SubscribeToShard".into(),
        count: 1,
        code: "LimitExceededException".into(),
        message: None,
        status: None,
    });
    assert_eq!(code(ask(&consumer, 0, &trim_horizon())), "LimitExceededException");
}
