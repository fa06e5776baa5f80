//! The document's member `doctor`.
//!
//! `{"verdict":"healthy"|"broken"|"unproven","link":…,"sentence":…,"fix":…,"links":[{"link":…,"state":"ok"|"broken"|"unseen"|
//! "not-looked-at","sentence":…,"warnings":[…]}]}`. `link`, `sentence` and `fix` are of the broken link, else of the first one
//! that could not be seen, else null.

use config::{Member, Outcome};
use serde::{Deserialize, Serialize};

use super::finding::Link;

/// What the doctor found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Diagnosis {
    verdict: Verdict,
    link: Option<String>,
    sentence: Option<String>,
    fix: Option<String>,
    links: Vec<Entry>,
}

impl Member for Diagnosis {
    const NAME: &'static str = "doctor";
    const SUPPLIER: &'static str = "aws-check --doctor";
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    /// Every link was seen and holds.
    Healthy,
    /// One is broken.
    Broken,
    /// None is known to be broken, but not all could be seen.
    Unproven,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    Broken,
    Unseen,
    NotLookedAt,
}

/// One link in the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    link: String,
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Entry {
    pub(crate) fn holds(link: Link, sentence: String, warnings: Vec<String>) -> Self {
        Self { warnings, ..Self::new(link, State::Ok, Some(sentence), None) }
    }

    pub(crate) fn unseen(link: Link, why: String, hint: Option<String>) -> Self {
        Self::new(link, State::Unseen, Some(why), hint)
    }

    pub(crate) fn broken(link: Link, sentence: String, fix: String) -> Self {
        Self::new(link, State::Broken, Some(sentence), Some(fix))
    }

    fn new(link: Link, state: State, sentence: Option<String>, fix: Option<String>) -> Self {
        Self { link: link.as_str().to_owned(), state, sentence, fix, warnings: Vec::new() }
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.state == State::Ok
    }
}

impl Diagnosis {
    /// The report of a walk; the links that it did not come to are added.
    pub(crate) fn of(mut links: Vec<Entry>) -> Self {
        for link in Link::ALL.into_iter().skip(links.len()) {
            links.push(Entry::new(link, State::NotLookedAt, None, None));
        }
        let first = |state| links.iter().find(|entry| entry.state == state);
        let (verdict, telling) = match (first(State::Broken), first(State::Unseen)) {
            (Some(broken), _) => (Verdict::Broken, Some(broken)),
            (None, Some(unseen)) => (Verdict::Unproven, Some(unseen)),
            (None, None) => (Verdict::Healthy, None),
        };
        Self {
            verdict,
            link: telling.map(|entry| entry.link.clone()),
            sentence: telling.and_then(|entry| entry.sentence.clone()),
            fix: telling.and_then(|entry| entry.fix.clone()),
            links,
        }
    }

    /// Done only when everything is proved.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.verdict {
            Verdict::Healthy => Outcome::Done,
            Verdict::Broken | Verdict::Unproven => Outcome::Incomplete,
        }
    }

    /// What to tell a person at the end; a broken link has said everything.
    pub(crate) fn last_word(&self) -> Option<String> {
        match self.verdict {
            Verdict::Healthy => Some("every link holds".to_owned()),
            Verdict::Broken => None,
            Verdict::Unproven => {
                let unseen = self.links.iter().filter(|entry| entry.state == State::Unseen);
                let names: Vec<&str> = unseen.map(|entry| entry.link.as_str()).collect();
                Some(format!("no link is known to be broken, but nobody could look at: {}", names.join(", ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Diagnosis, Entry, Link, Verdict};

    fn text() -> String {
        "said".to_owned()
    }

    #[test]
    fn the_first_broken_link_is_the_diagnosis_and_later_ones_are_listed() {
        let links = vec![
            Entry::holds(Link::Identity, text(), Vec::new()),
            Entry::unseen(Link::Stream, text(), None),
            Entry::broken(Link::Role, text(), "iam-role ensure".to_owned()),
        ];
        let diagnosis = Diagnosis::of(links);
        assert_eq!((diagnosis.verdict, diagnosis.link.as_deref()), (Verdict::Broken, Some("role")));
        assert_eq!(diagnosis.outcome().code(), 1);
        let states = serde_json::to_value(&diagnosis.links).unwrap();
        let states: Vec<_> = states.as_array().unwrap().iter().map(|entry| entry["state"].clone()).collect();
        assert_eq!(
            states,
            ["ok", "unseen", "broken", "not-looked-at", "not-looked-at", "not-looked-at", "not-looked-at"]
        );
    }

    #[test]
    fn what_was_not_seen_is_not_proved() {
        let all = |unseen: Link| -> Diagnosis {
            let entry = |link| {
                if link == unseen {
                    Entry::unseen(link, text(), None)
                } else {
                    Entry::holds(link, text(), Vec::new())
                }
            };
            Diagnosis::of(Link::ALL.into_iter().map(entry).collect())
        };
        let diagnosis = all(Link::Validation);
        assert_eq!((diagnosis.verdict, diagnosis.outcome().code()), (Verdict::Unproven, 1));
        let whole =
            Diagnosis::of(Link::ALL.into_iter().map(|link| Entry::holds(link, text(), Vec::new())).collect());
        assert_eq!((whole.verdict, whole.outcome().code()), (Verdict::Healthy, 0));
    }
}
