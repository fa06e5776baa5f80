//! What is really sent to IAM and read from it: re-reads, retries, and that nothing is written without need.
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

use std::time::Duration;

use clap::Parser;
use config::{Document, Fault, Kind, Outcome, Output};
use live_role::Patience;
use live_role::script::{Played, Script, attached, inline_names, role};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";
const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
const ID: &str = "0d26daa6-5e44-4c97-a497-ef015f91254a";

fn trust(external_id: &str, principals: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": principals},
        "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": external_id}}}]})
}

fn placeholder() -> Value {
    trust("0000", &json!(MASTER))
}

/// What is written, byte for byte.
fn right() -> Value {
    let mut right = trust(ID, &json!([MASTER, ROLE]));
    let statement = right["Statement"][0].as_object_mut().unwrap();
    statement.shift_insert(0, "Sid".to_owned(), json!("UnityCatalogAndSelfAssumeRole"));
    right
}

fn document() -> Value {
    json!({"kinbricks": 1, "credential": {"name": "c", "role_arn": ROLE, "external_id": ID, "unity_catalog_iam_arn": MASTER}})
}

trait Reads {
    /// Expects the role to be read, and shows it with `trust`.
    fn reads(self, trust: &Value) -> Self;
}

impl Reads for Script {
    fn reads(self, trust: &Value) -> Self {
        let shown = role(ROLE, "AROAEXAMPLE", &trust.to_string());
        self.answer("GetRole", &[("RoleName", "databricks-kinesis-role")], &shown)
    }
}

async fn run(played: &Played, args: &[&str], document: &Value) -> (Result<Outcome, Fault>, Value) {
    let args = trust_sync::Args::try_parse_from([&["trust-sync"], args].concat()).unwrap();
    let document = Document::parse(&document.to_string()).unwrap();
    let mut stdout = Vec::new();
    let mut output = Output::new(&mut stdout, false);
    let ended = trust_sync::run(&args, document, &played.iam, &played.world, &mut output).await;
    drop(output);
    let printed = if stdout.is_empty() { Value::Null } else { serde_json::from_slice(&stdout).unwrap() };
    assert_eq!(played.left(), Vec::<String>::new(), "{}", played.said());
    (ended, printed)
}

fn writes(played: &Played) -> usize {
    played.actions().iter().filter(|action| *action == "UpdateAssumeRolePolicy").count()
}

#[tokio::test]
async fn what_is_right_is_read_once_and_not_written() {
    let played = Script::new().reads(&trust(ID, &json!([ROLE, MASTER]))).play();
    let (ended, printed) = run(&played, &[], &document()).await;
    assert_eq!(ended, Ok(Outcome::Done));
    assert_eq!(printed["trust"]["changed"], false);
    assert_eq!(played.actions(), ["GetRole"]);
}

#[tokio::test]
async fn the_policy_is_read_again_before_every_try_and_until_it_shows() {
    let invalid =
        r#"Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/databricks-kinesis-role""#;
    let update = [("PolicyDocument", right().to_string())];
    let update: Vec<(&str, &str)> = update.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let played = Script::new()
        .reads(&placeholder())
        .reads(&placeholder())
        .refuse("UpdateAssumeRolePolicy", 400, "MalformedPolicyDocument", invalid)
        .reads(&placeholder())
        .answer("UpdateAssumeRolePolicy", &update, "")
        // IAM answers from a place that has not heard of it yet.
        .reads(&placeholder())
        .reads(&right())
        .play();
    let (ended, printed) = run(&played, &[], &document()).await;
    assert_eq!(ended, Ok(Outcome::Done), "{}", played.said());
    let trust = &printed["trust"];
    assert_eq!((&trust["verdict"], &trust["changed"]), (&json!("in-sync"), &json!(true)));
    assert_eq!(trust["previous"], placeholder());
    let codes: Vec<&str> =
        trust["reasons"].as_array().unwrap().iter().filter_map(|reason| reason["code"].as_str()).collect();
    assert_eq!(codes, ["placeholder-external-id", "missing-self-assume"]);
    assert!(played.said().contains("waited"), "{}", played.said());
}

#[tokio::test]
async fn somebody_who_repaired_it_meanwhile_is_not_written_over() {
    let played = Script::new().reads(&placeholder()).reads(&right()).play();
    let (ended, printed) = run(&played, &[], &document()).await;
    assert_eq!((ended, writes(&played)), (Ok(Outcome::Done), 0));
    assert_eq!(
        (&printed["trust"]["verdict"], &printed["trust"]["changed"]),
        (&json!("in-sync"), &json!(false))
    );
}

#[tokio::test]
async fn a_statement_that_somebody_added_meanwhile_is_kept() {
    let mut added = placeholder();
    let foreign = json!({"Sid": "Ec2", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"});
    added["Statement"].as_array_mut().unwrap().push(foreign.clone());
    let mut wanted = right();
    wanted["Statement"].as_array_mut().unwrap().push(foreign);
    let played = Script::new()
        .reads(&placeholder())
        .reads(&added)
        .answer("UpdateAssumeRolePolicy", &[("PolicyDocument", &wanted.to_string())], "")
        .reads(&wanted)
        .play();
    let (ended, printed) = run(&played, &[], &document()).await;
    assert_eq!(ended, Ok(Outcome::Done), "{}", played.said());
    assert_eq!(printed["trust"]["previous"], added);
}

#[tokio::test]
async fn what_becomes_of_a_foreign_statement_is_told() {
    let mut live = right();
    let foreign = json!({"Sid": "Ec2", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"});
    live["Statement"].as_array_mut().unwrap().push(foreign);
    let told = async |args: &[&str], script: Script, ended: Outcome, says: &str| {
        let played = script.play();
        assert_eq!(run(&played, args, &document()).await.0, Ok(ended), "{}", played.said());
        let sentence = "foreign-statement: statement `Ec2` was not written by these tools";
        assert!(played.said().contains(&says.replace("FOREIGN", sentence)), "{}", played.said());
    };
    let once = || Script::new().reads(&live);
    told(&["--check"], once(), Outcome::Done, "FOREIGN; it stays (at `/Statement/1`)").await;
    let check = ["--check", "--exclusive"];
    told(&check, once(), Outcome::Incomplete, "FOREIGN; it is to go (at `/Statement/1`)").await;
    let update = [("PolicyDocument", right().to_string())];
    let update: Vec<(&str, &str)> = update.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let written = once().reads(&live).answer("UpdateAssumeRolePolicy", &update, "").reads(&right());
    told(&["--exclusive"], written, Outcome::Done, "removed FOREIGN").await;
}

/// A stdout that nobody reads.
struct Closed;

impl std::io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_was_replaced_is_not_lost_with_stdout() {
    let end = async |args: &[&str], played: &Played| {
        let args = trust_sync::Args::try_parse_from([&["trust-sync"], args].concat()).unwrap();
        let document = Document::parse(&document().to_string()).unwrap();
        trust_sync::run(&args, document, &played.iam, &played.world, &mut Output::new(Closed, false)).await
    };
    let script = Script::new().reads(&placeholder()).reads(&placeholder());
    let played = script.answer("UpdateAssumeRolePolicy", &[], "").reads(&right()).play();
    assert_eq!(end(&[], &played).await.unwrap_err().kind(), Kind::Pipe);
    assert!(played.said().contains(&format!("for you to keep: {}", placeholder())), "{}", played.said());
    // Where nothing was changed, a reader that closed the pipe has what it wanted.
    let played = Script::new().reads(&placeholder()).play();
    assert_eq!(end(&["--check"], &played).await, Ok(Outcome::Incomplete));
}

#[tokio::test]
async fn a_mistake_is_not_taken_for_a_delay() {
    for (status, code, message, kind, hint) in [
        (400, "MalformedPolicyDocument", "Syntax errors in policy.", Kind::Usage, None),
        (
            409,
            "LimitExceeded",
            "Cannot exceed quota for ACLSizePerRole: 2048",
            Kind::Refused,
            Some("L-C07B4B0D"),
        ),
        (400, "UnmodifiableEntity", "Service-linked.", Kind::Refused, Some("make another")),
        (
            404,
            "NoSuchEntity",
            "It cannot be found.",
            Kind::Refused,
            Some("iam-role ensure databricks-kinesis-role"),
        ),
    ] {
        let played = Script::new()
            .reads(&placeholder())
            .reads(&placeholder())
            .refuse("UpdateAssumeRolePolicy", status, code, message)
            .play();
        let (ended, printed) = run(&played, &[], &document()).await;
        let fault = ended.unwrap_err();
        assert_eq!((fault.kind(), fault.code(), printed), (kind, Some(code), Value::Null));
        assert!(fault.to_text("t").contains(message));
        assert!(hint.is_none_or(|hint| fault.hint().unwrap().contains(hint)), "{fault:?}");
    }
}

#[tokio::test]
async fn a_principal_that_never_comes_ends_with_the_wait_and_a_hint() {
    let played = Script::new()
        .reads(&placeholder())
        .reads(&placeholder())
        .refuse(
            "UpdateAssumeRolePolicy",
            400,
            "MalformedPolicyDocument",
            "Invalid principal in policy: \"AWS\":\"x\"",
        )
        .play_with(Patience::new(Duration::ZERO));
    let (ended, _) = run(&played, &[], &document()).await;
    let fault = ended.unwrap_err();
    assert!(
        fault.to_text("t").contains("Invalid principal") && fault.to_text("t").contains("waited"),
        "{fault:?}"
    );
    assert!(fault.hint().unwrap().contains("a principal of it does not exist"));
}

#[tokio::test]
async fn a_document_that_never_shows_is_transient() {
    let played = Script::new()
        .reads(&placeholder())
        .reads(&placeholder())
        .answer("UpdateAssumeRolePolicy", &[], "")
        .reads(&placeholder())
        .play_with(Patience::new(Duration::ZERO));
    let (ended, _) = run(&played, &[], &document()).await;
    assert_eq!(ended.unwrap_err().kind(), Kind::Transient);
}

#[tokio::test]
async fn check_and_explain_write_nothing() {
    let played = Script::new().reads(&placeholder()).play();
    let (ended, printed) = run(&played, &["--check"], &document()).await;
    assert_eq!(ended, Ok(Outcome::Incomplete));
    assert_eq!(
        (&printed["trust"]["verdict"], &printed["trust"]["changed"]),
        (&json!("drift"), &json!(false))
    );
    let said = played.said();
    assert!(
        said.contains("placeholder-external-id: ")
            && said.contains("\n-           \"sts:ExternalId\": \"0000\"\n"),
        "{said}"
    );

    let played = Script::new()
        .reads(&right())
        .answer("ListAttachedRolePolicies", &[], &attached(&[]))
        .answer("ListRolePolicies", &[], &inline_names(&[]))
        .play();
    let (ended, printed) = run(&played, &["--explain"], &document()).await;
    // The trust policy is right, but no permission lets the role assume itself.
    assert_eq!(ended, Ok(Outcome::Incomplete));
    let results: Vec<&str> = printed["trust"]["prediction"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|check| check["result"].as_str())
        .collect();
    assert_eq!(results, ["PASS", "PASS", "FAIL"]);
}

#[tokio::test]
async fn undo_puts_the_former_document_back_once() {
    let mut before = document();
    before["trust"] = json!({"verdict": "in-sync", "changed": true, "previous": placeholder()});
    let played = Script::new()
        .reads(&right())
        .reads(&right())
        .answer("UpdateAssumeRolePolicy", &[("PolicyDocument", &placeholder().to_string())], "")
        .reads(&placeholder())
        .play();
    let (ended, printed) = run(&played, &["--undo"], &before).await;
    assert_eq!(ended, Ok(Outcome::Done));
    assert_eq!((&printed["trust"]["verdict"], &printed["trust"]["previous"]), (&json!("drift"), &right()));

    let played = Script::new().reads(&placeholder()).reads(&placeholder()).play();
    let (ended, _) = run(&played, &["--undo"], &before).await;
    assert_eq!((ended, writes(&played)), (Ok(Outcome::Done), 0));
}

#[tokio::test]
async fn an_undo_that_iam_would_refuse_is_refused_before() {
    let mut before = document();
    before["trust"] =
        json!({"verdict": "in-sync", "changed": true, "previous": trust(ID, &json!([MASTER, "AROAGONE"]))});
    let played = Script::new().play();
    let (ended, _) = run(&played, &["--undo"], &before).await;
    assert!(ended.unwrap_err().message().contains("`AROAGONE`"));
    let (ended, _) = run(&played, &["--undo"], &document()).await;
    assert!(ended.unwrap_err().message().starts_with("nothing to undo"));
}

#[tokio::test]
async fn a_credential_of_another_role_is_refused_with_the_command_to_type() {
    let mut other = document();
    other["credential"]["role_arn"] = json!("arn:aws:iam::123456789012:role/other");
    let played = Script::new().reads(&placeholder()).play();
    let (ended, _) = run(&played, &["databricks-kinesis-role"], &other).await;
    assert!(ended.unwrap_err().hint().unwrap().contains("run: trust-sync other"));
}

#[tokio::test]
async fn nothing_is_written_for_a_placeholder() {
    let played = Script::new().play();
    let (ended, _) = run(&played, &["databricks-kinesis-role", "--external-id", "0000"], &json!({})).await;
    assert_eq!((ended.unwrap_err().kind(), writes(&played)), (Kind::Usage, 0));
}
