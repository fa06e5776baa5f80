//! Who the credentials belong to, as STS sees it. This call cannot be denied.

use std::fmt::Display;

use aws_sdk_sts::Client;
use config::aws::Aws;
use config::member::Identity;
use config::names::Arn;
use config::{Fault, Kind};

pub(crate) async fn ask(aws: &Aws) -> Result<Identity, Fault> {
    let asked = Client::new(&aws.sdk).get_caller_identity().send().await;
    let answer = asked.map_err(|error| {
        let fault = aws.fault("failed to ask AWS who you are", &error);
        if fault.kind() != Kind::Transient {
            return fault;
        }
        fault.with_hint(
            "check the network, HTTPS_PROXY, and --endpoint-url or AWS_ENDPOINT_URL_STS if you set one",
        )
    })?;
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
