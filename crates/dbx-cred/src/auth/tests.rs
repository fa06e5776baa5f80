//! Which login wins, as one table of cases.

use std::fs;

use config::Notes;
use config::args::DbxArgs;
use config::env::Env;
use config::settings::Settings;

use super::Login;

const PROFILES: &str = "\
[DEFAULT]
host = https://default.test
token = dapi-default

[robot]
host = https://robot.test
client_id = 7f9e
client_secret = dose-1

[person]
host = https://person.test
auth_type = databricks-cli
databricks_cli_path = /opt/databricks

[azure]
host = https://azure.test
azure_client_id = a
azure_client_secret = b
azure_tenant_id = c
";

fn resolve(file: &str, flags: [Option<&str>; 2], env: &[(&str, &str)]) -> Result<Login, config::Fault> {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join(".databrickscfg"), file).unwrap();
    let home = home.path().to_str().unwrap().to_owned();
    let env: Env = env.iter().copied().chain([("HOME", home.as_str())]).collect();
    let [profile, host] = flags.map(|flag| flag.map(str::to_owned));
    let args = DbxArgs { dbx_profile: profile, dbx_host: host, timeout: None };
    let settings = Settings::load(&env, None).unwrap();
    Login::resolve(&args, &settings, &Notes::into_writer("t", Vec::new()))
}

fn check(flags: [Option<&str>; 2], env: &[(&str, &str)], expected: &str) {
    let shown = match resolve(PROFILES, flags, env) {
        Ok(login) => format!("{} {}", login.host(), login.method().auth_type()),
        Err(fault) => format!("{}: {}", fault.kind().code(), fault.message()),
    };
    assert_eq!(shown, expected, "{flags:?} {env:?}");
}

const HOST: (&str, &str) = ("DATABRICKS_HOST", "https://env.test");
const TOKEN: (&str, &str) = ("DATABRICKS_TOKEN", "dapi-env");
const ID: (&str, &str) = ("DATABRICKS_CLIENT_ID", "id");
const SECRET: (&str, &str) = ("DATABRICKS_CLIENT_SECRET", "s");

#[test]
fn flag_then_environment_then_file() {
    check([None, None], &[], "https://default.test pat");
    check([None, None], &[HOST, TOKEN], "https://env.test pat");
    check([None, Some("flag.test")], &[HOST, TOKEN], "https://flag.test pat");
    check([Some("robot"), None], &[], "https://robot.test oauth-m2m");
    check([Some("robot"), None], &[HOST], "https://env.test oauth-m2m");
    check([None, None], &[("DATABRICKS_CONFIG_PROFILE", "person")], "https://person.test databricks-cli");
    check([Some("robot"), None], &[("DATABRICKS_CONFIG_PROFILE", "person")], "https://robot.test oauth-m2m");
}

#[test]
fn a_profile_that_nobody_named_does_not_mix_into_the_environment() {
    check([None, None], &[HOST], "4: there is no login to https://env.test");
    check([None, None], &[TOKEN], "2: no Databricks workspace is given");
}

#[test]
fn the_clis_own_default_profile_counts() {
    let file = format!("[__settings__]\ndefault_profile = robot\n\n{PROFILES}");
    let login = resolve(&file, [None, None], &[]).unwrap();
    assert_eq!((login.profile(), login.method().auth_type()), (Some("robot"), "oauth-m2m"));
}

#[test]
fn two_methods_are_an_error_unless_one_is_named() {
    check(
        [None, None],
        &[HOST, TOKEN, ID, SECRET],
        "2: more than one way to log in is configured: oauth and pat",
    );
    check([Some("robot"), None], &[TOKEN], "2: more than one way to log in is configured: oauth and pat");
    let named = ("DATABRICKS_AUTH_TYPE", "oauth-m2m");
    check([None, None], &[HOST, TOKEN, ID, SECRET, named], "https://env.test oauth-m2m");
    let fault = resolve(PROFILES, [None, None], &[HOST, TOKEN, ID, SECRET]).unwrap_err();
    let text = fault.to_text("t");
    assert!(
        text.contains("token from DATABRICKS_TOKEN") && text.contains("DATABRICKS_AUTH_TYPE=pat"),
        "{text}"
    );
    assert!(!text.contains("dapi"), "{text}");
}

#[test]
fn identity_tokens_of_files_variables_and_github() {
    let github =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", "https://gh.test/?x=1"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")];
    check([None, None], &[HOST, ID, github[0], github[1]], "https://env.test github-oidc");
    check([None, None], &[HOST, ("DATABRICKS_OIDC_TOKEN", "jwt")], "https://env.test env-oidc");
    check(
        [None, None],
        &[HOST, ID, ("DATABRICKS_OIDC_TOKEN_ENV", "MY_JWT"), ("MY_JWT", "jwt")],
        "https://env.test env-oidc",
    );
    check([None, None], &[HOST, ID, ("DATABRICKS_OIDC_TOKEN_FILEPATH", "/t")], "https://env.test file-oidc");
    check(
        [None, None],
        &[HOST, ("DATABRICKS_OIDC_TOKEN_ENV", "MY_JWT")],
        "4: there is no identity token in MY_JWT",
    );
}

#[test]
fn what_cannot_be_used_says_so() {
    check([Some("azure"), None], &[], "4: logging in with azure is not supported");
    check([None, None], &[HOST, ID], "4: the login of the service principal lacks its client_secret");
    check([None, None], &[HOST, SECRET], "4: the login of the service principal lacks its client_id");
    check(
        [None, None],
        &[HOST, ("DATABRICKS_AUTH_TYPE", "azure-cli")],
        "2: the authentication type `azure-cli` is not supported",
    );
    check(
        [None, None],
        &[HOST, ("DATABRICKS_AUTH_TYPE", "pat")],
        "4: the login of type `pat` is not complete",
    );
    check(
        [None, Some("http://evil.test")],
        &[TOKEN],
        "2: `http://evil.test` is not a workspace address: a token would travel unencrypted; write https://",
    );
    let fault = resolve(PROFILES, [Some("robto"), None], &[]).unwrap_err();
    assert!(fault.hint().unwrap().contains("DEFAULT, azure, person, robot"), "{fault:?}");
}

#[test]
fn nothing_at_all_is_no_login() {
    let settings = Settings::load(&Env::default(), None).unwrap();
    let fault =
        Login::resolve(&DbxArgs::default(), &settings, &Notes::into_writer("t", Vec::new())).unwrap_err();
    assert_eq!(fault.message(), "there is no login to Databricks");
    assert_eq!(fault.kind().code(), 4);
}

#[test]
fn a_login_never_shows_its_secret() {
    for flags in [[None, None], [Some("robot"), None]] {
        let login = resolve(PROFILES, flags, &[]).unwrap();
        let shown = format!("{login:?} {login} {}", login.renew());
        assert!(!shown.contains("dapi") && !shown.contains("dose"), "{shown}");
    }
}
