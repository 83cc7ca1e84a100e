//! What a check came to.

use serde::Serialize;
use serde_json::{Value, json};

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What was checked.
    pub(super) check: &'static str,
    /// How it is.
    #[serde(flatten)]
    pub(super) state: State,
    /// What was found, in a few words.
    pub(super) found: String,
}

/// How something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub(super) enum State {
    /// As it has to be.
    Ok,
    /// Not as it has to be.
    Wrong {
        /// Which guarantee it breaks, in plain words.
        breaks: &'static str,
        /// The command or the place that mends it.
        mend: String,
    },
    /// It could not be found out: what was found says why.
    Unchecked,
}

impl State {
    /// In a word.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Wrong { .. } => "wrong",
            Self::Unchecked => "unchecked",
        }
    }
}

impl Finding {
    /// All is well.
    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into() }
    }

    /// Something is to be mended.
    pub(super) fn wrong(
        check: &'static str,
        found: impl Into<String>,
        breaks: &'static str,
        mend: impl Into<String>,
    ) -> Self {
        Self { check, state: State::Wrong { breaks, mend: mend.into() }, found: found.into() }
    }

    /// Nobody knows.
    pub(super) fn unchecked(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, state: State::Unchecked, found: why.into() }
    }
}

/// All of it.
#[derive(Debug)]
pub(super) struct Report {
    /// The stack that was examined.
    pub(super) stack: String,
    /// Where it is.
    pub(super) region: String,
    /// In the order they are read.
    pub(super) findings: Vec<Finding>,
}

impl Report {
    /// Whether every check is ok.
    pub(super) fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.state == State::Ok)
    }

    /// How many checks are wrong, and how many could not be made.
    pub(super) fn troubles(&self) -> (usize, usize) {
        let count = |is: fn(&State) -> bool| self.findings.iter().filter(|one| is(&one.state)).count();
        (
            count(|state| matches!(state, State::Wrong { .. })),
            count(|state| matches!(state, State::Unchecked)),
        )
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let Self { stack, region, findings } = self;
        json!({ "stack": stack, "region": region, "healthy": self.is_healthy(), "checks": findings })
    }
}
