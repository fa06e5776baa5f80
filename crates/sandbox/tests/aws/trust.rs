//! Trust policies: principals that exist, principals that do not yet, and how a document comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{MASTER, ROOT, World, role_arn, trust};

/// The error of a CreateRole with this trust policy.
async fn refused(world: &World, document: &Value) -> (String, String) {
    let document = document.to_string();
    world.iam("CreateRole", &[("RoleName", "reader"), ("AssumeRolePolicyDocument", &document)]).await.error()
}

fn malformed(message: &str) -> (String, String) {
    ("MalformedPolicyDocument".to_owned(), message.to_owned())
}

#[tokio::test]
async fn a_role_cannot_name_itself_before_it_exists() {
    let world = World::start().await;
    let own = role_arn("reader");
    let complaint = format!("Invalid principal in policy: \"AWS\":\"{own}\"");
    assert_eq!(refused(&world, &trust(&[MASTER, &own])).await, malformed(&complaint));
    world.role("reader", &trust(&[MASTER])).await;
    let both = trust(&[MASTER, &own]).to_string();
    world.iam_ok("UpdateAssumeRolePolicy", &[("RoleName", "reader"), ("PolicyDocument", &both)]).await;
}

#[tokio::test]
async fn a_fresh_role_is_no_principal_until_it_has_spread() {
    let world = World::start().await;
    let document = trust(&[MASTER]).to_string();
    world.iam("CreateRole", &[("RoleName", "reader"), ("AssumeRolePolicyDocument", &document)]).await;
    let own = role_arn("reader");
    let both = trust(&[MASTER, &own]).to_string();
    let update = [("RoleName", "reader"), ("PolicyDocument", both.as_str())];
    world.clock.advance(Duration::from_millis(249));
    let early = world.iam("UpdateAssumeRolePolicy", &update).await;
    assert_eq!(early.error(), malformed(&format!("Invalid principal in policy: \"AWS\":\"{own}\"")));
    assert_eq!(
        world.iam("GetRole", &[("RoleName", "reader")]).await.status,
        200,
        "it can be read all the same"
    );
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.iam("UpdateAssumeRolePolicy", &update).await.status, 200);
}

#[tokio::test]
async fn malformed_documents_are_refused_and_nothing_is_created() {
    let world = World::start().await;
    let mut with_resource = trust(&[ROOT]);
    with_resource["Statement"][0]["Resource"] = json!("*");
    let mut lower_case = trust(&[ROOT]);
    lower_case["Statement"][0]["Effect"] = json!("allow");
    for (document, message) in [
        (json!({}), "Missing required field Statement"),
        (json!("text"), "This policy contains invalid Json"),
        (with_resource, "Has prohibited field Resource"),
        (lower_case, "Invalid effect: allow"),
        (trust(&[]), "Missing required field Principal cannot be empty!"),
        (
            trust(&["arn:aws:iam::123456789012:role/*"]),
            "Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:role/*\"",
        ),
        (trust(&["AROADEADDEADDEADDEADD"]), "Invalid principal in policy: \"AWS\":\"AROADEADDEADDEADDEADD\""),
    ] {
        assert_eq!(refused(&world, &document).await, malformed(message), "{document}");
    }
    assert_eq!(world.iam("GetRole", &[("RoleName", "reader")]).await.code(), "NoSuchEntity");
}

#[tokio::test]
async fn a_long_document_exceeds_the_quota() {
    let world = World::start().await;
    let mut long = trust(&[ROOT]);
    long["Statement"][0]["Condition"] = json!({ "StringEquals": { "sts:ExternalId": "x".repeat(2048) } });
    assert_eq!(
        refused(&world, &long).await,
        ("LimitExceeded".to_owned(), "Cannot exceed quota for ACLSizePerRole: 2048".to_owned())
    );
}

#[tokio::test]
async fn a_document_comes_back_encoded_in_another_order_and_in_normal_form() {
    let world = World::start().await;
    world.role("reader", &trust(&["123456789012", MASTER])).await;
    let raw = world.iam_ok("GetRole", &[("RoleName", "reader")]).await;
    assert!(raw.text("AssumeRolePolicyDocument").starts_with("%7B%22Version%22%3A%22"), "{raw:?}");
    let mut orders = BTreeSet::new();
    for _ in 0..20 {
        let role = world.iam_ok("GetRole", &[("RoleName", "reader")]).await;
        let statement = role.document("AssumeRolePolicyDocument")["Statement"][0].clone();
        assert_eq!(statement["Action"], "sts:AssumeRole", "a list of one comes back as the one");
        let names = statement["Principal"]["AWS"].as_array().expect("two").clone();
        orders.insert(names.iter().map(|name| name.as_str().expect("text").to_owned()).collect::<Vec<_>>());
    }
    let one = vec![ROOT.to_owned(), MASTER.to_owned()];
    let other = vec![MASTER.to_owned(), ROOT.to_owned()];
    assert_eq!(orders, BTreeSet::from([one, other]), "the account id came back as its root, in either order");
}
