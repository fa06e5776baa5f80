//! Broken set-ups in a sandbox: what `--explain` predicts is what validation finds, and the repair repairs it or says why not.
#![expect(clippy::unwrap_used, reason = "a helper that fails must fail its test")]

mod place;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use place::{Place, Validated};
use serde_json::{Value, json};

const MASTER: &str = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL";
const ACCOUNT: &str = "123456789012";
const PASS: Validated = ["PASS", "PASS", "PASS"];

/// One set-up. `ID`, `ROLE` and `ARN` in the policies stand for the credential's external ID and for the role.
struct Case {
    name: &'static str,
    trust: Value,
    permissions: Vec<Value>,
    boundary: Option<Value>,
    /// What validation finds before anything is repaired.
    found: Validated,
    /// What it finds after `trust-sync`.
    repaired: Validated,
}

fn trusting(principals: &Value, condition: &Value) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole"});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

fn with_id(id: &str) -> Value {
    json!({"StringEquals": {"sts:ExternalId": id}})
}

fn right() -> Value {
    json!([trusting(&json!([MASTER, "ARN"]), &with_id("ID"))])
}

fn self_assume() -> Value {
    json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "ARN"})
}

/// A set-up that is wrong on the trust side alone, so that `trust-sync` can repair it.
fn trust(name: &'static str, statements: Value, found: Validated) -> Case {
    Case {
        name,
        trust: statements,
        permissions: vec![json!([self_assume()])],
        boundary: None,
        found,
        repaired: PASS,
    }
}

/// A set-up whose trust policy is right, and which only another tool can repair.
fn permissions(name: &'static str, permissions: Vec<Value>, found: Validated) -> Case {
    Case { name, trust: right(), permissions, boundary: None, found, repaired: found }
}

const NOT_LET_IN: Validated = ["FAIL", "SKIP", "SKIP"];
const OPEN: Validated = ["PASS", "FAIL", "PASS"];
const NOT_ITSELF: Validated = ["PASS", "PASS", "FAIL"];

fn trust_cases() -> Vec<Case> {
    let condition = |condition: Value| json!([trusting(&json!([MASTER, "ARN"]), &condition)]);
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let arn_like = |arn: &str, id: &str| {
        let mut narrowed = with_id(id);
        narrowed["ArnLike"] = json!({"aws:PrincipalArn": arn});
        json!([trusting(&json!(MASTER), &with_id("ID")), trusting(&json!(root), &narrowed)])
    };
    let and = |statement: Value| {
        let mut statements = right();
        statements.as_array_mut().unwrap().push(statement);
        statements
    };
    let mut cases = vec![
        trust("right", right(), PASS),
        trust("placeholder", json!([trusting(&json!(MASTER), &with_id("0000"))]), NOT_LET_IN),
        trust(
            "placeholder-with-itself",
            json!([trusting(&json!([MASTER, "ARN"]), &with_id("0000"))]),
            NOT_LET_IN,
        ),
        trust("wrong-id", condition(with_id("0d26daa6-5e44-4c97-a497-ef015f91254a")), NOT_LET_IN),
        trust("id-in-upper-case", condition(with_id("UPPER")), NOT_LET_IN),
        trust("no-id", condition(Value::Null), OPEN),
        trust(
            "id-like-anything",
            condition(json!({"StringLike": {"sts:ExternalId": "*"}})),
            ["PASS", "FAIL", "PASS"],
        ),
        trust("id-if-exists", condition(json!({"StringEqualsIfExists": {"sts:ExternalId": "ID"}})), OPEN),
        trust("id-not-equals", condition(json!({"StringNotEquals": {"sts:ExternalId": "evil"}})), OPEN),
        trust(
            "id-among-many",
            condition(json!({"StringEquals": {"sts:ExternalId": ["old-one", "ID"]}})),
            PASS,
        ),
        trust("id-key-in-lower-case", condition(json!({"StringEquals": {"STS:externalid": "ID"}})), PASS),
        trust(
            "id-ignoring-case",
            condition(json!({"StringEqualsIgnoreCase": {"sts:ExternalId": "ID"}})),
            PASS,
        ),
        trust("not-itself", json!([trusting(&json!(MASTER), &with_id("ID"))]), NOT_ITSELF),
        trust(
            "itself-without-id",
            json!([trusting(&json!(MASTER), &with_id("ID")), trusting(&json!("ARN"), &Value::Null)]),
            PASS,
        ),
        trust(
            "itself-with-wrong-id",
            json!([trusting(&json!(MASTER), &with_id("ID")), trusting(&json!("ARN"), &with_id("0000"))]),
            NOT_ITSELF,
        ),
        trust("arn-like", arn_like("ARN", "ID"), PASS),
        trust(
            "arn-like-of-another-role",
            arn_like("arn:aws:iam::123456789012:role/another", "ID"),
            NOT_ITSELF,
        ),
        trust("arn-like-with-wrong-id", arn_like("ARN", "0000"), NOT_ITSELF),
        trust(
            "itself-as-its-account",
            json!([trusting(&json!(MASTER), &with_id("ID")), trusting(&json!(root), &Value::Null)]),
            PASS,
        ),
        trust(
            "nobody-of-ours",
            json!([{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]),
            NOT_LET_IN,
        ),
        trust("everybody-with-id", json!([trusting(&json!("*"), &with_id("ID"))]), PASS),
        trust(
            "databricks-whole-account",
            json!([trusting(&json!(["arn:aws:iam::414351767826:root", "ARN"]), &with_id("ID"))]),
            PASS,
        ),
        trust(
            "another-action",
            json!([{"Effect": "Allow", "Principal": {"AWS": [MASTER, "ARN"]}, "Action": "sts:TagSession"}]),
            NOT_LET_IN,
        ),
        trust(
            "every-action",
            json!([{"Effect": "Allow", "Principal": {"AWS": [MASTER, "ARN"]}, "Action": "sts:*", "Condition": with_id("ID")}]),
            PASS,
        ),
        trust(
            "expired",
            condition(
                json!({"StringEquals": {"sts:ExternalId": "ID"}, "DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}),
            ),
            NOT_LET_IN,
        ),
        trust(
            "not-expired",
            condition(
                json!({"StringEquals": {"sts:ExternalId": "ID"}, "DateLessThan": {"aws:CurrentTime": "2199-01-01T00:00:00Z"}}),
            ),
            PASS,
        ),
        trust(
            "secure-transport",
            condition(
                json!({"StringEquals": {"sts:ExternalId": "ID"}, "Bool": {"aws:SecureTransport": "true"}}),
            ),
            PASS,
        ),
        trust(
            "session-name",
            condition(
                json!({"StringEquals": {"sts:ExternalId": "ID", "sts:RoleSessionName": "somebody-else"}}),
            ),
            NOT_LET_IN,
        ),
        trust(
            "foreign-allow-beside",
            and(
                json!({"Sid": "Ec2", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}),
            ),
            PASS,
        ),
        trust(
            "helpful-deny",
            and(
                json!({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Condition": {"StringNotEquals": {"sts:ExternalId": "ID"}}}),
            ),
            PASS,
        ),
    ];
    let deny = json!({"Effect": "Deny", "Principal": {"AWS": MASTER}, "Action": "sts:AssumeRole"});
    // Statements of others stay, be they ever so wrong; that they stand in the way is said.
    let everybody = json!([trusting(&json!("*"), &Value::Null)]);
    cases.push(Case { repaired: OPEN, ..trust("everybody", everybody, OPEN) });
    cases.push(Case { repaired: NOT_LET_IN, ..trust("denied", and(deny), NOT_LET_IN) });
    let deny = json!({"Effect": "Deny", "Principal": {"AWS": "ARN"}, "Action": "sts:*"});
    cases.push(Case { repaired: NOT_ITSELF, ..trust("denied-to-itself", and(deny), NOT_ITSELF) });
    cases
}

fn permission_cases() -> Vec<Case> {
    let deny = |action: &str| json!({"Effect": "Deny", "Action": action, "Resource": "*"});
    let bounded = |name, boundary: Value, found| Case {
        boundary: Some(boundary),
        ..permissions(name, vec![json!([self_assume()])], found)
    };
    vec![
        permissions("no-permissions", vec![], NOT_ITSELF),
        permissions(
            "other-permissions",
            vec![json!([{"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"}])],
            NOT_ITSELF,
        ),
        permissions(
            "permission-for-another-role",
            vec![json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "ARN-2"}])],
            NOT_ITSELF,
        ),
        permissions(
            "permission-for-all-roles",
            vec![json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}])],
            PASS,
        ),
        permissions(
            "denied-by-a-second-policy",
            vec![json!([self_assume()]), json!([deny("sts:AssumeRole")])],
            NOT_ITSELF,
        ),
        permissions("everything-denied", vec![json!([self_assume(), deny("*")])], NOT_ITSELF),
        permissions(
            "other-things-denied",
            vec![json!([self_assume()]), json!([deny("kinesis:PutRecord")])],
            PASS,
        ),
        bounded(
            "boundary-without-sts",
            json!([{"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"}]),
            NOT_ITSELF,
        ),
        bounded(
            "boundary-that-denies",
            json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny("sts:*")]),
            NOT_ITSELF,
        ),
        bounded("boundary-that-allows", json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]), PASS),
    ]
}

#[test]
fn the_prediction_agrees_with_validation_and_the_repair_repairs() {
    let place = Place::open();
    let cases: Vec<Case> = trust_cases().into_iter().chain(permission_cases()).collect();
    assert!(cases.len() >= 30, "{} set-ups", cases.len());
    for case in &cases {
        let name = case.name;
        let role = place.role(name, &case.trust, &case.permissions, case.boundary.as_ref());
        let found = role.validate();
        assert_eq!(found, case.found, "{name}: what validation finds");
        assert_eq!(role.predict(), found, "{name}: what is predicted");

        let (code, said) = role.sync(&[]);
        assert_eq!(role.validate(), case.repaired, "{name}: after the repair: {said}");
        assert_eq!(role.predict(), case.repaired, "{name}: what is predicted after it");
        let trust_is_right = !said.contains("stands in the way");
        assert_eq!(code, i32::from(!trust_is_right), "{name}: {said}");
        assert!(trust_is_right || case.repaired != PASS, "{name}: {said}");
        if !trust_is_right {
            let (code, said) = role.sync(&["--exclusive"]);
            assert_eq!((code, role.validate()), (0, PASS), "{name}: {said}");
        }
        let (code, said) = role.sync(&[]);
        assert!(code == 0 && said.contains("unchanged trust policy"), "{name}: a second run: {said}");
        assert_eq!(role.sync(&["--check"]).0, 0, "{name}: a check");
    }
}

#[test]
fn a_principal_that_was_deleted_is_repaired() {
    let place = Place::open();
    place.role("first", &right(), &[], None);
    let helper = format!("arn:aws:iam::{ACCOUNT}:role/first");
    let statements = json!([trusting(&json!([MASTER, helper]), &with_id("ID"))]);
    let role = place.role("second", &statements, &[json!([self_assume()])], None);
    place.delete_role("first");
    assert_eq!(role.validate(), NOT_ITSELF);
    let (code, said) = role.sync(&["--check"]);
    assert!(code == 1 && said.contains("dead-principal"), "{said}");
    assert_eq!(role.sync(&[]).0, 0);
    assert_eq!(role.validate(), PASS);
}

#[test]
fn a_principal_of_somebody_else_that_was_deleted_is_no_obstacle() {
    let place = Place::open();
    place.role("colleague", &right(), &[], None);
    let colleague = format!("arn:aws:iam::{ACCOUNT}:role/colleague");
    let theirs = json!({"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": colleague}, "Action": "sts:AssumeRole"});
    let statements = json!([theirs, trusting(&json!(MASTER), &with_id("0000"))]);
    let role = place.role("shared", &statements, &[json!([self_assume()])], None);
    place.delete_role("colleague");
    // Far less than it would wait for somebody who never comes.
    let (code, said) = role.sync(&["--timeout", "20s"]);
    assert!(code == 0 && said.contains("dropped `AROA"), "{said}");
    assert_eq!(role.validate(), PASS);
}

#[test]
fn an_undo_brings_back_what_was_there_and_another_run_repairs_it_again() {
    let place = Place::open();
    let role = place.role(
        "undone",
        &json!([trusting(&json!(MASTER), &with_id("0000"))]),
        &[json!([self_assume()])],
        None,
    );
    assert_eq!(role.sync(&[]).0, 0);
    assert_eq!(role.validate(), PASS);
    assert_eq!(role.sync(&["--undo"]).0, 0);
    assert_eq!(role.validate(), NOT_LET_IN);
    assert_eq!(role.sync(&["--form", "arn-like"]).0, 0);
    assert_eq!(role.validate(), PASS);
}

#[test]
fn a_wait_can_be_interrupted_and_run_again() {
    let place = Place::open_with(Duration::from_hours(1));
    let role = place.role("fresh", &json!([trusting(&json!(MASTER), &with_id("0000"))]), &[], None);
    let before = place.calls("UpdateAssumeRolePolicy");
    let running = role.start();
    let deadline = Instant::now() + Duration::from_mins(1);
    while place.calls("UpdateAssumeRolePolicy") == before {
        assert!(Instant::now() < deadline, "it does not even try");
        thread::sleep(Duration::from_millis(5));
    }
    let stopped = Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    let output = running.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(130), &b""[..]), "{said}");
    assert!(said.contains("trust-sync: interrupted\nhint: run the same command again"), "{said}");

    // Each request has this long too.
    let (code, said) = role.sync(&["--timeout", "3s"]);
    assert!(code == 5 && said.contains("Invalid principal") && said.contains("--timeout 5m"), "{said}");
    // A role that is named in a condition need not be known.
    assert_eq!(role.sync(&["--timeout", "20s", "--form", "arn-like"]).0, 0);
}

#[test]
fn every_failed_check_says_what_to_do() {
    let place = Place::open();
    for (case, fix) in [
        (
            trust("placeholder", json!([trusting(&json!(MASTER), &with_id("0000"))]), NOT_LET_IN),
            "run: trust-sync placeholder",
        ),
        (
            permissions("no-permissions", vec![], NOT_ITSELF),
            "iam-policy-gen permissions --role no-permissions",
        ),
        (
            permissions(
                "denied",
                vec![json!([self_assume()]), json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}])],
                NOT_ITSELF,
            ),
            "take the refusal at `/Statement/0` out of policy `policy-1`",
        ),
        (
            Case {
                boundary: Some(json!([{"Effect": "Allow", "Action": "kinesis:*", "Resource": "*"}])),
                ..permissions("bounded", vec![json!([self_assume()])], NOT_ITSELF)
            },
            "let the permissions boundary `bounded-boundary` allow sts:AssumeRole",
        ),
    ] {
        let role = place.role(case.name, &case.trust, &case.permissions, case.boundary.as_ref());
        assert_eq!(role.validate(), case.found, "{}", case.name);
        let (code, said) = role.sync(&["--explain"]);
        assert!(code == 1 && said.contains(fix), "{}: {said}", case.name);
    }
}
