//! Files that are written only where they differ, and never over somebody's own.

use std::fs;
use std::io;
use std::path::Path;

use config::{Fault, Notes};

use super::bundle::MARK;

/// A file to be.
pub(super) struct File {
    /// Where, below the folder.
    pub(super) path: String,
    /// What.
    pub(super) text: String,
}

/// Writes the files below `folder` and gives their paths. All are checked before the first is written.
///
/// # Errors
/// A usage fault when a file is somebody's own or cannot be written.
pub(super) fn write_all(folder: &str, files: &[File], notes: &Notes) -> Result<Vec<String>, Fault> {
    let folder = Path::new(folder);
    let mut old = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        let text = match fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed("read", &path, &error)),
        };
        if text.as_deref().is_some_and(|text| !text.lines().next().unwrap_or_default().contains(MARK)) {
            return Err(Fault::usage(format!(
                "`{}` was not written by this command, so it is left alone",
                path.display()
            ))
            .with_hint("choose another folder with --out, or move the file away"));
        }
        old.push(text);
    }
    let mut written = Vec::new();
    for (file, old) in files.iter().zip(old) {
        let path = folder.join(&file.path);
        let shown = path.display();
        let done = match old {
            Some(old) if old == file.text => "unchanged",
            Some(_) => "updated",
            None => "created",
        };
        if done != "unchanged" {
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent).map_err(|error| failed("create", parent, &error))?;
            // A full disk must not leave half a file in the place of a whole one.
            let draft = path.with_extension("draft");
            fs::write(&draft, &file.text).and_then(|()| fs::rename(&draft, &path)).map_err(|error| {
                drop(fs::remove_file(&draft));
                failed("write", &path, &error)
            })?;
        }
        notes.say(format!("{done} {shown}"));
        written.push(shown.to_string());
    }
    Ok(written)
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Fault {
    Fault::usage(format!("failed to {doing} `{}`", path.display()))
        .with_cause(error)
        .with_hint("choose another folder with --out")
}
