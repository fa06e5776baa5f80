//! Generated text, parsed by parsers that somebody else wrote.

use std::io::Write;
use std::process::{Command, Stdio};

use config::env::Env;
use config::settings::Settings;
use config::{Document, Fault, Notes, Output};
use proptest::prelude::*;
use sqlparser::ast::{SetExpr, Statement, TableFactor};
use sqlparser::dialect::DatabricksDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};
use yaml_rust2::YamlLoader;

use super::infer::Shape;
use super::quote::{literal, string};
use super::{Format, Pipeline, run};

const DOCUMENT: &str = r#"{"kinbricks":1,
    "stream":{"name":"sensor-readings","arn":"arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings"},
    "credential":{"name":"kinesis-sensor-credential","role_arn":"arn:aws:iam::123456789012:role/r","external_id":"0d26",
                  "unity_catalog_iam_arn":"arn:aws:iam::414351767826:role/u","host":"https://dbc-1.test"}}"#;

const RECORD: &str = r#"{"timestamp":"2024-01-15T10:00:00","sensor_id":"sensor_01","location":"Freezer A",
    "temperature_celsius":-18.2,"it's `odd`, \"very\"":{"a\\b":[1]}}"#;

fn written(args: &Pipeline, document: &str, record: Option<&str>) -> Result<String, Fault> {
    let settings = Settings::load(&Env::default(), None).unwrap();
    let shape = record.map(|text| Shape::of(&serde_json::from_str(text).unwrap()));
    let mut bytes = Vec::new();
    run(
        args,
        &settings,
        &Notes::into_writer("t", Vec::new()),
        Document::parse(document).unwrap(),
        shape.as_ref(),
        &mut Output::new(&mut bytes, false),
    )?;
    Ok(String::from_utf8(bytes).unwrap())
}

/// The statements, as far as the parser knows Databricks: it has no streaming tables and no STREAM.
fn parsed(sql: &str) -> Vec<Statement> {
    let known = sql
        .replace("CREATE OR REFRESH STREAMING TABLE", "CREATE OR REPLACE TABLE")
        .replace("FROM STREAM ", "FROM ");
    Parser::parse_sql(&DatabricksDialect, &known).unwrap_or_else(|error| panic!("{error}:\n{sql}"))
}

#[test]
fn the_raw_table_reads_the_stream_with_the_credential() {
    let sql = written(&Pipeline::default(), DOCUMENT, None).unwrap();
    assert_eq!(sql.matches("CREATE OR REFRESH STREAMING TABLE").count(), 1);
    let statements = parsed(&sql);
    let [Statement::CreateTable(table)] = statements.as_slice() else { panic!("{statements:?}") };
    assert_eq!(table.name.to_string(), "`sensor_readings_raw`");
    let SetExpr::Select(select) = table.query.as_ref().unwrap().body.as_ref() else { panic!("{table:?}") };
    let TableFactor::Table { name, args: Some(args), .. } = &select.from[0].relation else {
        panic!("{select:?}")
    };
    assert_eq!(name.to_string(), "read_kinesis");
    let named: Vec<String> = args.args.iter().map(ToString::to_string).collect();
    assert_eq!(
        named,
        [
            "streamName => 'sensor-readings'",
            "region => 'eu-central-1'",
            "serviceCredential => 'kinesis-sensor-credential'",
            "initialPosition => 'earliest'"
        ]
    );
}

#[test]
fn the_typed_table_has_a_column_for_every_field() {
    let sql = written(&Pipeline::default(), DOCUMENT, Some(RECORD)).unwrap();
    let statements = parsed(&sql);
    let [_, Statement::CreateTable(table)] = statements.as_slice() else { panic!("{statements:?}") };
    let SetExpr::Select(select) = table.query.as_ref().unwrap().body.as_ref() else { panic!("{table:?}") };
    let columns: Vec<String> = select.projection.iter().map(ToString::to_string).collect();
    assert_eq!(columns[4], "record.`timestamp` AS `timestamp`");
    assert_eq!(columns[8], "record.`it's ``odd``, \"very\"` AS `it's_``odd``__\"very\"`");
    assert_eq!(columns.last().unwrap(), "record._corrupt_record AS _corrupt_record");
    let schema =
        literals(&sql).into_iter().find(|text| text.contains("BOOLEAN") || text.contains("DOUBLE")).unwrap();
    assert_eq!(
        schema,
        "`timestamp` TIMESTAMP, `sensor_id` STRING, `location` STRING, `temperature_celsius` DOUBLE, \
         `it's ``odd``, \"very\"` STRUCT<`a\\b`: ARRAY<BIGINT>>, _corrupt_record STRING"
    );
}

/// Every text that a reader of Databricks' SQL finds between quotes.
fn literals(sql: &str) -> Vec<String> {
    let tokens = Tokenizer::new(&DatabricksDialect, sql).tokenize().unwrap();
    let text = |token| match token {
        Token::SingleQuotedString(text) => Some(text),
        _ => None,
    };
    tokens.into_iter().filter_map(text).collect()
}

#[test]
fn a_stream_of_another_account_needs_its_arn_and_so_python() {
    let document = DOCUMENT
        .replace("arn:aws:kinesis:eu-central-1:123456789012", "arn:aws:kinesis:eu-central-1:210987654321");
    let fault = written(&Pipeline::default(), &document, None).unwrap_err();
    assert!(fault.hint().unwrap().contains("--format python"), "{fault:?}");
    let python = Pipeline { format: Format::Python, ..Pipeline::default() };
    let text = written(&python, &document, None).unwrap();
    let option =
        r#".option("streamARN", "arn:aws:kinesis:eu-central-1:210987654321:stream/sensor-readings")"#;
    assert!(text.contains(option), "{text}");
    assert!(!text.contains("streamName"), "{text}");
}

/// Python parses the text and prints the values of the names and calls that matter.
fn python(script: &str, text: &str) -> Option<String> {
    let mut command = Command::new("python3");
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Prints the functions and the constants of a module.
const NAMES: &str = "import ast, sys\ntree = ast.parse(sys.stdin.read())\n\
        print([node.name for node in tree.body if isinstance(node, ast.FunctionDef)])\n\
        print([node.value.value for node in tree.body if isinstance(node, ast.Assign)])";

#[test]
fn the_python_is_python_and_says_the_same() {
    let args = Pipeline { format: Format::Python, ..Pipeline::default() };
    let plain = written(&args, DOCUMENT, None).unwrap();
    let typed = written(&args, DOCUMENT, Some(RECORD)).unwrap();
    assert!(plain.contains(".option(\"serviceCredential\", \"kinesis-sensor-credential\")"), "{plain}");
    let Some(seen) = python(NAMES, &plain) else {
        println!("skipped: there is no python3");
        return;
    };
    assert_eq!(seen, "['arrived']\n[]\n");
    let seen = python(NAMES, &typed).unwrap();
    assert!(seen.starts_with("['arrived', 'typed']\n"), "{seen}");
    assert!(seen.contains("`temperature_celsius` DOUBLE"), "{seen}");
}

#[test]
fn the_bundle_is_yaml_with_one_pipeline_and_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    let args = Pipeline {
        out: Some(out.to_str().unwrap().to_owned()),
        catalog: Some("sensor_pipeline".to_owned()),
        schema: Some("bronze".to_owned()),
        ..Pipeline::default()
    };
    let document = written(&args, DOCUMENT, Some(RECORD)).unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(
        document["pipeline"]["columns"][3],
        serde_json::json!({ "name": "temperature_celsius", "type": "DOUBLE" })
    );

    let manifest = std::fs::read_to_string(out.join("databricks.yml")).unwrap();
    let yaml = &YamlLoader::load_from_str(&manifest).unwrap()[0];
    let pipeline = &yaml["resources"]["pipelines"]["sensor_readings"];
    assert_eq!(pipeline["catalog"].as_str(), Some("sensor_pipeline"));
    assert_eq!(pipeline["schema"].as_str(), Some("bronze"));
    assert_eq!(pipeline["serverless"].as_bool(), Some(true));
    assert_eq!(pipeline["libraries"][0]["glob"]["include"].as_str(), Some("transformations/**"));
    assert_eq!(yaml["targets"]["dev"]["workspace"]["host"].as_str(), Some("https://dbc-1.test"));
    parsed(&std::fs::read_to_string(out.join("transformations/sensor_readings.sql")).unwrap());

    let before = std::fs::metadata(out.join("databricks.yml")).unwrap().modified().unwrap();
    written(&args, DOCUMENT, Some(RECORD)).unwrap();
    assert_eq!(std::fs::metadata(out.join("databricks.yml")).unwrap().modified().unwrap(), before);

    std::fs::write(out.join("databricks.yml"), "bundle:\n  name: mine\n").unwrap();
    let fault = written(&args, DOCUMENT, None).unwrap_err();
    assert!(fault.message().contains("left alone"), "{fault:?}");
    let sql = std::fs::read_to_string(out.join("transformations/sensor_readings.sql")).unwrap();
    assert!(sql.contains("from_json"), "something was written before the check ended");
}

#[test]
fn names_of_several_segments_are_refused() {
    let args = Pipeline { table: Some("a.b".to_owned()), ..Pipeline::default() };
    assert!(written(&args, DOCUMENT, None).unwrap_err().message().contains("--table"));
    let fault = written(&Pipeline::default(), r#"{"credential":null}"#, None).unwrap_err();
    assert!(fault.message().contains("no credential is given"), "{fault:?}");
}

proptest! {
    /// Whatever a field or a table is called, it stays inside its quotes and comes out as it went in.
    #[test]
    fn quoted_text_is_read_back_as_it_was(text in "\\PC*|[\"'`\\\\\n\t a]*") {
        prop_assert_eq!(literals(&literal(&text)), [text.clone()]);
        let yaml = YamlLoader::load_from_str(&format!("key: {}\n", string(&text))).unwrap();
        prop_assert_eq!(yaml[0]["key"].as_str(), Some(text.as_str()));
    }

    /// A type that was inferred fits what it was inferred from, and does not depend on the order.
    #[test]
    fn shapes_do_not_depend_on_the_order(numbers in proptest::collection::vec(any::<(bool, i64, f32)>(), 1..6)) {
        let values: Vec<serde_json::Value> = numbers
            .iter()
            .map(|(whole, long, double)| if *whole { serde_json::json!(long) } else { serde_json::json!(double) })
            .collect();
        let join = |values: &mut dyn Iterator<Item = &serde_json::Value>| {
            let mut shape = Shape::Unknown;
            values.for_each(|value| shape.take_in(Shape::of(value)));
            shape
        };
        prop_assert_eq!(join(&mut values.iter()), join(&mut values.iter().rev()));
    }
}
