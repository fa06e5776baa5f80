//! The stream to write to, by name or by ARN.

use std::str::FromStr;

use config::names::{StreamArn, StreamName};

/// A stream. The ARN is used only when the user gave one: it needs another host than the name
/// (`ACCOUNT.data-kinesis.REGION…`), which a firewall may not know, but it reaches streams of other accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The stream's name.
    pub name: StreamName,
    /// Its ARN, when requests are to carry it.
    pub arn: Option<StreamArn>,
}

impl FromStr for Target {
    type Err = config::names::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("arn:") {
            let arn: StreamArn = text.parse()?;
            return Ok(Self { name: arn.name().clone(), arn: Some(arn) });
        }
        Ok(Self { name: text.parse()?, arn: None })
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn an_arn_is_kept_and_a_name_stays_a_name() {
        let target: Target = "sensor-readings".parse().unwrap();
        assert_eq!((target.name.as_str(), target.arn), ("sensor-readings", None));
        let arn = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";
        let target: Target = arn.parse().unwrap();
        assert_eq!((target.name.as_str(), target.arn.unwrap().as_str()), ("sensor-readings", arn));
        assert!("arn:aws:sqs:eu-central-1:123456789012:x".parse::<Target>().is_err());
    }
}
