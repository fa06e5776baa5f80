//! Reading the parameters of a URL, so that a wrong one is refused by its name.

use std::collections::BTreeMap;

use super::error::ApiError;

/// The parameters after the question mark. Where one is given twice the last counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// A parameter that is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A boolean, false where absent. Python writes `True`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.text(name) {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => {
                Err(ApiError::invalid(format!("parameter `{name}` must be true or false, not `{text}`")))
            }
        }
    }

    /// A number of results: not negative, and `None` for "as many as the server likes".
    pub(super) fn max_results(&self) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.text("max_results") else { return Ok(None) };
        match text.parse::<usize>() {
            Ok(0) => Ok(None),
            Ok(count) => Ok(Some(count)),
            Err(_) => Err(ApiError::invalid(format!(
                "parameter `max_results` must be a whole number of 0 or more, not `{text}`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_checked() {
        let query = Query::parse("force=True&max_results=0&principal=ada%40example.com&page_token=");
        assert!(query.flag("force").expect("a boolean"));
        assert_eq!(query.max_results().expect("a number"), None);
        assert_eq!(query.text("principal"), Some("ada@example.com"));
        assert_eq!(query.text("page_token"), None);
        for bad in ["max_results=-1", "max_results=many"] {
            let message = Query::parse(bad).max_results().expect_err(bad).message;
            assert!(message.contains("`max_results`"), "{message}");
        }
        assert!(Query::parse("force=1").flag("force").is_err());
    }
}
