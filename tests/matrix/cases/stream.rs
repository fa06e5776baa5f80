//! The stream, and where it is looked for.

use super::{Case, Repair};

/// Databricks' checks see nothing of the stream.
const GREEN: &str = "PPP";

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::broken(
            "stream-deleted",
            |world| world.shell("kstream delete --yes < connection.json > down.json"),
            GREEN,
            "stream",
            "there is no stream `sensor-readings` in eu-central-1",
            "kstream ensure < connection.json > repaired.json",
        ),
        Case::broken(
            "stream-made-again-under-another-name",
            |world| {
                world.shell(
                    "kstream delete --yes < connection.json | kstream ensure sensor-reading > other.json",
                )
            },
            GREEN,
            "stream",
            "there is no stream `sensor-readings`",
            "kstream ensure < connection.json > repaired.json",
        ),
        Case::fine("stream-made-again-in-another-mode", |world| {
            world.shell("kstream delete --yes < connection.json | kstream ensure sensor-readings --shards 2 > other.json")
        }),
        Case {
            repair: Repair::Command("aws-check --doctor --region eu-central-1 < connection.json"),
            flags: "--region us-east-1",
            beyond_the_sandbox: true,
            ..Case::broken(
                "wrong-region",
                |_| Ok(()),
                GREEN,
                "identity",
                "requests go to region us-east-1 (argument --region), but the stream is in eu-central-1",
                "",
            )
        },
        Case {
            predicted: "refused: aws-check",
            repair: Repair::Impossible("aws login --profile NAME, with a user of account 210987654321"),
            beyond_the_sandbox: true,
            ..Case::broken(
                "wrong-account",
                |world| world.shell("sed -i s/123456789012/210987654321/g connection.json"),
                GREEN,
                "identity",
                "is in account 210987654321",
                "",
            )
        },
        Case {
            predicted: "refused: ",
            repair: Repair::Impossible("is in partition `aws-us-gov`"),
            beyond_the_sandbox: true,
            ..Case::broken(
                "wrong-partition",
                |world| world.shell("sed -i s/arn:aws:iam::1234/arn:aws-us-gov:iam::1234/g connection.json"),
                GREEN,
                "identity",
                "these credentials are for partition `aws`",
                "",
            )
        },
    ]
}
