//! One case's world: a sandbox, a folder with a connection that works, and the ways to break it.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use aws_credential_types::Credentials;
use aws_sdk_iam::config::{BehaviorVersion, Region};
use aws_sdk_kinesis::types::{EncryptionType, ShardIteratorType};
use kinbricks_tests::tools;
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::policies::{self, MASTER, ROLE, ROLE_ARN, STREAM_ARN};
use crate::verdict::{Checks, Diagnosis};

/// The pipe of the guide, up to where Databricks would be asked: every case asks it anyway.
const CONNECT: &str = "kstream ensure sensor-readings < /dev/null | iam-policy-gen trust | iam-policy-gen permissions \
    | iam-role ensure databricks-kinesis-role | dbx-cred ensure kinesis-sensor-credential | trust-sync > connection.json";

/// Long enough to be seen, short enough not to be felt.
const STREAM_DELAY: Duration = Duration::from_millis(5);

/// A sandbox with a connection in it.
pub(crate) struct World {
    sandbox: Arc<Sandbox>,
    /// The connection's external ID.
    pub(crate) external_id: String,
    folder: TempDir,
    runtime: Runtime,
    // Dropping it ends the sandbox's thread.
    _running: oneshot::Sender<()>,
}

impl World {
    /// A sandbox in which every write has its effect at once, and a connection that works.
    pub(crate) fn connected() -> Result<Self> {
        let mut options = Options::default();
        options.iam.delay = Duration::ZERO;
        options.sts.strict_self_assume = true;
        options.kinesis.create_delay = STREAM_DELAY;
        options.kinesis.update_delay = STREAM_DELAY;
        options.kinesis.delete_delay = STREAM_DELAY;
        let (tell, told) = mpsc::channel();
        let (running, stopped) = oneshot::channel::<()>();
        thread::spawn(move || {
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                let started = Sandbox::start(options).await.map(Arc::new);
                // Whoever does not listen any more needs no sandbox; otherwise it ends when the world does.
                if tell.send(started).is_ok() {
                    stopped.await.unwrap_or_default();
                }
            });
        });
        let sandbox = told.recv().context("the sandbox did not start")??;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let mut world = Self { sandbox, external_id: String::new(), folder, runtime, _running: running };
        world.shell(CONNECT)?;
        let document = world.document("connection.json")?;
        let external_id = document["credential"]["external_id"].as_str();
        external_id.context("the connection has no external ID")?.clone_into(&mut world.external_id);
        Ok(world)
    }

    /// Runs a line of bash with the tools on PATH, and refuses a failure.
    pub(crate) fn shell(&self, line: &str) -> Result<()> {
        let output = self.bash(line)?;
        ensure!(output.status.success(), "`{line}` failed ({}): {}", output.status, text(&output.stderr));
        Ok(())
    }

    fn bash(&self, line: &str) -> Result<Output> {
        let path = std::env::join_paths([tools()?, "/usr/bin".into(), "/bin".into()])?;
        Command::new("/bin/bash")
            .args(["-euo", "pipefail", "-c", line])
            .env_clear()
            .envs(self.sandbox.environment())
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .context("failed to run bash")
    }

    /// A document of the folder.
    pub(crate) fn document(&self, file: &str) -> Result<Value> {
        let text = fs::read_to_string(self.folder.path().join(file))
            .with_context(|| format!("failed to read `{file}`"))?;
        serde_json::from_str(&text).with_context(|| format!("`{file}` is no document: {text}"))
    }

    /// Whether the folder has such a document.
    pub(crate) fn has(&self, file: &str) -> bool {
        fs::metadata(self.folder.path().join(file)).is_ok_and(|found| found.len() > 0)
    }

    /// What `trust-sync --explain` predicts, for the credential as Databricks knows it now, when it still does.
    pub(crate) fn predicted(&self, file: &str) -> Result<Checks> {
        let output = self.bash(&format!(
            "{{ dbx-cred show -q < {file} 2> /dev/null || cat {file}; }} | trust-sync --explain"
        ))?;
        checks(&output, |document| document["trust"]["prediction"].clone())
    }

    /// What Databricks finds.
    pub(crate) fn validated(&self, file: &str) -> Result<Checks> {
        let output = self.bash(&format!("dbx-cred validate --once < {file}"))?;
        checks(&output, |document| document["validation"]["checks"].clone())
    }

    /// What the doctor says.
    pub(crate) fn diagnosed(&self, file: &str, flags: &str) -> Result<Diagnosis> {
        let output = self.bash(&format!("aws-check --doctor {flags} < {file}"))?;
        let document = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("the doctor printed no document: {}", text(&output.stderr)))?;
        let diagnosis = Diagnosis::read(&document)?;
        let code = i32::from(!diagnosis.is_healthy());
        ensure!(output.status.code() == Some(code), "{} with {diagnosis:?}", output.status);
        Ok(diagnosis)
    }

    /// Whether the stream can be read with the keys that Databricks hands out now: every call it makes, really made.
    pub(crate) fn is_readable(&self, file: &str) -> Result<bool> {
        let name = self.document(file)?["credential"]["name"].as_str().unwrap_or_default().to_owned();
        let output = self.bash(&format!("dbx-cred token {name} --no-cache"))?;
        if !output.status.success() {
            return Ok(false);
        }
        let keys: Value = serde_json::from_slice(&output.stdout).context("the keys are no JSON")?;
        let part = |name: &str| keys[name].as_str().unwrap_or_default().to_owned();
        let session = Some(part("SessionToken"));
        let kinesis =
            self.kinesis(Credentials::from_keys(part("AccessKeyId"), part("SecretAccessKey"), session))?;
        let read = async {
            kinesis.describe_stream_summary().stream_arn(STREAM_ARN).send().await.ok()?;
            let shards = kinesis.list_shards().stream_arn(STREAM_ARN).send().await.ok()?;
            let shard = shards.shards().first()?.shard_id().to_owned();
            let iterator = kinesis.get_shard_iterator().stream_arn(STREAM_ARN).shard_id(shard);
            let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.ok()?;
            kinesis.get_records().set_shard_iterator(iterator.shard_iterator).send().await.ok()
        };
        Ok(self.runtime.block_on(read).is_some())
    }

    /// Does what a person with the AWS CLI would do: the `aws iam …` lines that the doctor names.
    pub(crate) fn administer(&self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let flag = |name: &str| {
            let value = words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1));
            value.map(|value| (*value).to_owned()).with_context(|| format!("`{line}` has no {name}"))
        };
        let iam = self.iam()?;
        let role = flag("--role-name")?;
        match words.as_slice() {
            ["aws", "iam", "delete-role-policy", ..] => {
                let request = iam.delete_role_policy().role_name(role).policy_name(flag("--policy-name")?);
                self.runtime.block_on(request.send())?;
            }
            ["aws", "iam", "detach-role-policy", ..] => {
                let request = iam.detach_role_policy().role_name(role).policy_arn(flag("--policy-arn")?);
                self.runtime.block_on(request.send())?;
            }
            ["aws", "iam", "delete-role-permissions-boundary", ..] => {
                let request = iam.delete_role_permissions_boundary().role_name(role);
                self.runtime.block_on(request.send())?;
            }
            _ => bail!("nobody taught this test `{line}`"),
        }
        Ok(())
    }

    /// Replaces the trust policy.
    pub(crate) fn trust(&self, statements: impl IntoIterator<Item = Value>) -> Result<()> {
        let request = self.iam()?.update_assume_role_policy().role_name(ROLE);
        let document = policies::policy(statements).to_string();
        self.runtime
            .block_on(request.policy_document(document).send())
            .context("failed to break the trust policy")?;
        Ok(())
    }

    /// The trust policy as it should be, and these statements.
    pub(crate) fn trust_and(&self, more: Value) -> Result<()> {
        self.trust([policies::let_in(&[MASTER, ROLE_ARN], &policies::id(&self.external_id)), more])
    }

    /// A new default version of the role's own policy.
    pub(crate) fn permissions(&self, statements: impl IntoIterator<Item = Value>) -> Result<()> {
        let document = self.document("connection.json")?;
        let arn = document["role"]["policy_arn"].as_str().context("the role has no policy")?;
        let request = self.iam()?.create_policy_version().policy_arn(arn).set_as_default(true);
        let document = policies::policy(statements).to_string();
        self.runtime.block_on(request.policy_document(document).send())?;
        Ok(())
    }

    /// Rolls the role's own policy back to its first version.
    pub(crate) fn roll_back(&self) -> Result<()> {
        let document = self.document("connection.json")?;
        let arn = document["role"]["policy_arn"].as_str().context("the role has no policy")?;
        let request = self.iam()?.set_default_policy_version().policy_arn(arn).version_id("v1");
        self.runtime.block_on(request.send())?;
        Ok(())
    }

    /// Puts an inline policy on the role.
    pub(crate) fn inline(&self, statements: impl IntoIterator<Item = Value>) -> Result<()> {
        let request = self.iam()?.put_role_policy().role_name(ROLE).policy_name("somebody-elses");
        let document = policies::policy(statements).to_string();
        self.runtime.block_on(request.policy_document(document).send())?;
        Ok(())
    }

    /// Makes a managed policy of somebody else's, and gives its ARN.
    fn managed(&self, statements: impl IntoIterator<Item = Value>) -> Result<String> {
        let request = self.iam()?.create_policy().policy_name("somebody-elses");
        let document = policies::policy(statements).to_string();
        let made = self.runtime.block_on(request.policy_document(document).send())?;
        made.policy.and_then(|policy| policy.arn).context("a policy without an ARN")
    }

    /// Attaches a managed policy of somebody else's.
    pub(crate) fn attach(&self, statements: impl IntoIterator<Item = Value>) -> Result<()> {
        let arn = self.managed(statements)?;
        let request = self.iam()?.attach_role_policy().role_name(ROLE).policy_arn(arn);
        self.runtime.block_on(request.send())?;
        Ok(())
    }

    /// Detaches the role's own policy.
    pub(crate) fn detach(&self) -> Result<()> {
        let document = self.document("connection.json")?;
        let arn = document["role"]["policy_arn"].as_str().context("the role has no policy")?;
        let request = self.iam()?.detach_role_policy().role_name(ROLE).policy_arn(arn);
        self.runtime.block_on(request.send())?;
        Ok(())
    }

    /// Sets a permissions boundary.
    pub(crate) fn bound(&self, statements: impl IntoIterator<Item = Value>) -> Result<()> {
        let arn = self.managed(statements)?;
        let request = self.iam()?.put_role_permissions_boundary().role_name(ROLE).permissions_boundary(arn);
        self.runtime.block_on(request.send())?;
        Ok(())
    }

    /// Makes another role, which trusts the account's root.
    pub(crate) fn other_role(&self, name: &str, path: &str) -> Result<()> {
        let trust = policies::policy([policies::let_in(&[policies::ROOT], &Value::Null)]);
        let request = self.iam()?.create_role().role_name(name).path(path);
        self.runtime.block_on(request.assume_role_policy_document(trust.to_string()).send())?;
        Ok(())
    }

    /// Deletes a role that has no policies.
    pub(crate) fn delete_role(&self, name: &str) -> Result<()> {
        self.runtime.block_on(self.iam()?.delete_role().role_name(name).send())?;
        Ok(())
    }

    /// From now on every write to IAM takes this long to have an effect.
    pub(crate) fn slow_down(&self, delay: Duration) {
        self.sandbox.iam().set_delay(delay);
    }

    /// Sets the longest session of the role.
    pub(crate) fn limit_sessions(&self, seconds: i32) -> Result<()> {
        let request = self.iam()?.update_role().role_name(ROLE).max_session_duration(seconds);
        self.runtime.block_on(request.send())?;
        Ok(())
    }

    /// Encrypts the stream.
    pub(crate) fn encrypt(&self, key: &str) -> Result<()> {
        let request = self.kinesis(self.root())?.start_stream_encryption().stream_arn(STREAM_ARN);
        let request = request.encryption_type(EncryptionType::Kms).key_id(key);
        self.runtime.block_on(request.send())?;
        self.shell("kstream wait < connection.json > /dev/null")
    }

    /// Makes a storage credential of the service credential's name in its place.
    pub(crate) fn storage_credential(&self) -> Result<()> {
        self.shell("dbx-cred delete --yes < connection.json > /dev/null")?;
        let body = json!({ "name": "kinesis-sensor-credential", "purpose": "STORAGE", "skip_validation": true,
            "aws_iam_role": { "role_arn": ROLE_ARN } });
        fs::write(self.folder.path().join("body.json"), body.to_string())?;
        // Our own tools make service credentials only, so this one is made by hand.
        self.shell(
            r#"address=${DATABRICKS_HOST#http://}; exec 3<> "/dev/tcp/${address%:*}/${address#*:}"
               printf 'POST /api/2.1/unity-catalog/credentials HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %s\r\n\r\n%s' \
                 "$DATABRICKS_TOKEN" "$(wc -c < body.json)" "$(cat body.json)" >&3
               read -r _ status _ <&3; [ "$status" = 200 ]"#,
        )
    }

    fn root(&self) -> Credentials {
        let environment = self.sandbox.environment();
        let value = |name: &str| {
            let found = environment.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Credentials::from_keys(value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"), None)
    }

    fn endpoint(&self, service: &str) -> Result<String> {
        let name = format!("AWS_ENDPOINT_URL_{service}");
        let found = self.sandbox.environment().into_iter().find(|(known, _)| *known == name);
        found.map(|(_, url)| url).with_context(|| format!("the sandbox has no {name}"))
    }

    fn iam(&self) -> Result<aws_sdk_iam::Client> {
        let config = aws_sdk_iam::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(self.endpoint("IAM")?)
            .credentials_provider(self.root())
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Ok(aws_sdk_iam::Client::from_conf(config.build()))
    }

    fn kinesis(&self, credentials: Credentials) -> Result<aws_sdk_kinesis::Client> {
        let config = aws_sdk_kinesis::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url(self.endpoint("KINESIS")?)
            .credentials_provider(credentials)
            .http_client(aws_smithy_http_client::Builder::new().build_http());
        Ok(aws_sdk_kinesis::Client::from_conf(config.build()))
    }
}

/// The checks in the document on stdout; what was said instead when there is none.
fn checks(output: &Output, list: impl Fn(&Value) -> Value) -> Result<Checks> {
    match serde_json::from_slice::<Value>(&output.stdout) {
        Ok(document) => Checks::read(&list(&document)),
        Err(_) => Ok(Checks::Refused(text(&output.stderr))),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
