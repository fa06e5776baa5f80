//! Who the credentials belong to, as STS sees it. This call cannot be denied.

use std::fmt::Display;

use aws_sdk_sts::Client;
use config::aws::Aws;
use config::member::Identity;
use config::names::Arn;
use config::{Fault, Kind};

pub(crate) async fn ask(aws: &Aws) -> Result<Identity, Fault> {
    const DOING: &str = "failed to ask AWS who you are";
    let answer =
        Client::new(&aws.sdk).get_caller_identity().send().await.map_err(|error| aws.fault(DOING, &error))?;
    let arn: Arn = answer.arn().unwrap_or_default().parse().map_err(unusable)?;
    let account = answer.account().unwrap_or_default().parse().map_err(unusable)?;
    Ok(Identity {
        account,
        partition: arn.partition(),
        region: Some(aws.region.clone()),
        root: arn.resource() == "root",
        arn,
    })
}

fn unusable(error: impl Display) -> Fault {
    Fault::refused("the answer to who you are cannot be used")
        .with_cause(error)
        .with_hint("check AWS_ENDPOINT_URL_STS and --endpoint-url: does that endpoint speak STS?")
}
