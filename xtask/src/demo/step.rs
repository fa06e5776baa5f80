//! One step of the demo: a shell command, what it is for, and how it must end.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

/// A step. `command` is what a user would type, run by `bash -euo pipefail`.
pub(crate) struct Step {
    /// The heading: what the guide calls it.
    pub(crate) title: &'static str,
    /// One line for the reader: why.
    pub(crate) why: &'static str,
    /// The command.
    pub(crate) command: &'static str,
    /// The exit code that the guide promises.
    pub(crate) exit: i32,
    /// What must stand in stdout or stderr.
    pub(crate) says: &'static [&'static str],
    /// What must not.
    pub(crate) never_says: &'static [&'static str],
}

/// The longest line that is shown whole, characters.
const WIDTH: usize = 140;

impl Step {
    /// Runs the step in `folder`, shows what it printed, and checks how it ended.
    #[expect(clippy::print_stdout, reason = "the demo is for a person to read")]
    pub(crate) fn run(&self, number: usize, of: usize, folder: &Path) -> Result<()> {
        let (bold, dim, plain) =
            if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
        println!("\n{bold}[{number}/{of}] {}{plain}", self.title);
        println!("{dim}{}{plain}", self.why);
        for (index, line) in self.command.lines().enumerate() {
            println!("{} {line}", if index == 0 { "$" } else { ">" });
        }
        std::io::stdout().flush()?;
        let started = Instant::now();
        let mut child = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &format!("{{ {}\n}} 2>&1", self.command)])
            .current_dir(folder)
            // What a step prints is read through a pipe, so the tools cannot see how wide the screen is.
            .env("COLUMNS", WIDTH.to_string())
            // The reader's own settings are for the reader's own work.
            .env("XDG_CONFIG_HOME", folder)
            .env_remove("KINBRICKS_CONFIG")
            .env_remove("KINBRICKS_ERRORS")
            .env_remove("KINBRICKS_TIMEOUT")
            .env_remove("KINBRICKS_STREAM")
            .env_remove("KINBRICKS_ROLE")
            .env_remove("KINBRICKS_CREDENTIAL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to start bash")?;
        let mut said = String::new();
        child.stdout.take().context("bash has no stdout")?.read_to_string(&mut said)?;
        let ended = child.wait()?;
        for line in said.lines() {
            for piece in fit(line) {
                println!("  {piece}");
            }
        }
        println!("{dim}  ({:.1} s){plain}", started.elapsed().as_secs_f64());
        ensure!(ended.code() == Some(self.exit), "ended with {ended}, promised was exit code {}", self.exit);
        for wanted in self.says {
            ensure!(said.contains(wanted), "did not say `{wanted}`");
        }
        for unwanted in self.never_says {
            ensure!(!said.contains(unwanted), "said `{unwanted}`");
        }
        Ok(())
    }
}

/// JSON is cut, for the eye; a sentence is wrapped, because its end says what to type.
fn fit(line: &str) -> Vec<String> {
    if line.starts_with('{') {
        let cut: String = line.chars().take(WIDTH - 2).collect();
        return vec![if cut.len() < line.len() { format!("{cut} …") } else { cut }];
    }
    let mut lines = vec![String::new()];
    for word in line.split_inclusive(' ') {
        let last = lines
            .last_mut()
            .filter(|last| last.chars().count() + word.chars().count() <= WIDTH || last.is_empty());
        match last {
            Some(last) => last.push_str(word),
            None => lines.push(format!("    {word}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{WIDTH, fit};

    #[test]
    fn a_sentence_is_wrapped_and_json_is_cut() {
        let sentence = "word ".repeat(60);
        assert_eq!(fit(&sentence).len(), 3);
        assert!(fit(&sentence).iter().all(|line| line.chars().count() <= WIDTH + 4));
        assert_eq!(fit("  a  table").concat(), "  a  table");
        let json = format!("{{{}}}", "x".repeat(WIDTH));
        assert_eq!(fit(&json).concat().chars().count(), WIDTH);
    }
}
