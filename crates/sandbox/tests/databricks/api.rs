//! The workspace over real HTTP, with an STS that trusts one external id.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use sandbox::clock::Clock;
use sandbox::databricks::{Assume, ExternalIds, Options, Principal, Workspace, router};
use sandbox::error::ServiceError;
use sandbox::sts::{AssumeRole, Caller, Identity, Session};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::http::{Answer, exchange, results};

const ROLE: &str = "arn:aws:iam::123456789012:role/databricks-kinesis-role";
const CREDENTIALS: &str = "/api/2.1/unity-catalog/credentials";
const VALIDATE: &str = "/api/2.1/unity-catalog/validate-credentials";
const VEND: &str = "/api/2.1/unity-catalog/temporary-service-credentials";
const FAULTS: &str = "/_sandbox/databricks/faults";
const REQUESTS: &str = "/_sandbox/databricks/requests";
const PRINCIPALS: &str = "/_sandbox/databricks/principals";

/// The external id that the one role trusts, which tests change as people edit a trust policy.
#[derive(Clone, Default)]
struct Trust(Arc<Mutex<String>>);

impl Trust {
    fn set(&self, external_id: &str) {
        external_id.clone_into(&mut self.0.lock().expect("no test panicked here"));
    }
}

impl Assume for Trust {
    fn master(&self) -> Caller {
        Caller::root("414351767826")
    }

    fn assume_role(&self, caller: &Caller, request: &AssumeRole) -> Result<Session, ServiceError> {
        let trusted = self.0.lock().expect("no test panicked here").clone();
        if request.role_arn != ROLE || request.external_id.as_ref() != Some(&trusted) {
            return Err(ServiceError::access_denied(format!("{} is not authorized", caller.arn())));
        }
        let identity = Identity::Session {
            role_arn: ROLE.to_owned(),
            role_name: "databricks-kinesis-role".to_owned(),
            role_id: "AROAEXAMPLE".to_owned(),
            session_name: request.session_name.clone(),
        };
        let caller = Caller { account: "123456789012".to_owned(), identity };
        Ok(Session {
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret_access_key: "a-secret".to_owned(),
            session_token: "a-token".to_owned(),
            expires_at: SystemTime::UNIX_EPOCH + request.duration,
            assumed_role_arn: caller.arn(),
            caller,
        })
    }
}

/// A served workspace. It ends with the test.
struct Scene {
    address: SocketAddr,
    options: Options,
    trust: Trust,
    server: JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Scene {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(set: impl FnOnce(&mut Options)) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let mut options = Options::new(format!("http://{address}"), "eu-central-1");
        set(&mut options);
        let trust = Trust::default();
        let router = router(Workspace::new(options.clone(), trust.clone()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { address, options, trust, server }
    }

    /// Sends one request. `None` when the connection closed without an answer.
    async fn send(&self, method: &str, path: &str, authorization: &str, body: &str) -> Option<Answer> {
        let header = ("Authorization".to_owned(), authorization.to_owned());
        let headers = if authorization.is_empty() { &[][..] } else { &[header][..] };
        exchange(self.address, method, path, headers, body).await
    }

    async fn send_as(&self, who: &Principal, method: &str, path: &str, body: &Value) -> Answer {
        let headers = format!("Bearer {}", who.token.reveal());
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, &headers, &body).await.expect("an answer")
    }

    /// As the admin, and it must work.
    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.send_as(&self.options.admin, method, path, &body).await;
        assert_eq!(answer.status, 200, "{method} {path} {body}: {}", answer.body);
        answer.body
    }

    /// As the admin, and it must be refused with this status and code. Gives the message.
    async fn refused(&self, method: &str, path: &str, body: Value, status: u16, code: &str) -> String {
        self.refused_as(&self.options.admin, method, path, body, status, code).await
    }

    async fn refused_as(
        &self,
        who: &Principal,
        method: &str,
        path: &str,
        body: Value,
        status: u16,
        code: &str,
    ) -> String {
        let answer = self.send_as(who, method, path, &body).await;
        let got = (answer.status, answer.body["error_code"].as_str());
        assert_eq!(got, (status, Some(code)), "{method} {path} {body}: {}", answer.body);
        assert!(answer.body["details"][1]["request_id"].is_string(), "{}", answer.body);
        answer.body["message"].as_str().expect("a message").to_owned()
    }

    async fn create(&self, name: &str) -> Value {
        self.ok("POST", CREDENTIALS, draft(name)).await
    }

    /// The operations and outcomes so far.
    async fn journal(&self) -> Vec<String> {
        let log = self.ok("GET", REQUESTS, Value::Null).await;
        let line = |call: &Value| format!("{} {}", call["operation"], call["outcome"]).replace('"', "");
        log["requests"].as_array().expect("a list").iter().map(line).collect()
    }
}

fn draft(name: &str) -> Value {
    json!({"name": name, "purpose": "SERVICE", "aws_iam_role": {"role_arn": ROLE}, "skip_validation": true})
}

fn names(listing: &Value) -> Vec<&str> {
    let names = listing["credentials"].as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().map(|credential| credential["name"].as_str().expect("a name")).collect()
}

#[tokio::test]
async fn a_credential_lives_through_create_get_update_and_delete() {
    let scene = Scene::start().await;
    let created = scene.create("Kinesis-Credential").await;
    assert_eq!(created["name"], "kinesis-credential");
    assert_eq!(created["owner"], scene.options.admin.name);
    assert_eq!(created["isolation_mode"], "ISOLATION_MODE_OPEN");
    let role = &created["aws_iam_role"];
    assert_eq!(role["role_arn"], ROLE);
    assert!(role["unity_catalog_iam_arn"].as_str().expect("an ARN").contains(":414351767826:role/"));

    let path = format!("{CREDENTIALS}/KINESIS-credential");
    assert_eq!(scene.ok("GET", &path, Value::Null).await, created);
    let taken = scene
        .refused("POST", CREDENTIALS, draft("kinesis-CREDENTIAL"), 409, "CREDENTIAL_ALREADY_EXISTS")
        .await;
    assert!(taken.contains("already exists"), "{taken}");

    let renamed = scene.ok("PATCH", &path, json!({"new_name": "sensors", "comment": "moved"})).await;
    assert_eq!((&renamed["name"], &renamed["comment"]), (&json!("sensors"), &json!("moved")));
    assert_eq!(renamed["aws_iam_role"], *role, "a rename keeps the external id");
    scene.refused("GET", &path, Value::Null, 404, "CREDENTIAL_DOES_NOT_EXIST").await;

    let path = format!("{CREDENTIALS}/sensors");
    let other = json!({"aws_iam_role": {"role_arn": "arn:aws:iam::123456789012:role/other"}});
    let moved = scene.ok("PATCH", &path, other).await;
    assert_ne!(
        moved["aws_iam_role"]["external_id"], role["external_id"],
        "another role is another agreement"
    );
    assert_eq!(moved["id"], created["id"]);

    assert_eq!(scene.ok("DELETE", &path, Value::Null).await, json!({}));
    scene.refused("DELETE", &path, Value::Null, 404, "CREDENTIAL_DOES_NOT_EXIST").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_named() {
    let scene = Scene::start().await;
    scene.create("c").await;
    let bearer = format!("Bearer {}", scene.options.admin.token.reveal());
    let answer = scene.send("POST", CREDENTIALS, &bearer, "{\"name\":").await.expect("an answer");
    assert_eq!((answer.status, &answer.body["error_code"]), (400, &json!("MALFORMED_REQUEST")));

    let path = format!("{CREDENTIALS}/c");
    for (method, path, body, part) in [
        ("POST", CREDENTIALS, json!({"name": "x"}), "`purpose`"),
        ("POST", CREDENTIALS, json!({"name": "a b", "purpose": "SERVICE"}), "`name`"),
        (
            "PATCH",
            &path,
            json!({"aws_iam_role": {"role_arn": ROLE, "external_id": "x"}}),
            "`aws_iam_role.external_id`",
        ),
        ("PATCH", &path, json!({"owner": "data-platform", "comment": "x"}), "`owner`"),
        ("PATCH", &path, json!({"read_only": true}), "`read_only`"),
        ("PATCH", &path, json!({}), "nothing to update"),
        ("POST", VALIDATE, json!({}), "`credential_name`"),
        ("POST", VALIDATE, json!({"credential_name": "c", "purpose": "STORAGE"}), "purpose SERVICE"),
        ("POST", VEND, json!({"credential_name": 7}), "`credential_name`"),
        ("GET", &format!("{CREDENTIALS}?max_results=-1"), Value::Null, "`max_results`"),
        ("GET", &format!("{CREDENTIALS}?purpose=ALL"), Value::Null, "`purpose`"),
    ] {
        let message = scene.refused(method, path, body, 400, "INVALID_PARAMETER_VALUE").await;
        assert!(message.contains(part), "{message}");
    }
    scene.refused("PUT", CREDENTIALS, Value::Null, 404, "ENDPOINT_NOT_FOUND").await;
    scene.refused("PATCH", &path, json!({"owner": "nobody"}), 404, "PRINCIPAL_DOES_NOT_EXIST").await;
}

#[tokio::test]
async fn pages_may_be_empty_and_still_go_on() {
    let scene = Scene::with(|options| options.settings.page_size = 1).await;
    for (name, purpose) in [("a", "SERVICE"), ("b", "STORAGE"), ("c", "SERVICE")] {
        let mut draft = draft(name);
        draft["purpose"] = json!(purpose);
        scene.ok("POST", CREDENTIALS, draft).await;
    }
    let mut token = String::new();
    let mut pages = Vec::new();
    loop {
        let path = format!("{CREDENTIALS}?purpose=SERVICE&max_results=0&page_token={token}");
        let page = scene.ok("GET", &path, Value::Null).await;
        pages.push(names(&page).join(","));
        match page["next_page_token"].as_str() {
            Some(next) => next.clone_into(&mut token),
            None => break,
        }
    }
    assert_eq!(pages, ["a", "", "c"]);
}

#[tokio::test]
async fn validation_and_keys_follow_the_trust_policy() {
    let scene = Scene::start().await;
    let created = scene.create("c").await;
    let external_id = created["aws_iam_role"]["external_id"].as_str().expect("an id");
    let ask = json!({"credential_name": "c", "purpose": "SERVICE"});

    scene.trust.set("0000");
    let validation = scene.ok("POST", VALIDATE, ask.clone()).await;
    assert_eq!(results(&validation), ["FAIL", "SKIP", "SKIP"]);
    let message =
        scene.refused("POST", VEND, json!({"credential_name": "c"}), 400, "PERMISSION_DENIED").await;
    assert!(message.contains("is not configured correctly"), "{message}");

    scene.trust.set(external_id);
    let validation = scene.ok("POST", VALIDATE, ask).await;
    assert_eq!(results(&validation), ["PASS", "PASS", "PASS"]);
    let keys = scene.ok("POST", VEND, json!({"credential_name": "C"})).await;
    assert_eq!(keys["aws_temp_credentials"]["access_key_id"], "ASIAEXAMPLE");
    assert_eq!(keys["expiration_time"], 3_600_000, "an hour, in milliseconds");
}

#[tokio::test]
async fn a_strict_workspace_refuses_to_create_what_does_not_validate() {
    let scene = Scene::with(|options| {
        options.settings.strict_create = true;
        options.settings.external_ids = ExternalIds::Account;
    })
    .await;
    let mut strict = draft("c");
    strict["skip_validation"] = json!(false);
    scene.refused("POST", CREDENTIALS, strict.clone(), 400, "PERMISSION_DENIED").await;
    scene.refused("GET", &format!("{CREDENTIALS}/c"), Value::Null, 404, "CREDENTIAL_DOES_NOT_EXIST").await;
    scene.trust.set(&scene.options.account_id);
    let created = scene.ok("POST", CREDENTIALS, strict).await;
    assert_eq!(created["aws_iam_role"]["external_id"], scene.options.account_id);
}

#[tokio::test]
async fn a_stranger_needs_grants() {
    let scene = Scene::start().await;
    let stranger = scene.options.stranger.clone();
    let create = draft("theirs");
    let message =
        scene.refused_as(&stranger, "POST", CREDENTIALS, create.clone(), 403, "PERMISSION_DENIED").await;
    assert_eq!(message, "User does not have CREATE SERVICE CREDENTIAL on Metastore 'main'.");

    let created = scene.create("ours").await;
    scene.trust.set(created["aws_iam_role"]["external_id"].as_str().expect("an id"));
    let path = format!("{CREDENTIALS}/ours");
    let vend = json!({"credential_name": "ours"});
    scene.refused_as(&stranger, "GET", &path, Value::Null, 403, "PERMISSION_DENIED").await;
    scene.refused_as(&stranger, "POST", VEND, vend.clone(), 403, "PERMISSION_DENIED").await;
    assert_eq!(names(&scene.send_as(&stranger, "GET", CREDENTIALS, &Value::Null).await.body), [""; 0]);

    let grants = "/api/2.1/unity-catalog/permissions/credential/ours";
    let add = json!({"changes": [{"principal": stranger.name, "add": ["ACCESS"]}]});
    let assignments = scene.ok("PATCH", grants, add).await;
    assert_eq!(
        assignments,
        json!({"privilege_assignments": [{"principal": stranger.name, "privileges": ["ACCESS"]}]})
    );
    assert_eq!(scene.send_as(&stranger, "POST", VEND, &vend).await.status, 200);
    scene.refused_as(&stranger, "PATCH", &path, json!({"comment": "mine"}), 403, "PERMISSION_DENIED").await;
    scene.refused_as(&stranger, "DELETE", &path, Value::Null, 403, "PERMISSION_DENIED").await;

    let metastore = format!("/api/2.1/unity-catalog/permissions/metastore/{}", scene.options.metastore_id);
    let add = json!({"changes": [{"principal": stranger.name, "add": ["CREATE_SERVICE_CREDENTIAL"]}]});
    scene.ok("PATCH", &metastore, add).await;
    assert_eq!(scene.send_as(&stranger, "POST", CREDENTIALS, &create).await.status, 200);
    // Administering the metastore is enough to take it over, not to rewrite it.
    let theirs = format!("{CREDENTIALS}/theirs");
    scene.refused("PATCH", &theirs, json!({"comment": "x"}), 403, "PERMISSION_DENIED").await;
    scene.ok("PATCH", &theirs, json!({"owner": scene.options.admin.name})).await;
    scene.ok("PATCH", &theirs, json!({"comment": "x"})).await;
}

#[tokio::test]
async fn an_isolated_credential_needs_a_binding_and_a_used_one_force() {
    let scene = Scene::start().await;
    scene.create("c").await;
    let path = format!("{CREDENTIALS}/c");
    scene.ok("PATCH", &path, json!({"isolation_mode": "ISOLATION_MODE_ISOLATED"})).await;
    scene.refused("GET", &path, Value::Null, 403, "PERMISSION_DENIED").await;
    assert_eq!(names(&scene.ok("GET", CREDENTIALS, Value::Null).await), [""; 0]);
    assert_eq!(
        names(&scene.ok("GET", &format!("{CREDENTIALS}?include_unbound=true"), Value::Null).await),
        ["c"]
    );
    let bind = json!({"add": [{"workspace_id": scene.options.workspace_id}]});
    let bindings = scene.ok("PATCH", "/api/2.1/unity-catalog/bindings/credential/c", bind).await;
    assert_eq!(bindings["bindings"][0]["binding_type"], "BINDING_TYPE_READ_WRITE");
    assert_eq!(scene.ok("GET", "/api/2.1/unity-catalog/bindings/credential/c", Value::Null).await, bindings);
    scene.ok("GET", &path, Value::Null).await;

    let used = json!({"credential": "c", "dependant": "connection kinesis"});
    scene.ok("POST", "/_sandbox/databricks/dependants", used).await;
    let message = scene.refused("DELETE", &path, Value::Null, 400, "INVALID_STATE").await;
    assert!(message.contains("connection kinesis"), "{message}");
    scene.ok("DELETE", &format!("{path}?force=true"), Value::Null).await;
}

#[tokio::test]
async fn bad_tokens_and_ended_logins_are_refused() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_hours(1));
    let scene = Scene::with(|options| options.clock = clock.clone()).await;
    for headers in ["", "Bearer dapi0", "Basic eA=="] {
        let answer = scene.send("GET", CREDENTIALS, headers, "").await.expect("an answer");
        assert_eq!(
            (answer.status, &answer.body["error_code"]),
            (401, &json!("UNAUTHENTICATED")),
            "{headers}"
        );
        assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
    }
    let discovery = scene.send("GET", "/oidc/.well-known/oauth-authorization-server", "", "").await;
    let endpoint = discovery.expect("an answer").body["token_endpoint"].clone();
    assert_eq!(endpoint, json!(format!("http://{}/oidc/v1/token", scene.address)));

    let robot = &scene.options.automation;
    let secret = robot.client_secret().expect("a service principal").reveal();
    let log_in = async |secret: &str, scope: &str| {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={secret}&scope={scope}",
            robot.name
        );
        scene.send("POST", "/oidc/v1/token", "", &form).await.expect("an answer")
    };
    let refused = log_in("dose0", "all-apis").await;
    assert_eq!((refused.status, &refused.body["error"]), (401, &json!("invalid_client")));
    let me = async |login: &Answer| {
        let token = login.body["access_token"].as_str().expect("a token");
        let header = format!("Bearer {token}");
        scene.send("GET", "/api/2.0/preview/scim/v2/Me", &header, "").await.expect("an answer")
    };
    let login = log_in(secret, "all-apis").await;
    assert_eq!(login.body["expires_in"], 3600);
    assert_eq!(me(&login).await.body["userName"], robot.name);
    assert_eq!(
        me(&log_in(secret, "sql").await).await.status,
        403,
        "another scope does not open Unity Catalog"
    );
    clock.advance(Duration::from_hours(1));
    assert_eq!(me(&login).await.status, 401);
}

#[tokio::test]
async fn identity_tokens_can_be_traded_for_a_login() {
    let scene = Scene::start().await;
    let made = json!({"service_principal": "ci", "federated_subject": "repo:acme/pipeline"});
    let made = scene.ok("POST", PRINCIPALS, made).await;
    let path = "/_sandbox/databricks/identity-token?subject=repo%3Aacme%2Fpipeline";
    let jwt = scene.ok("GET", path, Value::Null).await;
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&client_id={}&scope=all-apis\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&subject_token={}",
        made["client_id"].as_str().expect("an id"),
        jwt["value"].as_str().expect("a token"),
    );
    let login = scene.send("POST", "/oidc/v1/token", "", &form).await.expect("an answer");
    assert_eq!(login.status, 200, "{}", login.body);
    assert_eq!(login.body["token_type"], "Bearer");
    scene
        .refused_as(
            &scene.options.stranger,
            "POST",
            PRINCIPALS,
            json!({"user": "x"}),
            403,
            "PERMISSION_DENIED",
        )
        .await;
}

#[tokio::test]
async fn faults_strike_before_or_after_the_deed() {
    let scene = Scene::start().await;
    scene.ok("POST", FAULTS, json!({"operation": "ListCredentials", "status": 429, "retry_after": 2})).await;
    let answer = scene.send_as(&scene.options.admin, "GET", CREDENTIALS, &Value::Null).await;
    assert_eq!((answer.status, &answer.body["error_code"]), (429, &json!("RESOURCE_EXHAUSTED")));
    assert!(answer.head.contains("retry-after: 2"), "{}", answer.head);
    scene.ok("GET", CREDENTIALS, Value::Null).await;

    scene.ok("POST", FAULTS, json!({"operation": "CreateCredential", "status": 503})).await;
    scene.refused("POST", CREDENTIALS, draft("before"), 503, "TEMPORARILY_UNAVAILABLE").await;
    scene.ok("POST", FAULTS, json!({"operation": "CreateCredential", "status": 503, "after": true})).await;
    scene.refused("POST", CREDENTIALS, draft("after"), 503, "TEMPORARILY_UNAVAILABLE").await;
    scene.ok("POST", FAULTS, json!({"operation": "CreateCredential", "reset": true, "after": true})).await;
    let bearer = format!("Bearer {}", scene.options.admin.token.reveal());
    let cut = scene.send("POST", CREDENTIALS, &bearer, &draft("reset").to_string()).await;
    assert!(cut.is_none(), "the connection closed without an answer");
    assert_eq!(names(&scene.ok("GET", CREDENTIALS, Value::Null).await), ["after", "reset"]);

    scene.ok("POST", FAULTS, json!({"status": 502, "body": "<html>Bad Gateway</html>"})).await;
    let page = scene.send_as(&scene.options.admin, "GET", CREDENTIALS, &Value::Null).await;
    assert_eq!((page.status, page.body), (502, json!("<html>Bad Gateway</html>")));
    scene.ok("POST", "/_sandbox/databricks/settings", json!({"external_ids": "account"})).await;
    assert_eq!(scene.create("account").await["aws_iam_role"]["external_id"], scene.options.account_id);
    scene.refused("POST", FAULTS, json!({"operation": "Nothing"}), 400, "INVALID_PARAMETER_VALUE").await;
    assert_eq!(
        scene.journal().await,
        [
            "ListCredentials RESOURCE_EXHAUSTED",
            "ListCredentials ok",
            "CreateCredential TEMPORARILY_UNAVAILABLE",
            "CreateCredential TEMPORARILY_UNAVAILABLE",
            "CreateCredential reset",
            "ListCredentials ok",
            "ListCredentials page",
            "CreateCredential ok",
        ]
    );
}

#[tokio::test]
async fn what_a_client_does_not_wait_for_still_happens() {
    let scene = Scene::start().await;
    let late = json!({"operation": "CreateCredential", "latency_ms": 60_000, "after": true});
    scene.ok("POST", FAULTS, late).await;
    let noted = async { while scene.journal().await.is_empty() {} };
    tokio::select! {
        created = scene.create("c") => panic!("the answer takes a minute, but it came: {created}"),
        () = noted => {}
    }
    assert_eq!(scene.journal().await, ["CreateCredential ok"]);
    scene.ok("GET", &format!("{CREDENTIALS}/c"), Value::Null).await;
    scene.refused("GET", "/api/2.1/unity-catalog/crendentials", Value::Null, 404, "ENDPOINT_NOT_FOUND").await;
    assert_eq!(scene.journal().await[2], "unknown ENDPOINT_NOT_FOUND");
}

#[tokio::test]
async fn the_workspace_tells_about_itself() {
    let scene = Scene::start().await;
    let config = scene.send("GET", "/.well-known/databricks-config", "", "").await.expect("an answer").body;
    assert_eq!(config["account_id"], scene.options.account_id);
    assert_eq!(config["oidc_endpoint"], format!("http://{}/oidc", scene.address));
    let assignment =
        scene.ok("GET", "/api/2.1/unity-catalog/current-metastore-assignment", Value::Null).await;
    assert_eq!(assignment["workspace_id"], scene.options.workspace_id);
    let summary = scene.ok("GET", "/api/2.1/unity-catalog/metastore_summary", Value::Null).await;
    assert_eq!(
        (&summary["region"], &summary["metastore_id"]),
        (&json!("eu-central-1"), &assignment["metastore_id"])
    );
    let me = scene.send_as(&scene.options.admin, "GET", "/api/2.0/preview/scim/v2/Me", &Value::Null).await;
    assert_eq!(me.body["userName"], "me@example.com");
    assert!(me.head.contains(&format!("x-databricks-org-id: {}", scene.options.workspace_id)), "{}", me.head);
}
