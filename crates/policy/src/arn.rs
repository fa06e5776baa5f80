//! Amazon resource names, split into their six parts.

/// The parts of `arn:partition:service:region:account:resource`. The resource keeps its own colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Splits `text`, or gives `None` when it has fewer than six parts or no `arn` in front.
    pub(crate) fn split(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        Some(Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        })
    }

    /// Whether this is the ARN of an account's root, `arn:aws:iam::123456789012:root`.
    pub(crate) fn is_root(&self) -> bool {
        self.service == "iam" && self.resource == "root" && is_account(self.account)
    }
}

/// Whether `text` is an account id: twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `text` is an IAM unique id, which is what a principal turns into once its role or user is gone.
///
/// The prefixes are those of the IAM user guide's page on identifiers; ids are upper-case letters and digits.
pub(crate) fn is_unique_id(text: &str) -> bool {
    const PREFIXES: [&str; 4] = ["AROA", "AIDA", "AGPA", "ANPA"];
    /// Shorter ones are only seen in examples; the prefix alone is no id.
    const SHORTEST: usize = 8;
    text.len() >= SHORTEST
        && PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_keeps_its_colons() {
        let arn =
            Arn::split("arn:aws:kinesis:eu-central-1:123456789012:stream/s/consumer/c:1700000000").unwrap();
        assert_eq!(arn.resource, "stream/s/consumer/c:1700000000");
        assert_eq!((arn.partition, arn.region), ("aws", "eu-central-1"));
        assert_eq!(Arn::split("arn:aws:kinesis"), None);
        assert_eq!(Arn::split("123456789012"), None);
    }

    #[test]
    fn ids_are_told_from_accounts() {
        assert!(is_account("123456789012") && !is_account("12345678901") && !is_account("12345678901x"));
        assert!(
            is_unique_id("AROAEXAMPLE0000000001")
                && !is_unique_id("AROA")
                && !is_unique_id("arn:aws:iam::1:root")
        );
    }
}
