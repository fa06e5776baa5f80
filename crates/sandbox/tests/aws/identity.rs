//! Who is calling: signatures, keys and tokens, and the words in which each service refuses them.

use std::time::Duration;

use aws_credential_types::Credentials;
use serde_json::json;

use crate::world::{ROOT, World, exchange, trust};

#[tokio::test]
async fn the_exported_keys_are_roots() {
    let world = World::start().await;
    let answer = world.sts(&world.root, "GetCallerIdentity", &[]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.text("Arn"), ROOT);
    assert_eq!(answer.text("UserId"), "123456789012");
    assert_eq!(answer.text("Account"), "123456789012");
    assert!(answer.head.contains("\r\nx-amzn-requestid: "), "{}", answer.head);
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_key_are_told_apart() {
    let world = World::start().await;
    let wrong = Credentials::from_keys(world.root.access_key_id(), "wrong", None);
    let unknown = Credentials::from_keys("AKIAUNKNOWNUNKNOWN12", "wrong", None);
    let stray = Credentials::from_keys(
        world.root.access_key_id(),
        world.root.secret_access_key(),
        Some("no session of mine".to_owned()),
    );
    for (who, query, json) in [
        (wrong, "SignatureDoesNotMatch", "InvalidSignatureException"),
        (unknown, "InvalidClientTokenId", "UnrecognizedClientException"),
        (stray, "InvalidClientTokenId", "UnrecognizedClientException"),
    ] {
        let iam = world.iam_as(&who, "ListRoles", &[]).await;
        assert_eq!((iam.status, iam.code().as_str()), (403, query));
        let kinesis = world.kinesis(&who, "ListStreams", &json!({})).await;
        assert_eq!((kinesis.status, kinesis.code().as_str()), (400, json));
        assert!(
            kinesis.head.contains(&format!("x-amzn-errortype: {}", json.to_lowercase())),
            "{}",
            kinesis.head
        );
    }
}

#[tokio::test]
async fn a_request_that_was_changed_after_signing_is_refused() {
    let world = World::start().await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let signed = world.sign("sts", "us-east-1", &world.root, Vec::new(), body);
    let address = world.address("sts");
    let genuine = exchange(address, "POST", "/", &signed, body).await.unwrap();
    assert_eq!(genuine.status, 200, "{genuine:?}");
    let changed = exchange(address, "POST", "/", &signed, &format!("{body}&X=1")).await.unwrap();
    assert_eq!(changed.code(), "SignatureDoesNotMatch");
    let moved = exchange(address, "POST", "/?X=1", &signed, body).await.unwrap();
    assert_eq!(moved.code(), "SignatureDoesNotMatch");
    let unsigned = exchange(address, "POST", "/", &[], body).await.unwrap();
    assert_eq!(unsigned.code(), "MissingAuthenticationToken");
    world.clock.advance(Duration::from_mins(16));
    let (code, message) = exchange(address, "POST", "/", &signed, body).await.unwrap().error();
    assert_eq!(code, "SignatureDoesNotMatch");
    assert!(message.starts_with("Signature expired: "), "{message}");
}

#[tokio::test]
async fn another_region_or_service_is_named() {
    let world = World::start().await;
    let target = vec![("x-amz-target".to_owned(), "Kinesis_20131202.ListStreams".to_owned())];
    let signed = world.sign("kinesis", "us-west-2", &world.root, target, "{}");
    let (code, message) =
        exchange(world.address("kinesis"), "POST", "/", &signed, "{}").await.unwrap().error();
    assert_eq!(code, "InvalidSignatureException");
    assert!(message.contains("'us-west-2'") && message.contains("'eu-central-1'"), "{message}");
}

#[tokio::test]
async fn every_listener_answers_for_every_service() {
    let world = World::start().await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    for listener in ["kinesis", "iam", "sts"] {
        let address = world.address(listener);
        let signed = world.sign_for(address, "sts", "us-east-1", &world.root, Vec::new(), body);
        let answer = exchange(address, "POST", "/", &signed, body).await.unwrap();
        assert_eq!(answer.text("Arn"), ROOT, "{listener}");
    }
}

#[tokio::test]
async fn a_session_ends_when_it_said_it_would() {
    let world = World::start().await;
    world.role("reader", &trust(&[ROOT])).await;
    let bob = world.user("bob", &crate::world::allow(&["sts:AssumeRole"], "*")).await;
    let session = world.assume(&bob, "reader", &[("DurationSeconds", "900")]).await.credentials();
    world.clock.advance(Duration::from_secs(899));
    let identity = world.sts(&session, "GetCallerIdentity", &[]).await;
    assert_eq!(identity.text("Arn"), "arn:aws:sts::123456789012:assumed-role/reader/test");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.sts(&session, "GetCallerIdentity", &[]).await.code(), "ExpiredToken");
    let kinesis = world.kinesis(&session, "ListStreams", &json!({})).await;
    assert_eq!((kinesis.status, kinesis.code().as_str()), (400, "ExpiredTokenException"));
}

#[tokio::test]
async fn a_session_needs_its_own_token() {
    let world = World::start().await;
    world.role("reader", &trust(&[ROOT])).await;
    let bob = world.user("bob", &crate::world::allow(&["sts:AssumeRole"], "*")).await;
    let session = world.assume(&bob, "reader", &[]).await.credentials();
    for token in [None, Some("another".to_owned())] {
        let keys = Credentials::from_keys(session.access_key_id(), session.secret_access_key(), token);
        assert_eq!(world.sts(&keys, "GetCallerIdentity", &[]).await.code(), "InvalidClientTokenId");
    }
}
