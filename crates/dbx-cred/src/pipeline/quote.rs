//! Names and texts as Spark SQL, Python and YAML write them.

/// A name in backticks.
pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as a Spark SQL literal. Spark reads backslashes, and takes a doubled quote for two literals in a row.
pub(super) fn literal(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '\'' => quoted.push_str("\\'"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A text as a double-quoted string, which JSON, Python and YAML read alike.
pub(super) fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text inside a comment: on one line.
pub(super) fn comment(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{identifier, literal, string};

    #[test]
    fn nothing_breaks_out_of_its_quotes() {
        assert_eq!(identifier("a`b"), "`a``b`");
        assert_eq!(literal("it's \\ a\nb"), r"'it\'s \\ a\nb'");
        assert_eq!(string("a\"b\\c\n"), r#""a\"b\\c\n""#);
    }
}
