//! The ARN of an IAM role, as far as Databricks checks it: the form, never whether the role exists.

use super::error::ApiError;

/// The partitions that Databricks runs in.
const PARTITIONS: [&str; 2] = ["aws", "aws-us-gov"];

/// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoleArn(String);

impl RoleArn {
    /// Checks an ARN that stood in `field`.
    pub(super) fn parse(text: &str, field: &str) -> Result<Self, ApiError> {
        match fault(text) {
            None => Ok(Self(text.to_owned())),
            Some(why) => Err(ApiError::invalid(format!(
                "field `{field}` must be the ARN of an IAM role, such as \
                 `arn:aws:iam::123456789012:role/NAME`, but in `{text}` {why}"
            ))),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn fault(text: &str) -> Option<&'static str> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts.as_slice() else {
        return Some("there are fewer than six parts");
    };
    let name = resource.strip_prefix("role/").map(|path| path.rsplit('/').next().unwrap_or_default());
    if *prefix != "arn" {
        Some("the first part is not `arn`")
    } else if !PARTITIONS.contains(partition) {
        Some("the partition is not one that Databricks runs in")
    } else if *service != "iam" || !region.is_empty() {
        Some("the service is not `iam` without a region")
    } else if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("the account is not twelve digits")
    } else if !name.is_some_and(is_role_name) {
        Some("the resource is not `role/NAME`")
    } else {
        None
    }
}

/// IAM's own rule for role names: 1 to 64 of `[\w+=,.@-]`.
fn is_role_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, why: Option<&str>) {
        let result = RoleArn::parse(text, "aws_iam_role.role_arn");
        match why {
            None => assert_eq!(result.expect(text).as_str(), text),
            Some(why) => {
                let message = result.expect_err(text).message;
                assert!(message.contains(why) && message.contains("`aws_iam_role.role_arn`"), "{message}");
            }
        }
    }

    #[test]
    fn arns_are_checked_part_by_part() {
        check("arn:aws:iam::123456789012:role/databricks-kinesis-role", None);
        check("arn:aws-us-gov:iam::123456789012:role/data/kinesis", None);
        check("databricks-kinesis-role", Some("fewer than six"));
        check("urn:aws:iam::123456789012:role/r", Some("not `arn`"));
        check("arn:aws-cn:iam::123456789012:role/r", Some("partition"));
        check("arn:aws:sts::123456789012:assumed-role/r/s", Some("not `iam`"));
        check("arn:aws:iam:eu-central-1:123456789012:role/r", Some("without a region"));
        check("arn:aws:iam::1234:role/r", Some("twelve digits"));
        check("arn:aws:iam::123456789012:user/r", Some("role/NAME"));
        check("arn:aws:iam::123456789012:role/", Some("role/NAME"));
        check("arn:aws:iam::123456789012:role/a b", Some("role/NAME"));
    }
}
