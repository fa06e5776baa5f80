//! The role is trusted, but may not do what Databricks does.

use super::{Case, Repair};
use crate::policies::{READ, ROLE_ARN, STREAM_ARN, assumes_itself, reads, statement};
use crate::world::World;

/// What writes the permissions anew.
const ANEW: &str =
    "kstream show < connection.json | iam-policy-gen permissions | iam-role ensure > repaired.json";

/// Databricks' checks see nothing of the stream.
const GREEN: &str = "PPP";
/// The role may not assume itself.
const NOT_ITSELF: &str = "PPF";

/// The customer's key of the cases with encryption.
const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/0d26daa6-5e44-4c97-a497-ef015f91254a";

/// Everything but one action.
fn without(world: &World, missing: &str) -> anyhow::Result<()> {
    let actions: Vec<&str> = READ.into_iter().filter(|action| *action != missing).collect();
    world.permissions([reads(&actions, STREAM_ARN), assumes_itself()])
}

/// Permissions on another stream.
fn on(world: &World, stream: &str) -> anyhow::Result<()> {
    world.permissions([reads(&READ, stream), assumes_itself()])
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = not_granted();
    cases.extend(refused());
    cases.extend(encrypted());
    cases
}

fn not_granted() -> Vec<Case> {
    vec![
        Case::broken(
            "policy-detached",
            World::detach,
            NOT_ITSELF,
            "permissions",
            "no policy is attached",
            ANEW,
        ),
        Case::broken(
            "no-permission-to-assume-itself",
            |world| world.permissions([reads(&READ, STREAM_ARN)]),
            NOT_ITSELF,
            "permissions",
            "`sts:AssumeRole`",
            ANEW,
        ),
        Case::broken(
            "permission-to-assume-another-role",
            |world| {
                let other = statement("Allow", &["sts:AssumeRole"], &ROLE_ARN.replace("kinesis", "s3"));
                world.permissions([reads(&READ, STREAM_ARN), other])
            },
            NOT_ITSELF,
            "permissions",
            "`sts:AssumeRole`",
            ANEW,
        ),
        Case::broken(
            "no-describe-stream-summary",
            |world| without(world, "kinesis:DescribeStreamSummary"),
            GREEN,
            "permissions",
            "may not `kinesis:DescribeStreamSummary` on",
            ANEW,
        ),
        Case::broken(
            "no-list-shards",
            |world| without(world, "kinesis:ListShards"),
            GREEN,
            "permissions",
            "may not `kinesis:ListShards` on",
            ANEW,
        ),
        Case::broken(
            "no-get-shard-iterator",
            |world| without(world, "kinesis:GetShardIterator"),
            GREEN,
            "permissions",
            "may not `kinesis:GetShardIterator` on",
            ANEW,
        ),
        Case::broken(
            "no-get-records",
            |world| without(world, "kinesis:GetRecords"),
            GREEN,
            "permissions",
            "may not `kinesis:GetRecords` on",
            ANEW,
        ),
        Case::broken(
            "policy-for-another-stream",
            |world| on(world, &STREAM_ARN.replace("sensor-readings", "orders")),
            GREEN,
            "permissions",
            "`kinesis:GetRecords`",
            ANEW,
        ),
        Case::broken(
            "policy-for-another-region",
            |world| on(world, &STREAM_ARN.replace("eu-central-1", "eu-west-1")),
            GREEN,
            "permissions",
            "`kinesis:GetRecords`",
            ANEW,
        ),
        Case::broken(
            "policy-for-another-account",
            |world| on(world, &STREAM_ARN.replace("123456789012", "210987654321")),
            GREEN,
            "permissions",
            "`kinesis:GetRecords`",
            ANEW,
        ),
        Case::broken(
            "policy-for-another-partition",
            |world| on(world, &STREAM_ARN.replace("arn:aws:", "arn:aws-us-gov:")),
            GREEN,
            "permissions",
            "`kinesis:GetRecords`",
            ANEW,
        ),
        Case::broken(
            "policy-without-stream-in-the-arn",
            |world| on(world, &STREAM_ARN.replace("stream/", "")),
            GREEN,
            "permissions",
            "`kinesis:GetRecords`",
            ANEW,
        ),
        Case {
            // The keys can poll; what they cannot is asked of the doctor alone.
            beyond_the_sandbox: true,
            ..Case::broken(
                "polling-where-fan-out-is-wanted",
                |world| {
                    world.shell("iam-policy-gen permissions --mode efo < connection.json > efo.json; mv efo.json connection.json")
                },
                GREEN,
                "permissions",
                "may not `kinesis:RegisterStreamConsumer`",
                "kstream show < connection.json | iam-policy-gen permissions --mode efo | iam-role ensure > repaired.json",
            )
        },
        Case::broken(
            "policy-rolled-back",
            |world| {
                // The first version is made a poor one, then the second, good one is left.
                world.shell("iam-role delete --yes < connection.json > down.json")?;
                world.shell(
                    "iam-policy-gen permissions --stream arn:aws:kinesis:eu-central-1:123456789012:stream/orders < connection.json > poor.json
                     iam-role ensure databricks-kinesis-role < poor.json | iam-policy-gen permissions | iam-role ensure | trust-sync > good.json",
                )?;
                world.roll_back()
            },
            GREEN,
            "permissions",
            "`kinesis:GetRecords`",
            ANEW,
        ),
    ]
}

fn refused() -> Vec<Case> {
    vec![
        Case::broken(
            "inline-refusal-of-reading",
            |world| world.inline([statement("Deny", &["kinesis:Get*"], "*")]),
            GREEN,
            "permissions",
            "of inline policy `somebody-elses` refuses it",
            "aws iam delete-role-policy --role-name databricks-kinesis-role --policy-name somebody-elses",
        ),
        Case::broken(
            "inline-refusal-of-assuming-itself",
            |world| world.inline([statement("Deny", &["sts:*"], "*")]),
            NOT_ITSELF,
            "permissions",
            "of inline policy `somebody-elses` refuses it",
            "aws iam delete-role-policy",
        ),
        Case::broken(
            "attached-refusal",
            |world| world.attach([statement("Deny", &["kinesis:*"], STREAM_ARN)]),
            GREEN,
            "permissions",
            "of policy `somebody-elses` refuses it",
            "aws iam detach-role-policy --role-name databricks-kinesis-role --policy-arn arn:aws:iam::123456789012:policy/somebody-elses",
        ),
        Case::broken(
            "refusal-in-the-roles-own-policy",
            |world| {
                let refusal = statement("Deny", &["kinesis:GetRecords"], "*");
                world.permissions([reads(&READ, STREAM_ARN), assumes_itself(), refusal])
            },
            GREEN,
            "permissions",
            "of policy `databricks-kinesis-policy` refuses it",
            ANEW,
        ),
        Case::broken(
            "boundary-that-keeps-from-reading",
            |world| world.bound([statement("Allow", &["sts:AssumeRole"], "*")]),
            GREEN,
            "permissions",
            "which an administrator has set",
            "aws iam delete-role-permissions-boundary --role-name databricks-kinesis-role",
        ),
        Case::broken(
            "boundary-that-keeps-from-assuming-itself",
            |world| world.bound([statement("Allow", &["kinesis:*"], "*")]),
            NOT_ITSELF,
            "permissions",
            "its permissions boundary `arn:aws:iam::123456789012:policy/somebody-elses`",
            "aws iam delete-role-permissions-boundary",
        ),
        Case::broken(
            "boundary-that-refuses",
            |world| {
                let refusal = statement("Deny", &["kinesis:GetRecords"], "*");
                world.bound([statement("Allow", &["*"], "*"), refusal])
            },
            GREEN,
            "permissions",
            "`kinesis:GetRecords`",
            "aws iam delete-role-permissions-boundary",
        ),
    ]
}

fn encrypted() -> Vec<Case> {
    vec![
        Case {
            beyond_the_sandbox: true,
            ..Case::broken(
                "encrypted-with-a-customers-key",
                |world| world.encrypt(KEY),
                GREEN,
                "permissions",
                "may not `kms:Decrypt` on `arn:aws:kms:eu-central-1:123456789012:key/",
                ANEW,
            )
        },
        Case {
            beyond_the_sandbox: true,
            ..Case::broken(
                "decryption-through-another-service-only",
                |world| {
                    world.encrypt(KEY)?;
                    let mut decrypt = statement("Allow", &["kms:Decrypt"], KEY);
                    decrypt["Condition"] = serde_json::json!({ "StringEquals": { "kms:ViaService": "s3.eu-central-1.amazonaws.com" } });
                    world.permissions([reads(&READ, STREAM_ARN), assumes_itself(), decrypt])
                },
                GREEN,
                "permissions",
                "`kms:Decrypt`",
                ANEW,
            )
        },
        Case::fine("encrypted-with-awss-own-key", |world| world.encrypt("alias/aws/kinesis")),
        Case {
            repair: Repair::None,
            ..Case::fine("encrypted-and-permitted", |world| {
                world.encrypt(KEY)?;
                world.shell("kstream show < connection.json | iam-policy-gen permissions | iam-role ensure > keyed.json")
            })
        },
    ]
}
