//! The binary: help, exit codes, both streams, every command.
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command as Process, Stdio};

use snapbox::cmd::{Command, cargo_bin};
use snapbox::str;
use tempfile::tempdir;

const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";

/// The binary without the caller's environment, in a folder of its own, with empty stdin.
fn clean(home: &Path) -> Command {
    Command::new(cargo_bin!("iam-policy-gen"))
        .env_clear()
        .env("HOME", home)
        .env("COLUMNS", "100")
        .current_dir(home)
        .stdin("")
}

fn run(args: &[&str]) -> snapbox::cmd::OutputAssert {
    let home = tempdir().unwrap();
    clean(home.path()).args(args).assert()
}

#[test]
fn help_starts_with_examples_and_ends_with_exit_codes() {
    let output = run(&["--help"]).code(0).stderr_eq("");
    let help = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(help.starts_with("Examples:\n  # the trust policy of the guide"), "{help}");
    assert!(help.trim_end().ends_with("130  interrupted"), "{help}");
    for command in ["trust", "permissions", "lint", "diff", "eval", "explain"] {
        run(&[command, "--help"]).code(0).stderr_eq("");
    }
}

#[test]
fn no_command_is_a_usage_error() {
    run(&[]).code(2).stdout_eq("");
    let output = run(&["--errors", "json"]).code(2).stdout_eq("");
    let line = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[test]
fn the_guides_trust_policy_without_a_document() {
    run(&["trust"]).code(0).stdout_eq(str![[r#"
{"Version":"2012-10-17","Statement":[{"Sid":"UnityCatalogAssumeRole","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"0000"}}}]}

"#]]).stderr_eq(str![[r#"
iam-policy-gen: the external ID is the placeholder `0000`: trust-sync replaces it once dbx-cred knows the real one

"#]]);
}

#[test]
fn every_partition_has_its_own_databricks_role() {
    for (partition, role) in [
        ("aws", "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"),
        ("aws-us-gov", "arn:aws-us-gov:iam::044793339203:role/unity-catalog-prod-UCMasterRole-1QRFA8SGY15OJ"),
        (
            "aws-us-gov-dod",
            "arn:aws-us-gov:iam::170661010020:role/unity-catalog-prod-UCMasterRole-1DI6DL6ZP26AS",
        ),
    ] {
        let args =
            ["trust", "--partition", partition, "--form", "arn-like", "--account", "123456789012", "--quiet"];
        let output = run(&args).code(0).stderr_eq("");
        let policy: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
        assert_eq!(policy["Statement"][0]["Principal"]["AWS"], role);
        let root = policy["Statement"][1]["Principal"]["AWS"].as_str().unwrap();
        assert_eq!(root.split(':').nth(1), role.split(':').nth(1), "one partition");
    }
    run(&["trust", "--role", "arn:aws-cn:iam::123456789012:role/r"]).code(2).stdout_eq("").stderr_eq(str![[
        r#"
iam-policy-gen: Databricks has published no role for partition `aws-cn`
hint: add --uc-master-arn ARN, as `dbx-cred show` prints it, or see that the stream is in the right partition

"#
    ]]);
    run(&["trust", "--role", "arn:aws:iam::123456789012:role/r", "--partition", "aws-us-gov"]).code(2);
}

#[test]
fn the_document_grows_and_keeps_what_is_not_ours() {
    let home = tempdir().unwrap();
    let document = format!(
        r#"{{"zeta":[1.50],"stream":{{"name":"sensor-readings","arn":"{STREAM}","kms_key":"alias/aws/kinesis"}},"policies":{{"other":1}}}}"#
    );
    let output = clean(home.path()).args(["trust", "--quiet"]).stdin(document).assert().code(0);
    let grown = output.get_output().stdout.clone();
    clean(home.path()).arg("permissions").stdin(grown.clone()).assert().code(0).stderr_eq("").stdout_eq(str![[r#"
{"kinbricks":1,"zeta":[1.50],"stream":{"name":"sensor-readings","arn":"arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings","kms_key":"alias/aws/kinesis"},"policies":{"other":1,"trust":{"Version":"2012-10-17","Statement":[{"Sid":"UnityCatalogAssumeRole","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"0000"}}}]},"permissions":{"Version":"2012-10-17","Statement":[{"Sid":"ReadStream","Effect":"Allow","Action":["kinesis:DescribeStreamSummary","kinesis:ListShards","kinesis:GetRecords","kinesis:GetShardIterator"],"Resource":"arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings"},{"Sid":"SelfAssume","Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::123456789012:role/databricks-kinesis-role"}]}}}

"#]]);
    // The same bytes again, and bare on request.
    let again = clean(home.path()).arg("permissions").stdin(grown.clone()).assert().code(0);
    let bare = clean(home.path()).args(["permissions", "--emit", "policy"]).stdin(grown).assert().code(0);
    let whole: serde_json::Value = serde_json::from_slice(&again.get_output().stdout).unwrap();
    let alone: serde_json::Value = serde_json::from_slice(&bare.get_output().stdout).unwrap();
    assert_eq!(whole["policies"]["permissions"], alone);
}

#[test]
fn a_credential_gives_its_external_id_and_a_role_that_exists_is_named() {
    let home = tempdir().unwrap();
    let document = r#"{"role":{"name":"r","arn":"arn:aws:iam::123456789012:role/r"},"credential":{"name":"c","role_arn":"arn:aws:iam::123456789012:role/r","external_id":"blue-42","unity_catalog_iam_arn":"arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"}}"#;
    let output =
        clean(home.path()).args(["trust", "--emit", "policy"]).stdin(document).assert().code(0).stderr_eq("");
    let policy: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Principal"]["AWS"][1], "arn:aws:iam::123456789012:role/r");
    assert_eq!(statement["Condition"]["StringEquals"]["sts:ExternalId"], "blue-42");
    // A flag beats the document.
    let args = ["trust", "--emit", "policy", "--external-id", "red-7"];
    let output = clean(home.path()).args(args).stdin(document).assert().code(0);
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains("red-7"));
}

#[test]
fn where_the_credential_came_first_the_trust_policy_is_final() {
    let home = tempdir().unwrap();
    let document = r#"{"credential":{"name":"c","role_arn":"arn:aws:iam::123456789012:role/r","external_id":"blue-42","unity_catalog_iam_arn":"arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"}}"#;
    let output =
        clean(home.path()).args(["trust", "--emit", "policy"]).stdin(document).assert().code(0).stderr_eq("");
    let policy: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let itself = &policy["Statement"][1];
    assert_eq!(itself["Condition"]["ArnLike"]["aws:PrincipalArn"], "arn:aws:iam::123456789012:role/r");
}

#[test]
fn what_is_missing_names_the_flag_and_the_tool() {
    run(&["permissions"]).code(2).stdout_eq("").stderr_eq(str![[r#"
iam-policy-gen: no stream is given
hint: pipe in what `kstream ensure` or `kstream show` prints, or add --stream ARN

"#]]);
    run(&["trust", "--form", "arn-like"]).code(2).stdout_eq("").stderr_eq(str![[r#"
iam-policy-gen: the account of role `databricks-kinesis-role` is not known
hint: add --account 123456789012, name the role by its ARN with --role, or pipe in what `aws-check` or `kstream ensure` prints

"#]]);
    run(&["permissions", "--stream", "sensor-readings"]).code(2);
    run(&["trust", "--external-id", "0"]).code(2);
    run(&["trust", "--account", "123456789012", "--role", "arn:aws:iam::210987654321:role/r"]).code(2);
}

#[test]
fn another_account_has_to_be_meant() {
    let role = "arn:aws:iam::210987654321:role/reader";
    let hint = run(&["permissions", "--stream", STREAM, "--role", role]).code(2).stdout_eq("");
    assert!(String::from_utf8_lossy(&hint.get_output().stderr).contains("add --cross-account"));
    let args = ["permissions", "--stream", STREAM, "--role", role, "--cross-account", "--side", "stream"];
    let output = run(&args).code(0).stderr_eq("");
    let policy: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(
        (&policy["Statement"][0]["Principal"]["AWS"], &policy["Statement"][0]["Resource"]),
        (&role.into(), &STREAM.into())
    );
    let home = tempdir().unwrap();
    let policy = output.get_output().stdout.clone();
    clean(home.path())
        .args(["lint", "--account", "123456789012"])
        .stdin(policy.clone())
        .assert()
        .code(0)
        .stdout_eq("");
    let args =
        ["eval", "-", "--principal", role, "--action", "kinesis:GetRecords", "--resource", STREAM, "--check"];
    clean(home.path()).args(args).stdin(policy).assert().code(0);
    run(&["permissions", "--stream", STREAM, "--cross-account"]).code(2);
    run(&["permissions", "--stream", STREAM, "--side", "stream"]).code(2);
    run(&["permissions", "--stream", STREAM, "--role", "arn:aws-us-gov:iam::123456789012:role/r"]).code(2);
}

#[test]
fn a_key_of_the_customers_is_opened_and_a_bare_id_is_refused() {
    let home = tempdir().unwrap();
    let with = |key: &str| {
        let document = format!(r#"{{"stream":{{"name":"s","arn":"{STREAM}","kms_key":"{key}"}}}}"#);
        clean(home.path()).args(["permissions", "--emit", "policy"]).stdin(document).assert()
    };
    let output = with("arn:aws:kms:eu-central-1:123456789012:key/1-2").code(0);
    assert!(String::from_utf8_lossy(&output.get_output().stdout).contains("kms:Decrypt"));
    let output = with("1-2").code(2).stdout_eq("");
    assert!(
        String::from_utf8_lossy(&output.get_output().stderr).contains("aws kms describe-key --key-id 1-2")
    );
}

#[test]
fn a_producers_policy_stays_out_of_the_document() {
    let home = tempdir().unwrap();
    let document = format!(r#"{{"stream":{{"name":"s","arn":"{STREAM}"}}}}"#);
    let producer = |args: &[&str]| {
        clean(home.path()).args(["permissions", "--producer"]).args(args).stdin(document.clone()).assert()
    };
    producer(&[]).code(0).stdout_eq(str![[r#"
{"Version":"2012-10-17","Statement":[{"Sid":"WriteStream","Effect":"Allow","Action":["kinesis:PutRecord","kinesis:PutRecords"],"Resource":"arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings"}]}

"#]]);
    producer(&["--emit", "document"]).code(2).stdout_eq("");
    producer(&["--mode", "efo"]).code(2);
    producer(&["--role", "r"]).code(2);
}

#[test]
fn terraform_takes_the_external_id_from_the_credential() {
    run(&["trust", "--format", "terraform", "--account", "123456789012"]).code(0).stderr_eq("").stdout_eq(
        str![[r#"
data "aws_iam_policy_document" "databricks_kinesis_role_trust" {
  statement {
    sid     = "UnityCatalogAssumeRole"
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"]
    }

    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [databricks_credential.kinesis_sensor_credential.aws_iam_role[0].external_id]
    }
  }

  statement {
    sid     = "ExplicitSelfRoleAssumption"
    effect  = "Allow"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:root"]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:PrincipalArn"
      values   = ["arn:aws:iam::123456789012:role/databricks-kinesis-role"]
    }

    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [databricks_credential.kinesis_sensor_credential.aws_iam_role[0].external_id]
    }
  }
}

resource "aws_iam_role" "databricks_kinesis_role" {
  name               = "databricks-kinesis-role"
  assume_role_policy = data.aws_iam_policy_document.databricks_kinesis_role_trust.json
}

resource "databricks_credential" "kinesis_sensor_credential" {
  name            = "kinesis-sensor-credential"
  purpose         = "SERVICE"
  skip_validation = true

  aws_iam_role {
    role_arn = "arn:aws:iam::123456789012:role/databricks-kinesis-role"
  }
}

"#]],
    );
    run(&["trust", "--format", "terraform", "--account", "123456789012", "--emit", "document"])
        .code(2)
        .stdout_eq("");
    run(&["trust", "--format", "terraform", "--form", "databricks"]).code(2).stdout_eq("");
}

/// Every variant, as `terraform fmt` would write it. Does nothing where Terraform is not installed.
#[test]
fn terraform_fmt_has_nothing_to_change() {
    let Ok(version) = Process::new("terraform").arg("version").output() else { return };
    assert!(version.status.success());
    let home = tempdir().unwrap();
    let key = "arn:aws:kms:eu-central-1:123456789012:key/1-2";
    let variants: &[&[&str]] = &[
        &["trust", "--account", "123456789012"],
        &["trust", "--role", "arn:aws:iam::123456789012:role/team/x-role", "--external-id", "blue-42"],
        &[
            "trust",
            "--role",
            "arn:aws:iam::123456789012:role/x",
            "--form",
            "databricks",
            "--external-id",
            "blue-42",
        ],
        &["permissions", "--stream", STREAM],
        &["permissions", "--stream", STREAM, "--mode", "efo", "--kms-key", key],
        &["permissions", "--stream", STREAM, "--producer", "--kms-key", key],
        &[
            "permissions",
            "--stream",
            STREAM,
            "--role",
            "arn:aws:iam::210987654321:role/r",
            "--cross-account",
            "--side",
            "stream",
        ],
    ];
    for (number, variant) in variants.iter().enumerate() {
        let output =
            clean(home.path()).args(*variant).args(["--format", "terraform", "--quiet"]).assert().code(0);
        let file = home.path().join(format!("{number}.tf"));
        fs::write(&file, &output.get_output().stdout).unwrap();
        let checked = Process::new("terraform").args(["fmt", "-check", "-diff"]).arg(&file).output().unwrap();
        assert!(checked.status.success(), "{variant:?}: {}", String::from_utf8_lossy(&checked.stdout));
    }
}

#[test]
fn cloudformation_is_a_template() {
    let args = ["permissions", "--stream", STREAM, "--format", "cloudformation"];
    let output = run(&args).code(0);
    let template: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    let policy = &template["Resources"]["RolePolicy"];
    assert_eq!(policy["Type"], "AWS::IAM::ManagedPolicy");
    assert_eq!(policy["Properties"]["ManagedPolicyName"], "databricks-kinesis-policy");
    assert_eq!(policy["Properties"]["Roles"][0], "databricks-kinesis-role");
    assert_eq!(policy["Properties"]["PolicyDocument"]["Statement"][1]["Sid"], "SelfAssume");
}

#[test]
fn lint_names_the_place_and_exits_1() {
    let home = tempdir().unwrap();
    let trust = clean(home.path()).args(["trust", "--quiet"]).output().unwrap().stdout;
    clean(home.path()).arg("lint").stdin(trust).assert().code(1).stderr_eq("").stdout_eq(str![[r#"
{"policy":"stdin","code":"placeholder-external-id","severity":"security","pointer":"/Statement/0/Condition/StringEquals/sts:ExternalId","message":"the external ID is still the placeholder `0000`","hint":"put in the external ID of the service credential"}

"#]]);
    let right = ["trust", "--external-id", "blue-42", "--form", "arn-like", "--account", "123456789012"];
    let trust = clean(home.path()).args(right).output().unwrap().stdout;
    clean(home.path())
        .args(["lint", "-", "--account", "123456789012"])
        .stdin(trust)
        .assert()
        .code(0)
        .stdout_eq("");
    // What is generated is never at fault itself.
    let permissions = clean(home.path())
        .args(["permissions", "--stream", STREAM, "--mode", "efo"])
        .output()
        .unwrap()
        .stdout;
    clean(home.path()).arg("lint").stdin(permissions).assert().code(0).stdout_eq("");
}

#[test]
fn diff_compares_by_meaning() {
    let home = tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(home.path().join(name), text).unwrap();
    write(
        "a.json",
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}}"#,
    );
    write(
        "b.json",
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["s3:PutObject","s3:GetObject"],"Resource":["*"]}]}"#,
    );
    write(
        "c.json",
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#,
    );
    let diff = |one: &str, other: &str| clean(home.path()).args(["diff", one, other]).assert();
    let verdict = |assert: &snapbox::cmd::OutputAssert| {
        let value: serde_json::Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
        value["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(&diff("a.json", "a.json").code(0)), "in-sync");
    assert_eq!(verdict(&diff("a.json", "b.json").code(0)), "cosmetic");
    assert_eq!(verdict(&diff("a.json", "c.json").code(1)), "drift");
    diff("-", "-").code(2).stdout_eq("");
    diff("a.json", "none.json").code(2).stdout_eq("");
}

#[test]
fn diff_tells_the_drift_of_a_databricks_trust_policy_in_its_own_terms() {
    let home = tempdir().unwrap();
    let own = "arn:aws:iam::123456789012:role/r";
    let args = ["trust", "--role", own, "--external-id", "blue-42"];
    for form in ["databricks", "arn-like"] {
        let output = clean(home.path()).args(args).args(["--form", form]).output().unwrap().stdout;
        fs::write(home.path().join(format!("{form}.json")), output).unwrap();
    }
    let wanted = fs::read_to_string(home.path().join("databricks.json")).unwrap();
    let codes = |live: &str| {
        fs::write(home.path().join("live.json"), live).unwrap();
        let output = clean(home.path()).args(["diff", "live.json", "databricks.json"]).assert().code(1);
        let value: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
        assert_eq!(value["verdict"], "drift");
        let reasons = value["reasons"].as_array().unwrap().clone();
        reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&wanted.replace("blue-42", "0000")), ["placeholder-external-id"]);
    assert_eq!(codes(&wanted.replace("blue-42", "red-7")), ["external-id"]);
    assert_eq!(codes(&wanted.replace(own, "AROAEXAMPLE1")), ["dead-principal", "missing-self-assume"]);
    assert_eq!(codes(&wanted.replace(&format!(",\"{own}\""), "")), ["missing-self-assume"]);
    let foreign = r#"[{"Sid":"Theirs","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"},"#;
    assert_eq!(
        codes(&wanted.replace("\"Statement\":[", &format!("\"Statement\":{foreign}"))),
        ["foreign-statement"]
    );
    // The other form works as well, but is not the same: a role made anew under the name would be trusted by it.
    let other = fs::read_to_string(home.path().join("arn-like.json")).unwrap();
    assert_eq!(codes(&other), ["wider", "narrower"]);
    // A Sid says why a statement is there, and decides nothing.
    let nameless = wanted.replace(r#""Sid":"UnityCatalogAndSelfAssumeRole","#, "");
    assert_ne!(nameless, wanted);
    fs::write(home.path().join("live.json"), nameless).unwrap();
    let output = clean(home.path()).args(["diff", "live.json", "databricks.json"]).assert().code(0);
    let said = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(said.starts_with(r#"{"verdict":"cosmetic","reasons":[{"code":"sid","#), "{said}");
}

#[test]
fn eval_answers_with_the_statement_that_decided() {
    let home = tempdir().unwrap();
    let trust = clean(home.path()).args(["trust", "--external-id", "blue-42"]).output().unwrap().stdout;
    let master = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
    let eval =
        |args: &[&str]| clean(home.path()).args(["eval", "-"]).args(args).stdin(trust.clone()).assert();
    eval(&["--principal", master, "--context", "sts:ExternalId=blue-42", "--check"]).code(0).stdout_eq(str![[r#"
{"decision":"allow","statement":{"index":0,"sid":"UnityCatalogAssumeRole","pointer":"/Statement/0"},"why":"statement `UnityCatalogAssumeRole` of the trust policy allows `sts:AssumeRole` to a session of `arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL`"}

"#]]);
    let output = eval(&["--principal", master]).code(0);
    let answer: serde_json::Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
    assert_eq!(
        (&answer["decision"], &answer["statement"]),
        (&"implicit-deny".into(), &serde_json::Value::Null)
    );
    let why = answer["why"].as_str().unwrap();
    assert!(why.contains("statement `UnityCatalogAssumeRole` of the trust policy comes nearest"), "{why}");
    eval(&["--principal", master, "--check"]).code(1);
    eval(&[]).code(2).stdout_eq("");
    eval(&["--principal", "nobody"]).code(2).stdout_eq("");
    eval(&["--principal", master, "--action", "AssumeRole"]).code(2).stdout_eq("");
    eval(&["--principal", master, "--context", "ExternalId"]).code(2).stdout_eq("");
}

#[test]
fn explain_says_it_in_words() {
    let home = tempdir().unwrap();
    let trust = clean(home.path()).args(["trust", "--quiet"]).output().unwrap().stdout;
    clean(home.path()).arg("explain").stdin(trust).assert().code(0).stdout_eq(str![[r#"
{"policy":"stdin","statement":0,"sid":"UnityCatalogAssumeRole","sentence":"Databricks' Unity Catalog role may become the role (`sts:AssumeRole`), if the external ID is `0000`, the placeholder that Databricks never sends."}

"#]]);
}

#[test]
fn a_malformed_document_names_the_place() {
    let home = tempdir().unwrap();
    clean(home.path())
        .arg("trust")
        .stdin("{\n  \"stream\": oops }")
        .assert()
        .code(3)
        .stdout_eq("")
        .stderr_eq(str![[r#"
iam-policy-gen: stdin is not a connection document: line 2, column 13: expected value
hint: pipe in what another kinbricks tool printed, e.g. kstream show sensor-readings | …

"#]]);
    clean(home.path()).args(["explain", "-"]).stdin("{\"Statement\": 1}").assert().code(3).stdout_eq("");
    let output = clean(home.path()).args(["trust", "--errors", "json"]).stdin("[]").assert().code(3);
    let line: serde_json::Value = serde_json::from_slice(&output.get_output().stderr).unwrap();
    assert_eq!((&line["tool"], &line["kind"]), (&"iam-policy-gen".into(), &"pipe".into()));
}

#[test]
fn a_full_disk_is_told_and_a_closed_pipe_is_fine() {
    let home = tempdir().unwrap();
    let process = || {
        let mut process = Process::new(cargo_bin!("iam-policy-gen"));
        process.env_clear().env("HOME", home.path()).arg("trust").stdin(Stdio::null()).stderr(Stdio::piped());
        process
    };
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = process().stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = process().stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
