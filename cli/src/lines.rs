//! Progress as plain lines, for pipes and logs: no control characters.

use crate::progress::Display;
use crate::text;
use crate::view::StepView;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io::{Stdout, Write, stdout};

/// Between its begin and its end a step gets a line for each so many parts of its nodes.
const PARTS: u64 = 4;
/// Where steps of usual names line up.
const NAME_CHARS: usize = 16;

/// What was said of a step.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    parts: u64,
    over: bool,
}

/// Progress on standard output.
pub(crate) struct Lines {
    out: Stdout,
    said: BTreeMap<u32, Said>,
}

impl Lines {
    /// Nothing was said yet.
    pub(crate) fn new() -> Self {
        Self { out: stdout(), said: BTreeMap::new() }
    }

    /// What is new about the steps.
    fn news(&mut self, steps: &[StepView], now: Timestamp) -> Vec<String> {
        let mut news = Vec::new();
        for step in steps {
            let first = !self.said.contains_key(&step.ordinal);
            let said = self.said.entry(step.ordinal).or_default();
            let name = step.name.as_str();
            let mut say =
                |at, what: String| news.push(format!("{}  {name:NAME_CHARS$}  {what}", text::clock(at)));
            if first && !passes_at_once(step) {
                say(step.started_at, beginning(step));
            }
            if step.is_over() && !said.over {
                said.over = true;
                say(step.ended_at.unwrap_or(now), end(step));
            } else if let (Some(counts), Some(total)) = (step.counts, step.total) {
                let parts = (counts.total() * PARTS).checked_div(total).unwrap_or(0);
                if !said.over && parts > said.parts && counts.total() < total {
                    said.parts = parts;
                    say(now, format!("{} of {total} done: {}", counts.total(), text::counts(counts)));
                }
            }
        }
        news
    }
}

/// Whether a step had neither nodes nor time: a branch.
fn passes_at_once(step: &StepView) -> bool {
    step.counts.is_none() && step.ended_at == Some(step.started_at)
}

fn beginning(step: &StepView) -> String {
    match step.total {
        Some(total) => format!("begins on {}", text::plural(total, "node")),
        None => format!("begins: {}", step.action),
    }
}

fn end(step: &StepView) -> String {
    let mut line = step.status.clone();
    if let Some(counts) = step.counts {
        line.push_str(&format!(": {}", text::counts(counts)));
    }
    if !passes_at_once(step) {
        line.push_str(&format!(", after {}", text::duration(step.took())));
    }
    if let Some(next) = &step.next_step {
        line.push_str(&format!(" → {next}"));
    }
    line
}

impl Display for Lines {
    fn tick(&mut self, _now: Timestamp) {}

    fn show(&mut self, steps: &[StepView], now: Timestamp) {
        for line in self.news(steps, now) {
            // Whoever closed the pipe is told when the result cannot be written either.
            let _ = writeln!(self.out, "{line}");
        }
    }

    fn finish(&mut self) {
        let _ = writeln!(self.out);
    }
}
