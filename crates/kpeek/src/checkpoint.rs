//! `--checkpoint FILE`: how far each shard was read, so that the next run goes on exactly there.
//!
//! The file is written after what was read has left the process, and replaced as a whole. So whatever ends a run, nothing
//! is lost; when it is killed between the two, the last answer comes again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use config::Fault;
use config::names::{ShardId, StreamName};
use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};

use crate::position::Position;

/// The version of the file.
const VERSION: u64 = 1;

/// A pause between two writings lasts this many times as long as the writing: a small file is up to date after nearly every
/// answer, a large one slows reading down by a fifth at most.
const WRITING_PART: u32 = 4;

/// How far one shard was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// To be gone on with here.
    At(Place),
    /// Closed, and read to its end.
    Over,
}

/// A place in a shard, which may lie inside a record into which others are packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where to begin to read.
    pub(crate) position: Position,
    /// The last of the records packed into the first one that was shown already.
    pub(crate) sub: Option<u64>,
}

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    /// Where the first run began: children of its shards begin there too.
    pub(crate) origin: Position,
    /// How far each shard was read.
    pub(crate) shards: BTreeMap<ShardId, Mark>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    kinbricks_checkpoint: u64,
    stream: StreamName,
    origin: String,
    shards: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    shard_id: ShardId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    over: bool,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    path: PathBuf,
    stream: StreamName,
    written: Option<(Instant, Duration)>,
}

impl Checkpoint {
    /// The file at `path`, for `stream`.
    pub(crate) fn new(path: &Path, stream: &StreamName) -> Self {
        Self { path: path.to_owned(), stream: stream.clone(), written: None }
    }

    /// What an earlier run left; nothing when there is no file yet.
    ///
    /// # Errors
    /// A usage fault when the file cannot be read, or is no checkpoint of this stream.
    pub(crate) fn load(&self) -> Result<Option<Saved>, Fault> {
        let path = self.path.display();
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Fault::usage(format!("failed to read the checkpoint `{path}`"))
                    .with_cause(error)
                    .with_hint("--checkpoint FILE names a file in a folder that you may write to"));
            }
        };
        let unusable = |cause: String| {
            Fault::usage(format!("`{path}` is no checkpoint that can be used"))
                .with_cause(cause)
                .with_hint(format!("name another file, or begin anew: rm {path}"))
        };
        let content: Content = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        if content.kinbricks_checkpoint != VERSION {
            return Err(unusable(format!(
                "it is of version {}, this tool reads version {VERSION}",
                content.kinbricks_checkpoint
            )));
        }
        if content.stream != self.stream {
            return Err(unusable(format!("it is of stream `{}`, not of `{}`", content.stream, self.stream)));
        }
        let now = ZonedDateTime::now();
        let mut shards = BTreeMap::new();
        for line in content.shards {
            let mark = match line.position {
                _ if line.over => Mark::Over,
                Some(text) => {
                    let position = Position::parse(&text, &now).map_err(&unusable)?;
                    Mark::At(Place { position, sub: line.sub })
                }
                None => return Err(unusable(format!("shard {} has no position", line.shard_id))),
            };
            shards.insert(line.shard_id, mark);
        }
        let origin = Position::parse(&content.origin, &now).map_err(&unusable)?;
        Ok(Some(Saved { origin, shards }))
    }

    /// Whether it is time to write again: the larger the file, the more rarely.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.written.is_none_or(|(at, took)| now.saturating_duration_since(at) >= took * WRITING_PART)
    }

    /// Whether this run has written it.
    pub(crate) fn is_written(&self) -> bool {
        self.written.is_some()
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// A usage fault when it cannot be written the first time, a pipe fault later.
    pub(crate) fn save(&mut self, saved: &Saved) -> Result<(), Fault> {
        let start = Instant::now();
        let shards = saved.shards.iter().map(|(shard, mark)| match mark {
            Mark::Over => Line { shard_id: shard.clone(), position: None, sub: None, over: true },
            Mark::At(place) => Line {
                shard_id: shard.clone(),
                position: Some(place.position.to_string()),
                sub: place.sub,
                over: false,
            },
        });
        let content = Content {
            kinbricks_checkpoint: VERSION,
            stream: self.stream.clone(),
            origin: saved.origin.to_string(),
            shards: shards.collect(),
        };
        self.replace(&content).map_err(|error| {
            let message = format!("failed to write the checkpoint `{}`", self.path.display());
            let fault = if self.written.is_none() { Fault::usage(message) } else { Fault::pipe(message) };
            fault
                .with_cause(error)
                .with_hint("--checkpoint FILE names a file in a folder that you may write to")
        })?;
        self.written = Some((start, start.elapsed()));
        Ok(())
    }

    /// A reader never sees half a file: the new one is complete before it takes the old one's name.
    fn replace(&self, content: &Content) -> io::Result<()> {
        let mut beside = self.path.clone().into_os_string();
        beside.push(".new");
        let mut text = serde_json::to_vec(content)?;
        text.push(b'\n');
        fs::write(&beside, text)?;
        fs::rename(&beside, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::{Checkpoint, Mark, Place, Saved};
    use crate::position::Position;

    fn saved() -> Saved {
        let place = |position: Position, sub| Mark::At(Place { position, sub });
        let shards = [
            ("0", Mark::Over),
            ("1", place(Position::AfterSequence("42".to_owned()), None)),
            ("2", place(Position::AtSequence("43".to_owned()), Some(7))),
            ("3", place(Position::At("2024-01-15T10:00:00.123Z".parse().unwrap()), None)),
        ];
        Saved {
            origin: Position::TrimHorizon,
            shards: shards.into_iter().map(|(shard, mark)| (shard.parse().unwrap(), mark)).collect(),
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let mut checkpoint = Checkpoint::new(&folder.path().join("s.json"), &"s".parse().unwrap());
        assert_eq!(checkpoint.load().unwrap(), None);
        checkpoint.save(&saved()).unwrap();
        checkpoint.save(&saved()).unwrap();
        assert_eq!(checkpoint.load().unwrap(), Some(saved()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.json");
        let checkpoint = Checkpoint::new(&path, &"s".parse().unwrap());
        for (content, wanted) in [
            ("", "EOF while parsing"),
            ("{\"kinbricks_checkpoint\":1,\n\"stream\":\"s\",\"oops\":1}", "line 2"),
            (r#"{"kinbricks_checkpoint":2,"stream":"s","origin":"latest","shards":[]}"#, "version 2"),
            (
                r#"{"kinbricks_checkpoint":1,"stream":"t","origin":"latest","shards":[]}"#,
                "of stream `t`, not of `s`",
            ),
            (
                r#"{"kinbricks_checkpoint":1,"stream":"s","origin":"soon","shards":[]}"#,
                "`soon` is no position",
            ),
            (
                r#"{"kinbricks_checkpoint":1,"stream":"s","origin":"latest","shards":[{"shard_id":"1"}]}"#,
                "no position",
            ),
        ] {
            std::fs::write(&path, content).unwrap();
            let text = checkpoint.load().unwrap_err().to_text("kpeek");
            assert!(text.contains(wanted) && text.contains("hint: name another file"), "{content}: {text}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_written_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("s.json");
        let fault = Checkpoint::new(&path, &"s".parse().unwrap()).save(&saved()).unwrap_err();
        assert_eq!(fault.kind(), config::Kind::Usage);
    }
}
