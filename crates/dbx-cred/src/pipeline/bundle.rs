//! An asset bundle with one pipeline. It holds no credential: bundles know none, which is why `dbx-cred ensure` exists.

use config::Fault;

use super::Format;
use super::file::File;
use super::plan::{Plan, object_name};
use super::quote::{comment, string};

/// What every file that this command may replace begins with, behind the comment sign.
pub(super) const MARK: &str = "Written by dbx-cred pipeline";

/// The first line of every file.
pub(super) fn header(plan: &Plan) -> String {
    format!("{MARK} for {}; run it again rather than editing this.", plan.stream)
}

/// The bundle's files.
pub(super) fn files(
    plan: &Plan,
    format: Format,
    transformation: String,
    catalog: &str,
    schema: &str,
) -> Result<Vec<File>, Fault> {
    let (catalog, schema) = (object_name(catalog, "--catalog")?, object_name(schema, "--schema")?);
    let ending = match format {
        Format::Sql => "sql",
        Format::Python => "py",
    };
    // The table's name may hold anything but periods and slashes; as a file's name and a key it must be plain.
    let plain: String = plan
        .table
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '_' })
        .collect();
    let workspace = plan
        .host
        .as_ref()
        .map_or_else(String::new, |host| format!("    workspace:\n      host: {}\n", string(host.as_str())));
    let manifest = format!(
        "# {header}\n\
         bundle:\n  name: {name}\n\n\
         resources:\n  pipelines:\n    {key}:\n      name: {name}\n      catalog: {catalog}\n      schema: {schema}\n      \
         serverless: true\n      continuous: false\n      libraries:\n        - glob:\n            include: transformations/**\n\n\
         targets:\n  dev:\n    mode: development\n    default: true\n{workspace}",
        header = comment(&header(plan)),
        name = string(&plan.table),
        key = string(&plain),
        catalog = string(&catalog),
        schema = string(&schema),
    );
    Ok(vec![
        File { path: "databricks.yml".to_owned(), text: manifest },
        File { path: format!("transformations/{plain}.{ending}"), text: transformation },
    ])
}
