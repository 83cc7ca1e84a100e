//! Progress as bars, for a terminal: one for each fleet step, its nodes by outcome.

use crate::progress::Display;
use crate::snapshot::{Snapshot, StepSight};
use crate::text::{self, OUTCOMES};
use console::{StyledObject, style};
use fleetwright_fleet::{Counts, Outcome};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Cells of a bar.
const CELLS: u64 = 36;
/// Where steps of usual names line up.
const NAME_CHARS: usize = 16;

/// Bars on standard output.
pub(crate) struct Bars {
    all: MultiProgress,
    clock: ProgressBar,
    steps: BTreeMap<u32, ProgressBar>,
}

impl Bars {
    /// A clock, and no step yet.
    pub(crate) fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let clock = all.add(plain());
        Self { all, clock, steps: BTreeMap::new() }
    }
}

/// A line whose text we make ourselves: a bar of several colours is more than a template can say.
fn plain() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new_spinner().with_style(style)
}

impl Display for Bars {
    fn tick(&mut self, now: Timestamp) {
        self.clock.set_message(style(text::clock(now)).dim().to_string());
    }

    fn show(&mut self, snapshot: &Snapshot, now: Timestamp) {
        self.tick(now);
        for sight in &snapshot.steps {
            let bar = self.steps.entry(sight.step.ordinal).or_insert_with(|| {
                // The clock stays below the steps.
                self.all.insert_before(&self.clock, plain())
            });
            if bar.is_finished() {
                continue;
            }
            let line = line(sight);
            if sight.is_over() { bar.finish_with_message(line) } else { bar.set_message(line) }
        }
    }

    fn finish(&mut self) {
        self.clock.finish_and_clear();
        println!();
    }
}

fn line(sight: &StepSight) -> String {
    let name = format!("{:NAME_CHARS$}", sight.step.name.as_str());
    let Some(counts) = sight.counts else {
        let next = sight.step.next_step.as_ref().map_or_else(String::new, |next| format!("→ {next}"));
        return format!("{name}  {}", style(next).dim());
    };
    let total = sight.total.unwrap_or(0).max(counts.total());
    let done = format!("{:>6}/{total:<6}", counts.total());
    format!("{}  {}{done}  {}", style(name).bold(), cells(counts, total), words(counts))
}

/// The bar: a stretch of each outcome, and what is still to come.
fn cells(counts: Counts, total: u64) -> String {
    let mut bar = String::new();
    let (mut nodes, mut drawn) = (0, 0);
    for outcome in OUTCOMES {
        nodes += counts.of(outcome);
        let until = (nodes * CELLS).checked_div(total).unwrap_or(0);
        if until > drawn {
            bar.push_str(&coloured(outcome, "█".repeat(width(until - drawn))).to_string());
        }
        drawn = until;
    }
    bar.push_str(&style("░".repeat(width(CELLS - drawn))).dim().to_string());
    bar
}

fn words(counts: Counts) -> String {
    let some = OUTCOMES.into_iter().filter(|outcome| counts.of(*outcome) > 0);
    let word =
        |outcome| coloured(outcome, format!("{} {}", counts.of(outcome), text::word(outcome))).to_string();
    some.map(word).collect::<Vec<_>>().join("  ")
}

fn coloured<T>(outcome: Outcome, text: T) -> StyledObject<T> {
    let text = style(text);
    match outcome {
        Outcome::Success => text.green(),
        Outcome::Failed => text.red(),
        Outcome::TimedOut => text.yellow(),
        Outcome::Unknown => text.magenta(),
        Outcome::NotRun => text.blue(),
    }
}

fn width(cells: u64) -> usize {
    usize::try_from(cells).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_always_of_one_width() {
        for (success, failed, total) in [(0, 0, 0), (0, 0, 120), (1, 1, 120), (60, 7, 120), (113, 7, 120)] {
            let counts = Counts { success, failed, ..Counts::default() };
            assert_eq!(
                console::measure_text_width(&cells(counts, total)),
                width(CELLS),
                "{counts:?} of {total}"
            );
        }
    }
}
