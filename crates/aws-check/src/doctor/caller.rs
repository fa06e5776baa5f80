//! The first link: the credentials in use are for the account, the partition and the region that the document is about.

use config::aws::Aws;
use config::member::Identity;

use super::connection::Connection;
use super::finding::{Gap, Seen};

pub(crate) fn check(connection: &Connection, identity: &Identity, aws: &Aws) -> Result<Seen<()>, Gap> {
    let Identity { account, arn, partition, .. } = identity;
    let role = connection.role_arn().map(|arn| (arn.account().clone(), arn.partition(), arn.to_string()));
    let stream = connection.stream.as_ref().map(|stream| &stream.arn);
    let of_stream = stream.map(|arn| (arn.account().clone(), arn.arn().partition(), arn.to_string()));
    // A stream may live in another account than the role, but not in another partition.
    if let Some((other, _, thing)) = role.clone().or(of_stream.clone()).filter(|(other, ..)| other != account)
    {
        return Err(Gap::broken(
            format!("these credentials are for account {account}, but `{thing}` is in account {other}"),
            format!(
                "aws login --profile NAME, with a user of account {other}, then: {}",
                connection.examine("--profile NAME")
            ),
        ));
    }
    if let Some((_, other, thing)) =
        role.into_iter().chain(of_stream).find(|(_, other, _)| other != partition)
    {
        return Err(Gap::broken(
            format!(
                "these credentials are for partition `{partition}`, but `{thing}` is in partition `{other}`"
            ),
            format!(
                "aws login --profile NAME --region {}, then: {}",
                aws.region,
                connection.examine("--profile NAME")
            ),
        ));
    }
    if let Some(region) = stream.map(config::names::StreamArn::region).filter(|region| **region != aws.region)
    {
        return Err(Gap::broken(
            format!(
                "requests go to region {} ({}), but the stream is in {region}",
                aws.region, aws.region_origin
            ),
            connection.examine(&format!("--region {region}")),
        ));
    }
    Ok(Seen::ok(format!("{arn} in account {account}, region {}", aws.region)))
}
