//! `cargo xtask tidy`: the house rules that no compiler checks. It collects every finding, then fails.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::build;

/// The folders that may stand at the top, dot folders and cargo's own output aside.
const TOP_FOLDERS: [&str; 4] = ["crates", "scripts", "tests", "xtask"];

/// The longest a module may be, without its tests.
const MOST_LINES: usize = 500;

/// The longest a `main.rs` may be.
const MOST_MAIN_LINES: usize = 25;

/// The widest an example of a tool's help may be: wider ones are broken where a terminal ends, and nobody can paste them.
const MOST_EXAMPLE_COLUMNS: usize = 80;

/// Checks the tree.
#[expect(clippy::print_stderr, reason = "a task runner talks to the person who started it")]
pub(crate) fn run() -> Result<()> {
    let findings = findings(&build::root())?;
    for finding in &findings {
        eprintln!("tidy: {finding}");
    }
    ensure!(findings.is_empty(), "{} findings", findings.len());
    Ok(())
}

fn findings(root: &Path) -> Result<Vec<String>> {
    let mut findings = top_folders(root)?;
    let mut manifests = String::new();
    for file in files(root)? {
        let shown = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let extension = file.extension().and_then(|extension| extension.to_str());
        let is_rust = extension == Some("rs");
        if !is_rust && name != "Cargo.toml" && !shown.starts_with("scripts/") {
            continue;
        }
        let text = fs::read_to_string(&file).with_context(|| format!("failed to read `{shown}`"))?;
        if is_rust {
            findings.extend(module(&shown, name, &text));
            findings.extend(examples(&shown, &text));
        } else if name == "Cargo.toml" {
            findings.extend(manifest(&shown, &text));
            manifests.push_str(&text);
        } else if extension == Some("sh") && !text.starts_with("#!/usr/bin/env bash\n#") {
            findings.push(format!(
                "{shown}: a script starts with `#!/usr/bin/env bash` and a comment that says what for"
            ));
        }
    }
    findings.extend(unused_dependencies(root, &manifests)?);
    Ok(findings)
}

/// A dependency that the table offers and nobody takes is dead weight in the next reader's head.
fn unused_dependencies(root: &Path, manifests: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(root.join("Cargo.toml")).context("failed to read `Cargo.toml`")?;
    let table = text.split("[workspace.dependencies]").nth(1).unwrap_or_default();
    let names =
        table.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once(" = "));
    let is_taken = |name: &str| {
        let taken = [format!("{name}.workspace"), format!("{name} = {{ workspace")];
        manifests.lines().any(|line| taken.iter().any(|taken| line.starts_with(taken.as_str())))
    };
    let unused = names.filter(|(name, _)| !name.starts_with('#') && !is_taken(name));
    Ok(unused.map(|(name, _)| format!("Cargo.toml: nobody depends on `{name}`")).collect())
}

fn top_folders(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for entry in fs::read_dir(root).context("failed to list the root")? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let own = name.starts_with('.') || name == "target" || TOP_FOLDERS.contains(&name.as_str());
        if entry.file_type()?.is_dir() && !own {
            findings.push(format!("{name}/: only {} stand at the top", TOP_FOLDERS.join(", ")));
        }
    }
    Ok(findings)
}

fn module(shown: &str, name: &str, text: &str) -> Option<String> {
    if !text.starts_with("//! ") {
        return Some(format!("{shown}: line 1 says what the file is for: `//! …`"));
    }
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text).lines().count();
    let is_test = shown.contains("/tests/") || shown.starts_with("tests/");
    let most = if name == "main.rs" && !shown.starts_with("xtask/") { MOST_MAIN_LINES } else { MOST_LINES };
    let too_long =
        if name == "main.rs" && shown.starts_with("xtask/") { code > MOST_LINES } else { code > most };
    (too_long && !is_test)
        .then(|| format!("{shown}: {code} lines, at most {most}: split it by what it is about"))
}

/// Examples in a help text that cannot be pasted as they are shown.
fn examples(shown: &str, text: &str) -> Vec<String> {
    let Some((_, after)) = text.split_once("\nconst EXAMPLES: &str = ") else { return Vec::new() };
    let lines = after.lines().skip(1).take_while(|line| *line == "Examples:" || line.starts_with("  "));
    let wide = lines.filter(|line| line.trim_end_matches("\";").chars().count() > MOST_EXAMPLE_COLUMNS);
    wide.map(|line| {
        format!("{shown}: an example is wider than {MOST_EXAMPLE_COLUMNS} columns: `{}`", line.trim())
    })
    .collect()
}

fn manifest(shown: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    if shown == "Cargo.toml" || shown.contains("/fuzz/") {
        return findings;
    }
    if !text.contains("[lints]\nworkspace = true") {
        findings.push(format!("{shown}: inherit the lints: `[lints]` `workspace = true`"));
    }
    let mut in_dependencies = false;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies && line.contains('=') && !line.contains("workspace = true") {
            findings.push(format!("{shown}:{}: take the version from the workspace: `{line}`", number + 1));
        }
    }
    let pure = ["crates/policy/", "crates/aggregate/", "crates/iam-policy-gen/"];
    if pure.iter().any(|folder| shown.starts_with(folder))
        && text
            .split("[dev-dependencies]")
            .next()
            .is_some_and(|text| text.contains("aws-") || text.contains("tokio"))
    {
        findings.push(format!("{shown}: a pure crate has no SDK and no runtime"));
    }
    let is_tool = shown.starts_with("crates/") && !shown.starts_with("crates/sandbox/");
    if is_tool
        && text.split("[dev-dependencies]").next().is_some_and(|text| text.contains("kinbricks-sandbox"))
    {
        findings.push(format!("{shown}: no tool depends on the sandbox"));
    }
    findings
}

/// Every file below `folder`, build output and dot folders aside, in a stable order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        if name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            files.extend(self::files(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{examples, findings, manifest, module};

    #[test]
    fn the_tree_is_tidy() {
        assert_eq!(findings(&crate::build::root()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_version_of_its_own_is_found() {
        let text = "[dependencies]\nserde = \"1\"\nclap.workspace = true\n[lints]\nworkspace = true\n";
        assert_eq!(
            manifest("crates/x/Cargo.toml", text),
            ["crates/x/Cargo.toml:2: take the version from the workspace: `serde = \"1\"`"]
        );
    }

    #[test]
    fn an_example_that_is_too_wide_is_found() {
        let help = |example: &str| {
            format!("\nconst EXAMPLES: &str = \"\\\nExamples:\n  {example}\n\";\n{}", "x".repeat(99))
        };
        assert!(examples("a.rs", &help("kput orders")).is_empty());
        assert_eq!(examples("a.rs", &help(&"x".repeat(90))).len(), 1);
    }

    #[test]
    fn a_file_without_a_purpose_is_found() {
        assert!(module("crates/x/src/a.rs", "a.rs", "use std::fs;\n").is_some());
        assert!(module("crates/x/src/a.rs", "a.rs", "//! For a.\n").is_none());
        let long = format!("//! For a.\n{}", "\n".repeat(600));
        assert!(module("crates/x/src/a.rs", "a.rs", &long).is_some());
    }
}
