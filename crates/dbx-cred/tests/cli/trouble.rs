//! Throttling, outages, lost answers and servers that are not Databricks.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::scene::{NAME, ROLE_ARN, Ran, Scene, bare};

#[tokio::test]
async fn throttled_then_fine_is_fine() {
    let scene = Scene::start().await;
    scene.fault(json!({ "operation": "GetCredential", "times": 2, "status": 429, "retry_after": 0 })).await;
    scene
        .fault(json!({ "operation": "CreateCredential", "times": 2, "status": 503, "retry_after": 0 }))
        .await;
    let ran = scene.run(&["ensure", NAME, "--role-arn", ROLE_ARN], "").await;
    ran.ends_with(0, &["created"]);
    let calls = scene.calls().await;
    assert_eq!(calls.iter().filter(|call| *call == "CreateCredential").count(), 3, "{calls:?}");
}

#[tokio::test]
async fn throttled_for_ever_is_transient() {
    let scene = Scene::start().await;
    scene
        .fault(json!({ "operation": "ListCredentials", "times": 1000, "status": 429, "retry_after": 0 }))
        .await;
    let ran = scene.run(&["list", "--timeout", "3s"], "").await;
    ran.ends_with(5, &["RESOURCE_EXHAUSTED", "attempts", "--timeout"]);
}

#[tokio::test]
async fn time_that_runs_out_in_the_middle_of_an_attempt_does_not_hide_why_there_were_many() {
    let scene = Scene::start().await;
    scene.fault(json!({ "operation": "ListCredentials", "status": 429, "retry_after": 0 })).await;
    scene.fault(json!({ "operation": "ListCredentials", "times": 9, "latency_ms": 60_000 })).await;
    let ran = scene.run(&["list", "--timeout", "3s"], "").await;
    ran.ends_with(5, &["RESOURCE_EXHAUSTED", "after 2 attempts", "--timeout"]);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_not_begun() {
    let scene = Scene::start().await;
    scene
        .fault(json!({ "operation": "ListCredentials", "times": 1000, "status": 429, "retry_after": 3600 }))
        .await;
    let ran = scene.run(&["list"], "").await;
    ran.ends_with(5, &["after 1 attempts", "1h00m"]);
    assert_eq!(scene.calls().await.len(), 1);
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_looked_up_and_not_repeated() {
    let scene = Scene::start().await;
    scene.fault(json!({ "operation": "CreateCredential", "reset": true, "after": true })).await;
    let ran = scene.run(&["ensure", NAME, "--role-arn", ROLE_ARN], "").await;
    ran.ends_with(0, &["created"]);
    assert_eq!(scene.calls().await, ["GetCredential", "CreateCredential", "GetCredential"]);
}

#[tokio::test]
async fn a_create_that_never_arrived_is_sent_again() {
    let scene = Scene::start().await;
    scene.fault(json!({ "operation": "CreateCredential", "reset": true })).await;
    let ran = scene.run(&["ensure", NAME, "--role-arn", ROLE_ARN], "").await;
    ran.ends_with(0, &["created"]);
    let calls = scene.calls().await;
    assert_eq!(calls.iter().filter(|call| *call == "CreateCredential").count(), 2, "{calls:?}");
}

#[tokio::test]
async fn an_internal_error_is_not_repeated_and_shows_its_request_id() {
    let scene = Scene::start().await;
    scene.fault(json!({ "operation": "ListCredentials", "times": 9, "status": 500 })).await;
    scene
        .run(&["list"], "")
        .await
        .ends_with(5, &["INTERNAL_ERROR, request ", "give Databricks the request id"]);
    assert_eq!(scene.calls().await.len(), 1);
}

#[tokio::test]
async fn a_proxys_page_is_no_answer() {
    let scene = Scene::start().await;
    let page =
        "<html><head><title>Blocked</title></head><body><pre>IP 1.2.3.4 is not allowed</pre></body></html>";
    scene.fault(json!({ "operation": "ListCredentials", "status": 403, "body": page })).await;
    scene.run(&["list"], "").await.ends_with(4, &["IP 1.2.3.4 is not allowed (403)"]);
}

/// The binary against a server that answers every request with `answer`.
fn against(answer: &'static str) -> Ran {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let ran = bare(&["list"], &[("DATABRICKS_HOST", &host), ("DATABRICKS_TOKEN", "dapi-1")], "");
    let request = server.join().unwrap().to_lowercase();
    assert!(
        request.contains("authorization: bearer dapi-1")
            && request.contains("user-agent: dbx-cred/")
            && request.contains(" auth/pat"),
        "{request}"
    );
    ran
}

#[test]
fn a_login_page_is_not_followed() {
    let ran = against(
        "HTTP/1.1 302 Found\r\nlocation: /login.html?next_url=x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    ran.ends_with(4, &["redirects to /login.html", "DATABRICKS_HOST"]);
    let link = "HTTP/1.1 302 Found\r\nlocation: /login.html?error=private-link-validation-error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    against(link).ends_with(4, &["PrivateLink"]);
}

#[test]
fn something_else_on_that_port_is_not_a_workspace() {
    let ran = against(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello",
    );
    ran.ends_with(4, &["does not answer as a Databricks workspace", "DATABRICKS_HOST"]);
}

#[test]
fn nobody_there_is_transient_and_names_the_setting() {
    let env = [("DATABRICKS_HOST", "http://127.0.0.1:1"), ("DATABRICKS_TOKEN", "dapi-1")];
    // The last attempt ends long before the time does.
    bare(&["list", "--timeout", "5s"], &env, "").ends_with(5, &["cannot be reached", "DATABRICKS_HOST"]);
}

#[test]
fn https_goes_through_the_proxy_and_its_password_is_not_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://me:hunter2@{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    let env = [
        ("DATABRICKS_HOST", "https://dbc-1.cloud.databricks.test"),
        ("DATABRICKS_TOKEN", "dapi-1"),
        ("HTTPS_PROXY", proxy.as_str()),
    ];
    // The server waits for one connection, however long it takes to come.
    let ran = bare(&["list", "--timeout", "5s"], &env, "");
    ran.ends_with(5, &["https://dbc-1.cloud.databricks.test cannot be reached"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    let request = server.join().unwrap();
    assert!(request.starts_with("CONNECT dbc-1.cloud.databricks.test:443 HTTP/1.1"), "{request}");
    assert!(!request.contains("dapi-1"), "{request}");

    let wrong = [env[0], env[1], ("HTTPS_PROXY", "http://me:hunter2@:not a port")];
    let ran = bare(&["list"], &wrong, "");
    ran.ends_with(2, &["the proxy of HTTPS_PROXY cannot be used"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
}

#[tokio::test]
async fn an_interrupt_ends_the_waiting() {
    let scene = Scene::start().await;
    let document = scene.ensured().await;
    std::fs::write(scene.home.path().join("c.json"), document).unwrap();
    let mut waiting = tokio::process::Command::new(snapbox::cmd::cargo_bin!("dbx-cred"))
        .args(["validate", "--doc", "c.json"])
        .env_clear()
        .envs(&scene.environment)
        .current_dir(scene.home.path())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // Its first note says that it has begun to wait.
    let mut stderr = BufReader::new(waiting.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).await.unwrap();
    assert!(said.contains("waiting for IAM"), "{said}");
    let id = waiting.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(waiting.wait().await.unwrap().code(), Some(130));
    stderr.read_to_string(&mut said).await.unwrap();
    assert!(said.contains("dbx-cred: interrupted\nhint: "), "{said}");
}

#[tokio::test]
async fn a_workspace_without_unity_catalog_is_not_one_without_the_credential() {
    let scene = Scene::start().await;
    scene
        .fault(json!({ "operation": "GetCredential", "status": 404, "error_code": "METASTORE_DOES_NOT_EXIST",
        "message": "No metastore assigned for the current workspace." }))
        .await;
    let ran = scene.run(&["show", NAME], "").await;
    ran.ends_with(4, &["No metastore assigned", "Unity Catalog"]);
}
