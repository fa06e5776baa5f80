//! What is found at a link, and the walk that collects it.

use config::{Fault, Kind, Notes};

use super::report::{Diagnosis, Entry};

/// A link of the chain, in the order they are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Link {
    Identity,
    Stream,
    Role,
    Trust,
    Permissions,
    Credential,
    Validation,
}

impl Link {
    pub(crate) const ALL: [Self; 7] = [
        Self::Identity,
        Self::Stream,
        Self::Role,
        Self::Trust,
        Self::Permissions,
        Self::Credential,
        Self::Validation,
    ];

    /// The word in output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Stream => "stream",
            Self::Role => "role",
            Self::Trust => "trust",
            Self::Permissions => "permissions",
            Self::Credential => "credential",
            Self::Validation => "validation",
        }
    }
}

/// A link that holds.
#[derive(Debug)]
pub(crate) struct Seen<T> {
    /// What the next links need of it.
    pub(crate) value: T,
    /// How it is.
    pub(crate) sentence: String,
    /// What is odd, though it breaks nothing.
    pub(crate) warnings: Vec<String>,
}

impl Seen<()> {
    /// A link that holds, in a sentence.
    pub(crate) fn ok(sentence: impl Into<String>) -> Self {
        Self { value: (), sentence: sentence.into(), warnings: Vec::new() }
    }
}

/// A link that does not hold, or that cannot be looked at.
#[derive(Debug)]
pub(crate) enum Gap {
    /// It is broken: here the chain ends.
    Broken { sentence: String, fix: String },
    /// Nobody could look. The walk goes on.
    Unseen { why: String, hint: Option<String> },
    /// The user asked to stop.
    Stopped(Fault),
}

impl Gap {
    pub(crate) fn broken(sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Broken { sentence: sentence.into(), fix: fix.into() }
    }
}

impl From<Fault> for Gap {
    /// A request that was refused or did not arrive says nothing of what it was to look at.
    fn from(fault: Fault) -> Self {
        if fault.kind() == Kind::Interrupted {
            return Self::Stopped(fault);
        }
        Self::Unseen { why: fault.sentence(), hint: fault.hint().map(str::to_owned) }
    }
}

/// Why a walk ends before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A link is broken; it has been recorded.
    Broken,
    /// The user asked to stop.
    Fault(Fault),
}

/// The links so far. Each is told as soon as it is known.
pub(crate) struct Walk {
    notes: Notes,
    entries: Vec<Entry>,
}

impl Walk {
    pub(crate) fn new(notes: Notes) -> Self {
        Self { notes, entries: Vec::new() }
    }

    /// Records what was found at a link, and gives what the next ones need of it.
    ///
    /// # Errors
    /// When the walk ends here.
    pub(crate) fn record<T>(&mut self, link: Link, found: Result<Seen<T>, Gap>) -> Result<Option<T>, Stop> {
        let name = link.as_str();
        match found {
            Ok(Seen { value, sentence, warnings }) => {
                self.notes.say(format!("{name}: ok, {sentence}"));
                for warning in &warnings {
                    self.notes.warn(format!("{name}: {warning}"));
                }
                self.entries.push(Entry::holds(link, sentence, warnings));
                Ok(Some(value))
            }
            Err(Gap::Unseen { why, hint }) => {
                self.notes.say(format!("{name}: could not be looked at: {why}"));
                if let Some(hint) = &hint {
                    self.notes.say(format!("{name}: to see it, {hint}"));
                }
                self.entries.push(Entry::unseen(link, why, hint));
                Ok(None)
            }
            Err(Gap::Broken { sentence, fix }) => {
                self.notes.say(format!("{name}: BROKEN, {sentence}"));
                for later in Link::ALL.into_iter().filter(|later| *later > link) {
                    self.notes.say(format!("{}: not looked at", later.as_str()));
                }
                self.notes.say(format!("repair it with: {fix}"));
                self.entries.push(Entry::broken(link, sentence, fix));
                Err(Stop::Broken)
            }
            Err(Gap::Stopped(fault)) => Err(Stop::Fault(fault)),
        }
    }

    /// Whether every link so far was seen and holds.
    pub(crate) fn all_holds(&self) -> bool {
        self.entries.iter().all(Entry::is_ok)
    }

    /// The end of the walk, with a last word to people.
    pub(crate) fn end(self) -> Diagnosis {
        let diagnosis = Diagnosis::of(self.entries);
        if let Some(word) = diagnosis.last_word() {
            self.notes.say(word);
        }
        diagnosis
    }
}
