//! The guide's circle inside one sandbox: a role, a credential, a trust policy, and keys that read and cannot write.
//! Every call goes over HTTP and is signed as a client's would be.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sandbox::clock::Clock;
use sandbox::sts::Settings;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

use crate::http::{Answer, exchange, results};

const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "123456789012";
const ROLE: &str = "databricks-kinesis-role";
pub(crate) const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";
const STREAM: &str = "sensor-readings";
const STREAM_ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/sensor-readings";
pub(crate) const MASTER: &str = sandbox::iam::UNITY_CATALOG_MASTER_ROLE;
const CREDENTIALS: &str = "/api/2.1/unity-catalog/credentials";
const VALIDATE: &str = "/api/2.1/unity-catalog/validate-credentials";
const VEND: &str = "/api/2.1/unity-catalog/temporary-service-credentials";

/// Longer than any delay of the sandbox.
const A_WHILE: Duration = Duration::from_secs(5);

/// A sandbox whose time stands still until a test moves it.
pub(crate) struct Circle {
    // Dropping it ends the sandbox.
    _sandbox: Sandbox,
    clock: Clock,
    pub(crate) environment: BTreeMap<String, String>,
    root: Credentials,
}

impl Circle {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(sts: Settings) -> Self {
        let clock = Clock::manual(SystemTime::now());
        let options = Options { clock: clock.clone(), sts, ..Options::default() };
        let sandbox = Sandbox::start(options).await.expect("starts");
        let environment: BTreeMap<String, String> = sandbox.environment().into_iter().collect();
        let root = Credentials::new(
            environment["AWS_ACCESS_KEY_ID"].clone(),
            environment["AWS_SECRET_ACCESS_KEY"].clone(),
            None,
            None,
            "test",
        );
        Self { _sandbox: sandbox, clock, environment, root }
    }

    fn address(&self, variable: &str) -> SocketAddr {
        self.environment[variable]
            .strip_prefix("http://")
            .and_then(|text| text.parse().ok())
            .expect("an address")
    }

    /// Lets every write become visible.
    fn wait(&self) {
        self.clock.advance(A_WHILE);
    }

    async fn signed(
        &self,
        service: &str,
        who: &Credentials,
        mut headers: Vec<(String, String)>,
        body: &str,
    ) -> Answer {
        let address = self.address(&format!("AWS_ENDPOINT_URL_{}", service.to_uppercase()));
        let identity = who.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(service)
            .time(self.clock.now())
            .settings(SigningSettings::default())
            .build()
            .expect("complete");
        let signed_headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let uri = format!("http://{address}/");
        let request = SignableRequest::new("POST", uri, signed_headers, SignableBody::Bytes(body.as_bytes()));
        let signed = sign(request.expect("signable"), &parameters.into()).expect("signed");
        let (added, _) = signed.into_parts().0.into_parts();
        headers.extend(added.iter().map(|header| (header.name().to_owned(), header.value().to_owned())));
        exchange(address, "POST", "/", &headers, body).await.expect("an answer")
    }

    async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", "2010-05-08").extend_pairs(parameters);
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        self.signed("iam", &self.root, headers, &form.finish()).await
    }

    /// An IAM call that must work, and its effect.
    async fn iam_ok(&self, action: &str, parameters: &[(&str, &str)]) {
        let answer = self.iam(action, parameters).await;
        assert_eq!(answer.status, 200, "{action}: {}", answer.body);
        self.wait();
    }

    async fn kinesis(&self, who: &Credentials, operation: &str, body: Value) -> Answer {
        let headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), format!("Kinesis_20131202.{operation}")),
        ];
        self.signed("kinesis", who, headers, &body.to_string()).await
    }

    async fn kinesis_ok(&self, who: &Credentials, operation: &str, body: Value) -> Value {
        let answer = self.kinesis(who, operation, body).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
        answer.body
    }

    async fn databricks(&self, path: &str, body: Value) -> Answer {
        let headers =
            [("authorization".to_owned(), format!("Bearer {}", self.environment["DATABRICKS_TOKEN"]))];
        let address = self.address("DATABRICKS_HOST");
        exchange(address, "POST", path, &headers, &body.to_string()).await.expect("an answer")
    }

    /// Creates the credential and gives its external id.
    async fn credential(&self) -> String {
        let draft = json!({"name": "c", "purpose": "SERVICE", "aws_iam_role": {"role_arn": ROLE_ARN}});
        let answer = self.databricks(CREDENTIALS, draft).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["aws_iam_role"]["external_id"].as_str().expect("an id").to_owned()
    }

    async fn check(&self, expected: [&str; 3], why: &str) {
        let answer = self.databricks(VALIDATE, json!({"credential_name": "c", "purpose": "SERVICE"})).await;
        assert_eq!(results(&answer.body), expected, "{why}: {}", answer.body);
        // Keys are to be had exactly when Databricks can come in and the role can assume itself.
        let vended = self.databricks(VEND, json!({"credential_name": "c"})).await.status;
        let usable = expected[0] == "PASS" && expected[2] == "PASS";
        assert_eq!(vended, if usable { 200 } else { 400 }, "{why}");
    }

    pub(crate) async fn create_role(&self, trust: &Value) {
        self.iam_ok("CreateRole", &[("RoleName", ROLE), ("AssumeRolePolicyDocument", &trust.to_string())])
            .await;
    }

    pub(crate) async fn trust(&self, trust: &Value) {
        let document = trust.to_string();
        self.iam_ok("UpdateAssumeRolePolicy", &[("RoleName", ROLE), ("PolicyDocument", &document)]).await;
    }

    pub(crate) async fn permit(&self, permissions: &Value) {
        let document = permissions.to_string();
        let parameters = [("RoleName", ROLE), ("PolicyName", "read"), ("PolicyDocument", &document)];
        self.iam_ok("PutRolePolicy", &parameters).await;
    }
}

pub(crate) fn trust_of(principals: &[&str], condition: Value) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Principal": {"AWS": principals}, "Action": "sts:AssumeRole"});
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

pub(crate) fn external_id(id: &str) -> Value {
    json!({"StringEquals": {"sts:ExternalId": id}})
}

pub(crate) fn permissions() -> Value {
    let read = ["DescribeStreamSummary", "ListShards", "GetRecords", "GetShardIterator"]
        .map(|name| format!("kinesis:{name}"));
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": read, "Resource": STREAM_ARN},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE_ARN},
    ]})
}

#[tokio::test]
async fn the_guide_from_a_placeholder_to_reading_as_databricks() {
    let circle = Circle::start().await;
    let root = circle.root.clone();
    for stream in [STREAM, "somebody-elses"] {
        let create = json!({"StreamName": stream, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}});
        circle.kinesis_ok(&root, "CreateStream", create).await;
    }
    circle.wait();
    let data = STANDARD.encode(r#"{"sensor_id":"sensor_01"}"#);
    let record = json!({"StreamName": STREAM, "Data": data, "PartitionKey": "sensor_01"});
    let put = circle.kinesis_ok(&root, "PutRecord", record.clone()).await;

    circle.create_role(&trust_of(&[MASTER], external_id("0000"))).await;
    circle.permit(&permissions()).await;
    let id = circle.credential().await;
    circle.check(["FAIL", "SKIP", "SKIP"], "the placeholder does not validate").await;

    let trust = trust_of(&[MASTER, ROLE_ARN], external_id(&id)).to_string();
    let answer =
        circle.iam("UpdateAssumeRolePolicy", &[("RoleName", ROLE), ("PolicyDocument", &trust)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    circle.check(["FAIL", "SKIP", "SKIP"], "a fresh trust policy takes a while").await;
    circle.wait();
    circle.check(["PASS", "PASS", "PASS"], "and then it validates").await;

    let vended = circle.databricks(VEND, json!({"credential_name": "c"})).await.body;
    let key = |name: &str| vended["aws_temp_credentials"][name].as_str().expect("a key").to_owned();
    let session = Credentials::new(
        key("access_key_id"),
        key("secret_access_key"),
        Some(key("session_token")),
        None,
        "databricks",
    );
    let shard = json!({"StreamName": STREAM, "ShardId": put["ShardId"], "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = circle.kinesis_ok(&session, "GetShardIterator", shard).await;
    let page =
        circle.kinesis_ok(&session, "GetRecords", json!({"ShardIterator": iterator["ShardIterator"]})).await;
    assert_eq!(page["Records"][0]["SequenceNumber"], put["SequenceNumber"]);
    assert_eq!(page["Records"][0]["Data"], data);

    let other = json!({"StreamName": "somebody-elses"});
    for (operation, body) in [("PutRecord", record), ("DescribeStreamSummary", other)] {
        let denied = circle.kinesis(&session, operation, body).await;
        assert_eq!(denied.body["__type"], "AccessDeniedException", "{operation}: {}", denied.body);
    }
    circle.clock.advance(Duration::from_hours(1));
    let late = circle.kinesis(&session, "ListShards", json!({"StreamName": STREAM})).await;
    assert_eq!(late.body["__type"], "ExpiredTokenException", "{}", late.body);
}

#[tokio::test]
async fn each_broken_trust_fails_its_own_check() {
    let circle = Circle::start().await;
    circle.create_role(&trust_of(&[MASTER], external_id("0000"))).await;
    circle.permit(&permissions()).await;
    let id = circle.credential().await;
    let good = trust_of(&[MASTER, ROLE_ARN], external_id(&id));
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    for (trust, expected, why) in [
        (
            trust_of(&[MASTER], external_id(&id)),
            ["PASS", "PASS", "FAIL"],
            "the role is not its own principal",
        ),
        (trust_of(&[ROLE_ARN], external_id(&id)), ["FAIL", "SKIP", "SKIP"], "Databricks is not a principal"),
        (trust_of(&[MASTER, ROLE_ARN], Value::Null), ["PASS", "FAIL", "PASS"], "no external id is asked for"),
        (
            trust_of(&[MASTER, ROLE_ARN], json!({"StringLike": {"sts:ExternalId": "*"}})),
            ["PASS", "FAIL", "PASS"],
            "any external id will do",
        ),
        (
            trust_of(&[MASTER, ROLE_ARN], external_id(&id.to_uppercase())),
            ["FAIL", "SKIP", "SKIP"],
            "an external id is case-sensitive",
        ),
        (
            trust_of(&[&root], external_id(&id)),
            ["FAIL", "SKIP", "SKIP"],
            "the account's root is not Databricks",
        ),
        (
            trust_of(&["414351767826", ROLE_ARN], external_id(&id)),
            ["PASS", "PASS", "PASS"],
            "wide, but it works",
        ),
        (good.clone(), ["PASS", "PASS", "PASS"], "as Databricks shows it"),
    ] {
        circle.trust(&trust).await;
        circle.check(expected, why).await;
    }

    let mut deny = permissions();
    let statement = json!({"Effect": "Deny", "Action": "sts:*", "Resource": "*"});
    deny["Statement"].as_array_mut().expect("a list").push(statement);
    circle.permit(&deny).await;
    circle.check(["PASS", "PASS", "FAIL"], "an explicit deny beats the trust policy").await;
    circle.permit(&permissions()).await;
    circle.check(["PASS", "PASS", "PASS"], "and taking it back repairs it").await;
}

#[tokio::test]
async fn a_credential_made_first_needs_no_placeholder() {
    let circle = Circle::start().await;
    let id = circle.credential().await;
    circle.check(["FAIL", "SKIP", "SKIP"], "the role does not exist yet").await;

    let refused = trust_of(&[MASTER, ROLE_ARN], external_id(&id)).to_string();
    let answer =
        circle.iam("CreateRole", &[("RoleName", ROLE), ("AssumeRolePolicyDocument", &refused)]).await;
    assert_eq!(answer.status, 400, "a role cannot name itself before it exists: {}", answer.body);

    let mut trust = trust_of(&[MASTER], external_id(&id));
    let root = format!("arn:aws:iam::{ACCOUNT}:root");
    let itself = json!({
        "StringEquals": {"sts:ExternalId": id},
        "ArnLike": {"aws:PrincipalArn": ROLE_ARN},
    });
    let statement = trust_of(&[&root], itself)["Statement"][0].clone();
    trust["Statement"].as_array_mut().expect("a list").push(statement);
    circle.create_role(&trust).await;
    circle.check(["PASS", "PASS", "FAIL"], "an account's root lets in only whom a permission sends").await;
    circle.permit(&permissions()).await;
    circle.check(["PASS", "PASS", "PASS"], "with it the circle closes").await;
    circle.iam_ok("DeleteRolePolicy", &[("RoleName", ROLE), ("PolicyName", "read")]).await;
    circle.iam_ok("DeleteRole", &[("RoleName", ROLE)]).await;
    circle.check(["FAIL", "SKIP", "SKIP"], "the role is gone").await;
    circle.create_role(&trust).await;
    circle.permit(&permissions()).await;
    circle.check(["PASS", "PASS", "PASS"], "this form survives making the role again").await;
}

#[tokio::test]
async fn a_role_in_its_own_trust_policy_may_need_the_permission_as_well() {
    for (strict_self_assume, expected) in [(false, "PASS"), (true, "FAIL")] {
        let circle = Circle::with(Settings { strict_self_assume, ..Settings::default() }).await;
        let id = circle.credential().await;
        circle.create_role(&trust_of(&[MASTER], external_id(&id))).await;
        circle.trust(&trust_of(&[MASTER, ROLE_ARN], external_id(&id))).await;
        circle.check(["PASS", "PASS", expected], "without a permission").await;
        circle.permit(&permissions()).await;
        circle.check(["PASS", "PASS", "PASS"], "with it").await;
    }
}
