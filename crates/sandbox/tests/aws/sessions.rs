//! Becoming a role: who may, with which words, for how long, and from when on.

use std::time::Duration;

use sandbox::Options;
use sandbox::sts::{AssumeRole, Settings};
use serde_json::json;

use crate::world::{MASTER, ROOT, World, allow, role_arn, trust, trust_with_id};

fn denied(arn: &str, role: &str) -> (String, String) {
    let role = role_arn(role);
    let message = format!("User: {arn} is not authorized to perform: sts:AssumeRole on resource: {role}");
    ("AccessDenied".to_owned(), message)
}

const BOB: &str = "arn:aws:iam::123456789012:user/bob";

#[tokio::test]
async fn root_may_not_become_anybody() {
    let world = World::start().await;
    world.role("reader", &trust(&[ROOT])).await;
    let answer = world.assume(&world.root, "reader", &[]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.error(),
        ("AccessDenied".to_owned(), "Roles may not be assumed by root accounts.".to_owned())
    );
}

#[tokio::test]
async fn a_user_named_directly_needs_no_policy_and_one_named_through_the_account_does() {
    let world = World::start().await;
    let nothing = allow(&["kinesis:ListStreams"], "*");
    let bob = world.user("bob", &nothing).await;
    world.role("direct", &trust(&[BOB])).await;
    world.role("indirect", &trust(&[ROOT])).await;
    assert_eq!(world.assume(&bob, "direct", &[]).await.status, 200);
    assert_eq!(world.assume(&bob, "indirect", &[]).await.error(), denied(BOB, "indirect"));
    let anna = world.user("anna", &allow(&["sts:AssumeRole"], "*")).await;
    assert_eq!(world.assume(&anna, "indirect", &[]).await.status, 200);
    let refused = world.assume(&anna, "direct", &[]).await;
    assert_eq!(
        refused.error(),
        denied("arn:aws:iam::123456789012:user/anna", "direct"),
        "a policy of one's own does not replace the trust"
    );
}

#[tokio::test]
async fn the_external_id_has_to_be_the_one() {
    let world = World::start().await;
    let bob = world.user("bob", &allow(&["sts:AssumeRole"], "*")).await;
    world.role("reader", &trust_with_id(&[BOB], "4711")).await;
    assert_eq!(world.assume(&bob, "reader", &[("ExternalId", "4711")]).await.status, 200);
    for wrong in [&[][..], &[("ExternalId", "0000")], &[("ExternalId", "4711x")]] {
        assert_eq!(world.assume(&bob, "reader", wrong).await.error(), denied(BOB, "reader"), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_role_that_is_not_there_looks_like_one_that_refuses() {
    let world = World::start().await;
    let bob = world.user("bob", &allow(&["sts:AssumeRole"], "*")).await;
    assert_eq!(world.assume(&bob, "nobody", &[]).await.error(), denied(BOB, "nobody"));
    world.role("Reader", &trust(&[BOB])).await;
    assert_eq!(
        world.assume(&bob, "reader", &[]).await.error(),
        denied(BOB, "reader"),
        "STS wants the exact case"
    );
}

#[tokio::test]
async fn a_new_role_and_a_new_trust_take_a_while() {
    let world = World::start().await;
    let bob = world.user("bob", &allow(&["sts:AssumeRole"], "*")).await;
    let open = trust(&[BOB]).to_string();
    world.iam("CreateRole", &[("RoleName", "reader"), ("AssumeRolePolicyDocument", &open)]).await;
    assert_eq!(world.assume(&bob, "reader", &[]).await.code(), "AccessDenied", "not visible yet");
    world.wait();
    assert_eq!(world.assume(&bob, "reader", &[]).await.status, 200);

    let closed = trust(&[MASTER]).to_string();
    world.iam("UpdateAssumeRolePolicy", &[("RoleName", "reader"), ("PolicyDocument", &closed)]).await;
    assert_eq!(world.assume(&bob, "reader", &[]).await.status, 200, "the old policy is still in effect");
    world.wait();
    assert_eq!(world.assume(&bob, "reader", &[]).await.code(), "AccessDenied");
}

#[tokio::test]
async fn a_namesake_of_a_trusted_user_is_not_trusted() {
    let world = World::start().await;
    let bob = world.user("bob", &allow(&["sts:AssumeRole"], "*")).await;
    world.role("reader", &trust(&[BOB])).await;
    assert_eq!(world.assume(&bob, "reader", &[]).await.status, 200);
    let key = ("AccessKeyId", bob.access_key_id());
    world.iam_ok("DeleteAccessKey", &[("UserName", "bob"), key]).await;
    assert_eq!(world.sts(&bob, "GetCallerIdentity", &[]).await.code(), "InvalidClientTokenId");
    world.iam_ok("DeleteUserPolicy", &[("UserName", "bob"), ("PolicyName", "own")]).await;
    world.iam_ok("DeleteUser", &[("UserName", "bob")]).await;
    let namesake = world.user("bob", &allow(&["sts:AssumeRole"], "*")).await;
    assert_eq!(world.assume(&namesake, "reader", &[]).await.code(), "AccessDenied");
}

#[tokio::test]
async fn parameters_are_checked() {
    let world = World::start().await;
    let bob = world.user("bob", &allow(&["sts:AssumeRole"], "*")).await;
    world.role("reader", &trust(&[BOB])).await;
    for (wrong, part) in [
        (("DurationSeconds", "60"), "'60' at 'durationSeconds'"),
        (("DurationSeconds", "43201"), "'43201' at 'durationSeconds'"),
        (("DurationSeconds", "7200"), "exceeds the MaxSessionDuration set for this role"),
        (("ExternalId", "x"), "'x' at 'externalId'"),
        (("ExternalId", "a b"), r"pattern: [\w+=,.@:\/-]*"),
    ] {
        let (code, message) = world.assume(&bob, "reader", &[wrong]).await.error();
        assert_eq!(code, "ValidationError", "{wrong:?}");
        assert!(message.contains(part), "{wrong:?}: {message}");
    }
    let arn = role_arn("reader");
    let named = |name| [("RoleArn", arn.as_str()), ("RoleSessionName", name)];
    assert_eq!(world.sts(&bob, "AssumeRole", &named("a b")).await.code(), "ValidationError");
    assert_eq!(world.sts(&bob, "AssumeRole", &named("a")).await.code(), "ValidationError");
    let narrowed = world.assume(&bob, "reader", &[("Policy", "{}")]).await;
    assert_eq!(narrowed.code(), "NotImplemented", "a session policy is refused, not ignored");
}

#[tokio::test]
async fn a_chained_session_lasts_an_hour_at_most() {
    let world = World::start().await;
    let bob = world.user("bob", &allow(&["sts:AssumeRole"], "*")).await;
    world.role("first", &trust(&[BOB])).await;
    world.role("second", &trust(&[&role_arn("first")])).await;
    world.iam_ok("UpdateRole", &[("RoleName", "second"), ("MaxSessionDuration", "43200")]).await;
    let first = world.assume(&bob, "first", &[]).await.credentials();
    let (code, message) = world.assume(&first, "second", &[("DurationSeconds", "3601")]).await.error();
    assert_eq!(code, "ValidationError");
    assert!(message.contains("1 hour session limit for roles assumed by role chaining"), "{message}");
    let second = world.assume(&first, "second", &[("DurationSeconds", "3600")]).await;
    assert_eq!(second.text("Arn"), "arn:aws:sts::123456789012:assumed-role/second/test");
}

#[tokio::test]
async fn strictness_about_a_role_that_assumes_itself_is_a_switch() {
    for (strict_self_assume, status) in [(false, 200), (true, 403)] {
        let sts = Settings { strict_self_assume, ..Settings::default() };
        let world = World::with(Options { sts, ..Options::default() }).await;
        let bob = world.user("bob", &allow(&["sts:AssumeRole"], "*")).await;
        world.role("reader", &trust(&[BOB])).await;
        let own = role_arn("reader");
        let both = trust(&[BOB, &own]).to_string();
        world.iam_ok("UpdateAssumeRolePolicy", &[("RoleName", "reader"), ("PolicyDocument", &both)]).await;
        let session = world.assume(&bob, "reader", &[]).await.credentials();
        assert_eq!(
            world.assume(&session, "reader", &[]).await.status,
            status,
            "strict: {strict_self_assume}"
        );
        world.permit("reader", &allow(&["sts:AssumeRole"], &own)).await;
        assert_eq!(world.assume(&session, "reader", &[]).await.status, 200, "strict: {strict_self_assume}");
    }
}

#[tokio::test]
async fn databricks_master_role_may_assume_what_trusts_it() {
    let world = World::start().await;
    world.role("reader", &trust_with_id(&[MASTER], "4711")).await;
    let request = |external_id: Option<&str>| AssumeRole {
        role_arn: role_arn("reader"),
        session_name: "databricks".to_owned(),
        external_id: external_id.map(str::to_owned),
        duration: Duration::from_hours(1),
    };
    let sts = world.sandbox.sts();
    let master = sts.session_of_master();
    let session = sts.assume_role(&master, &request(Some("4711"))).unwrap();
    assert_eq!(session.assumed_role_arn, "arn:aws:sts::123456789012:assumed-role/reader/databricks");
    assert!(
        !format!("{session:?}").contains(&session.secret_access_key),
        "a session does not print its secret"
    );
    for wrong in [None, Some("0000")] {
        assert_eq!(sts.assume_role(&master, &request(wrong)).unwrap_err().code, "AccessDenied");
    }
    let keys = aws_credential_types::Credentials::from_keys(
        session.access_key_id,
        session.secret_access_key,
        Some(session.session_token),
    );
    let identity = world.sts(&keys, "GetCallerIdentity", &[]).await;
    assert_eq!(identity.text("Account"), "123456789012");
}

#[tokio::test]
async fn sessions_can_be_made_short() {
    let sts = Settings { session_lifetime: Some(Duration::from_secs(3)), ..Settings::default() };
    let world = World::with(Options { sts, ..Options::default() }).await;
    let session = world.sts(&world.root, "GetSessionToken", &[]).await.credentials();
    assert_eq!(world.sts(&session, "GetCallerIdentity", &[]).await.text("Arn"), ROOT);
    world.clock.advance(Duration::from_secs(3));
    assert_eq!(world.kinesis(&session, "ListStreams", &json!({})).await.code(), "ExpiredTokenException");
}
