//! `~/.databrickscfg`: the profiles of the Databricks CLI and SDKs.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use config::Fault;
use config::env::{self, Env};

/// A section that holds settings of the CLI, never a profile.
const SETTINGS: &str = "__settings__";
/// The profile that is used when nothing names one.
const DEFAULT: &str = "DEFAULT";

/// A configuration file that was read.
pub(super) struct ProfileFile {
    path: PathBuf,
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

impl ProfileFile {
    /// Reads `DATABRICKS_CONFIG_FILE`, or `~/.databrickscfg`. No file is no error.
    ///
    /// # Errors
    /// A usage fault with line and column when the file cannot be used.
    pub(super) fn open(env: &Env) -> Result<Option<Self>, Fault> {
        let home = env.get(env::HOME);
        let path = match (env.get("DATABRICKS_CONFIG_FILE"), home) {
            (Some(named), Some(home)) => named
                .strip_prefix("~/")
                .map_or_else(|| PathBuf::from(named), |rest| Path::new(home).join(rest)),
            (Some(named), None) => PathBuf::from(named),
            (None, Some(home)) => Path::new(home).join(".databrickscfg"),
            (None, None) => return Ok(None),
        };
        let shown = path.display();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Fault::usage(format!("failed to read the Databricks profiles in `{shown}`"))
                    .with_cause(error)
                    .with_hint("DATABRICKS_CONFIG_FILE names the file; without it, it is ~/.databrickscfg"));
            }
        };
        Self::parse(path, &text).map(Some)
    }

    /// Reads sections of `key = value` lines. A line is never repeated in an error: it may hold a secret.
    fn parse(path: PathBuf, text: &str) -> Result<Self, Fault> {
        let mut sections: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut current: Option<&mut BTreeMap<String, String>> = None;
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            let refuse = |reason: &str| {
                Fault::usage(format!(
                    "the Databricks profiles in `{}` cannot be used: line {}: {reason}",
                    path.display(),
                    index + 1
                ))
                .with_hint("write sections like [DEFAULT] with lines like host = https://…")
            };
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let (name, _) =
                    rest.split_once(']').ok_or_else(|| refuse("a section's name ends with `]`"))?;
                current = Some(sections.entry(name.trim().to_owned()).or_default());
                continue;
            }
            let (key, text) = line.split_once(['=', ':']).ok_or_else(|| refuse("it has no `=`"))?;
            let section = current.as_mut().ok_or_else(|| refuse("it stands before the first section"))?;
            section.insert(key.trim().to_owned(), without_comment(text).to_owned());
        }
        Ok(Self { path, sections })
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The profile to use when nothing names one: the CLI's default, else `DEFAULT`.
    pub(super) fn default_name(&self) -> &str {
        let chosen = self.sections.get(SETTINGS).and_then(|section| section.get("default_profile"));
        chosen.map(String::as_str).filter(|name| !name.is_empty()).unwrap_or(DEFAULT)
    }

    /// A profile's keys and values. Profiles do not inherit from `DEFAULT`.
    pub(super) fn get(&self, name: &str) -> Option<impl Iterator<Item = (&str, &str)>> {
        if name == SETTINGS {
            return None;
        }
        Some(self.sections.get(name)?.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }

    /// The profiles' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str).filter(|name| *name != SETTINGS)
    }
}

/// A value without the comment behind it. `#` inside a value is part of it.
fn without_comment(text: &str) -> &str {
    let end = text.find(" #").or_else(|| text.find("\t#")).unwrap_or(text.len());
    text.get(..end).unwrap_or(text).trim()
}

/// The fault for a profile that is not there.
pub(super) fn no_such_profile(name: &str, file: Option<&ProfileFile>) -> Fault {
    if name == SETTINGS {
        return Fault::usage(format!("`{SETTINGS}` is a reserved section and cannot be used as a profile"))
            .with_hint("name a profile of yours with --dbx-profile");
    }
    match file {
        None => {
            Fault::usage(format!("there is no Databricks profile `{name}`: there is no ~/.databrickscfg"))
                .with_hint("run: databricks auth login, or set DATABRICKS_HOST and DATABRICKS_TOKEN")
        }
        Some(file) => {
            let names: Vec<&str> = file.names().collect();
            Fault::usage(format!("there is no profile `{name}` in {}", file.path().display())).with_hint(
                if names.is_empty() {
                    format!("run: databricks auth login --profile {name}")
                } else {
                    format!("it has {}; choose one with --dbx-profile", names.join(", "))
                },
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ProfileFile, no_such_profile};

    const TEXT: &str = "\
; a comment
[__settings__]
default_profile = prod

[DEFAULT]
host  = https://a.test
token = dapi#1\\n\"x\" # mine

[prod]
host=https://b.test
client_id = 7f9e
";

    fn file(text: &str) -> ProfileFile {
        ProfileFile::parse("/home/me/.databrickscfg".into(), text).unwrap()
    }

    #[test]
    fn profiles_are_read_as_the_databricks_cli_reads_them() {
        let file = file(TEXT);
        assert_eq!(file.default_name(), "prod");
        assert_eq!(file.names().collect::<Vec<_>>(), ["DEFAULT", "prod"]);
        let default: Vec<_> = file.get("DEFAULT").unwrap().collect();
        assert_eq!(default, [("host", "https://a.test"), ("token", "dapi#1\\n\"x\"")]);
        let prod: Vec<_> = file.get("prod").unwrap().collect();
        assert_eq!(prod, [("client_id", "7f9e"), ("host", "https://b.test")]);
        assert!(file.get("__settings__").is_none());
        assert!(file.get("nobody").is_none());
    }

    #[test]
    fn a_missing_profile_names_those_that_are_there() {
        let text = no_such_profile("prd", Some(&file(TEXT))).to_text("t");
        assert!(text.contains("`prd`") && text.contains("DEFAULT, prod"), "{text}");
        assert!(no_such_profile("__settings__", None).message().contains("reserved"));
    }

    #[test]
    fn a_broken_file_names_the_line_but_does_not_repeat_it() {
        for (text, said) in [
            ("[DEFAULT]\nhost = h\ntoken dapi-secret\n", "line 3: it has no `=`"),
            ("token = dapi-secret\n", "line 1: it stands before the first section"),
            ("[dapi-secret\n", "line 1: a section's name ends with `]`"),
        ] {
            let shown = ProfileFile::parse("/f".into(), text).err().unwrap().to_text("t");
            assert!(shown.contains(said) && !shown.contains("dapi"), "{shown}");
        }
    }

    #[test]
    fn without_settings_the_default_is_default() {
        assert_eq!(file("").default_name(), "DEFAULT");
    }
}
