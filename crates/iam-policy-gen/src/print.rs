//! Printing a policy: bare in one of three languages, or inside the connection document.

use std::io::Write;

use config::{Document as Connection, Fault, Output};
use policy::Document;
use serde_json::{Map, Value};

use crate::args::{Emit, Form, Format};
use crate::stop::Stop;

/// The member of the connection document that holds both policies.
const MEMBER: &str = "policies";

/// Prints `policy`: as `text` in another language, bare, or as `policies.NAME` of the document.
///
/// # Errors
/// A usage fault when the document is asked for in another language or for a policy that does not belong into it; a pipe
/// fault when stdout cannot be written.
pub(crate) fn policy<W: Write>(
    print: &Form,
    name: Option<&str>,
    policy: Document,
    text: Option<String>,
    mut connection: Connection,
    output: &mut Output<W>,
) -> Result<(), Stop> {
    if let Some(text) = text {
        if print.emit == Some(Emit::Document) {
            return Err(Fault::usage("the connection document holds policies as JSON only")
                .with_hint("leave --emit document or --format out")
                .into());
        }
        output.text(&text)?;
        output.flush()?;
        return Ok(());
    }
    let grows = match print.emit {
        Some(emit) => emit == Emit::Document,
        None => connection.came_in() && name.is_some(),
    };
    let Some(name) = name.filter(|_| grows) else {
        if print.emit == Some(Emit::Document) {
            return Err(Fault::usage(
                "this policy is not the role's, so it has no place in the connection document",
            )
            .with_hint("leave --emit document out: it is printed alone")
            .into());
        }
        output.document(policy.as_value())?;
        return Ok(());
    };
    let mut members = match connection.value(MEMBER) {
        Some(Value::Object(members)) => members.clone(),
        _ => Map::new(),
    };
    members.insert(name.to_owned(), policy.into_value());
    connection.set_value(MEMBER, Value::Object(members));
    output.document(&connection)?;
    Ok(())
}

/// Whether the policy is wanted in another language than IAM's.
pub(crate) fn language(print: &Form) -> Format {
    print.format.unwrap_or(Format::Json)
}
