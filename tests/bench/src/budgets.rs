//! The budgets, all of them, in one place: what is measured, and how much it may be.

use serde::Serialize;

/// Which way it may not go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// What may be spent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// On what.
    pub what: &'static str,
    /// How much.
    pub limit: Limit,
    /// Of what.
    pub unit: &'static str,
}

impl Budget {
    /// Whether a measure keeps it.
    #[must_use]
    pub fn is_kept(&self, measure: f64) -> bool {
        match self.limit {
            Limit::AtMost(most) => measure <= most,
            Limit::AtLeast(least) => measure >= least,
        }
    }
}

const fn at_most(what: &'static str, most: f64, unit: &'static str) -> Budget {
    Budget { what, limit: Limit::AtMost(most), unit }
}

/// From the last event of a step to the records of the next command: one command by InstanceIds, all nodes succeeded.
pub const STEP_CALLS: Budget = at_most("from one step to the next", 6.0, "AWS calls");
/// Of these, one after another until SendCommand leaves.
pub const STEP_ROUNDS: Budget = at_most("until SendCommand leaves", 3.0, "rounds");
/// Folding alone, in a burst of 1,000 events over 20 commands in batches of 250.
pub const FOLD_REQUESTS: Budget = at_most("folding an event of a burst", 0.1, "requests");
/// With the step closed.
pub const BURST_REQUESTS: Budget = at_most("folding and completing", 0.12, "requests");
/// In that burst.
pub const BURST_UNITS: Budget = at_most("writing an event of a burst", 0.4, "write units");
/// 3,000 nodes by a tag, 6,000 events in two minutes.
pub const HOT_KEY: Budget = at_most("the busiest key, 3,000 nodes by tag", 500.0, "write units/s");
/// By partitions that take 1,000 units a second.
pub const THROTTLED: Budget = at_most("writes refused of these", 0.0, "writes");
/// Through the function's own code, the table excluded.
pub const EVENTS: Budget =
    Budget { what: "events through on-command-event", limit: Limit::AtLeast(50_000.0), unit: "events/s" };
/// Process start to first `/next`, without what the warm-up takes, of the slowest function.
pub const START: Budget = at_most("start, beside a bare runtime's", 3.0, "times");
/// The same, of a function in Python with the same clients.
pub const PYTHON_START: Budget = at_most("start, beside Python's", 1.0 / 40.0, "times");
/// The largest function's, as Lambda counts: a megabyte has 1,048,576 bytes.
pub const ZIP: Budget = at_most("the largest zip", 3.0, "MB");
/// The hungriest function's under the burst.
pub const MEMORY: Budget = at_most("peak memory under the burst", 32.0, "MB");
/// A summary of an execution on 3,000 nodes that has ended.
pub const FINISHED_ITEMS: Budget = at_most("summary of 3,000 nodes, ended", 20.0, "items");
/// One that runs.
pub const RUNNING_REQUESTS: Budget = at_most("summary of 3,000 nodes, running", 3.0, "requests");
/// 10,000 nodes through five steps.
pub const SIMULATION: Budget = at_most("simulating 10,000 nodes, five steps", 10.0, "s");
/// From 1,000 nodes to 50,000, beside what n log n would be.
pub const GROWTH: Budget = at_most("growth to 50,000, beside n log n", 1.0, "times");
/// Three steps on so many nodes, of what SSM Automation costs with one child for each.
pub const COSTS: [(u32, Budget); 3] = [
    (1_000, at_most("cost on 1,000 nodes, beside SSM Automation", 1.0 / 100.0, "times")),
    (10_000, at_most("cost on 10,000 nodes, beside SSM Automation", 1.0 / 100.0, "times")),
    (50_000, at_most("cost on 50,000 nodes, beside SSM Automation", 1.0 / 100.0, "times")),
];

/// A budget, and what was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The budget.
    pub budget: Budget,
    /// What it came to.
    pub measure: f64,
    /// What stands beside it in the same run.
    pub beside: String,
}

impl Budget {
    /// It came to this.
    #[must_use]
    pub fn measured(self, measure: f64, beside: impl Into<String>) -> Measured {
        Measured { budget: self, measure, beside: beside.into() }
    }
}

/// One line of the report, for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct Line<'a> {
    what: &'a str,
    unit: &'a str,
    measured: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<f64>,
    kept: bool,
    beside: &'a str,
}

impl Measured {
    /// Whether the budget is kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.budget.is_kept(self.measure)
    }

    /// For programs.
    #[must_use]
    pub fn line(&self) -> Line<'_> {
        let (at_most, at_least) = match self.budget.limit {
            Limit::AtMost(most) => (Some(most), None),
            Limit::AtLeast(least) => (None, Some(least)),
        };
        Line {
            what: self.budget.what,
            unit: self.budget.unit,
            measured: self.measure,
            at_most,
            at_least,
            kept: self.is_kept(),
            beside: &self.beside,
        }
    }
}
