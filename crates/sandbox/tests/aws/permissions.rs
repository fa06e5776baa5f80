//! What a session or a user may do: exactly what its policies say, on Kinesis and on IAM.

use aws_credential_types::Credentials;
use serde_json::{Value, json};

use crate::world::{ROOT, World, allow, trust};

const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/orders";
const BOB: &str = "arn:aws:iam::123456789012:user/bob";

/// A stream with one record, and a session of a role without permissions.
async fn scene() -> (World, Credentials) {
    let world = World::start().await;
    let created =
        world.kinesis(&world.root, "CreateStream", &json!({ "StreamName": "orders", "ShardCount": 1 })).await;
    assert_eq!(created.status, 200, "{created:?}");
    world.wait();
    let put = json!({ "StreamName": "orders", "Data": "aGVsbG8=", "PartitionKey": "a" });
    assert_eq!(world.kinesis(&world.root, "PutRecord", &put).await.status, 200);
    let bob = world.user("bob", &allow(&["sts:AssumeRole"], "*")).await;
    world.role("reader", &trust(&[BOB])).await;
    let session = world.assume(&bob, "reader", &[]).await.credentials();
    (world, session)
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer).expect("JSON")
}

#[tokio::test]
async fn a_session_reads_what_its_role_may_read_and_writes_nothing() {
    let (world, session) = scene().await;
    let start = json!({ "StreamName": "orders", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON" });
    let refused = world.kinesis(&session, "GetShardIterator", &start).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.error(),
        (
            "AccessDeniedException".to_owned(),
            format!(
                "User: arn:aws:sts::123456789012:assumed-role/reader/test is not authorized to perform: \
                 kinesis:GetShardIterator on resource: {STREAM} because no identity-based policy allows the \
                 kinesis:GetShardIterator action"
            )
        )
    );

    world.permit("reader", &allow(&["kinesis:GetShardIterator", "kinesis:GetRecords"], STREAM)).await;
    let iterator = world.kinesis(&session, "GetShardIterator", &start).await;
    let iterator = body(&iterator.body)["ShardIterator"].clone();
    let page = world.kinesis(&session, "GetRecords", &json!({ "ShardIterator": iterator })).await;
    assert_eq!(body(&page.body)["Records"][0]["Data"], "aGVsbG8=", "{page:?}");
    let put = json!({ "StreamName": "orders", "Data": "aGVsbG8=", "PartitionKey": "a" });
    assert_eq!(world.kinesis(&session, "PutRecord", &put).await.code(), "AccessDeniedException");

    let other = allow(&["kinesis:GetShardIterator"], STREAM);
    world.permit("reader", &other).await;
    let refused = world.kinesis(&session, "GetRecords", &json!({ "ShardIterator": iterator })).await;
    assert_eq!(refused.code(), "AccessDeniedException", "GetRecords is about the iterator's stream");
}

#[tokio::test]
async fn a_refusal_beats_a_grant_and_a_boundary_limits_it() {
    let (world, session) = scene().await;
    world.permit("reader", &allow(&["kinesis:*"], "*")).await;
    let summary = json!({ "StreamName": "orders" });
    assert_eq!(world.kinesis(&session, "DescribeStreamSummary", &summary).await.status, 200);

    let boundary = "arn:aws:iam::aws:policy/AmazonKinesisReadOnlyAccess";
    world
        .iam_ok("PutRolePermissionsBoundary", &[("RoleName", "reader"), ("PermissionsBoundary", boundary)])
        .await;
    assert_eq!(world.kinesis(&session, "DescribeStreamSummary", &summary).await.status, 200);
    let put = json!({ "StreamName": "orders", "Data": "aGVsbG8=", "PartitionKey": "a" });
    let (_, message) = world.kinesis(&session, "PutRecord", &put).await.error();
    assert!(
        message.ends_with("because no permissions boundary allows the kinesis:PutRecord action"),
        "{message}"
    );

    let deny = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "kinesis:*", "Resource": "*" },
        { "Effect": "Deny", "Action": "kinesis:Describe*", "Resource": STREAM },
    ] });
    world.permit("reader", &deny).await;
    let (_, message) = world.kinesis(&session, "DescribeStreamSummary", &summary).await.error();
    assert!(message.ends_with("with an explicit deny in an identity-based policy"), "{message}");
}

#[tokio::test]
async fn a_permission_takes_a_while_to_come_and_to_go() {
    let (world, session) = scene().await;
    let summary = json!({ "StreamName": "orders" });
    let aws = "arn:aws:iam::aws:policy/AmazonKinesisReadOnlyAccess";
    let attachment = [("RoleName", "reader"), ("PolicyArn", aws)];
    world.iam("AttachRolePolicy", &attachment).await;
    assert_eq!(
        world.kinesis(&session, "DescribeStreamSummary", &summary).await.code(),
        "AccessDeniedException"
    );
    world.wait();
    assert_eq!(world.kinesis(&session, "DescribeStreamSummary", &summary).await.status, 200);
    world.iam("DetachRolePolicy", &attachment).await;
    assert_eq!(world.kinesis(&session, "DescribeStreamSummary", &summary).await.status, 200);
    world.wait();
    assert_eq!(
        world.kinesis(&session, "DescribeStreamSummary", &summary).await.code(),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn a_session_of_a_deleted_role_may_nothing_though_a_namesake_may() {
    let (world, session) = scene().await;
    world.iam_ok("DeleteRole", &[("RoleName", "reader")]).await;
    world.role("reader", &trust(&[ROOT])).await;
    world.permit("reader", &allow(&["kinesis:*"], "*")).await;
    let summary = json!({ "StreamName": "orders" });
    assert_eq!(
        world.kinesis(&session, "DescribeStreamSummary", &summary).await.code(),
        "AccessDeniedException"
    );
}

#[tokio::test]
async fn iam_itself_asks_for_permission() {
    let world = World::start().await;
    let reader = "arn:aws:iam::123456789012:role/reader";
    let bob = world.user("bob", &allow(&["iam:GetRole", "iam:CreateRole"], reader)).await;
    let document = trust(&[ROOT]).to_string();
    let create = |name| [("RoleName", name), ("AssumeRolePolicyDocument", document.as_str())];
    assert_eq!(world.iam_as(&bob, "CreateRole", &create("reader")).await.status, 200);
    let refused = world.iam_as(&bob, "CreateRole", &create("other")).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.error(),
        (
            "AccessDenied".to_owned(),
            format!(
                "User: {BOB} is not authorized to perform: iam:CreateRole on resource: \
                 arn:aws:iam::123456789012:role/other because no identity-based policy allows the iam:CreateRole action"
            )
        )
    );
    let tagged = world.iam_as(&bob, "DeleteRole", &[("RoleName", "reader")]).await;
    assert_eq!(tagged.code(), "AccessDenied");
    assert_eq!(world.sts(&bob, "GetCallerIdentity", &[]).await.text("Arn"), BOB, "this is never denied");
}
