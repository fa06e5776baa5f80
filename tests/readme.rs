//! Runs the `console` blocks of README.md, one after the other in one sandbox, and compares what they print.
//!
//! A line `...` in a block stands for any lines, `[..]` for any text in a line.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use kinbricks_tests::{root, run};
use libtest_mimic::{Arguments, Failed, Trial};
use snapbox::Data;
use snapbox::assert::Assert;

/// Between two blocks on the output. Nothing that a tool prints looks like it.
const FENCE: &str = "\u{1}";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trial = Trial::test("readme", || readme().map_err(|error| Failed::from(format!("{error:#}"))));
    libtest_mimic::run(&arguments, vec![trial]).exit_code()
}

fn readme() -> Result<()> {
    let text = fs::read_to_string(root().join("README.md")).context("failed to read README.md")?;
    let blocks = blocks(&text);
    ensure!(!blocks.is_empty(), "README.md has no console blocks");
    let fence = format!("printf '{FENCE}'\n");
    let script: String = blocks.iter().flat_map(|block| [block.script(), fence.clone()]).collect();
    let scratch = tempfile::tempdir()?;
    let output = run(&script, scratch.path(), &[])?;
    let said = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "a command of README.md failed ({}):\n{said}", output.status);
    for (block, said) in blocks.iter().zip(said.split(FENCE)) {
        let expected = Data::text(block.said.clone());
        let assert = Assert::new();
        assert
            .try_eq(Some(&block.commands.join("; ")), Data::text(said.to_owned()), expected)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    Ok(())
}

/// A `console` block: commands behind `$ ` (continued behind `> `), and what they print.
#[derive(Debug, Default, PartialEq, Eq)]
struct Block {
    commands: Vec<String>,
    said: String,
}

impl Block {
    fn script(&self) -> String {
        self.commands.iter().flat_map(|command| [command, "\n"]).collect()
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut current: Option<Block> = None;
    for line in text.lines() {
        match (&mut current, line) {
            (None, "```console") => current = Some(Block::default()),
            (Some(_), "```") => blocks.extend(current.take()),
            (Some(block), line) => {
                if let Some(command) = line.strip_prefix("$ ") {
                    block.commands.push(command.to_owned());
                } else if let (Some(more), Some(command)) =
                    (line.strip_prefix("> "), block.commands.last_mut())
                {
                    command.push('\n');
                    command.push_str(more);
                } else {
                    block.said.push_str(line);
                    block.said.push('\n');
                }
            }
            (None, _) => {}
        }
    }
    blocks
}
