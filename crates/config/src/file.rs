//! `kinbricks.toml`: settings a project or a user keeps in a file.
//!
//! The file never decides where credentials are sent: it has no endpoint and no workspace URL, because it may come with
//! a checkout that somebody else wrote.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::env::{self, Env};
use crate::fault::Fault;

/// The file's name, in the working folder or any folder above it.
pub const NAME: &str = "kinbricks.toml";

/// The settings of one file. A key that is not listed here is an error, so that a misspelling does not pass unseen.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Keys {
    profile: Option<String>,
    region: Option<String>,
    errors: Option<String>,
    timeout: Option<String>,
    stream: Option<String>,
    role: Option<String>,
    credential: Option<String>,
    dbx_profile: Option<String>,
}

/// A settings file that was found and read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    path: PathBuf,
    keys: Keys,
}

impl File {
    /// Finds and reads the settings file: `KINBRICKS_CONFIG`, else the nearest [`NAME`] upwards from `folder`, else the
    /// one in the user's config folder. No file is no error.
    ///
    /// # Errors
    /// A usage fault with line and column when a file is found but cannot be used, or `KINBRICKS_CONFIG` names none.
    pub fn find(env: &Env, folder: Option<&Path>) -> Result<Option<Self>, Fault> {
        if let Some(path) = env.get(env::KINBRICKS_CONFIG) {
            return match Self::read(Path::new(path))? {
                Some(file) => Ok(Some(file)),
                None => Err(Fault::usage(format!("there is no settings file `{path}`"))
                    .with_hint("KINBRICKS_CONFIG names a kinbricks.toml; unset it or correct the path")),
            };
        }
        let upwards = folder.into_iter().flat_map(Path::ancestors).map(|folder| folder.join(NAME));
        for path in upwards.chain(user_file(env)) {
            if let Some(file) = Self::read(&path)? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    fn read(path: &Path) -> Result<Option<Self>, Fault> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => {
                return Err(
                    Fault::usage(format!("failed to read the settings file `{shown}`")).with_cause(error)
                );
            }
        };
        let keys = toml::from_str(&text).map_err(|error| {
            let (line, column) = place(&text, error.span().map_or(0, |span| span.start));
            Fault::usage(format!("the settings file `{shown}` cannot be used: line {line}, column {column}"))
                .with_cause(error.message())
                .with_hint(
                    "its keys are profile, region, errors, timeout, stream, role, credential and dbx_profile",
                )
        })?;
        Ok(Some(Self { path: path.to_owned(), keys }))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let keys = &self.keys;
        match key {
            "profile" => keys.profile.as_deref(),
            "region" => keys.region.as_deref(),
            "errors" => keys.errors.as_deref(),
            "timeout" => keys.timeout.as_deref(),
            "stream" => keys.stream.as_deref(),
            "role" => keys.role.as_deref(),
            "credential" => keys.credential.as_deref(),
            "dbx_profile" => keys.dbx_profile.as_deref(),
            _ => None,
        }
    }
}

/// `$XDG_CONFIG_HOME/kinbricks/kinbricks.toml` or `~/.config/kinbricks/kinbricks.toml`.
fn user_file(env: &Env) -> Option<PathBuf> {
    let folder = env
        .get("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| env.get(env::HOME).map(|home| Path::new(home).join(".config")))?;
    Some(folder.join("kinbricks").join(NAME))
}

/// Line and column, from 1, of a byte offset.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::File;
    use crate::env::Env;

    /// A folder of this test alone, removed at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("kinbricks-{}-{name}", std::process::id()));
            fs::create_dir_all(path.join("below/deeper")).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn the_nearest_file_upwards_wins_over_the_users() {
        let folder = Folder::new("nearest");
        fs::write(folder.0.join("kinbricks.toml"), "stream = \"orders\"\n").unwrap();
        let env = Env::default();
        let found = File::find(&env, Some(&folder.0.join("below/deeper"))).unwrap().unwrap();
        assert_eq!((found.get("stream"), found.get("role")), (Some("orders"), None));
        assert_eq!(found.path(), folder.0.join("kinbricks.toml"));
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let folder = Folder::new("misspelt");
        fs::write(folder.0.join("kinbricks.toml"), "region = \"eu-central-1\"\nstraem = \"orders\"\n")
            .unwrap();
        let text = File::find(&Env::default(), Some(&folder.0)).unwrap_err().to_text("t");
        assert!(text.contains("line 2, column 1") && text.contains("straem"), "{text}");
    }

    #[test]
    fn a_named_file_must_exist() {
        let env = Env::from_iter([("KINBRICKS_CONFIG", "/nowhere/kinbricks.toml")]);
        assert!(File::find(&env, None).is_err());
    }
}
