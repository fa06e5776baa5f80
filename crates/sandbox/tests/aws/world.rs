//! A sandbox with signed requests: what the tests of this folder stand on.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use sandbox::clock::Clock;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const MASTER: &str = sandbox::iam::UNITY_CATALOG_MASTER_ROLE;
pub(crate) const ROOT: &str = "arn:aws:iam::123456789012:root";

/// Longer than any delay of the sandbox.
const A_WHILE: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The status line and the headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The text of the first XML element with this name.
    pub(crate) fn text(&self, name: &str) -> &str {
        let (_, rest) =
            self.body.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        rest.split_once(&format!("</{name}>")).expect("closed").0
    }

    /// The error code and sentence of either protocol.
    pub(crate) fn error(&self) -> (String, String) {
        assert!(self.status >= 400, "{self:?}");
        match serde_json::from_str::<Value>(&self.body) {
            Ok(json) => {
                let text = |name: &str| json[name].as_str().expect("text").to_owned();
                (text("__type"), text("message"))
            }
            Err(_) => (self.text("Code").to_owned(), unescape(self.text("Message"))),
        }
    }

    pub(crate) fn code(&self) -> String {
        self.error().0
    }

    /// A policy document, decoded.
    pub(crate) fn document(&self, name: &str) -> Value {
        let text = percent_encoding::percent_decode_str(self.text(name)).decode_utf8().expect("UTF-8");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The temporary keys of an AssumeRole.
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials::new(
            self.text("AccessKeyId"),
            self.text("SecretAccessKey"),
            Some(self.text("SessionToken").to_owned()),
            None,
            "test",
        )
    }
}

fn unescape(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A sandbox whose time stands still until a test moves it.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) root: Credentials,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let clock = Clock::manual(SystemTime::now());
        let sandbox = Sandbox::start(Options { clock: clock.clone(), ..options }).await.expect("starts");
        let environment: BTreeMap<_, _> = sandbox.environment().into_iter().collect();
        let key = |name: &str| environment[name].clone();
        let root = Credentials::from_keys(key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"), None);
        Self { sandbox, clock, environment, root }
    }

    /// Lets every write take effect.
    pub(crate) fn wait(&self) {
        self.clock.advance(A_WHILE);
    }

    pub(crate) fn address(&self, service: &str) -> SocketAddr {
        let url = &self.environment[&format!("AWS_ENDPOINT_URL_{}", service.to_uppercase())];
        url.strip_prefix("http://").and_then(|text| text.parse().ok()).expect("an address")
    }

    /// An IAM call.
    pub(crate) async fn iam_as(
        &self,
        who: &Credentials,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Answer {
        self.query("iam", "2010-05-08", who, action, parameters).await
    }

    /// An IAM call by root.
    pub(crate) async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.iam_as(&self.root, action, parameters).await
    }

    /// An IAM call by root that has to work, and its effect.
    pub(crate) async fn iam_ok(&self, action: &str, parameters: &[(&str, &str)]) -> Answer {
        let answer = self.iam(action, parameters).await;
        assert_eq!(answer.status, 200, "{action}: {answer:?}");
        self.wait();
        answer
    }

    /// An STS call.
    pub(crate) async fn sts(&self, who: &Credentials, action: &str, parameters: &[(&str, &str)]) -> Answer {
        self.query("sts", "2011-06-15", who, action, parameters).await
    }

    /// AssumeRole with the parameters that are always there.
    pub(crate) async fn assume(&self, who: &Credentials, role: &str, more: &[(&str, &str)]) -> Answer {
        let arn = role_arn(role);
        let parameters: Vec<_> =
            [("RoleArn", arn.as_str()), ("RoleSessionName", "test")].iter().chain(more).copied().collect();
        self.sts(who, "AssumeRole", &parameters).await
    }

    /// A Kinesis call.
    pub(crate) async fn kinesis(&self, who: &Credentials, operation: &str, body: &Value) -> Answer {
        let headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), format!("Kinesis_20131202.{operation}")),
        ];
        let body = body.to_string();
        let signed = self.sign("kinesis", "eu-central-1", who, headers, &body);
        exchange(self.address("kinesis"), "POST", "/", &signed, &body).await.expect("an answer")
    }

    /// A user with a key and an inline policy.
    pub(crate) async fn user(&self, name: &str, policy: &Value) -> Credentials {
        self.iam_ok("CreateUser", &[("UserName", name)]).await;
        let policy = policy.to_string();
        self.iam_ok(
            "PutUserPolicy",
            &[("UserName", name), ("PolicyName", "own"), ("PolicyDocument", &policy)],
        )
        .await;
        let key = self.iam_ok("CreateAccessKey", &[("UserName", name)]).await;
        Credentials::from_keys(key.text("AccessKeyId"), key.text("SecretAccessKey"), None)
    }

    /// A role with this trust policy.
    pub(crate) async fn role(&self, name: &str, trust: &Value) -> Answer {
        let trust = trust.to_string();
        self.iam_ok("CreateRole", &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)]).await
    }

    /// An inline policy on a role.
    pub(crate) async fn permit(&self, role: &str, policy: &Value) {
        let policy = policy.to_string();
        self.iam_ok(
            "PutRolePolicy",
            &[("RoleName", role), ("PolicyName", "own"), ("PolicyDocument", &policy)],
        )
        .await;
    }

    /// The control endpoint.
    pub(crate) async fn control(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("/_sandbox/{path}");
        let body = body.to_string();
        let answer = exchange(self.address("kinesis"), method, &path, &[], &body).await.expect("an answer");
        (answer.status, serde_json::from_str(&answer.body).expect("JSON"))
    }

    async fn query(
        &self,
        service: &str,
        version: &str,
        who: &Credentials,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", version).extend_pairs(parameters);
        let body = form.finish();
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        let signed = self.sign(service, "us-east-1", who, headers, &body);
        exchange(self.address(service), "POST", "/", &signed, &body).await.expect("an answer")
    }

    /// The headers with a signature among them, for the service's own listener.
    pub(crate) fn sign(
        &self,
        service: &str,
        region: &str,
        who: &Credentials,
        headers: Vec<(String, String)>,
        body: &str,
    ) -> Vec<(String, String)> {
        self.sign_for(self.address(service), service, region, who, headers, body)
    }

    pub(crate) fn sign_for(
        &self,
        address: SocketAddr,
        service: &str,
        region: &str,
        who: &Credentials,
        mut headers: Vec<(String, String)>,
        body: &str,
    ) -> Vec<(String, String)> {
        let identity = who.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(self.clock.now())
            .settings(SigningSettings::default())
            .build()
            .expect("complete");
        let plain = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let uri = format!("http://{address}/");
        let request = SignableRequest::new("POST", uri, plain, SignableBody::Bytes(body.as_bytes()));
        let signed = sign(request.expect("signable"), &parameters.into()).expect("signed");
        let (added, _) = signed.into_parts().0.into_parts();
        headers.extend(added.iter().map(|header| (header.name().to_owned(), header.value().to_owned())));
        headers
    }
}

/// Sends one request and reads to the end. `None` when the connection closed without an answer.
pub(crate) async fn exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &str,
) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    let headers =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await.ok().filter(|count| *count > 0)?;
    let text = String::from_utf8(received).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Some(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
}

pub(crate) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

/// A trust policy for these principals.
pub(crate) fn trust(principals: &[&str]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": principals }, "Action": "sts:AssumeRole",
    }] })
}

/// The same with an external ID.
pub(crate) fn trust_with_id(principals: &[&str], external_id: &str) -> Value {
    let mut trust = trust(principals);
    trust["Statement"][0]["Condition"] = json!({ "StringEquals": { "sts:ExternalId": external_id } });
    trust
}

/// A permission policy of one statement.
pub(crate) fn allow(actions: &[&str], resource: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": resource }] })
}
