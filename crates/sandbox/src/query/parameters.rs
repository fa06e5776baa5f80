//! The parameters of one query request.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::error::ServiceError;

/// Form fields by name. Lists are spelled `Tags.member.1.Key`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads a form-encoded body. A field that stands twice counts once, the last one.
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// The operation that is asked for.
    pub(crate) fn action(&self) -> &str {
        self.optional("Action").unwrap_or_default()
    }

    /// A parameter that may be left out.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ServiceError> {
        self.optional(name).ok_or_else(|| constraint_null(&member_name(name)))
    }

    /// A number, or nothing when it was left out.
    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, ServiceError> {
        self.optional(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    ServiceError::new(
                        400,
                        "MalformedInput",
                        format!("`{text}` is not a number that {name} accepts"),
                    )
                })
            })
            .transpose()
    }

    /// `true` or `false`; left out means `false`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.optional(name) == Some("true")
    }

    /// A list of plain values: `TagKeys.member.1`, `TagKeys.member.2`, …
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        (1..).map_while(|index| self.optional(&format!("{name}.member.{index}"))).collect()
    }

    /// A list of key and value: `Tags.member.1.Key`, `Tags.member.1.Value`, …
    pub(crate) fn pairs(&self, name: &str) -> Vec<(&str, &str)> {
        (1..)
            .map_while(|index| {
                let key = self.optional(&format!("{name}.member.{index}.Key"))?;
                let value = self.optional(&format!("{name}.member.{index}.Value")).unwrap_or_default();
                Some((key, value))
            })
            .collect()
    }
}

/// How AWS spells a parameter in its validation sentences: `RoleName` is `roleName`.
pub(crate) fn member_name(parameter: &str) -> String {
    let mut letters = parameter.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn constraint_null(member: &str) -> ServiceError {
    ServiceError::validation(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_pairs_end_at_the_first_gap() {
        let parameters = Parameters::parse(
            b"Action=TagRole&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.3.Key=c&TagKeys.member.1=x%2Fy",
        );
        assert_eq!(parameters.action(), "TagRole");
        assert_eq!(parameters.pairs("Tags"), [("a", "1")]);
        assert_eq!(parameters.list("TagKeys"), ["x/y"]);
    }

    #[test]
    fn a_missing_parameter_is_named_as_aws_names_it() {
        let error = Parameters::parse(b"").required("RoleName").unwrap_err();
        assert_eq!(error.code, "ValidationError");
        assert!(error.message.contains("Value null at 'roleName'"), "{error}");
    }
}
