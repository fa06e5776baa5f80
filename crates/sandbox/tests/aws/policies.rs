//! Managed policies: versions, attachments, and what stands in the way of deleting one.

use crate::world::{ROOT, World, allow, trust};

const ARN: &str = "arn:aws:iam::123456789012:policy/read";

async fn world_with_policy() -> World {
    let world = World::start().await;
    let document = allow(&["kinesis:GetRecords"], "*").to_string();
    world.iam_ok("CreatePolicy", &[("PolicyName", "read"), ("PolicyDocument", &document)]).await;
    world
}

#[tokio::test]
async fn a_policy_is_unique_and_can_be_read() {
    let world = world_with_policy().await;
    let document = allow(&["kinesis:GetRecords"], "*");
    let text = document.to_string();
    let again = world.iam("CreatePolicy", &[("PolicyName", "READ"), ("PolicyDocument", &text)]).await;
    assert_eq!(again.code(), "EntityAlreadyExists");
    let policy = world.iam_ok("GetPolicy", &[("PolicyArn", ARN)]).await;
    assert_eq!((policy.text("DefaultVersionId"), policy.text("AttachmentCount")), ("v1", "0"));
    assert!(policy.text("PolicyId").starts_with("ANPA"), "{policy:?}");
    let version = world.iam_ok("GetPolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v1")]).await;
    assert_eq!(version.document("Document")["Statement"][0]["Action"], "kinesis:GetRecords");
    let missing = world.iam("GetPolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v2")]).await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "NoSuchEntity"));
    let missing = world.iam("GetPolicy", &[("PolicyArn", "arn:aws:iam::123456789012:policy/none")]).await;
    assert_eq!(missing.error().1, "Policy arn:aws:iam::123456789012:policy/none was not found.");
}

#[tokio::test]
async fn there_are_five_versions_and_numbers_are_not_used_twice() {
    let world = world_with_policy().await;
    let document = allow(&["kinesis:ListShards"], "*").to_string();
    let create = [("PolicyArn", ARN), ("PolicyDocument", document.as_str()), ("SetAsDefault", "true")];
    for expected in ["v2", "v3", "v4", "v5"] {
        assert_eq!(world.iam_ok("CreatePolicyVersion", &create).await.text("VersionId"), expected);
    }
    let sixth = world.iam("CreatePolicyVersion", &create).await;
    assert_eq!((sixth.status, sixth.code().as_str()), (409, "LimitExceeded"));
    let default = world.iam("DeletePolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v5")]).await;
    assert_eq!(default.code(), "DeleteConflict");
    world.iam_ok("DeletePolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v1")]).await;
    assert_eq!(world.iam_ok("CreatePolicyVersion", &create).await.text("VersionId"), "v6");
    world.iam_ok("SetDefaultPolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v3")]).await;
    assert_eq!(world.iam_ok("GetPolicy", &[("PolicyArn", ARN)]).await.text("DefaultVersionId"), "v3");
}

#[tokio::test]
async fn a_policy_in_use_cannot_be_deleted() {
    let world = world_with_policy().await;
    world.role("reader", &trust(&[ROOT])).await;
    let attachment = [("RoleName", "reader"), ("PolicyArn", ARN)];
    world.iam_ok("AttachRolePolicy", &attachment).await;
    let attached = world.iam_ok("ListAttachedRolePolicies", &[("RoleName", "reader")]).await;
    assert_eq!(attached.text("PolicyArn"), ARN);
    let entities = world.iam_ok("ListEntitiesForPolicy", &[("PolicyArn", ARN)]).await;
    assert_eq!(entities.text("RoleName"), "reader");
    let conflict = world.iam("DeletePolicy", &[("PolicyArn", ARN)]).await;
    assert_eq!(conflict.error().1, "Cannot delete a policy attached to entities.");
    world.iam_ok("DetachRolePolicy", &attachment).await;
    assert_eq!(world.iam("DetachRolePolicy", &attachment).await.code(), "NoSuchEntity");

    let document = allow(&["kinesis:ListShards"], "*").to_string();
    world.iam_ok("CreatePolicyVersion", &[("PolicyArn", ARN), ("PolicyDocument", &document)]).await;
    assert_eq!(world.iam("DeletePolicy", &[("PolicyArn", ARN)]).await.code(), "DeleteConflict");
    world.iam_ok("DeletePolicyVersion", &[("PolicyArn", ARN), ("VersionId", "v2")]).await;
    world.iam_ok("DeletePolicy", &[("PolicyArn", ARN)]).await;
    assert_eq!(world.iam("DeletePolicy", &[("PolicyArn", ARN)]).await.code(), "NoSuchEntity");
}

#[tokio::test]
async fn aws_own_policies_can_be_read_and_not_changed() {
    let world = World::start().await;
    let arn = "arn:aws:iam::aws:policy/AdministratorAccess";
    assert_eq!(world.iam_ok("GetPolicy", &[("PolicyArn", arn)]).await.text("Arn"), arn);
    assert_eq!(world.iam("DeletePolicy", &[("PolicyArn", arn)]).await.code(), "AccessDenied");
    let own = world.iam_ok("ListPolicies", &[("Scope", "Local")]).await;
    assert!(!own.body.contains("<Arn>"), "{own:?}");
    let all = world.iam_ok("ListPolicies", &[("Scope", "AWS")]).await;
    assert_eq!(all.body.matches("<Arn>").count(), 3, "{all:?}");
}

#[tokio::test]
async fn a_document_that_is_no_permission_policy_is_refused() {
    let world = World::start().await;
    let document = trust(&[ROOT]).to_string();
    let answer = world.iam("CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", &document)]).await;
    assert_eq!(
        answer.error(),
        ("MalformedPolicyDocument".to_owned(), "Policy document should not specify a principal.".to_owned())
    );
    let long = allow(&["kinesis:GetRecords"], &format!("arn:aws:kinesis:::{}", "x".repeat(6144))).to_string();
    let answer = world.iam("CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", &long)]).await;
    assert_eq!(answer.error().1, "Cannot exceed quota for PolicySize: 6144");
}

#[tokio::test]
async fn inline_policies_are_written_read_and_deleted() {
    let world = World::start().await;
    world.role("reader", &trust(&[ROOT])).await;
    world.permit("reader", &allow(&["kinesis:GetRecords", "kinesis:ListShards"], "*")).await;
    let names = world.iam_ok("ListRolePolicies", &[("RoleName", "reader")]).await;
    assert_eq!(names.text("member"), "own");
    let own = [("RoleName", "reader"), ("PolicyName", "own")];
    let read = world.iam_ok("GetRolePolicy", &own).await.document("PolicyDocument");
    assert_eq!(read["Statement"][0]["Action"].as_array().expect("a list").len(), 2);
    world.iam_ok("DeleteRolePolicy", &own).await;
    let gone = world.iam("GetRolePolicy", &own).await;
    assert_eq!(gone.error().1, "The role policy with name own cannot be found.");
    let big =
        allow(&["kinesis:GetRecords"], &format!("arn:aws:kinesis:::{}", "x".repeat(10_240))).to_string();
    let answer = world
        .iam("PutRolePolicy", &[("RoleName", "reader"), ("PolicyName", "b"), ("PolicyDocument", &big)])
        .await;
    assert_eq!(
        answer.error(),
        (
            "LimitExceeded".to_owned(),
            "Maximum policy size of 10240 bytes exceeded for role reader".to_owned()
        )
    );
}
