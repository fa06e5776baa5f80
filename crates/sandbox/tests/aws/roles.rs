//! Roles as IAM keeps them: names, ids, tags, pages, and what stands in the way of deleting one.

use sandbox::Options;
use sandbox::iam::{Quotas, Settings};

use crate::world::{MASTER, ROOT, World, allow, role_arn, trust};

#[tokio::test]
async fn names_are_unique_ignoring_case_and_keep_their_spelling() {
    let world = World::start().await;
    let created = world.role("Reader", &trust(&[ROOT])).await;
    assert_eq!(created.text("Arn"), role_arn("Reader"));
    let again = trust(&[ROOT]).to_string();
    let refused =
        world.iam("CreateRole", &[("RoleName", "READER"), ("AssumeRolePolicyDocument", &again)]).await;
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.error(),
        ("EntityAlreadyExists".to_owned(), "Role with name READER already exists.".to_owned())
    );
    assert_eq!(world.iam_ok("GetRole", &[("RoleName", "reader")]).await.text("RoleName"), "Reader");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let world = World::start().await;
    for action in ["GetRole", "DeleteRole", "ListRoleTags", "ListAttachedRolePolicies", "ListRolePolicies"] {
        let answer = world.iam(action, &[("RoleName", "nobody")]).await;
        assert_eq!(answer.status, 404, "{action}");
        assert_eq!(
            answer.error(),
            ("NoSuchEntity".to_owned(), "The role with name nobody cannot be found.".to_owned()),
            "{action}"
        );
    }
    let (code, message) = world.iam("GetRole", &[]).await.error();
    assert_eq!(code, "ValidationError");
    assert!(message.contains("Value null at 'roleName'"), "{message}");
    assert_eq!(world.iam("LaunchRocket", &[]).await.code(), "InvalidAction");
}

#[tokio::test]
async fn a_namesake_is_another_role() {
    let world = World::start().await;
    let first = world.role("reader", &trust(&[ROOT])).await;
    world.role("other", &trust(&[&role_arn("reader")])).await;
    world.iam_ok("DeleteRole", &[("RoleName", "reader")]).await;

    let seen = world.iam_ok("GetRole", &[("RoleName", "other")]).await.document("AssumeRolePolicyDocument");
    assert_eq!(
        seen["Statement"][0]["Principal"]["AWS"],
        first.text("RoleId"),
        "the dead one is shown by its id"
    );

    let second = world.role("reader", &trust(&[ROOT])).await;
    assert_ne!(first.text("RoleId"), second.text("RoleId"));
    let seen = world.iam_ok("GetRole", &[("RoleName", "other")]).await.document("AssumeRolePolicyDocument");
    assert_eq!(
        seen["Statement"][0]["Principal"]["AWS"],
        first.text("RoleId"),
        "a namesake does not revive it"
    );
}

#[tokio::test]
async fn a_role_with_policies_cannot_be_deleted() {
    let world = World::start().await;
    world.role("reader", &trust(&[ROOT])).await;
    world.permit("reader", &allow(&["kinesis:*"], "*")).await;
    let aws = "arn:aws:iam::aws:policy/AmazonKinesisReadOnlyAccess";
    world.iam_ok("AttachRolePolicy", &[("RoleName", "reader"), ("PolicyArn", aws)]).await;
    for (way_out, more, message) in [
        ("DetachRolePolicy", ("PolicyArn", aws), "Cannot delete entity, must detach all policies first."),
        ("DeleteRolePolicy", ("PolicyName", "own"), "Cannot delete entity, must delete policies first."),
    ] {
        let conflict = world.iam("DeleteRole", &[("RoleName", "reader")]).await;
        assert_eq!(conflict.status, 409);
        assert_eq!(conflict.error(), ("DeleteConflict".to_owned(), message.to_owned()));
        world.iam_ok(way_out, &[("RoleName", "reader"), more]).await;
    }
    world.iam_ok("DeleteRole", &[("RoleName", "reader")]).await;
    assert_eq!(world.iam("GetRole", &[("RoleName", "reader")]).await.code(), "NoSuchEntity");
}

#[tokio::test]
async fn tags_are_set_changed_and_taken_off() {
    let world = World::start().await;
    world.role("reader", &trust(&[ROOT])).await;
    let tag =
        |key, value| [("RoleName", "reader"), ("Tags.member.1.Key", key), ("Tags.member.1.Value", value)];
    world.iam_ok("TagRole", &tag("team", "a")).await;
    world.iam_ok("TagRole", &tag("Team", "b")).await;
    let tags = world.iam_ok("ListRoleTags", &[("RoleName", "reader")]).await;
    assert_eq!((tags.text("Key"), tags.text("Value")), ("Team", "b"));
    assert_eq!(world.iam_ok("GetRole", &[("RoleName", "reader")]).await.text("Value"), "b");
    world.iam_ok("UntagRole", &[("RoleName", "reader"), ("TagKeys.member.1", "TEAM")]).await;
    let tags = world.iam_ok("ListRoleTags", &[("RoleName", "reader")]).await;
    assert!(!tags.body.contains("<Key>"), "{tags:?}");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world.role(name, &trust(&[ROOT])).await;
    }
    let first = world.iam_ok("ListRoles", &[("MaxItems", "2")]).await;
    assert_eq!(first.body.matches("<RoleName>").count(), 2);
    assert_eq!(first.text("IsTruncated"), "true");
    let last = world.iam_ok("ListRoles", &[("MaxItems", "2"), ("Marker", first.text("Marker"))]).await;
    assert_eq!((last.text("RoleName"), last.text("IsTruncated")), ("c", "false"));
}

#[tokio::test]
async fn a_role_is_changed() {
    let world = World::start().await;
    world.role("reader", &trust(&[ROOT])).await;
    let change =
        [("RoleName", "reader"), ("Description", "reads <things> & more"), ("MaxSessionDuration", "7200")];
    world.iam_ok("UpdateRole", &change).await;
    let role = world.iam_ok("GetRole", &[("RoleName", "reader")]).await;
    assert_eq!(role.text("Description"), "reads &lt;things&gt; &amp; more");
    assert_eq!(role.text("MaxSessionDuration"), "7200");
    let (code, message) =
        world.iam("UpdateRole", &[("RoleName", "reader"), ("MaxSessionDuration", "60")]).await.error();
    assert_eq!(code, "ValidationError");
    assert!(message.contains("'60' at 'maxSessionDuration'"), "{message}");
}

#[tokio::test]
async fn quotas_hold() {
    let quotas = Quotas { policies_per_role: 1, roles: 1, ..Quotas::default() };
    let options = Options { iam: Settings { quotas, ..Settings::default() }, ..Options::default() };
    let world = World::with(options).await;
    world.role("reader", &trust(&[MASTER])).await;
    let document = trust(&[MASTER]).to_string();
    let second = world.iam("CreateRole", &[("RoleName", "b"), ("AssumeRolePolicyDocument", &document)]).await;
    assert_eq!(
        second.error(),
        ("LimitExceeded".to_owned(), "Cannot exceed quota for RolesPerAccount: 1".to_owned())
    );
    let attach = |arn| [("RoleName", "reader"), ("PolicyArn", arn)];
    let first = "arn:aws:iam::aws:policy/AmazonKinesisReadOnlyAccess";
    world.iam_ok("AttachRolePolicy", &attach(first)).await;
    world.iam_ok("AttachRolePolicy", &attach(first)).await;
    let second = world.iam("AttachRolePolicy", &attach("arn:aws:iam::aws:policy/AdministratorAccess")).await;
    assert_eq!(
        second.error(),
        ("LimitExceeded".to_owned(), "Cannot exceed quota for PoliciesPerRole: 1".to_owned())
    );
    let summary = world.iam_ok("GetAccountSummary", &[]).await;
    assert!(
        summary.body.contains("<key>AttachedPoliciesPerRoleQuota</key><value>1</value>"),
        "{}",
        summary.body
    );
}

#[tokio::test]
async fn a_new_role_can_be_hidden_from_readers() {
    let settings = Settings { hide_new_roles: true, ..Settings::default() };
    let world = World::with(Options { iam: settings, ..Options::default() }).await;
    let document = trust(&[ROOT]).to_string();
    let created =
        world.iam("CreateRole", &[("RoleName", "a"), ("AssumeRolePolicyDocument", &document)]).await;
    assert_eq!(created.status, 200, "{created:?}");
    assert_eq!(world.iam("GetRole", &[("RoleName", "a")]).await.code(), "NoSuchEntity");
    world.wait();
    assert_eq!(world.iam("GetRole", &[("RoleName", "a")]).await.status, 200);
}

#[tokio::test]
async fn a_boundary_is_shown_and_taken_off() {
    let world = World::start().await;
    world.role("reader", &trust(&[ROOT])).await;
    let arn = "arn:aws:iam::aws:policy/AmazonKinesisReadOnlyAccess";
    world.iam_ok("PutRolePermissionsBoundary", &[("RoleName", "reader"), ("PermissionsBoundary", arn)]).await;
    let role = world.iam_ok("GetRole", &[("RoleName", "reader")]).await;
    assert_eq!(role.text("PermissionsBoundaryArn"), arn);
    world.iam_ok("DeleteRolePermissionsBoundary", &[("RoleName", "reader")]).await;
    let again = world.iam("DeleteRolePermissionsBoundary", &[("RoleName", "reader")]).await;
    assert_eq!(again.code(), "NoSuchEntity");
    let missing = [("RoleName", "reader"), ("PermissionsBoundary", "arn:aws:iam::123456789012:policy/none")];
    assert_eq!(world.iam("PutRolePermissionsBoundary", &missing).await.code(), "NoSuchEntity");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_ids() {
    let mut ids = Vec::new();
    for seed in [1, 1, 2] {
        let settings = Settings { seed, ..Settings::default() };
        let world = World::with(Options { iam: settings, ..Options::default() }).await;
        ids.push(world.role("reader", &trust(&[ROOT])).await.text("RoleId").to_owned());
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
}
