//! The trust policy is wrong.

use std::time::Duration;

use serde_json::{Value, json};

use super::Case;
use crate::policies::{MASTER, ROLE, ROLE_ARN, ROOT, id, keep_out, let_in};

/// What writes the trust policy anew.
const SYNC: &str = "trust-sync < connection.json > repaired.json";
/// The same without the statements of others.
const EXCLUSIVE: &str = "trust-sync --exclusive < connection.json > repaired.json";

/// Databricks is kept out.
const OUT: &str = "FSS";
/// Databricks gets in whatever it sends.
const OPEN: &str = "PFP";
/// The role may not assume itself.
const NOT_ITSELF: &str = "PPF";

/// Far longer than a case takes to be looked at from every side, on a machine that has much else to do.
const SPREADING: Duration = Duration::from_secs(15);

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::broken(
            "wrong-external-id",
            |world| world.trust([let_in(&[MASTER, ROLE_ARN], &id("0d26daa6-5e44-4c97-a497-ef015f91254a"))]),
            OUT,
            "trust",
            "asks Unity Catalog for `0d26daa6-5e44-4c97-a497-ef015f91254a`, not for",
            SYNC,
        ),
        Case::broken(
            "placeholder",
            |world| world.trust([let_in(&[MASTER], &id("0000"))]),
            OUT,
            "trust",
            "placeholder `0000`",
            SYNC,
        ),
        Case::broken(
            "external-id-in-another-case",
            |world| world.trust([let_in(&[MASTER, ROLE_ARN], &id(&world.external_id.to_uppercase()))]),
            OUT,
            "trust",
            "asks Unity Catalog for",
            SYNC,
        ),
        Case::broken(
            "external-id-with-a-blank",
            |world| world.trust([let_in(&[MASTER, ROLE_ARN], &id(&format!("{} ", world.external_id)))]),
            OUT,
            "trust",
            "asks Unity Catalog for",
            SYNC,
        ),
        Case::broken(
            "any-external-id",
            |world| {
                let like = json!({ "StringLike": { "sts:ExternalId": "*" } });
                world.trust([let_in(&[MASTER, ROLE_ARN], &like)])
            },
            OPEN,
            "trust",
            "`StringLike`",
            SYNC,
        ),
        Case::broken(
            "external-id-if-it-exists",
            |world| {
                let condition = json!({ "StringEqualsIfExists": { "sts:ExternalId": world.external_id } });
                world.trust([let_in(&[MASTER, ROLE_ARN], &condition)])
            },
            OPEN,
            "trust",
            "`StringEqualsIfExists`",
            SYNC,
        ),
        Case::broken(
            "no-external-id",
            |world| world.trust([let_in(&[MASTER, ROLE_ARN], &Value::Null)]),
            OPEN,
            "trust",
            "without an external ID",
            SYNC,
        ),
        Case::broken(
            "a-second-statement-without-external-id",
            |world| world.trust_and(let_in(&[MASTER], &Value::Null)),
            OPEN,
            "trust",
            "without an external ID",
            SYNC,
        ),
        Case::broken(
            "dead-principal",
            |world| {
                world.other_role("former-reader", "/")?;
                let former = "arn:aws:iam::123456789012:role/former-reader";
                world.trust([let_in(&[MASTER, former], &id(&world.external_id))])?;
                world.delete_role("former-reader")
            },
            NOT_ITSELF,
            "trust",
            "is the id of a role or user that was deleted",
            SYNC,
        ),
        Case::broken(
            "role-made-again",
            |world| {
                world.shell("iam-role delete --yes < connection.json | iam-role ensure databricks-kinesis-role > again.json")
            },
            OUT,
            "trust",
            "placeholder `0000`",
            SYNC,
        ),
        Case::broken(
            "may-not-assume-itself",
            |world| world.trust([let_in(&[MASTER], &id(&world.external_id))]),
            NOT_ITSELF,
            "trust",
            "may not assume itself, which Databricks demands",
            SYNC,
        ),
        Case::broken(
            "itself-with-a-wrong-external-id",
            |world| {
                world.trust([let_in(&[MASTER], &id(&world.external_id)), let_in(&[ROLE_ARN], &id("0000"))])
            },
            NOT_ITSELF,
            "trust",
            "the role itself",
            SYNC,
        ),
        Case::broken(
            "another-role-of-the-account-narrowed",
            |world| {
                let mut condition = id(&world.external_id);
                condition["ArnLike"] = json!({ "aws:PrincipalArn": "arn:aws:iam::123456789012:role/other" });
                world.trust([let_in(&[MASTER], &id(&world.external_id)), let_in(&[ROOT], &condition)])
            },
            NOT_ITSELF,
            "trust",
            "may not assume itself",
            SYNC,
        ),
        Case::broken(
            "databricks-is-missing",
            |world| world.trust([let_in(&[ROLE_ARN], &id(&world.external_id))]),
            OUT,
            "trust",
            "Unity Catalog's role `arn:aws:iam::414351767826:role/",
            SYNC,
        ),
        Case::broken(
            "somebody-else-in-place-of-databricks",
            |world| {
                world.other_role("somebody-else", "/")?;
                let other = "arn:aws:iam::123456789012:role/somebody-else";
                world.trust([let_in(&[other, ROLE_ARN], &id(&world.external_id))])
            },
            OUT,
            "trust",
            "is not trusted",
            SYNC,
        ),
        Case::broken(
            "everybody-refused",
            |world| world.trust_and(keep_out(&json!("*"), &Value::Null)),
            OUT,
            "trust",
            "statement `SomebodyElses` of the trust policy denies",
            EXCLUSIVE,
        ),
        Case::broken(
            "databricks-refused",
            |world| world.trust_and(keep_out(&json!({ "AWS": MASTER }), &Value::Null)),
            OUT,
            "trust",
            "denies `sts:AssumeRole`",
            EXCLUSIVE,
        ),
        Case::broken(
            "the-role-itself-refused",
            |world| world.trust_and(keep_out(&json!({ "AWS": ROLE_ARN }), &Value::Null)),
            NOT_ITSELF,
            "trust",
            "denies `sts:AssumeRole`",
            EXCLUSIVE,
        ),
        Case::broken(
            "refused-without-a-second-factor",
            |world| {
                let condition = json!({ "BoolIfExists": { "aws:MultiFactorAuthPresent": "false" } });
                world.trust_and(keep_out(&json!("*"), &condition))
            },
            OUT,
            "trust",
            "denies `sts:AssumeRole`",
            EXCLUSIVE,
        ),
        Case::broken(
            "not-before-the-year-2099",
            |world| {
                let mut condition = id(&world.external_id);
                condition["DateGreaterThan"] = json!({ "aws:CurrentTime": "2099-01-01T00:00:00Z" });
                world.trust([let_in(&[MASTER, ROLE_ARN], &condition)])
            },
            OUT,
            "trust",
            "Databricks is not let in",
            SYNC,
        ),
        Case::broken(
            "credential-made-again",
            |world| {
                world.shell("dbx-cred delete --yes < connection.json | dbx-cred ensure kinesis-sensor-credential --role databricks-kinesis-role > again.json")
            },
            OUT,
            "trust",
            "not for",
            "dbx-cred show < connection.json | trust-sync > repaired.json",
        ),
        Case {
            predicted: "PPP",
            spreads: true,
            ..Case::broken(
                "repaired-a-moment-ago",
                |world| {
                    world.trust([let_in(&[MASTER, ROLE_ARN], &id("0000"))])?;
                    world.slow_down(SPREADING);
                    world.shell("trust-sync < connection.json > synced.json")
                },
                OUT,
                "validation",
                "every policy looks right, so IAM may still be spreading it",
                "dbx-cred validate < connection.json > repaired.json",
            )
        },
        Case::broken(
            "another-action",
            |world| {
                let mut trust = let_in(&[MASTER, ROLE_ARN], &id(&world.external_id));
                trust["Action"] = json!("sts:AssumeRoleWithWebIdentity");
                world.trust([trust])
            },
            OUT,
            "trust",
            ROLE,
            SYNC,
        ),
    ]
}
