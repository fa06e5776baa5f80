//! Where the credentials and the region come from, and what to type when there are none.

use snapbox::{assert_data_eq, str};

use crate::scene::{Scene, bare, write_program};

/// No network but loopback, and no metadata service either.
const ALONE: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");
const REGION: (&str, &str) = ("AWS_REGION", "eu-central-1");

#[test]
fn keys_of_the_environment_are_named_and_beat_a_profile_of_the_environment() {
    let scene = Scene::start();
    let from = "the credentials come from environment variables (AWS_ACCESS_KEY_ID, …); no expiry is known";
    scene.run(&["--no-reach"], "").ends_with(0, &[from]);
    scene.run_with(&["--no-reach"], &[("AWS_PROFILE", "nobody")], "").ends_with(0, &[from]);
}

#[test]
fn keys_of_a_profile_are_named_with_the_profile_and_its_region() {
    let scene = Scene::start();
    let config =
        "[profile course]\nregion = eu-central-1\naws_access_key_id = KEY\naws_secret_access_key = HIDDEN\n";
    scene.run_with_profile(config, &["--no-reach", "--profile", "course"]).ends_with(
        0,
        &[
            "the credentials come from keys in the AWS files, profile `course`",
            "the region is eu-central-1, from profile `course`",
        ],
    );
    scene
        .run_with_profile(config, &["--no-reach", "--profile", "course", "--region", "eu-west-1"])
        .ends_with(0, &["the region is eu-west-1, from argument --region"]);
}

#[test]
fn a_credential_process_is_run_once_for_all_clients() {
    let scene = Scene::start();
    let script = scene.home.path().join("keys");
    let body = format!(
        "#!/bin/sh\necho run >> {home}/runs\nprintf '%s' '{{\"Version\":1,\"AccessKeyId\":\"{key}\",\"SecretAccessKey\":\"{secret}\",\"Expiration\":\"2999-01-01T00:00:00Z\"}}'\n",
        home = scene.home.path().display(),
        key = scene.environment["AWS_ACCESS_KEY_ID"],
        secret = scene.environment["AWS_SECRET_ACCESS_KEY"],
    );
    write_program(&script, &body);
    let config = format!("[profile p]\nregion = eu-central-1\ncredential_process = {}\n", script.display());
    let ran = scene.run_with_profile(&config, &["--profile", "p"]);
    ran.ends_with(0, &["a credential_process, profile `p`; they expire in ", "Kinesis answers in"]);
    assert_eq!(
        ran.document()["identity"]["credentials"],
        serde_json::json!({ "source": "process", "profile": "p", "expires_at": "2999-01-01T00:00:00Z" })
    );
    assert_eq!(std::fs::read_to_string(scene.home.path().join("runs")).unwrap(), "run\n");
}

#[test]
fn a_login_that_was_never_made_says_how_to_make_it() {
    let scene = Scene::start();
    let config = "[profile course]\nregion = eu-central-1\nlogin_session = arn:aws:iam::123456789012:root\n";
    let ran = scene.run_with_profile(config, &["--profile", "course"]);
    ran.ends_with(4, &["hint: run: aws login --profile course"]);
    // The SDK names a file that nobody knows.
    assert!(!ran.stderr.contains(".json"), "{ran:?}");
}

#[test]
fn a_single_sign_on_that_has_ended_says_how_to_renew_it() {
    let scene = Scene::start();
    let config = "[profile work]\nregion = eu-central-1\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Reader\n\
                  [sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.test/start\n";
    scene
        .run_with_profile(config, &["--profile", "work"])
        .ends_with(4, &["hint: run: aws sso login --profile work"]);
}

#[test]
fn a_profile_that_is_not_there_is_said_not_to_be() {
    let scene = Scene::start();
    scene
        .run_with_profile("", &["--profile", "course", "--region", "eu-central-1"])
        .ends_with(4, &["there is no profile `course` yet", "aws login --profile course"]);
}

#[test]
fn no_credentials_at_all() {
    let ran = bare(&[], &[ALONE, REGION], "");
    ran.ends_with(4, &[]);
    assert_data_eq!(
        ran.stderr,
        str![[r#"
aws-check: failed to ask AWS who you are: no AWS credentials were found in the environment or the AWS files
hint: run: aws login --profile NAME, then add --profile NAME or set AWS_PROFILE

"#]]
    );
}

#[test]
fn no_region_at_all() {
    bare(&[], &[ALONE], "").ends_with(2, &["no AWS region is given", "--region eu-central-1"]);
}

#[test]
fn a_session_tells_when_it_expires_and_one_that_has_expired_how_to_go_on() {
    let scene = Scene::start();
    scene
        .fault(&serde_json::json!({ "operation": "GetCallerIdentity", "code": "ExpiredToken", "status": 403,
        "message": "The security token included in the request is expired" }));
    scene.run(&[], "").ends_with(4, &["ExpiredToken", "hint: the keys come from AWS_ACCESS_KEY_ID"]);
}

#[test]
fn wrong_keys_are_refused_with_the_way_to_sign_in() {
    let scene = Scene::start();
    scene
        .run_with(&[], &[("AWS_SECRET_ACCESS_KEY", "wrong")], "")
        .ends_with(4, &["failed to ask AWS who you are: SignatureDoesNotMatch", "aws login"]);
    scene
        .run_with(&[], &[("AWS_ACCESS_KEY_ID", "AKIAAAAAAAAAAAAAAAAA")], "")
        .ends_with(4, &["InvalidClientTokenId"]);
}

#[test]
fn root_is_warned_unless_told_not_to() {
    let scene = Scene::start();
    scene.run(&["--no-reach"], "").ends_with(0, &["warning: you are the root user"]);
    let ran = scene.run(&["--no-reach", "--allow-root"], "");
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
    assert_eq!(scene.calls(), ["GetCallerIdentity", "GetCallerIdentity"]);
}
