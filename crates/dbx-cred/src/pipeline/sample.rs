//! Records from kpeek, read for their shape.

use std::io::BufRead;

use config::Fault;
use serde::Deserialize;
use serde_json::Value;

use super::infer::Shape;

/// Records that are looked at. More change little, and a stream that is followed never ends.
const MOST_RECORDS: usize = 10_000;

/// The part of kpeek's envelope that matters here. The required field catches lines that are something else.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "shard_id")]
    _shard_id: String,
    #[serde(default)]
    json: Option<Value>,
}

/// The common shape of the records in kpeek's envelopes.
///
/// # Errors
/// A pipe fault with the line when the input is something else, or holds no JSON.
pub(super) fn shape(input: impl BufRead) -> Result<Shape, Fault> {
    const HINT: &str = "pipe in what kpeek prints: kpeek STREAM --count 100 | dbx-cred pipeline --infer --doc connection.json";
    let mut shape = Shape::Unknown;
    let (mut records, mut other) = (0, 0);
    for (index, line) in input.lines().enumerate().take(MOST_RECORDS) {
        let line =
            line.map_err(|error| Fault::pipe("failed to read records from stdin").with_cause(error))?;
        let envelope: Envelope = serde_json::from_str(&line).map_err(|error| {
            Fault::pipe(format!(
                "line {} of stdin is not one of kpeek's records, column {}",
                index + 1,
                error.column()
            ))
            .with_hint(HINT)
        })?;
        match envelope.json {
            Some(value) => {
                shape.take_in(Shape::of(&value));
                records += 1;
            }
            None => other += 1,
        }
    }
    match (records, other) {
        (0, 0) => Err(Fault::pipe("there is no record on stdin to infer columns from").with_hint(HINT)),
        (0, other) => Err(Fault::pipe(format!("none of the {other} records on stdin is JSON"))
            .with_hint("leave --infer out: the table then keeps each record as it arrived")),
        _ => Ok(shape),
    }
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn envelopes_are_opened_and_anything_else_is_named() {
        let line = |payload: &str| format!("{{\"stream\":\"s\",\"shard_id\":\"x\",\"sub\":0,{payload}}}\n");
        let good =
            [line("\"json\":{\"a\":1}"), line("\"bytes\":\"/w==\""), line("\"json\":{\"a\":2.5}")].concat();
        assert_eq!(shape(good.as_bytes()).unwrap().to_string(), "STRUCT<`a`: DOUBLE>");
        let said = |text: &str| shape(text.as_bytes()).unwrap_err().to_text("t");
        assert!(said("").contains("there is no record"));
        assert!(said(&line("\"bytes\":\"/w==\"")).contains("none of the 1 records"));
        assert!(said(&format!("{good}oops\n")).contains("line 4 of stdin"));
        assert!(said("{\"a\":1}\n").contains("line 1 of stdin"), "a bare record is no envelope");
    }
}
