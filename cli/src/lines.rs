//! Progress as plain lines, for pipes and logs: no control characters.

use crate::progress::Display;
use crate::snapshot::{Snapshot, StepSight};
use crate::text;
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
    fn news(&mut self, snapshot: &Snapshot, now: Timestamp) -> Vec<String> {
        let mut news = Vec::new();
        for sight in &snapshot.steps {
            let first = !self.said.contains_key(&sight.step.ordinal);
            let said = self.said.entry(sight.step.ordinal).or_default();
            let name = sight.step.name.as_str();
            let mut say =
                |at, what: String| news.push(format!("{}  {name:NAME_CHARS$}  {what}", text::clock(at)));
            if first && !passes_at_once(sight) {
                say(sight.step.started_at, beginning(sight));
            }
            if sight.is_over() && !said.over {
                said.over = true;
                say(sight.step.ended_at.unwrap_or(now), end(sight));
            } else if let (Some(counts), Some(total)) = (sight.counts, sight.total) {
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
fn passes_at_once(sight: &StepSight) -> bool {
    sight.counts.is_none() && sight.step.ended_at == Some(sight.step.started_at)
}

fn beginning(sight: &StepSight) -> String {
    match sight.total {
        Some(total) => format!("begins on {}", text::plural(total, "node")),
        None => format!("begins: {}", sight.step.action),
    }
}

fn end(sight: &StepSight) -> String {
    let step = &sight.step;
    let mut line = step.status.as_str().to_owned();
    if let Some(counts) = sight.counts {
        line.push_str(&format!(": {}", text::counts(counts)));
    }
    if !passes_at_once(sight) {
        let took = step.ended_at.map(|end| end.duration_since(step.started_at)).unwrap_or_default();
        line.push_str(&format!(", after {}", text::duration(took)));
    }
    if let Some(next) = &step.next_step {
        line.push_str(&format!(" → {next}"));
    }
    line
}

impl Display for Lines {
    fn tick(&mut self, _now: Timestamp) {}

    fn show(&mut self, snapshot: &Snapshot, now: Timestamp) {
        for line in self.news(snapshot, now) {
            // Whoever closed the pipe is told when the result cannot be written either.
            let _ = writeln!(self.out, "{line}");
        }
    }

    fn finish(&mut self) {
        let _ = writeln!(self.out);
    }
}
