//! The columns of the typed table, from the shape of the records.

use std::collections::BTreeSet;

use config::Fault;

use super::infer::Shape;
use super::sql::{CORRUPT, SOURCE};

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// The field of the record.
    pub(super) field: String,
    /// The column's name.
    pub(super) alias: String,
    /// Its type.
    pub(super) kind: Shape,
}

/// Characters that a Delta column's name must not have (Databricks documentation, "Column mapping").
const FORBIDDEN: &str = " ,;{}()\n\t=";

/// The columns, and what was left out and why.
///
/// # Errors
/// A pipe fault when the records are not objects.
pub(super) fn columns(shape: &Shape) -> Result<(Vec<Column>, Vec<String>), Fault> {
    let Shape::Object(fields) = shape else {
        return Err(Fault::pipe("the records have no columns: they are not JSON objects")
            .with_hint("leave --infer out: the table then keeps each record as it arrived"));
    };
    let mut columns: Vec<Column> = Vec::new();
    let mut left_out = Vec::new();
    let reserved = SOURCE.iter().map(|(_, name)| *name).chain([CORRUPT]);
    let mut taken: BTreeSet<String> = reserved.map(str::to_owned).collect();
    for (field, kind) in fields {
        let alias: String = field
            .chars()
            .map(|character| if FORBIDDEN.contains(character) { '_' } else { character })
            .collect();
        // Spark does not tell upper from lower case in names.
        if alias.is_empty() || !taken.insert(alias.to_lowercase()) {
            left_out.push(format!(
                "field `{field}` gets no column: its name is another column's, as Spark reads names; it is still in the raw table"
            ));
            continue;
        }
        columns.push(Column { field: field.clone(), alias, kind: kind.clone() });
    }
    if columns.is_empty() {
        return Err(Fault::pipe("the records have no columns: they are empty objects")
            .with_hint("leave --infer out: the table then keeps each record as it arrived"));
    }
    Ok((columns, left_out))
}

#[cfg(test)]
mod tests {
    use super::{Shape, columns};

    #[test]
    fn names_that_spark_cannot_tell_apart_are_left_out_aloud() {
        let value = serde_json::json!({ "Temp": 1, "temp": 2, "a b": 3, "": 4, "_Shard_ID": 5 });
        let (columns, left_out) = columns(&Shape::of(&value)).unwrap();
        let named: Vec<_> =
            columns.iter().map(|column| (column.field.as_str(), column.alias.as_str())).collect();
        assert_eq!(named, [("Temp", "Temp"), ("a b", "a_b")]);
        assert_eq!(left_out.len(), 3);
    }

    #[test]
    fn records_without_columns_say_so() {
        assert!(columns(&Shape::Long).unwrap_err().message().contains("not JSON objects"));
        assert!(columns(&Shape::Object(Vec::new())).unwrap_err().message().contains("empty objects"));
    }
}
