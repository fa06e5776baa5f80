//! Set-ups that look odd and work: nobody may cry wolf.

use serde_json::{Value, json};

use super::Case;
use crate::policies::{MASTER, ROLE_ARN, ROOT, id, let_in, policy, statement};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::fine("untouched", |_| Ok(())),
        Case::fine("trust-in-the-other-form", |world| {
            world.shell("trust-sync --form arn-like < connection.json > arn-like.json")
        }),
        Case::fine("action-in-lower-case", |world| {
            let mut trust = let_in(&[MASTER, ROLE_ARN], &id(&world.external_id));
            trust["Action"] = json!("sts:assumerole");
            world.trust([trust])
        }),
        Case::fine("every-action-of-sts", |world| {
            let mut trust = let_in(&[MASTER, ROLE_ARN], &id(&world.external_id));
            trust["Action"] = json!("sts:*");
            world.trust([trust])
        }),
        Case::fine("a-foreign-statement", |world| {
            world.trust_and(json!({ "Sid": "Lambda", "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": { "Service": "lambda.amazonaws.com" } }))
        }),
        Case::fine("external-id-like-itself", |world| {
            let like = json!({ "StringLike": { "sts:ExternalId": world.external_id } });
            world.trust([let_in(&[MASTER, ROLE_ARN], &like)])
        }),
        Case::fine("external-id-among-others", |world| {
            let any = json!({ "StringEquals": { "sts:ExternalId": ["of-last-year", world.external_id] } });
            world.trust([let_in(&[MASTER, ROLE_ARN], &any)])
        }),
        Case::fine("itself-without-external-id", |world| {
            world.trust([let_in(&[MASTER], &id(&world.external_id)), let_in(&[ROLE_ARN], &Value::Null)])
        }),
        Case::fine("the-role-through-its-account", |world| {
            world.trust([let_in(&[MASTER, ROOT], &id(&world.external_id))])
        }),
        Case::fine("a-refusal-that-does-not-matter", |world| {
            world.inline([statement("Deny", &["kinesis:PutRecord"], "*")])
        }),
        Case::fine("a-boundary-that-is-wide-enough", |world| {
            world.bound([statement("Allow", &["kinesis:*", "sts:*"], "*")])
        }),
        Case::fine("sessions-of-an-hour", |world| world.limit_sessions(3600)),
        Case::fine("permissions-wider-than-needed", |world| {
            world.permissions([statement("Allow", &["kinesis:*"], "*"), crate::policies::assumes_itself()])
        }),
        Case::fine("permissions-by-another-policy", |world| {
            world.detach()?;
            let statements = policy([
                crate::policies::reads(&crate::policies::READ, crate::policies::STREAM_ARN),
                crate::policies::assumes_itself(),
            ]);
            world.inline(statements["Statement"].as_array().cloned().unwrap_or_default())
        }),
    ]
}
