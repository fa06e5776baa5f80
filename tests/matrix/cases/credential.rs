//! The role or the credential is gone, or one is not for the other.

use super::Case;
use crate::world::World;

/// Makes the credential, or makes it name the role, and lets the role trust it.
const ANEW: &str = "dbx-cred ensure < connection.json | trust-sync > repaired.json";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case {
            predicted: "refused: there is no role `databricks-kinesis-role`",
            ..Case::broken(
                "role-deleted",
                |world| world.shell("iam-role delete --yes < connection.json > down.json"),
                "FSS",
                "role",
                "there is no role `databricks-kinesis-role` any more",
                "iam-role ensure < connection.json | trust-sync > repaired.json",
            )
        },
        Case {
            predicted: "refused: databricks-kinesis-role",
            ..Case::broken(
                "role-made-again-with-a-path",
                |world| {
                    world.shell("iam-role delete --yes < connection.json > down.json")?;
                    world.other_role("databricks-kinesis-role", "/team/")
                },
                "FSS",
                "role",
                "is `arn:aws:iam::123456789012:role/team/databricks-kinesis-role` now",
                "iam-role show databricks-kinesis-role < connection.json | iam-policy-gen permissions | iam-role ensure | dbx-cred ensure | trust-sync",
            )
        },
        Case {
            // Offline, nothing is wrong: only Databricks knows that its credential is gone.
            predicted: "PPP",
            validated: "refused: there is no credential `kinesis-sensor-credential`",
            ..Case::broken(
                "credential-deleted",
                |world| world.shell("dbx-cred delete --yes < connection.json > down.json"),
                "PPP",
                "credential",
                "there is no credential `kinesis-sensor-credential`",
                ANEW,
            )
        },
        renamed(),
        other("credential-for-another-role", |world| {
            world.shell("dbx-cred ensure --role-arn arn:aws:iam::123456789012:role/reader < connection.json > other.json")
        }),
        other("credential-for-another-account", |world| {
            world.shell("dbx-cred ensure --role-arn arn:aws:iam::210987654321:role/databricks-kinesis-role < connection.json > other.json")
        }),
        other("credential-for-another-partition", |world| {
            world.shell("dbx-cred ensure --role-arn arn:aws-us-gov:iam::123456789012:role/databricks-kinesis-role < connection.json > other.json")
        }),
        Case {
            predicted: "FSS",
            validated: "refused: is for STORAGE, not for SERVICE",
            ..Case::broken(
                "storage-credential",
                World::storage_credential,
                "FSS",
                "credential",
                "is for STORAGE, not for SERVICE, and cannot be made into one",
                "dbx-cred ensure kinesis-sensor-credential-service < connection.json | trust-sync > repaired.json",
            )
        },
    ]
}

/// A credential that names another role than the document.
fn other(name: &'static str, breaks: fn(&World) -> anyhow::Result<()>) -> Case {
    Case {
        predicted: "refused: credential `kinesis-sensor-credential` is for role",
        ..Case::broken(name, breaks, "FSS", "credential", "is for role `arn:aws", ANEW)
    }
}

/// IAM cannot rename a role: another one is made, and the credential still names the old one.
fn renamed() -> Case {
    other("role-renamed", |world| {
        world.shell(
            "iam-role delete --yes < connection.json | iam-policy-gen permissions --role kinesis-reader | iam-role ensure kinesis-reader > renamed.json
             mv renamed.json connection.json",
        )
    })
}
