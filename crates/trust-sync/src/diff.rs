//! Two documents as people compare them: line by line, with what goes and what comes.

use policy::Document;
use serde_json::Value;

/// The lines of `before` and `after` in one text: `-` goes, `+` comes, ` ` stays.
pub(crate) fn lines(before: &Document, after: &Document) -> String {
    let (before, after) = (pretty(before), pretty(after));
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let common = common_lengths(&before, &after);
    let length = |row: usize, column: usize| {
        common.get(row).and_then(|row| row.get(column)).copied().unwrap_or_default()
    };
    let mut text = String::new();
    let mut line = |mark: char, content: &str| {
        text.push(mark);
        text.push(' ');
        text.push_str(content);
        text.push('\n');
    };
    let (mut row, mut column) = (0, 0);
    loop {
        match (before.get(row), after.get(column)) {
            (None, None) => return text,
            (Some(one), Some(other)) if one == other => {
                line(' ', one);
                row += 1;
                column += 1;
            }
            (Some(one), other) if other.is_none() || length(row + 1, column) >= length(row, column + 1) => {
                line('-', one);
                row += 1;
            }
            (_, Some(other)) => {
                line('+', other);
                column += 1;
            }
            (Some(one), None) => {
                line('-', one);
                row += 1;
            }
        }
    }
}

/// Lists of names sorted, as IAM returns them in any order and a shuffle is no difference.
fn pretty(document: &Document) -> String {
    let mut value = document.as_value().clone();
    sort(&mut value);
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

fn sort(value: &mut Value) {
    match value {
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        Value::Object(members) => members.values_mut().for_each(sort),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `[row][column]`: how many lines the two have in common, in order, from these places on.
fn common_lengths(before: &[&str], after: &[&str]) -> Vec<Vec<usize>> {
    let mut below = vec![0; after.len() + 1];
    let mut rows = vec![below.clone()];
    for one in before.iter().rev() {
        let mut row = vec![0];
        for (other, (&down, &diagonal)) in
            after.iter().rev().zip(below.iter().rev().skip(1).zip(below.iter().rev()))
        {
            let right = row.last().copied().unwrap_or_default();
            row.push(if one == other { diagonal + 1 } else { down.max(right) });
        }
        row.reverse();
        below.clone_from(&row);
        rows.push(row);
    }
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests {
    use policy::Document;

    use super::lines;

    fn document(principals: &str) -> Document {
        Document::parse(&format!(
            r#"{{"Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":{principals}}}}}]}}"#
        ))
        .unwrap()
    }

    #[test]
    fn only_what_changed_is_marked() {
        let text = lines(&document(r#"["b","a"]"#), &document(r#"["a","b","c"]"#));
        let changed: Vec<&str> =
            text.lines().filter(|line| !line.starts_with(' ')).map(str::trim_end).collect();
        assert_eq!(changed, ["-           \"b\"", "+           \"b\",", "+           \"c\""]);
        assert_eq!(text.lines().filter(|line| line.starts_with(' ')).count(), 13);
    }

    #[test]
    fn a_shuffle_is_no_difference() {
        let text = lines(&document(r#"["b","a"]"#), &document(r#"["a","b"]"#));
        assert!(text.lines().all(|line| line.starts_with(' ')), "{text}");
    }
}
