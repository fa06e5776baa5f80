//! Policy documents as the API returns them: percent-encoded by RFC 3986, which the Rust SDK does not undo.

use config::Fault;
use percent_encoding::percent_decode_str;
use policy::Document;

/// Reads a document that IAM returned; `what` names it, such as ``the trust policy of role `reader` ``.
///
/// Not form-decoding: a `+` in a document is a plus.
///
/// # Errors
/// A refused fault when the text is no policy document.
pub fn document(what: &str, encoded: &str) -> Result<Document, Fault> {
    let refused = |reason: &dyn std::fmt::Display| {
        Fault::refused(format!("failed to read {what}"))
            .with_cause(reason)
            .with_hint("look at it in the IAM console: a policy that no tool can read protects nobody")
    };
    let text = percent_decode_str(encoded).decode_utf8().map_err(|error| refused(&error))?;
    Document::parse(&text).map_err(|error| refused(&error))
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn a_plus_stays_a_plus() {
        let encoded = "%7B%22Statement%22%3A%5B%5D%2C%22Id%22%3A%22a+b%20c%22%7D";
        assert_eq!(document("it", encoded).unwrap().to_string(), r#"{"Statement":[],"Id":"a+b c"}"#);
    }

    #[test]
    fn what_is_no_policy_is_named() {
        let text = document("the trust policy of role `reader`", "%FF").unwrap_err().to_text("t");
        assert!(text.starts_with("t: failed to read the trust policy of role `reader`: "), "{text}");
    }
}
