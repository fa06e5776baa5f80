//! What the connection document says of the chain, and the commands that change it.

use config::args::DocArgs;
use config::member::{Credential, Policies, Role, Stream};
use config::names::RoleArn;
use config::settings::{CREDENTIAL, ROLE, STREAM, Setting, Settings};
use config::{Document, Fault};
use policy::permissions::Mode;
use serde_json::Value;

/// The members that the doctor examines.
pub(crate) struct Connection {
    pub(crate) stream: Option<Stream>,
    pub(crate) role: Option<Role>,
    pub(crate) credential: Option<Credential>,
    /// How the stream is to be read: by fan-out when the document's permissions are for that.
    pub(crate) mode: Mode,
    /// Whether the document carries the two policies that a role is created with.
    has_policies: bool,
    /// The document as a command line names it.
    file: String,
    names: Names,
}

/// What to call things that the document does not name: the settings, else the guide's names.
struct Names {
    stream: String,
    role: String,
    credential: String,
}

impl Connection {
    /// # Errors
    /// When a member cannot be used.
    pub(crate) fn read(document: &Document, args: &DocArgs, settings: &Settings) -> Result<Self, Fault> {
        let file = args.doc.as_deref().filter(|path| *path != "-").unwrap_or("connection.json");
        let name = |setting: &Setting, guide: &str| {
            settings.choose(setting, None, None).map_or_else(|| guide.to_owned(), |chosen| chosen.value)
        };
        let policies: Policies = document.get()?.unwrap_or_default();
        Ok(Self {
            stream: document.get()?,
            role: document.get()?,
            credential: document.get()?,
            mode: policies.permissions.as_ref().map_or(Mode::Polling, mode),
            has_policies: policies.trust.is_some() && policies.permissions.is_some(),
            file: quoted(file),
            names: Names {
                stream: name(&STREAM, "sensor-readings"),
                role: name(&ROLE, "databricks-kinesis-role"),
                credential: name(&CREDENTIAL, "kinesis-sensor-credential"),
            },
        })
    }

    /// The role's ARN: its own member's, else the one that the credential is for.
    pub(crate) fn role_arn(&self) -> Option<&RoleArn> {
        let own = self.role.as_ref().map(|role| &role.arn);
        own.or(self.credential.as_ref().map(|credential| &credential.role_arn))
    }

    /// A pipeline of `stages` from this document into a new one.
    pub(crate) fn pipeline(&self, stages: &[&str]) -> String {
        let mut line = String::new();
        for (position, stage) in stages.iter().enumerate() {
            line.push_str(if position == 0 { "" } else { " | " });
            line.push_str(stage);
            if position == 0 {
                line.push_str(" < ");
                line.push_str(&self.file);
            }
        }
        line.push_str(" > repaired.json");
        line
    }

    /// Another examination of this document.
    pub(crate) fn examine(&self, flags: &str) -> String {
        format!("aws-check --doctor {flags} < {}", self.file)
    }

    /// The stage that creates the stream, with the capacity that the document remembers.
    pub(crate) fn ensure_stream(&self) -> String {
        match &self.stream {
            None => format!("kstream ensure {}", self.names.stream),
            Some(stream) => match (stream.mode.as_deref(), stream.open_shards) {
                (Some("PROVISIONED"), Some(shards)) => format!("kstream ensure --shards {shards}"),
                _ => "kstream ensure".to_owned(),
            },
        }
    }

    /// Makes the role with its policy, and what hangs on it.
    pub(crate) fn make_role(&self) -> String {
        let ensure = match self.role {
            Some(_) => "iam-role ensure".to_owned(),
            None => {
                let known = self.role_arn().map(|arn| arn.name().to_string());
                format!("iam-role ensure {}", known.as_ref().unwrap_or(&self.names.role))
            }
        };
        let mut stages = Vec::new();
        if !self.has_policies {
            stages.extend(["iam-policy-gen trust", self.generate_permissions()]);
        }
        stages.push(&ensure);
        if self.credential.is_some() {
            stages.push("trust-sync");
        }
        self.pipeline(&stages)
    }

    /// Makes the credential, or makes it name the role, and lets the role trust it.
    pub(crate) fn make_credential(&self) -> String {
        let ensure = match self.credential {
            Some(_) => "dbx-cred ensure".to_owned(),
            None => format!("dbx-cred ensure {}", self.names.credential),
        };
        self.pipeline(&[&ensure, "trust-sync"])
    }

    /// Writes the permissions anew, for the stream as it is now.
    pub(crate) fn make_permissions(&self) -> String {
        self.pipeline(&["kstream show", self.generate_permissions(), "iam-role ensure"])
    }

    /// The stage that writes the permissions, in the mode that the document's are in.
    pub(crate) fn generate_permissions(&self) -> &'static str {
        match self.mode {
            Mode::Polling => "iam-policy-gen permissions",
            Mode::Efo => "iam-policy-gen permissions --mode efo",
        }
    }
}

/// The mode that permissions are for: nobody but a fan-out consumer subscribes to a shard.
fn mode(permissions: &Value) -> Mode {
    let document = policy::Document::from_value(permissions.clone());
    let subscribes = document.is_ok_and(|document| {
        let actions = document.statements().flat_map(|statement| {
            let actions = statement.actions().unwrap_or_default();
            actions.into_iter().map(str::to_owned).collect::<Vec<_>>()
        });
        actions.into_iter().any(|action| action.eq_ignore_ascii_case("kinesis:SubscribeToShard"))
    });
    if subscribes { Mode::Efo } else { Mode::Polling }
}

/// A file's name as a POSIX shell reads it.
fn quoted(path: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/+@%".contains(letter);
    if !path.is_empty() && path.chars().all(is_plain) {
        return path.to_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use config::Document;
    use config::args::DocArgs;
    use config::settings::Settings;

    use super::{Connection, quoted};

    fn connection(text: &str, file: Option<&str>) -> Connection {
        let args = DocArgs { doc: file.map(str::to_owned), pretty: false };
        Connection::read(&Document::parse(text).unwrap(), &args, &Settings::default()).unwrap()
    }

    #[test]
    fn a_pipeline_starts_from_the_document_that_was_given() {
        assert_eq!(
            connection("{}", Some("my connection.json")).pipeline(&["dbx-cred show", "trust-sync"]),
            "dbx-cred show < 'my connection.json' | trust-sync > repaired.json"
        );
        assert_eq!(
            connection("{}", None).pipeline(&["trust-sync"]),
            "trust-sync < connection.json > repaired.json"
        );
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn permissions_are_written_anew_for_the_way_the_stream_is_read() {
        let document = r#"{"policies":{"permissions":{"Statement":[{"Effect":"Allow","Action":["kinesis:subscribetoshard"],"Resource":"*"}]}}}"#;
        assert_eq!(
            connection(document, None).make_permissions(),
            "kstream show < connection.json | iam-policy-gen permissions --mode efo | iam-role ensure > repaired.json"
        );
        assert!(!connection("{}", None).make_permissions().contains("--mode"));
    }

    #[test]
    fn a_chain_that_was_never_finished_is_gone_on_with() {
        let stream = r#"{"stream":{"name":"s","arn":"arn:aws:kinesis:eu-central-1:123456789012:stream/s","mode":"PROVISIONED","open_shards":3}}"#;
        let connection = connection(stream, None);
        assert_eq!(connection.ensure_stream(), "kstream ensure --shards 3");
        assert_eq!(
            connection.make_role(),
            "iam-policy-gen trust < connection.json | iam-policy-gen permissions | iam-role ensure databricks-kinesis-role > repaired.json"
        );
        assert_eq!(
            connection.make_credential(),
            "dbx-cred ensure kinesis-sensor-credential < connection.json | trust-sync > repaired.json"
        );
    }
}
