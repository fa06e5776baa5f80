//! JSON pointers (RFC 6901): how findings and errors say where in a document they are.

use std::fmt::Display;

/// `parent` with one more step, escaped: condition keys such as `aws:ResourceTag/team` contain slashes.
pub(crate) fn join(parent: &str, step: impl Display) -> String {
    let step = step.to_string().replace('~', "~0").replace('/', "~1");
    format!("{parent}/{step}")
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn a_slash_in_a_member_name_is_escaped() {
        assert_eq!(join("/Statement", 0), "/Statement/0");
        assert_eq!(join("", "aws:ResourceTag/a~b"), "/aws:ResourceTag~1a~0b");
    }
}
