//! The steps of a proof and what they prove together.

use serde_json::{Value, json};

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What is tried, such as `read-record`.
    pub(super) name: &'static str,
    /// Whether it must work or must be refused.
    pub(super) must: Must,
    /// How it ended.
    pub(super) ended: Ended,
}

/// What a step must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Must {
    /// It works.
    Work,
    /// It is refused.
    BeRefused,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// As it must.
    Pass,
    /// Not as it must.
    Fail {
        /// What happened.
        why: String,
        /// What to do.
        advice: String,
    },
    /// It could not be tried.
    Skip {
        /// Why.
        why: String,
    },
}

/// What a call showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Showed {
    /// The caller may.
    Allowed,
    /// The caller may not.
    Denied(String),
    /// Neither: the call failed for another reason.
    Failed {
        /// The service's code, where it answered with one.
        code: Option<String>,
        /// The sentence for people.
        why: String,
    },
}

impl Showed {
    /// A failure that no service named.
    pub(super) fn failed(why: impl Into<String>) -> Self {
        Self::Failed { code: None, why: why.into() }
    }

    /// Takes a failure with `code` for a permission: the service looked at the request only after it let the caller in.
    pub(super) fn allowed_if(self, code: &str) -> Self {
        match self {
            Self::Failed { code: Some(seen), .. } if seen == code => Self::Allowed,
            other => other,
        }
    }
}

/// All steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    steps: Vec<Step>,
}

impl Report {
    /// The steps, in order.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Notes a step that must work.
    pub(super) fn works(&mut self, name: &'static str, showed: Showed, advice: impl Into<String>) -> bool {
        let ended = match showed {
            Showed::Allowed => Ended::Pass,
            Showed::Denied(why) | Showed::Failed { why, .. } => Ended::Fail { why, advice: advice.into() },
        };
        let works = ended == Ended::Pass;
        self.steps.push(Step { name, must: Must::Work, ended });
        works
    }

    /// Notes a step that must be refused. Only a refusal proves one: any other failure proves nothing.
    pub(super) fn refused(&mut self, name: &'static str, showed: Showed, advice: impl Into<String>) {
        let ended = match showed {
            Showed::Denied(_) => Ended::Pass,
            Showed::Allowed => {
                Ended::Fail { why: "this is allowed, and must not be".to_owned(), advice: advice.into() }
            }
            Showed::Failed { why, .. } => Ended::Skip { why },
        };
        self.steps.push(Step { name, must: Must::BeRefused, ended });
    }

    /// Notes a step that could not be tried.
    pub(super) fn skip(&mut self, name: &'static str, must: Must, why: impl Into<String>) {
        self.steps.push(Step { name, must, ended: Ended::Skip { why: why.into() } });
    }

    /// `pass`, `fail` or `unproven`.
    pub(super) fn verdict(&self) -> &'static str {
        let any = |wanted: fn(&Ended) -> bool| self.steps.iter().any(|step| wanted(&step.ended));
        if any(|ended| matches!(ended, Ended::Fail { .. })) {
            "fail"
        } else if self.steps.is_empty() || any(|ended| matches!(ended, Ended::Skip { .. })) {
            "unproven"
        } else {
            "pass"
        }
    }

    /// The steps in the document.
    pub(super) fn to_json(&self) -> Vec<Value> {
        let line = |step: &Step| {
            let must = match step.must {
                Must::Work => "work",
                Must::BeRefused => "be-refused",
            };
            let (result, message) = match &step.ended {
                Ended::Pass => ("PASS", None),
                Ended::Fail { why, .. } => ("FAIL", Some(why)),
                Ended::Skip { why } => ("SKIP", Some(why)),
            };
            match message {
                None => json!({ "step": step.name, "must": must, "result": result }),
                Some(message) => {
                    json!({ "step": step.name, "must": must, "result": result, "message": message })
                }
            }
        };
        self.steps.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Report, Showed};

    fn failed() -> Showed {
        Showed::failed("x")
    }

    fn denied() -> Showed {
        Showed::Denied("x".into())
    }

    #[test]
    fn only_a_refusal_proves_a_refusal() {
        let verdict = |showed| {
            let mut report = Report::default();
            report.refused("s", showed, "a");
            report.verdict()
        };
        assert_eq!([Showed::Allowed, denied(), failed()].map(verdict), ["fail", "pass", "unproven"]);
    }

    #[test]
    fn a_request_that_was_looked_at_was_let_in() {
        let failed = |code: &str| Showed::Failed { code: Some(code.into()), why: "x".into() };
        assert_eq!(
            failed("InvalidArgumentException").allowed_if("InvalidArgumentException"),
            Showed::Allowed
        );
        assert_eq!(failed("Other").allowed_if("InvalidArgumentException"), failed("Other"));
        assert_eq!(denied().allowed_if("InvalidArgumentException"), denied());
    }

    #[test]
    fn what_must_work_fails_however_it_fails() {
        let verdict = |showed| {
            let mut report = Report::default();
            report.works("s", showed, "a");
            report.verdict()
        };
        assert_eq!([Showed::Allowed, denied(), failed()].map(verdict), ["pass", "fail", "fail"]);
        assert_eq!(Report::default().verdict(), "unproven");
    }
}
