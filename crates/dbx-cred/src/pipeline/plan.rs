//! What the pipeline reads and where it puts it, checked.

use config::member;
use config::names::StreamArn;
use config::settings::Settings;
use config::{Document, Fault};

use super::{From, Pipeline};
use crate::credential;
use crate::host::Host;
use crate::name::CredentialName;

/// Longest name of a Unity Catalog object, in characters (Databricks documentation, "Names").
const MOST_CHARACTERS: usize = 255;

/// A pipeline to be written.
pub(super) struct Plan {
    pub(super) credential: CredentialName,
    pub(super) stream: StreamArn,
    /// Whether the role is in another account than the stream: a stream's name is looked up in the role's account.
    pub(super) cross_account: bool,
    pub(super) table: String,
    pub(super) from: From,
    pub(super) host: Option<Host>,
}

impl Plan {
    pub(super) fn new(args: &Pipeline, settings: &Settings, document: &Document) -> Result<Self, Fault> {
        let name = credential::named(settings, args.credential.as_deref(), document)?;
        let stream: StreamArn = match &args.stream {
            Some(text) => text.parse().map_err(|error| Fault::usage(format!("{error}")))?,
            None => document.get::<member::Stream>()?.map(|stream| stream.arn).ok_or_else(no_stream)?,
        };
        let known = document.get::<member::Credential>()?;
        let known = known.filter(|credential| credential.name == name.as_str());
        let cross_account = known.as_ref().is_some_and(|known| known.role_arn.account() != stream.account());
        let table = match &args.table {
            Some(table) => object_name(table, "--table")?,
            None => table_of(stream.name().as_str()),
        };
        let host = known.and_then(|known| known.host?.parse().ok());
        Ok(Self { credential: name, stream, cross_account, table, from: args.from, host })
    }

    /// The table that keeps the records as they arrived.
    pub(super) fn raw_table(&self) -> String {
        format!("{}_raw", self.table)
    }

    /// The word for where reading begins.
    pub(super) fn initial_position(&self) -> &'static str {
        match self.from {
            From::Earliest => "earliest",
            From::Latest => "latest",
        }
    }
}

/// A stream's name as a table's: letters, digits and underscores need no quoting anywhere.
fn table_of(stream: &str) -> String {
    stream
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' })
        .collect()
}

/// A checked name of a catalog, schema or table: one segment.
pub(super) fn object_name(text: &str, flag: &str) -> Result<String, Fault> {
    let length = text.chars().count();
    let bad = text.chars().find(|character| character.is_control() || "./ ".contains(*character));
    if length == 0 || length > MOST_CHARACTERS || bad.is_some() {
        return Err(Fault::usage(format!("`{text}` is not a name for {flag}"))
            .with_cause("it must be one name of 1 to 255 characters without periods, spaces and slashes")
            .with_hint(format!("e.g. {flag} sensor_pipeline")));
    }
    Ok(text.to_owned())
}

fn no_stream() -> Fault {
    Fault::usage("no stream is given")
        .with_hint("name it as --stream ARN, or pipe in what `kstream show STREAM` prints")
}
