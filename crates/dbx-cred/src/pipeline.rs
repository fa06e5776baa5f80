//! `pipeline`: the files that read the stream in Databricks. Pure: it sends nothing and needs no login.

mod bundle;
mod column;
mod file;
mod infer;
mod plan;
mod python;
mod quote;
mod sample;
mod sql;

use std::io::{BufRead, Write};

use clap::{Args, ValueEnum};
use config::args::DocArgs;
use config::process::World;
use config::settings::Settings;
use config::{Document, Fault, Notes, Outcome, Output};
use serde_json::json;

use column::columns;
use infer::Shape;
use plan::Plan;

/// Writes what reads the stream in Databricks: SQL, Python, or an asset bundle.
#[derive(Args, Clone, Debug, Default)]
pub struct Pipeline {
    /// The credential [default: the document's, then KINBRICKS_CREDENTIAL]
    pub credential: Option<String>,
    /// The stream [default: stream.arn of the document]
    #[arg(long, value_name = "ARN")]
    pub stream: Option<String>,
    /// The language of the transformation
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Type the columns by the records that kpeek prints on stdin; the document then comes from --doc FILE
    #[arg(long)]
    pub infer: bool,
    /// The table for the records; as they arrive they go to NAME_raw [default: the stream's name]
    #[arg(long, value_name = "NAME")]
    pub table: Option<String>,
    /// Start with the records that are in the stream, or with those that come
    #[arg(long, value_enum, default_value_t)]
    pub from: From,
    /// Write an asset bundle into DIR instead of printing the transformation
    #[arg(long, value_name = "DIR", requires = "catalog", requires = "schema")]
    pub out: Option<String>,
    /// The catalog of the bundle's tables
    #[arg(long, value_name = "NAME", requires = "out")]
    pub catalog: Option<String>,
    /// The schema of the bundle's tables
    #[arg(long, value_name = "NAME", requires = "out")]
    pub schema: Option<String>,
}

/// The language of a transformation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Streaming tables over read_kinesis
    #[default]
    Sql,
    /// A readStream in a declarative pipeline
    Python,
}

/// Where reading begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum From {
    /// With the oldest record that the stream still holds
    #[default]
    Earliest,
    /// With the records that arrive after the first start
    Latest,
}

/// Runs the command: prints the transformation, or writes the bundle and lets the document go on with the member
/// `pipeline`.
///
/// # Errors
/// When something is not given, the records cannot be read, or the files cannot be written.
pub async fn start<W: Write>(
    args: Pipeline,
    doc: DocArgs,
    world: World,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let notes = world.notes.clone();
    let settings = world.settings.clone();
    // Reading blocks, so it happens off the runtime's thread.
    let infer = args.infer;
    let reading = tokio::task::spawn_blocking(move || read(infer, &doc, &world));
    let read = reading.await.map_err(|error| Fault::pipe("failed to read stdin").with_cause(error))?;
    let (document, shape) = read?;
    run(&args, &settings, &notes, document, shape.as_ref(), output)
}

fn read(infer: bool, doc: &DocArgs, world: &World) -> Result<(Document, Option<Shape>), Fault> {
    if !infer {
        return Ok((world.document(doc)?, None));
    }
    let document = match doc.doc.as_deref() {
        None => Document::default(),
        Some("-") => {
            return Err(Fault::usage(
                "--infer reads records from stdin, so the document cannot come from there",
            )
            .with_hint("write it to a file: --doc connection.json"));
        }
        Some(_) => world.document(doc)?,
    };
    let stdin: Box<dyn BufRead> = Box::new(std::io::stdin().lock());
    Ok((document, Some(sample::shape(stdin)?)))
}

/// Everything after reading.
///
/// # Errors
/// As [`start`].
pub fn run<W: Write>(
    args: &Pipeline,
    settings: &Settings,
    notes: &Notes,
    mut document: Document,
    shape: Option<&Shape>,
    output: &mut Output<W>,
) -> Result<Outcome, Fault> {
    let plan = Plan::new(args, settings, &document)?;
    let columns = match shape {
        None => Vec::new(),
        Some(shape) => {
            let (columns, left_out) = columns(shape)?;
            for reason in left_out {
                notes.warn(reason);
            }
            columns
        }
    };
    let transformation = match args.format {
        Format::Sql => sql::transformation(&plan, &columns)?,
        Format::Python => python::transformation(&plan, &columns),
    };
    let (Some(folder), Some(catalog), Some(schema)) = (&args.out, &args.catalog, &args.schema) else {
        output.text(&transformation)?;
        output.flush()?;
        return Ok(Outcome::Done);
    };
    let files = bundle::files(&plan, args.format, transformation, catalog, schema)?;
    let written = file::write_all(folder, &files, notes)?;
    let columns: Vec<_> = columns
        .iter()
        .map(|column| json!({ "name": column.alias, "type": column.kind.to_string() }))
        .collect();
    document.set_value("pipeline", json!({ "files": written, "table": plan.table, "columns": columns }));
    output.document(&document)?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests;
