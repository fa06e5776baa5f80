//! The transformation in Python, for a declarative pipeline.

use super::column::Column;
use super::plan::Plan;
use super::quote::{comment, string};
use super::sql::{CORRUPT, SOURCE, schema};

pub(super) fn transformation(plan: &Plan, columns: &[Column]) -> String {
    let (option, stream) = if plan.cross_account {
        ("streamARN", plan.stream.as_str())
    } else {
        ("streamName", plan.stream.name().as_str())
    };
    let source: Vec<String> = SOURCE
        .iter()
        .map(|(from, to)| format!("            F.col({}).alias({}),\n", string(from), string(to)))
        .collect();
    let raw = plan.raw_table();
    let imports = if columns.is_empty() { "" } else { "\nSCHEMA = " };
    let schema = if columns.is_empty() { String::new() } else { format!("{}\n", string(&schema(columns))) };
    let mut text = format!(
        "# {header}\n\
         from pyspark import pipelines as dp\n\
         from pyspark.sql import functions as F\n\
         {imports}{schema}\n\n\
         @dp.table(\n    name={name},\n    comment={about},\n)\n\
         def arrived():\n    return (\n        spark.readStream.format(\"kinesis\")\n        \
         .option(\"{option}\", {stream})\n        .option(\"region\", {region})\n        \
         .option(\"serviceCredential\", {credential})\n        .option(\"initialPosition\", {position})\n        \
         .load()\n        .select(\n{source}            F.col(\"data\"),\n        )\n    )\n",
        header = comment(&super::bundle::header(plan)),
        name = string(&raw),
        about = string(&format!("Records of the Kinesis stream {}, as they arrived", plan.stream.name())),
        stream = string(stream),
        region = string(plan.stream.region().as_str()),
        credential = string(plan.credential.as_str()),
        position = string(plan.initial_position()),
        source = source.concat(),
    );
    if !columns.is_empty() {
        text.push_str(&typed(plan, columns, &raw));
    }
    text
}

fn typed(plan: &Plan, columns: &[Column], raw: &str) -> String {
    let source: Vec<String> =
        SOURCE.iter().map(|(_, name)| format!("            F.col({}),\n", string(name))).collect();
    let selected: Vec<String> = columns
        .iter()
        .map(|column| {
            let field = string(&column.field);
            format!("            F.col(\"record\").getField({field}).alias({}),\n", string(&column.alias))
        })
        .collect();
    format!(
        "\n\n@dp.table(\n    name={name},\n    comment={about},\n)\n\
         def typed():\n    options = {{\"mode\": \"PERMISSIVE\", \"columnNameOfCorruptRecord\": \"{CORRUPT}\"}}\n    \
         record = F.from_json(F.col(\"data\").cast(\"string\"), SCHEMA, options)\n    return (\n        \
         spark.readStream.table({raw})\n        .withColumn(\"record\", record)\n        .select(\n{source}{selected}            \
         F.col(\"record\").getField(\"{CORRUPT}\").alias(\"{CORRUPT}\"),\n        )\n    )\n",
        name = string(&plan.table),
        about = string(&format!("Records of the Kinesis stream {}", plan.stream.name())),
        raw = string(raw),
        source = source.concat(),
        selected = selected.concat(),
    )
}
