//! How a tool ends: the exit codes, the fault that leads to one, and the only place that writes a fault.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

/// A tool ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything asked for is done. Exit code 0.
    Done,
    /// It ran, but some items failed or `--check` found a difference; stdout says which. Exit code 1.
    Incomplete,
    /// A signal asked it to stop; what was in flight is finished. Exit code 130.
    Interrupted,
    /// The exit code of a child process that the tool ran on the user's behalf.
    Child(u8),
}

impl Outcome {
    /// The process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Incomplete => 1,
            Self::Interrupted => 130,
            Self::Child(code) => code,
        }
    }
}

/// Who has to act before the tool can succeed. Decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The caller: a flag, an argument or a setting is wrong or missing. Exit code 2.
    Usage,
    /// The pipe neighbour: stdin is not what this tool reads, or stdout cannot be written. Exit code 3.
    Pipe,
    /// An administrator: no or expired credentials, denied, no such thing. Exit code 4.
    Refused,
    /// Nobody, later: throttled or unreachable after every retry. Exit code 5.
    Transient,
    /// The user stopped it. Exit code 130.
    Interrupted,
}

impl Kind {
    /// The process exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Pipe => 3,
            Self::Refused => 4,
            Self::Transient => 5,
            Self::Interrupted => 130,
        }
    }
}

/// The table that every tool's `--help` ends with.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    ran, but some items failed or --check found a difference
  2    usage: a flag, an argument or a setting
  3    pipe: stdin is not what this tool reads, or stdout cannot be written
  4    refused: credentials, permission, or no such thing
  5    transient: throttled or unreachable after every retry; run it again
  130  interrupted";

/// Why a tool could not do what it was asked: what was being done, to what, why it failed, and what to type next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: Kind,
    code: Option<String>,
    message: String,
    hint: Option<String>,
    causes: Vec<String>,
}

impl Fault {
    /// A fault of `kind`. The message is a lower-case fragment without a full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into(), hint: None, causes: Vec::new() }
    }

    /// Shorthand for [`Kind::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Shorthand for [`Kind::Pipe`].
    pub fn pipe(message: impl Into<String>) -> Self {
        Self::new(Kind::Pipe, message)
    }

    /// Shorthand for [`Kind::Refused`].
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// Shorthand for [`Kind::Transient`].
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(Kind::Transient, message)
    }

    /// Shorthand for [`Kind::Interrupted`].
    pub fn interrupted(message: impl Into<String>) -> Self {
        Self::new(Kind::Interrupted, message)
    }

    /// The service's own code, such as `ResourceNotFoundException`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The thing to type next. Replaces an earlier hint: the caller closest to the user knows best.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps the hint that is there, or adds this one.
    #[must_use]
    pub fn or_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// One more underlying reason, outermost first. A repetition of what was already said is dropped.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Display) -> Self {
        let cause = cause.to_string();
        let said = |text: &str| text.contains(&cause);
        if !cause.is_empty() && !said(&self.message) && !self.causes.iter().any(|known| said(known)) {
            self.causes.push(cause);
        }
        self
    }

    /// Who has to act.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The service's code, when a service answered.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What failed, without its causes.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to type next.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// What failed and why, in one line, without the hint.
    pub fn sentence(&self) -> String {
        let mut text = self.message.clone();
        for cause in &self.causes {
            text.push_str(": ");
            text.push_str(cause);
        }
        // A cause may quote a service or a subprocess: keep it on one line, so that the hint stands out.
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The one JSON line of `--errors json`.
    ///
    /// `{"tool":…,"kind":…,"code":…,"message":…,"hint":…,"causes":[…]}`; `code` and `hint` are `null` when there is none.
    pub fn to_json(&self, tool: &str) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            tool: &'a str,
            kind: Kind,
            code: Option<&'a str>,
            message: &'a str,
            hint: Option<&'a str>,
            causes: &'a [String],
        }
        let line = Line {
            tool,
            kind: self.kind,
            code: self.code.as_deref(),
            message: &self.message,
            hint: self.hint.as_deref(),
            causes: &self.causes,
        };
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// The text form: one `tool: message: cause` line, then a `hint:` line when there is one.
    pub fn to_text(&self, tool: &str) -> String {
        let mut text = format!("{tool}: {}", self.sentence());
        if let Some(hint) = &self.hint {
            text.push_str("\nhint: ");
            text.push_str(hint);
        }
        text
    }
}

/// How faults are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ErrorFormat {
    /// `tool: message`, then `hint: …`.
    #[default]
    Text,
    /// One JSON line.
    Json,
}

/// Turns a tool's end into its exit code, writing the fault, if there is one, to stderr. Nothing else writes a fault.
pub fn end(tool: &str, format: ErrorFormat, ended: Result<Outcome, Fault>) -> ExitCode {
    match ended {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(fault) => {
            let mut text = match format {
                ErrorFormat::Text => fault.to_text(tool),
                ErrorFormat::Json => fault.to_json(tool),
            };
            text.push('\n');
            // A stderr that cannot be written changes nothing about how the tool ended: the code still says it.
            drop(io::stderr().write_all(text.as_bytes()));
            ExitCode::from(fault.kind.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Kind};

    #[test]
    fn text_keeps_the_message_on_one_line_and_the_hint_on_the_next() {
        let fault = Fault::refused("failed to write to stream `orders`")
            .with_cause("no such\n  stream")
            .with_hint("kstream ensure orders");
        assert_eq!(
            fault.to_text("kput"),
            "kput: failed to write to stream `orders`: no such stream\nhint: kstream ensure orders"
        );
    }

    #[test]
    fn json_is_one_line_with_every_member() {
        let fault = Fault::transient("failed to list shards").with_code("LimitExceededException");
        assert_eq!(
            fault.to_json("kpeek"),
            r#"{"tool":"kpeek","kind":"transient","code":"LimitExceededException","message":"failed to list shards","hint":null,"causes":[]}"#
        );
    }

    #[test]
    fn a_cause_that_repeats_the_message_is_dropped() {
        let fault = Fault::usage("bad ARN: no colon").with_cause("no colon").with_cause("empty");
        assert_eq!(fault.to_text("t"), "t: bad ARN: no colon: empty");
    }

    #[test]
    fn the_nearest_hint_wins() {
        let fault = Fault::usage("x").with_hint("first").or_hint("second");
        assert_eq!(fault.hint(), Some("first"));
        assert_eq!(fault.kind(), Kind::Usage);
    }
}
