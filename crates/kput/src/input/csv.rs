//! CSV rows as JSON objects: the header names the members, in its order.

use super::shape::CsvValues;

/// Appends the row as a JSON object.
pub(super) fn object(
    out: &mut Vec<u8>,
    names: &[String],
    row: &csv::ByteRecord,
    values: CsvValues,
) -> Result<(), String> {
    out.push(b'{');
    for (index, (name, value)) in names.iter().zip(row).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        let text =
            std::str::from_utf8(value).map_err(|_| format!("has a column {name} that is not UTF-8"))?;
        match values {
            CsvValues::Infer if text.is_empty() => out.extend_from_slice(b"null"),
            CsvValues::Infer if is_json_word(text) => out.extend_from_slice(value),
            CsvValues::Infer | CsvValues::Text => out.extend_from_slice(quoted(text).as_bytes()),
        }
    }
    out.push(b'}');
    Ok(())
}

/// The header's names as JSON strings.
pub(super) fn names(header: &csv::ByteRecord) -> Result<Vec<String>, String> {
    let mut names = Vec::with_capacity(header.len());
    for (index, name) in header.iter().enumerate() {
        let name = std::str::from_utf8(name)
            .map_err(|_| format!("the name of column {} is not UTF-8", index + 1))?;
        let name = name.trim();
        if name.is_empty() {
            return Err(format!("column {} has no name", index + 1));
        }
        let name = quoted(name);
        if names.contains(&name) {
            return Err(format!("two columns are called {name}"));
        }
        names.push(name);
    }
    Ok(names)
}

/// Cuts the carriage return off the last field.
pub(super) fn cut_return(row: &mut csv::ByteRecord) {
    let last = row.len().saturating_sub(1);
    let cut = |(index, field): (usize, &[u8])| match field.strip_suffix(b"\r") {
        Some(cut) if index == last => cut.to_vec(),
        _ => field.to_vec(),
    };
    let position = row.position().cloned();
    *row = row.iter().enumerate().map(cut).collect();
    row.set_position(position);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether `text` is a number, `true` or `false` exactly as JSON writes it: `007` and `1,5` are text.
fn is_json_word(text: &str) -> bool {
    match text.as_bytes() {
        [b'-' | b'0'..=b'9', ..] => serde_json::from_str::<serde_json::Number>(text).is_ok(),
        _ => text == "true" || text == "false",
    }
}

#[cfg(test)]
mod tests {
    use super::{names, object};
    use crate::input::CsvValues;

    fn row(values: CsvValues) -> String {
        let names = names(&csv::ByteRecord::from(vec!["id", "t", "ok", "n\"m", "e"])).unwrap();
        let mut out = Vec::new();
        object(
            &mut out,
            &names,
            &csv::ByteRecord::from(vec!["007", "-18.20", "true", "a \"b\"\n", ""]),
            values,
        )
        .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_and_booleans_keep_their_spelling() {
        assert_eq!(row(CsvValues::Infer), r#"{"id":"007","t":-18.20,"ok":true,"n\"m":"a \"b\"\n","e":null}"#);
    }

    #[test]
    fn text_is_text_when_asked() {
        assert_eq!(
            row(CsvValues::Text),
            r#"{"id":"007","t":"-18.20","ok":"true","n\"m":"a \"b\"\n","e":""}"#
        );
    }

    #[test]
    fn a_header_needs_distinct_names() {
        assert!(names(&csv::ByteRecord::from(vec!["a", "a"])).unwrap_err().contains("two columns"));
        assert!(names(&csv::ByteRecord::from(vec!["a", " "])).unwrap_err().contains("column 2"));
    }
}
