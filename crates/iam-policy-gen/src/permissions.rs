//! `permissions`: what the role may do, or the one who sends records.

use config::member::Stream;
use config::names::{RoleArn, StreamArn};
use config::settings::Settings;
use config::{Document as Connection, Fault, Notes};
use policy::Document;
use policy::permissions::{self, Spec};

use crate::args::{Permissions, Side};
use crate::owner;

/// The key that AWS manages for Kinesis. It needs no grant.
const AWS_MANAGED_KEY: &str = "alias/aws/kinesis";

/// Permissions with what the other languages say beside them.
pub(crate) struct Written {
    /// The policy.
    pub(crate) document: Document,
    /// The role it is for; a producer's has none.
    pub(crate) role: Option<RoleArn>,
    /// The stream it is about.
    pub(crate) stream: StreamArn,
    /// Whether it is the one to attach to the role, and so belongs into the document.
    pub(crate) is_for_role: bool,
}

/// Writes the permissions.
///
/// # Errors
/// A usage fault when no stream or account is given, or the two are in different accounts and nobody said so.
pub(crate) fn write(
    args: &Permissions,
    connection: &Connection,
    settings: &Settings,
    notes: &Notes,
) -> Result<Written, Fault> {
    let member: Option<Stream> = connection.get()?;
    let stream = stream(args, member.as_ref())?;
    let key = key(args, member.as_ref().filter(|member| member.arn == stream))?;
    if args.producer {
        let spec = keyed(Spec::producer(stream.as_str()).map_err(|error| unusable(&error))?, key.as_deref())?;
        let document = permissions::document(&spec);
        return Ok(Written { document, role: None, stream, is_for_role: false });
    }
    let role = owner::role(&args.owner, connection, settings, Some(&stream), None)?;
    check_partitions(&stream, &role)?;
    let spec = Spec::reader(stream.as_str(), role.as_str()).map_err(|error| unusable(&error))?;
    let spec =
        keyed(spec.with_mode(args.mode.map_or(permissions::Mode::Polling, Into::into)), key.as_deref())?;
    check_accounts(args, &spec, &stream, &role)?;

    let side = args.side.unwrap_or(Side::Role);
    let document = match side {
        Side::Role => Some(permissions::document(&spec)),
        Side::Stream => permissions::stream_policy(&spec),
        Side::Consumer => {
            args.consumer.as_ref().and_then(|consumer| permissions::consumer_policy(&spec, consumer.as_str()))
        }
    };
    let document = document.ok_or_else(|| {
        Fault::usage("a consumer's policy is for enhanced fan-out only").with_hint("add --mode efo")
    })?;
    if side == Side::Role && spec.crosses_accounts() {
        notes.say("the stream has to admit the role too: write that policy with --side stream, and put it there with `aws kinesis put-resource-policy`");
    }
    Ok(Written { document, role: Some(role), stream, is_for_role: side == Side::Role })
}

fn stream(args: &Permissions, member: Option<&Stream>) -> Result<StreamArn, Fault> {
    args.stream.clone().or(member.map(|member| member.arn.clone())).ok_or_else(|| {
        Fault::usage("no stream is given")
            .with_hint("pipe in what `kstream ensure` or `kstream show` prints, or add --stream ARN")
    })
}

/// The customer's key of the stream: the flag, else the document's unless that is the key AWS manages.
fn key(args: &Permissions, member: Option<&Stream>) -> Result<Option<String>, Fault> {
    if let Some(key) = &args.kms_key {
        return Ok(Some(key.to_string()));
    }
    let Some(key) = member.and_then(|member| member.kms_key.as_deref()) else { return Ok(None) };
    if key.ends_with(AWS_MANAGED_KEY) {
        return Ok(None);
    }
    if key.starts_with("arn:") && key.contains(":key/") {
        return Ok(Some(key.to_owned()));
    }
    Err(Fault::usage(format!("the stream is encrypted with `{key}`, and a policy needs the key's ARN"))
        .with_hint(format!("find it: aws kms describe-key --key-id {key}; then add --kms-key ARN")))
}

fn keyed(spec: Spec, key: Option<&str>) -> Result<Spec, Fault> {
    match key {
        None => Ok(spec),
        Some(key) => spec.with_kms_key(key).map_err(|error| unusable(&error)),
    }
}

fn check_partitions(stream: &StreamArn, role: &RoleArn) -> Result<(), Fault> {
    if role.partition() == stream.arn().partition() {
        return Ok(());
    }
    Err(Fault::usage(format!("role `{role}` and stream `{stream}` are in different partitions"))
        .with_hint("no role can reach into another partition: check --role and --stream"))
}

fn check_accounts(args: &Permissions, spec: &Spec, stream: &StreamArn, role: &RoleArn) -> Result<(), Fault> {
    match (spec.crosses_accounts(), args.cross_account) {
        (true, false) => {
            Err(Fault::usage(format!("role `{role}` is in another account than stream `{stream}`"))
                .with_hint(
                    "if that is meant, add --cross-account; if not, name the role's account with --account",
                ))
        }
        (false, true) => Err(Fault::usage(format!(
            "--cross-account, but role `{role}` and stream `{stream}` are in one account"
        ))
        .with_hint("leave --cross-account out, or name the role by its ARN with --role")),
        (true, true) | (false, false) => Ok(()),
    }
}

fn unusable(error: &permissions::SpecError) -> Fault {
    Fault::usage(error.to_string()).with_hint("iam-policy-gen permissions --help")
}
