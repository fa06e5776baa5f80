//! Why a run ends early: a fault, or a reader that has what it wanted.

use config::output::OutError;
use config::{Fault, Outcome};

/// The end of a run before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Something is wrong.
    Fault(Fault),
    /// The reader closed stdout. This tool changes nothing, so nothing is lost: `… | head -1` is fine.
    Closed,
}

impl Stop {
    /// What the process ends with.
    pub(crate) fn end(self) -> Result<Outcome, Fault> {
        match self {
            Self::Fault(fault) => Err(fault),
            Self::Closed => Ok(Outcome::Done),
        }
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<OutError> for Stop {
    fn from(error: OutError) -> Self {
        match error {
            OutError::Closed => Self::Closed,
            OutError::Failed(_) => Self::Fault(error.into()),
        }
    }
}
