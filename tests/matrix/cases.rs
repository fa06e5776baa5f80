//! The cases, as data: how a connection is broken, what is predicted and found, which link that is, and what repairs it.

mod credential;
mod fine;
mod permissions;
mod stream;
mod trust;

use anyhow::Result;

use crate::world::World;

/// One set-up.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) breaks: fn(&World) -> Result<()>,
    /// `P`, `F`, `S` for the three checks, or `refused: ` and words of what is said instead.
    pub(crate) predicted: &'static str,
    /// The same as Databricks finds it.
    pub(crate) validated: &'static str,
    /// The link that the doctor finds broken; none when it finds every link whole.
    pub(crate) link: Option<&'static str>,
    /// Words of its sentence.
    pub(crate) says: &'static str,
    pub(crate) repair: Repair,
    /// Flags for the doctor.
    pub(crate) flags: &'static str,
    /// IAM has taken a change that has no effect yet: Databricks finds what the policies do not say any more.
    pub(crate) spreads: bool,
    /// The sandbox has no such thing (KMS, a second region), so what works in it proves nothing.
    pub(crate) beyond_the_sandbox: bool,
}

/// What is to be done.
#[derive(Clone, Copy)]
pub(crate) enum Repair {
    /// Nothing: it works.
    None,
    /// What the doctor names contains this; it is run, and then everything is green.
    Command(&'static str),
    /// No command can; the doctor says this.
    Impossible(&'static str),
}

impl Case {
    /// A connection that works all the same.
    const fn fine(name: &'static str, breaks: fn(&World) -> Result<()>) -> Self {
        Self {
            name,
            breaks,
            predicted: "PPP",
            validated: "PPP",
            link: None,
            says: "",
            repair: Repair::None,
            flags: "",
            spreads: false,
            beyond_the_sandbox: false,
        }
    }

    /// A connection that is broken at `link`; prediction and validation agree on `checks`.
    const fn broken(
        name: &'static str,
        breaks: fn(&World) -> Result<()>,
        checks: &'static str,
        link: &'static str,
        says: &'static str,
        command: &'static str,
    ) -> Self {
        Self {
            predicted: checks,
            validated: checks,
            link: Some(link),
            says,
            repair: Repair::Command(command),
            ..Self::fine(name, breaks)
        }
    }
}

/// Every case.
pub(crate) fn all() -> Vec<Case> {
    let parts = [fine::cases(), trust::cases(), permissions::cases(), stream::cases(), credential::cases()];
    parts.into_iter().flatten().collect()
}
