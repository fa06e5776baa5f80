//! `--fields`: only some fields of JSON payloads.

use serde::de::IgnoredAny;

use crate::envelope::string;
use crate::path::Path;

/// Appends an object of the fields that `payload` has, under the names they were asked for by; the payload itself when it
/// is no JSON object.
pub(crate) fn project(out: &mut Vec<u8>, fields: &[Path], payload: &[u8]) {
    let is_object =
        |text: &&str| text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok();
    let object = std::str::from_utf8(payload).ok().filter(is_object);
    let Some(text) = object else {
        out.extend_from_slice(payload);
        return;
    };
    out.push(b'{');
    let mut is_first = true;
    for field in fields {
        let Some(value) = field.find(text) else { continue };
        if !is_first {
            out.push(b',');
        }
        is_first = false;
        string(out, &field.to_string());
        out.push(b':');
        // A value of several lines would break the line it is shown in; within a JSON value a line break is only layout.
        out.extend(value.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::project;

    fn projected(fields: &[&str], payload: &str) -> String {
        let fields: Vec<_> = fields.iter().map(|field| field.parse().unwrap()).collect();
        let mut out = Vec::new();
        project(&mut out, &fields, payload.as_bytes());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn keeps_the_order_that_was_asked_for_and_the_spelling_of_values() {
        let payload = "{\"a\":1.50,\n\"b\":{\"c\":[1,\n2]},\"d\":\"x\"}";
        assert_eq!(projected(&["d", "b.c", "a", "z"], payload), r#"{"d":"x","b.c":[1,2],"a":1.50}"#);
        assert_eq!(projected(&["z"], payload), "{}");
    }

    #[test]
    fn what_is_no_object_stays() {
        for payload in ["hello", "[1]", "42", "", "{broken", r#"{"a":1"#, r#"{"a":1} {}"#] {
            assert_eq!(projected(&["a"], payload), payload);
        }
    }
}
